/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configurations that tests load, and what is said of them. Behind cmocka.h; tests only. */
#ifndef DNSFENCE_CONFIG_FIXTURE_H
#define DNSFENCE_CONFIG_FIXTURE_H

#include "userspace/config.h"

#define V "apiVersion: dnsfence/v1\n"
#define DEFAULT "policies: [{name: default, resolvers: []}]\n"
#define P "policies:\n"

struct fixture {
	struct config config;
	struct diagnostics diagnostics;
	int result;
};

static inline void fixture_done(struct fixture *fixture)
{
	diagnostics_done(&fixture->diagnostics);
	config_done(&fixture->config);
}

#define _cleanup_fixture_ _cleanup_(fixture_done)

static inline void load(const char *text, struct fixture *ret)
{
	*ret = (struct fixture){0};
	ret->result =
		config_load_text(text, strlen(text), "test.yaml", &ret->config, &ret->diagnostics);
}

static inline void load_good(const char *text, struct fixture *ret)
{
	load(text, ret);
	if (ret->result)
		fail_msg("refused: %s\n%s", ret->diagnostics.list[0].text, text);
	assert_int_equal(ret->diagnostics.errors, 0);
}

struct expected {
	const char *says;
	unsigned int line, column; /* 0: not checked */
};

static inline bool says(const struct diagnostics *diagnostics, int severity,
			const struct expected *expected)
{
	for (size_t i = 0; i < diagnostics->length; i++) {
		const struct diagnostic *diagnostic = &diagnostics->list[i];

		if ((int)diagnostic->severity == severity &&
		    strstr(diagnostic->text, expected->says) &&
		    (!expected->line || diagnostic->where.line == expected->line) &&
		    (!expected->column || diagnostic->where.column == expected->column))
			return true;
	}
	return false;
}

#endif
