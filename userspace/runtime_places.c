// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime_places.h"

#include <fcntl.h>

/* The field of that number, from 0, of a line of passwd(5), without its colon. */
static const char *passwd_field(const char *line, unsigned int number, size_t *ret_length)
{
	while (number && *line && *line != '\n')
		number -= *line++ == ':';
	*ret_length = number ? 0 : strcspn(line, ":\n");
	return line;
}

static bool passwd_home(const char *text, uint32_t uid, char home[RUNTIME_PLACE_BYTES])
{
	char number[16];
	size_t length, number_length = (size_t)snprintf(number, sizeof(number), "%u", uid);

	for (const char *line = text; *line; line += *line == '\n') {
		const char *field = passwd_field(line, 2, &length);

		if (length == number_length && memcmp(field, number, length) == 0) {
			field = passwd_field(line, 5, &length);
			if (length && length < RUNTIME_PLACE_BYTES && field[0] == '/') {
				memcpy(home, field, length);
				home[length] = 0;
				return true;
			}
		}
		line += strcspn(line, "\n");
	}
	return false;
}

/* From the file, not the name service, which may ask the network: the host's, not this root's. */
static int home_find(const char *host, uint32_t uid, char home[RUNTIME_PLACE_BYTES])
{
	_cleanup_(runtime_file_done) struct runtime_file file = {.fd = -1};
	_cleanup_free_ char *text = NULL;
	size_t length;

	file.fd = runtime_host_open(host, "/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (file.fd < 0 || fstat(file.fd, &file.st) < 0 || !S_ISREG(file.st.st_mode) ||
	    file.st.st_size > (off_t)RUNTIMES_FILE_MAX ||
	    runtime_file_text(&file, &text, &length) < 0)
		return -ENOENT;
	return passwd_home(text, uid, home) ? 0 : -ENOENT;
}

static void place_add(struct runtime_place *places, size_t *length, const char *base,
		      const char *under, uint32_t owner)
{
	struct runtime_place *place = &places[*length];

	if (*length >= RUNTIME_PLACES_MAX || strlen(base) >= sizeof(place->base))
		return;
	strcpy(place->base, base);
	place->under = under;
	place->owner = owner;
	(*length)++;
}

size_t runtime_places_of_system(const struct words *words, const char *const *standard,
				struct runtime_place places[RUNTIME_PLACES_MAX])
{
	size_t length = 0;

	for (size_t i = 0; i < words->length; i++)
		place_add(places, &length, words->list[i].text, "", 0);
	for (; !words->length && *standard; standard++)
		place_add(places, &length, *standard, "", 0);
	return length;
}

size_t runtime_places_of_user(const char *host, uint32_t uid, const char *in_home,
			      const char *in_run, struct runtime_place places[RUNTIME_PLACES_MAX])
{
	char path[RUNTIME_PLACE_BYTES];
	size_t length = 0;

	if (in_home && home_find(host, uid, path) == 0)
		place_add(places, &length, path, in_home, uid);
	snprintf(path, sizeof(path), "/run/user/%u", uid);
	if (in_run)
		place_add(places, &length, path, in_run, uid);
	return length;
}
