// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * userspace/match.c: which cgroups a policy is for, and from which level on. The matches are read
 * from a configuration, the identities from paths, as they are in use.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "one_match.h"
#include "userspace/census.h"

#define ID64 "3f0c0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab"
#define DOCKER "/system.slice/docker-" ID64 ".scope"
#define POD "/kubepods.slice/kubepods-podd8a9.slice"
#define POD_CONTAINER POD "/cri-containerd-" ID64 ".scope"
#define USERS "/user.slice/user-1000.slice/user@1000.service"
#define ROOTLESS USERS "/user.slice/libpod-" ID64 ".scope"
#define CHILD_OF_BOB "/system.slice/bob.service/docker-" ID64 ".scope"

static const struct fact_label labels[] = {{"app", "web"}, {"tier", "front"}, {"empty", ""}};

static const struct facts known = {
	.container = {.runtime = RUNTIME_DOCKER,
		      .id = ID64,
		      .name = "web-1",
		      .image = "registry.example/team/web:2",
		      .labels = {labels, ARRAY_LEN(labels)}},
	.pod = {.namespace = "prod",
		.name = "web-7d9f",
		.uid = "d8a9",
		.labels = {labels, ARRAY_LEN(labels)}},
};
static const struct facts blank = {
	.container = {.runtime = RUNTIME_DOCKER, .id = ID64, .name = "", .image = ""},
	.pod = {.namespace = "", .name = "", .uid = "d8a9"},
};

struct match_case {
	const char *match; /* as in the configuration */
	const char *path;
	const struct facts *facts;
	uint32_t owner;
	int level;
};

#define NEVER MATCH_NEVER
#define UNKNOWN 100 /* and the level that it would have */

static const struct match_case cases[] = {
	/* Cgroups: with all below, from the level that the pattern has. */
	{"cgroup: /", "/", NULL, 0, 0},
	{"cgroup: /", "/a/b", NULL, 0, 0},
	{"cgroup: /a", "/a", NULL, 0, 1},
	{"cgroup: /a/", "/a", NULL, 0, 1},
	{"cgroup: /a", "/a/b/c", NULL, 0, 1},
	{"cgroup: /a", "/ab", NULL, 0, NEVER},
	{"cgroup: /a/b", "/a", NULL, 0, NEVER},
	{"cgroup: '/a/*'", "/a/.hidden", NULL, 0, 2},
	{"cgroup: '/a/*'", "/a/b/c", NULL, 0, 2},
	{"cgroup: '/*/c'", "/a/b/c", NULL, 0, NEVER},
	{"cgroup: [/x, /a/b/c, '/a/*']", "/a/b/c", NULL, 0, 2},
	{"cgroup: '/system.slice/a\\x2db.service'", "/system.slice/a\\x2db.service", NULL, 0, 2},
	{"cgroup: '/system.slice/a\\x2db.slice/*'", "/system.slice/a\\x2db.slice/c", NULL, 0, 3},

	/* Units of the system, and slices above them. */
	{"unit: nginx.service", "/system.slice/nginx.service", NULL, 0, 2},
	{"unit: nginx.service", "/system.slice/nginx.service/worker", NULL, 0, 2},
	{"unit: nginx.service", "/system.slice", NULL, 0, NEVER},
	{"unit: nginx.service", "/nginx.service", NULL, 0, 1},
	{"unit: 'nginx@*.service'", "/system.slice/system-nginx.slice/nginx@a.service", NULL, 0, 3},
	{"unit: system-nginx.slice", "/system.slice/system-nginx.slice/nginx@a.service", NULL, 0,
	 2},
	{"unit: system.slice", "/system.slice/system-nginx.slice/nginx@a.service", NULL, 0, 1},
	{"unit: [b.service, system.slice]", "/system.slice/b.service", NULL, 0, 1},
	{"unit: system.slice", "/system.slice", NULL, 0, 1},
	{"unit: cpu.service", "/system.slice/_cpu.service", NULL, 0, 2},
	{"unit: a\\x2db.service", "/system.slice/a\\x2db.service", NULL, 0, 2},
	{"unit: 'a\\x2d*.service'", "/system.slice/a\\x2db.service", NULL, 0, 2},
	{"unit: nginx.service, cgroup: /system.slice", "/system.slice/nginx.service", NULL, 0, 2},
	{"unit: nginx.service, cgroup: '/*/*/worker'", "/system.slice/nginx.service/worker", NULL,
	 0, 3},
	{"unit: nginx.service, cgroup: /other.slice", "/system.slice/nginx.service", NULL, 0,
	 NEVER},

	/* A name in another place is none. */
	{"unit: unbound.service", "/system.slice/evil.service/unbound.service", NULL, 0, NEVER},
	{"unit: unbound.service", "/system.slice/evil.service/system.slice/unbound.service", NULL,
	 0, NEVER},
	{"unit: unbound.service", DOCKER "/system.slice/unbound.service", NULL, 0, NEVER},
	{"unit: unbound.service", "/docker/" ID64 "/system.slice/unbound.service", NULL, 0, NEVER},
	{"unit: unbound.service", USERS "/app.slice/unbound.service", NULL, 0, NEVER},
	{"unit: unbound.service", "/system.slice/x/unbound.service", NULL, 0, NEVER},
	{"unit: 'app.slice'", USERS "/app.slice/a.service", NULL, 0, NEVER},
	{"unit: 'user@*.service'", USERS "/app.slice/a.service", NULL, 0, 3},

	/* A user's own units, and whose manager it is. */
	{"user_unit: a.service", USERS "/app.slice/a.service/x", NULL, 0, 5},
	{"user_unit: app.slice", USERS "/app.slice/a.service", NULL, 0, 4},
	{"user_unit: a.service", "/system.slice/a.service", NULL, 0, NEVER},
	{"user_unit: a.service", "/user.slice/user-1000.slice/user@7.service/a.service", NULL, 0,
	 NEVER},
	{"user_unit: a.service, user: 1000", USERS "/app.slice/a.service", NULL, 0, 5},
	{"user_unit: a.service, user: [7, 8]", USERS "/app.slice/a.service", NULL, 0, NEVER},

	/* Containers: by what the path says... */
	{"container: {id: '*'}", DOCKER, NULL, 0, 2},
	{"container: {id: '*'}", DOCKER "/init", NULL, 0, 2},
	{"container: {id: '*'}", "/system.slice/docker.service", NULL, 0, NEVER},
	{"container: {id: '3f0c*'}", DOCKER, NULL, 0, 2},
	{"container: {id: '4*'}", DOCKER, NULL, 0, NEVER},
	{"container: {runtime: docker}", DOCKER, NULL, 0, 2},
	{"container: {runtime: [lxc, podman]}", DOCKER, NULL, 0, NEVER},
	{"container: {runtime: lxc}", "/lxc.payload.web", NULL, 0, 1},
	{"container: {id: web, runtime: systemd-nspawn}", "/machine.slice/machine-web.scope", NULL,
	 0, 2},
	/* ...and by what the files say, which may come later. */
	{"container: {runtime: docker}", "/custom/" ID64, NULL, 0, UNKNOWN + 2},
	{"container: {runtime: docker}", "/custom/" ID64, &known, 0, 2},
	{"container: {runtime: podman}", "/custom/" ID64, &known, 0, NEVER},
	{"container: {name: 'web-*'}", DOCKER, NULL, 0, UNKNOWN + 2},
	{"container: {name: 'web-*'}", DOCKER "/x", NULL, 0, UNKNOWN + 2},
	{"container: {name: 'web-*'}, cgroup: '/*/*/x'", DOCKER "/x", NULL, 0, UNKNOWN + 3},
	{"container: {name: 'web-*'}", DOCKER, &known, 0, 2},
	{"container: {name: [db, 'web-?']}", DOCKER, &known, 0, 2},
	{"container: {name: web}", DOCKER, &known, 0, NEVER},
	{"container: {name: '*'}", DOCKER, &blank, 0, NEVER},
	{"container: {name: 'web-*', id: '4*'}", DOCKER, NULL, 0, NEVER},
	{"container: {image: 'registry.example/*'}", DOCKER, &known, 0, 2},
	{"container: {image: 'docker.io/*'}", DOCKER, &known, 0, NEVER},
	{"container: {label: {app: web}}", DOCKER, &known, 0, 2},
	{"container: {label: {app: [db, 'w*'], tier: front}}", DOCKER, &known, 0, 2},
	{"container: {label: {app: web, tier: back}}", DOCKER, &known, 0, NEVER},
	{"container: {label: {other: '*'}}", DOCKER, &known, 0, NEVER},
	{"container: {label: {empty: ''}}", DOCKER, &known, 0, 2},
	{"container: {label: {app: web}}", DOCKER, &blank, 0, NEVER},
	{"container: {name: 'web-*'}, unit: system.slice", DOCKER, &known, 0, 2},
	{"container: {name: 'web-*'}, cgroup: /x", DOCKER, NULL, 0, NEVER},

	/* Who could choose the names has no say, unless he is named. */
	{"container: {id: '*'}", ROOTLESS, NULL, 1000, NEVER},
	{"container: {name: 'web-*'}", ROOTLESS, &known, 1000, NEVER},
	{"container: {name: 'web-*', user: 1000}", ROOTLESS, &known, 1000, 5},
	{"container: {name: 'web-*', user: [7, 8]}", ROOTLESS, &known, 1000, NEVER},
	{"container: {name: 'web-*', user: 0}", ROOTLESS, &known, 1000, NEVER},
	{"container: {name: 'web-*', user: 0}", DOCKER, &known, 0, 2},
	{"container: {name: 'web-*', user: root}", DOCKER, &known, 0, 2},
	{"container: {name: 'web-*', user: 1000}", DOCKER, &known, 0, NEVER},
	{"container: {name: 'web-*'}", CHILD_OF_BOB, &known, 1001, NEVER},
	{"container: {name: 'web-*', user: 1001}", CHILD_OF_BOB, &known, 1001, 3},
	{"container: {id: '*', user: 1000}", ROOTLESS, NULL, IDENTITY_NO_USER, NEVER},
	{"pod: {name: '*'}", POD, &known, 1001, NEVER},
	/* What is in a container is that container's. */
	{"container: {runtime: podman}", DOCKER "/libpod-" ID64 ".scope", NULL, 0, NEVER},
	{"container: {runtime: docker}", DOCKER "/libpod-" ID64 ".scope", NULL, 0, 2},
	{"pod: {name: '*'}", "/docker/" ID64 "/kubelet" POD, &known, 0, NEVER},

	/* Pods. */
	{"pod: {namespace: prod}", POD, NULL, 0, UNKNOWN + 2},
	{"pod: {namespace: prod}", POD, &known, 0, 2},
	{"pod: {namespace: prod}", POD_CONTAINER, &known, 0, 2},
	{"pod: {namespace: dev}", POD, &known, 0, NEVER},
	{"pod: {name: 'web-*', namespace: 'p*', label: {app: web}}", POD, &known, 0, 2},
	{"pod: {label: {app: db}}", POD, &known, 0, NEVER},
	{"pod: {name: '*'}", POD, &blank, 0, NEVER},
	{"pod: {name: '*'}", DOCKER, NULL, 0, NEVER},
	{"pod: {namespace: prod}, container: {name: 'web-*'}", POD, &known, 0, NEVER},
	{"pod: {namespace: prod}, container: {name: 'web-*'}", POD_CONTAINER, &known, 0, 3},

	/* Not of cgroups. */
	{"user: 1000", "/a", NULL, 0, NEVER},
	{"source: 10.0.0.1", "/a", NULL, 0, NEVER},
};

static void read_match(const char *match, struct config *ret)
{
	struct diagnostics diagnostics = {0};

	if (config_of_match(match, ret, &diagnostics) < 0)
		fail_msg("%s: %s", match, diagnostics.list[0].text);
	subjects_find_users(ret, &diagnostics);
	diagnostics_done(&diagnostics);
}

static void test_cases(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct identity identity;
		struct match_cgroup cgroup = {cases[i].path, &identity, cases[i].facts,
					      cases[i].owner};
		struct config config;
		bool unknown;
		int level;

		identity_of_path(cases[i].path, &identity);
		read_match(cases[i].match, &config);
		level = match_level(&config.policies[0].match, &cgroup, &unknown);
		level += unknown && level >= 0 ? UNKNOWN : 0;
		if (level != cases[i].level) {
			wrong++;
			print_error("%s at %s: level %d, want %d\n", cases[i].match, cases[i].path,
				    level, cases[i].level);
		}
		config_done(&config);
	}
	assert_int_equal(wrong, 0);
}

/* Facts are asked for only where they decide. */
static void test_needs(void **state)
{
	static const struct {
		const char *match;
		bool cgroups, facts;
	} needs[] = {
		{"user: 1", false, false},
		{"interface: x", false, false},
		{"cgroup: /a", true, false},
		{"unit: a.service", true, false},
		{"user_unit: a.service", true, false},
		{"container: {id: '*'}", true, false},
		{"container: {user: 0}", true, false},
		{"container: {runtime: docker}", true, true},
		{"container: {name: a}", true, true},
		{"container: {image: a}", true, true},
		{"container: {label: {a: b}}", true, true},
		{"pod: {name: a}", true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
		struct config config;

		read_match(needs[i].match, &config);
		assert_int_equal(match_names_cgroups(&config.policies[0].match), needs[i].cgroups);
		assert_int_equal(match_needs_facts(&config.policies[0].match), needs[i].facts);
		config_done(&config);
	}
}

/* An entry stands at the cgroup where the match begins, for each user that the policy names. */
static void test_subjects(void **state)
{
	struct subject_list list = {0};
	struct rank_set unknown;
	struct identity identity;
	struct match_cgroup cgroup = {DOCKER, &identity, NULL, 0};
	struct config config;

	(void)state;
	read_match("container: {name: 'web-*'}, user: [7, 8]", &config);
	identity_of_path(cgroup.path, &identity);
	assert_int_equal(subjects_add_cgroup(&config, 99, &cgroup, &list, &unknown), 0);
	assert_int_equal(list.length, 0);
	assert_true(rank_set_has(&unknown, 0));
	cgroup.facts = &known;
	assert_int_equal(subjects_add_cgroup(&config, 99, &cgroup, &list, &unknown), 0);
	assert_true(rank_set_is_empty(&unknown));
	assert_int_equal(list.length, 2);
	assert_int_equal(list.list[1].cgroup_id, 99);
	assert_int_equal(list.list[1].uid, 8);
	assert_int_equal(list.list[1].level, 2);
	cgroup.path = DOCKER "/init"; /* inherits */
	identity_of_path(cgroup.path, &identity);
	assert_int_equal(subjects_add_cgroup(&config, 100, &cgroup, &list, &unknown), 0);
	assert_int_equal(list.length, 2);
	subjects_done(&list);
	config_done(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_needs),
		cmocka_unit_test(test_subjects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
