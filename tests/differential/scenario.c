// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenario.h"

#include <fcntl.h>

#include "userspace/census.h"
#include "userspace/cgroup.h"

/* Every form that a resolver can be written in, and addresses and ports next to each other. */
static const char resolvers[] =
	"resolvers:\n"
	"  stub: [127.0.0.53, \"::1\"]\n"
	"  corp:\n"
	"    - 10.0.0.53\n"
	"    - 10.1.0.0/24\n"
	"    - {address: 10.1.0.128/25, service: dot}\n"
	"    - {address: 10.1.0.129, service: doq}\n"
	"    - \"2001:db8::53\"\n"
	"    - \"2001:db8:5::\"\n"
	"    - {address: \"2001:db8:1::/48\", protocol: udp}\n"
	"    - {address: \"2001:db8:1:2::/63\", service: dot}\n"
	"    - {address: 192.0.2.7, port: 5300, protocol: udp}\n"
	"    - {address: 192.0.2.0/28, port: 5300, protocol: tcp}\n"
	"    - {address: 192.0.2.8, service: dns, port: 853}\n"
	"    - {address: 192.0.2.9, service: dot, port: 53}\n"
	"    - {address: 10.96.0.10, translated: true}\n"
	"    - {address: 10.96.0.11, port: 5310, translated: true}\n"
	"  branch:\n"
	"    - 10.2.0.0/15\n"
	"    - {address: 10.0.0.53, port: 5353}\n"
	"    - {address: 192.0.2.8, port: 5301}\n"
	"    - {address: \"2001:db8:2::/64\", port: 5301}\n"
	"    - {address: 192.0.2.96/27, port: 853}\n"
	"  many: [10.4.0.1, 10.4.0.2, 10.4.0.3, 10.4.0.4, 10.4.0.5, \"2001:db8:4::1\"]\n"
	"  all4: [0.0.0.0/0]\n"
	"  all6: [\"::/0\"]\n"
	"  unused: [{address: 192.0.2.200, port: 5999}]\n";

#define EVERY "services: [dns, dot, doq, mdns, llmnr, netbios]\n"

const struct scenario scenarios[] = {
	{"alone", "default", "", " - {name: default, resolvers: [corp]}\n"},
	{"every-service", "default", EVERY,
	 " - {name: other, match: {cgroup: /nobody}, resolvers: [branch]}\n"
	 " - {name: default, resolvers: [corp, many]}\n"},
	{"few-services", "default", "services: [doq, netbios]\n",
	 " - {name: default, resolvers: [corp, branch]}\n"},
	{"cgroup", "mine", EVERY,
	 " - {name: mine, match: {cgroup: \"%s\"}, resolvers: [branch, stub]}\n"
	 " - {name: default, resolvers: [corp]}\n"},
	{"cgroup-audit", "mine", "mode: audit\n",
	 " - {name: other, match: {cgroup: /nobody}, mode: enforce, resolvers: [many]}\n"
	 " - {name: mine, match: {cgroup: \"%s\"}, resolvers: [corp]}\n"
	 " - {name: default, mode: enforce, resolvers: [corp]}\n"},
	{"user", "mine", "",
	 " - {name: mine, match: {user: \"0\"}, resolvers: [many, all6]}\n"
	 " - {name: default, resolvers: [branch, corp]}\n"},
	{"any", "mine", EVERY,
	 " - {name: mine, match: {cgroup: \"%s\"}, resolvers: any}\n"
	 " - {name: default, resolvers: [corp, branch]}\n"},
	{"nobody", "default", EVERY,
	 " - {name: other, match: {user: \"65533\"}, resolvers: [corp, branch]}\n"
	 " - {name: default, resolvers: []}\n"},
	{"wide", "default", "", " - {name: default, mode: audit, resolvers: [all4, branch]}\n"},
};

const size_t scenarios_length = ARRAY_LEN(scenarios);

/* Of this process, below the cgroup2 mount; NULL: it has none. */
static char *own_cgroup(void)
{
	_cleanup_file_ FILE *file = fopen("/proc/self/cgroup", "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, "0::", 3) == 0)
			return strdup(line + 3);
	}
	return NULL;
}

static int scenario_write(const struct scenario *scenario, char **ret)
{
	_cleanup_free_ char *cgroup = own_cgroup();
	const char *policies = scenario->policies, *place = strstr(policies, "%s");
	int before = (int)(place ? place - policies : (ptrdiff_t)strlen(policies));

	if (!cgroup)
		return -ENOENT;
	return asprintf(ret, "apiVersion: dnsfence/v1\n%s%spolicies:\n%.*s%s%s", scenario->before,
			resolvers, before, policies, place ? cgroup : "",
			place ? place + 2 : "") < 0
		       ? -ENOMEM
		       : 0;
}

static int reading_find_rank(struct reading *reading)
{
	for (size_t i = 0; i < reading->config.policies_length; i++)
		if (util_streq(reading->config.policies[i].name, reading->scenario->policy)) {
			reading->rank = i;
			return 0;
		}
	return -ENOENT;
}

static int reading_resolve(struct reading *reading, struct diagnostics *diagnostics)
{
	_cleanup_(subjects_done) struct subject_list subjects = {0};
	_cleanup_(census_done) struct census census = {0};
	_cleanup_free_ char *mount = NULL;
	_cleanup_close_ int fd = -1;
	int r = cgroup_find_mount(&mount);

	if (r >= 0)
		r = fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r >= 0) {
		subjects_find_users(&reading->config, diagnostics);
		census_init(&census, &reading->config, fd);
		r = census_fill(&census, "/", &subjects);
	}
	if (r >= 0)
		r = subjects_add_users(&reading->config, &subjects);
	if (r >= 0)
		r = policy_compile(&reading->config, subjects.list, subjects.length,
				   &reading->image);
	return r < 0 ? r : reading_find_rank(reading);
}

int scenario_read(const struct scenario *scenario, struct reading *ret)
{
	_cleanup_(diagnostics_done) struct diagnostics diagnostics = {0};
	_cleanup_free_ char *text = NULL;
	int r = scenario_write(scenario, &text);

	*ret = (struct reading){.scenario = scenario};
	if (r >= 0)
		r = config_load_text(text, strlen(text), scenario->name, &ret->config,
				     &diagnostics);
	if (r >= 0)
		r = reading_resolve(ret, &diagnostics);
	if (r < 0) {
		diagnostics_print(&diagnostics, stderr);
		fprintf(stderr, "scenario %s: %s\n", scenario->name, strerror(-r));
		reading_done(ret);
	}
	return r;
}

void reading_done(struct reading *reading)
{
	config_done(&reading->config);
	policy_image_done(&reading->image);
}
