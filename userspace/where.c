// SPDX-License-Identifier: GPL-2.0-or-later
#include "where.h"

#include <fnmatch.h>
#include <jansson.h>

#include "suggest.h"

/* What an alias looks at. "destination" and "source" alone are address and port. */
static const struct {
	const char *name;
	const char *fields[5];
} aliases[] = {
	{"dst", {"destination.ip", "destination"}},
	{"process", {"process.name", "process.pid", "process.executable"}},
	{"user", {"user.name", "user.id"}},
	{"cgroup", {"dnsfence.cgroup.path"}},
	{"policy", {"rule.name"}},
	{"question", {"dns.question.name"}},
	{"reason", {"event.reason"}},
	{"action", {"event.action"}},
};

static struct condition *where_append(struct where *where, const char *field, size_t field_length,
				      const char *glob)
{
	struct condition condition = {.field = strndup(field, field_length), .glob = strdup(glob)};
	struct condition *place = NULL;

	if (condition.field && condition.glob)
		place = ARRAY_APPEND(where->list, where->length);
	if (!place) {
		free(condition.field);
		free(condition.glob);
		return NULL;
	}
	*place = condition;
	return place;
}

int where_add(struct where *where, const char *text, struct problem *problem)
{
	const char *equals = strchr(text, '=');
	struct condition *condition;
	bool negated;

	if (!equals || equals == text || (negated = equals[-1] == '!' && equals - text == 1))
		return problem_set(problem, EINVAL,
				   "--where takes FIELD=GLOB or FIELD!=GLOB, such as "
				   "\"destination.ip=10.*\"; not '%s'",
				   text);
	negated = equals[-1] == '!';
	condition = where_append(where, text, (size_t)(equals - text) - negated, equals + 1);
	if (!condition)
		return -ENOMEM;
	condition->negated = negated;
	return 0;
}

int where_add_alias(struct where *where, const char *alias, const char *glob)
{
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (util_streq(aliases[i].name, alias)) {
			struct condition *condition =
				where_append(where, alias, strlen(alias), glob);

			if (!condition)
				return -ENOMEM;
			condition->fields = aliases[i].fields;
			return 0;
		}
	return -ENOENT;
}

void where_done(struct where *where)
{
	for (size_t i = 0; i < where->length; i++) {
		free(where->list[i].field);
		free(where->list[i].glob);
	}
	free(where->list);
	*where = (struct where){0};
}

static bool glob_matches(const char *glob, const char *field, const char *text)
{
	int flags = strncmp(field, "dns.", 4) == 0 ? FNM_CASEFOLD : 0;

	return fnmatch(glob, text, flags | FNM_NOESCAPE) == 0;
}

static bool list_matches(const struct condition *condition, const char *field, const json_t *list)
{
	char text[ENTRY_TEXT_MAX];

	for (size_t i = 0; i < json_array_size(list); i++)
		if (glob_matches(condition->glob, field,
				 entry_value_text(json_array_get(list, i), text)))
			return true;
	return false;
}

static bool field_matches(struct condition *condition, const char *field, const struct entry *entry)
{
	const json_t *value = entry_find(entry, field);
	char text[ENTRY_TEXT_MAX];

	condition->seen |= value != NULL;
	if (!value)
		return !*condition->glob;
	if (json_is_array(value))
		return list_matches(condition, field, value);
	if (json_is_object(value) && json_object_get(value, "ip"))
		entry_endpoint(entry, field, text, sizeof(text));
	else
		entry_value_text(value, text);
	return glob_matches(condition->glob, field, text);
}

static bool condition_holds(struct condition *condition, const struct entry *entry)
{
	bool matches = false;

	if (!condition->fields)
		matches = field_matches(condition, condition->field, entry);
	for (size_t i = 0; condition->fields && condition->fields[i]; i++)
		matches |= field_matches(condition, condition->fields[i], entry);
	return matches != condition->negated;
}

/* Those on this one's field that are not negated: one of them is enough. */
static bool alternatives_hold(struct where *where, const char *field, const struct entry *entry)
{
	bool holds = false;

	for (size_t i = 0; i < where->length; i++) {
		struct condition *condition = &where->list[i];

		if (!condition->negated && util_streq(condition->field, field))
			holds |= condition_holds(condition, entry);
	}
	return holds;
}

bool where_matches(struct where *where, const struct entry *entry)
{
	if ((where->since && entry->time < where->since) ||
	    (where->until && entry->time > where->until))
		return false;
	for (size_t i = 0; i < where->length; i++) {
		struct condition *condition = &where->list[i];

		if (condition->negated ? !condition_holds(condition, entry)
				       : !alternatives_hold(where, condition->field, entry))
			return false;
	}
	return true;
}

const char *where_unseen(const struct where *where, const char **ret_nearest)
{
	for (size_t i = 0; i < where->length; i++) {
		const struct condition *condition = &where->list[i];
		struct suggestion suggestion;

		if (condition->seen || condition->fields || !*condition->glob)
			continue;
		suggestion_begin(&suggestion, condition->field);
		for (const char *const *field = entry_fields; *field; field++)
			suggestion_offer(&suggestion, *field);
		*ret_nearest = suggestion.nearest;
		return condition->field;
	}
	return NULL;
}
