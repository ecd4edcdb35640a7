// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any text as the path of a cgroup, and lists of what such paths are made of.
 * What is found is safe as a part of a path and a line, and holds the rules of identity.h.
 */
#include <ctype.h>
#include <stdlib.h>

#include "userspace/facts.h"
#include "userspace/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEX "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970"
#define UID_ "aaaa2b4a_f398_41c0_928b_049e1cc4ec40"

static const char *const parts[] = {
	"/",
	"docker",
	"-",
	HEX,
	".scope",
	".slice",
	".service",
	"user.slice",
	"user-1000",
	"user@1000",
	"kubepods",
	"burstable",
	"pod",
	UID_,
	"cri-containerd",
	"crio",
	"libpod",
	"libpod_parent",
	"payload",
	"lxc",
	"lxc.payload",
	".",
	"machine",
	"\\x2d",
	"systemd-nspawn@",
	"default",
	"conmon",
	":",
	"_",
	"..",
	"nginx",
	"system",
	"1000",
	"\\x00",
	"\xc3\xa9",
};

static bool is_safe(const char *text)
{
	if (text[0] == '.' || !text[0])
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("-_.:+@", *text))
			return false;
	return true;
}

static void expect_container(const struct identity_container *container, unsigned int level)
{
	if (!container->runtime) {
		if (container->id[0])
			abort();
		return;
	}
	if (!is_safe(container->id) || container->level < 1 || container->level > level)
		abort();
	if (container->runtime != RUNTIME_LXC && container->runtime != RUNTIME_NSPAWN &&
	    strlen(container->id) != 64)
		abort();
}

static void expect_unit(const struct identity_unit *unit, unsigned int level)
{
	if (unit->name[0] && (unit->level < 1 || unit->level > level))
		abort();
}

static void parse(const char *path)
{
	struct identity identity;
	struct facts_draft draft;
	struct facts *facts;

	identity_of_path(path, &identity);
	expect_container(&identity.container, identity.level);
	expect_container(&identity.nested, identity.level);
	if (identity.nested.runtime &&
	    (!identity.container.runtime || identity.nested.level <= identity.container.level))
		abort();
	if (identity.pod.uid[0] && (!is_safe(identity.pod.uid) || identity.pod.level < 1))
		abort();
	if (identity.pod.uid[0] && identity.container.runtime &&
	    identity.pod.level > identity.container.level)
		abort();
	if (identity.nested_pod.uid[0] && !identity.container.runtime)
		abort();
	expect_unit(&identity.unit, identity.level);
	expect_unit(&identity.slice, identity.level);
	expect_unit(&identity.user_unit, identity.level);
	expect_unit(&identity.user_slice, identity.level);
	/* A user's units are below his manager, and nowhere else. */
	if ((identity.user_unit.name[0] || identity.user_slice.name[0]) &&
	    (identity.user == IDENTITY_NO_USER || identity.unit.level != 3))
		abort();
	facts_draft_init(&draft, &identity, path);
	if (facts_pack(&draft, &facts) < 0 || strcmp(facts->path, path) != 0)
		abort();
	facts_unref(facts);
}

/* As it is, and as a list of parts of paths. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[4096] = "";
	size_t length = 0;

	memcpy(text, data, MIN(size, sizeof(text) - 1));
	parse(text);
	for (size_t i = 0; i < size && length + 80 < sizeof(text); i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s",
					   parts[data[i] % ARRAY_LEN(parts)]);
	text[length] = 0;
	parse(text);
	return 0;
}
