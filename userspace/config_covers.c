// SPDX-License-Identifier: GPL-2.0-or-later
#include "config_covers.h"

#include <fnmatch.h>

#define COMPARISONS_MAX 1000000

/* Does a word of one list take all that a word of the other does? */
typedef bool (*word_covers)(const char *wide, const char *narrow);

static bool name_covers(const char *wide, const char *narrow)
{
	if (util_streq(wide, narrow))
		return true;
	return word_is_glob(wide) && !word_is_glob(narrow) &&
	       fnmatch(wide, narrow, FNM_NOESCAPE) == 0;
}

static size_t path_length(const char *path)
{
	size_t length = strlen(path);

	while (length && path[length - 1] == '/')
		length--;
	return length;
}

/* A path stands for all that is below it, too. */
static bool path_covers(const char *wide, const char *narrow)
{
	size_t length = path_length(wide);

	if (strncmp(wide, narrow, length) == 0 && (!narrow[length] || narrow[length] == '/'))
		return true;
	return word_is_glob(wide) && !word_is_glob(narrow) &&
	       fnmatch(wide, narrow, FNM_PATHNAME | FNM_NOESCAPE | FNM_LEADING_DIR) == 0;
}

/* An empty list says nothing. */
static bool words_cover(const struct words *wide, const struct words *narrow, word_covers covers)
{
	if (!wide->length)
		return true;
	if (!narrow->length || wide->length > COMPARISONS_MAX / narrow->length)
		return false;
	for (size_t i = 0; i < narrow->length; i++) {
		size_t j = 0;

		while (j < wide->length && !covers(wide->list[j].text, narrow->list[i].text))
			j++;
		if (j == wide->length)
			return false;
	}
	return true;
}

static bool names_cover(const struct words *wide, const struct words *narrow)
{
	return words_cover(wide, narrow, name_covers);
}

/* All of wide's labels have to hold, so narrow has to ask for each of them. */
static bool labels_cover(const struct label_matches *wide, const struct label_matches *narrow)
{
	for (size_t i = 0; i < wide->length; i++) {
		size_t j = 0;

		while (j < narrow->length &&
		       !(util_streq(wide->list[i].key, narrow->list[j].key) &&
			 names_cover(&wide->list[i].values, &narrow->list[j].values)))
			j++;
		if (j == narrow->length)
			return false;
	}
	return true;
}

/* Without an owner it is root's containers alone, with one his alone. */
static bool owners_cover(const struct words *wide, const struct words *narrow)
{
	return !wide->length == !narrow->length && names_cover(wide, narrow);
}

static bool container_covers(const struct container_match *wide,
			     const struct container_match *narrow)
{
	if (!wide->where.line)
		return true;
	return narrow->where.line && names_cover(&wide->names, &narrow->names) &&
	       names_cover(&wide->images, &narrow->images) &&
	       names_cover(&wide->ids, &narrow->ids) &&
	       labels_cover(&wide->labels, &narrow->labels) &&
	       (!wide->runtimes || (narrow->runtimes && !(narrow->runtimes & ~wide->runtimes))) &&
	       owners_cover(&wide->owners.words, &narrow->owners.words);
}

static bool pod_covers(const struct pod_match *wide, const struct pod_match *narrow)
{
	if (!wide->where.line)
		return true;
	return narrow->where.line && names_cover(&wide->namespaces, &narrow->namespaces) &&
	       names_cover(&wide->names, &narrow->names) &&
	       labels_cover(&wide->labels, &narrow->labels);
}

static bool prefixes_cover(const struct prefixes *wide, const struct prefixes *narrow)
{
	if (!wide->length)
		return true;
	if (!narrow->length || wide->length > COMPARISONS_MAX / narrow->length)
		return false;
	for (size_t i = 0; i < narrow->length; i++) {
		size_t j = 0;

		while (j < wide->length && !address_covers(&wide->list[j], &narrow->list[i]))
			j++;
		if (j == wide->length)
			return false;
	}
	return true;
}

bool config_match_covers(const struct match *wide, const struct match *narrow)
{
	return words_cover(&wide->cgroups, &narrow->cgroups, path_covers) &&
	       names_cover(&wide->units, &narrow->units) &&
	       names_cover(&wide->user_units, &narrow->user_units) &&
	       container_covers(&wide->container, &narrow->container) &&
	       pod_covers(&wide->pod, &narrow->pod) &&
	       names_cover(&wide->users.words, &narrow->users.words) &&
	       names_cover(&wide->interfaces, &narrow->interfaces) &&
	       prefixes_cover(&wide->sources, &narrow->sources);
}
