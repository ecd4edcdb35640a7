// SPDX-License-Identifier: GPL-2.0-or-later
#include "identity.h"

#include <ctype.h>

#define HEX_ID 64

/* One component of a path. */
struct part {
	const char *text;
	size_t length;
};

/*
 * Down the path, one component after the other. A manager (the system's, then perhaps a user's)
 * names what has nothing but its slices above it.
 */
struct walk {
	struct identity *to;
	struct part above[3]; /* the last components, nearest first */
	bool in_slices; /* nothing but slices of the manager so far */
	bool of_user; /* the manager is a user's */
};

static const char *const runtime_names[RUNTIME_MAX] = {
#define IDENTITY_RUNTIME_NAME(symbol, name) [symbol] = (name),
	IDENTITY_RUNTIMES(IDENTITY_RUNTIME_NAME)
#undef IDENTITY_RUNTIME_NAME
};

const char *identity_runtime_name(enum runtime runtime)
{
	return runtime < RUNTIME_MAX ? runtime_names[runtime] : NULL;
}

enum runtime identity_runtime_find(const char *name)
{
	for (int i = 0; i < RUNTIME_MAX; i++)
		if (runtime_names[i] && util_streq(runtime_names[i], name))
			return (enum runtime)i;
	return RUNTIME_NONE;
}

/* Parts ------------------------------------------------------------------------------------ */

static bool part_is(struct part part, const char *text)
{
	return strlen(text) == part.length && memcmp(part.text, text, part.length) == 0;
}

/* Take prefix off the front; false, and nothing taken, if it is not there. */
static bool part_skip(struct part *part, const char *prefix)
{
	size_t length = strlen(prefix);

	if (part->length < length || memcmp(part->text, prefix, length) != 0)
		return false;
	part->text += length;
	part->length -= length;
	return true;
}

/* The same at the end. */
static bool part_trim(struct part *part, const char *suffix)
{
	size_t length = strlen(suffix);

	if (part->length < length ||
	    memcmp(part->text + part->length - length, suffix, length) != 0)
		return false;
	part->length -= length;
	return true;
}

static bool part_ends(struct part part, const char *suffix)
{
	return part_trim(&part, suffix);
}

/* What stands behind the last of these characters, or all of it; before it, into *ret_before. */
static struct part part_behind(struct part part, char separator, struct part *ret_before)
{
	size_t at = part.length;

	while (at > 0 && part.text[at - 1] != separator)
		at--;
	*ret_before = (struct part){part.text, at > 0 ? at - 1 : 0};
	return (struct part){part.text + at, part.length - at};
}

static bool part_copy(struct part part, char *to, size_t size)
{
	if (part.length >= size)
		return false;
	memcpy(to, part.text, part.length);
	to[part.length] = 0;
	return true;
}

/* As many characters as it has, all of them alphanumerical or one of the others. */
static bool part_consists_of(struct part part, const char *others)
{
	for (size_t i = 0; i < part.length; i++)
		if (!isalnum((unsigned char)part.text[i]) &&
		    (!part.text[i] || !strchr(others, part.text[i])))
			return false;
	return part.length > 0;
}

/* Runtimes write their ids in lower case; anything else is not theirs. */
static bool part_is_hex_id(struct part part)
{
	for (size_t i = 0; i < part.length; i++)
		if (!strchr("0123456789abcdef", part.text[i]) || !part.text[i])
			return false;
	return part.length == HEX_ID;
}

/* "1000", as a uid is written: without sign, leading zero or trailing words. */
static bool part_uid(struct part part, uint32_t *ret)
{
	uint64_t uid = 0;

	if (!part.length || part.length > 10 || (part.text[0] == '0' && part.length > 1))
		return false;
	for (size_t i = 0; i < part.length; i++) {
		if (part.text[i] < '0' || part.text[i] > '9')
			return false;
		uid = uid * 10 + (uint64_t)(part.text[i] - '0');
	}
	*ret = (uint32_t)uid;
	return uid < IDENTITY_NO_USER;
}

/* Units ------------------------------------------------------------------------------------ */

/* Those that have a cgroup, systemd.unit(5). */
static const char *const unit_types[] = {".service", ".scope", ".slice",
					 ".socket",  ".mount", ".swap"};

/*
 * The name of a unit, from that of its cgroup: systemd puts a "_" before one that could be taken
 * for a file of the kernel, as in _cpu.service (its cg_escape()).
 */
static bool unit_of_part(struct part part, struct part *ret)
{
	struct part name = part;
	bool typed = false;

	(void)part_skip(&name, "_");
	*ret = name;
	for (size_t i = 0; i < ARRAY_LEN(unit_types) && !typed; i++)
		typed = part_trim(&name, unit_types[i]);
	return typed && ret->length < IDENTITY_UNIT_MAX && name.text[0] != '@' &&
	       part_consists_of(name, ":-_.\\@");
}

/*
 * /user.slice/user-UID.slice/user@UID.service with the same uid twice: elsewhere a service of that
 * name is one like any other.
 */
static bool unit_is_user_manager(const struct walk *walk, struct part name, uint32_t *ret)
{
	struct part slice = walk->above[0];
	uint32_t uid, of_slice;

	if (walk->of_user || walk->to->level != 3 || !part_is(walk->above[1], "user.slice") ||
	    !part_skip(&slice, "user-") || !part_trim(&slice, ".slice") ||
	    !part_uid(slice, &of_slice) || !part_skip(&name, "user@") ||
	    !part_trim(&name, ".service") || !part_uid(name, &uid) || uid != of_slice)
		return false;
	*ret = uid;
	return true;
}

static void walk_unit(struct walk *walk, struct part part)
{
	struct identity *to = walk->to;
	struct identity_unit *unit = walk->of_user ? &to->user_unit : &to->unit;
	struct part name;

	if (!walk->in_slices)
		return;
	walk->in_slices = false;
	if (!unit_of_part(part, &name))
		return;
	if (part_ends(name, ".slice")) {
		unit = walk->of_user ? &to->user_slice : &to->slice;
		walk->in_slices = true;
	}
	(void)part_copy(name, unit->name, sizeof(unit->name));
	unit->level = to->level;
	if (unit_is_user_manager(walk, name, &to->user)) {
		walk->of_user = true;
		walk->in_slices = true;
	}
}

/* Pods ------------------------------------------------------------------------------------- */

/* systemd's names have "_" for the "-" of a uid. */
static bool pod_uid(struct part uid, char to[IDENTITY_POD_MAX])
{
	if (!part_consists_of(uid, "-_") || !part_copy(uid, to, IDENTITY_POD_MAX))
		return false;
	for (char *at = to; *at; at++)
		if (*at == '_')
			*at = '-';
	return true;
}

/* A part of a name between dashes: "kubelet-kubepods-burstable-podUID" has "kubepods". */
static bool dashes_have(struct part name, const char *word)
{
	struct part last, before = name;

	do {
		last = part_behind(before, '-', &before);
		if (part_is(last, word))
			return true;
	} while (before.length);
	return false;
}

/* [ROOT-]kubepods[-QOS]-podUID.slice, the kubelet's systemd driver (its ToSystemd()). */
static bool pod_of_slice(struct part part, char uid[IDENTITY_POD_MAX])
{
	struct part before, last;

	if (!part_trim(&part, ".slice"))
		return false;
	last = part_behind(part, '-', &before);
	return part_skip(&last, "pod") && dashes_have(before, "kubepods") && pod_uid(last, uid);
}

/* kubepods[/QOS]/podUID, the cgroupfs driver. */
static bool pod_of_directory(const struct walk *walk, struct part part, char uid[IDENTITY_POD_MAX])
{
	const struct part *above = walk->above;
	bool qos = part_is(above[0], "burstable") || part_is(above[0], "besteffort");

	return part_is(above[qos], "kubepods") && part_skip(&part, "pod") && pod_uid(part, uid);
}

/* SLICE:PREFIX:ID, a systemd driver's order that runc took for a path: its first part. */
static bool pod_of_order(struct part part, char uid[IDENTITY_POD_MAX])
{
	struct part slice = {part.text, 0};

	while (slice.length < part.length && part.text[slice.length] != ':')
		slice.length++;
	return slice.length < part.length && pod_of_slice(slice, uid);
}

static void walk_pod(struct walk *walk, struct part part)
{
	struct identity *to = walk->to;
	struct identity_pod pod = {.level = to->level};

	if (!pod_of_slice(part, pod.uid) && !pod_of_directory(walk, part, pod.uid) &&
	    !pod_of_order(part, pod.uid))
		return;
	if (to->container.runtime)
		to->nested_pod = pod;
	else if (!to->pod.uid[0])
		to->pod = pod;
}

/* Containers ------------------------------------------------------------------------------- */

/* Before "-" and an id: in the names of scopes, and in those of podman's and CRI-O's cgroupfs. */
static const struct {
	const char *word;
	enum runtime runtime;
} container_prefixes[] = {
	{"docker", RUNTIME_DOCKER},
	{"cri-containerd", RUNTIME_CONTAINERD},
	{"containerd", RUNTIME_CONTAINERD},
	{"crio", RUNTIME_CRIO},
	{"libpod", RUNTIME_PODMAN},
	{"libpod-payload", RUNTIME_PODMAN}, /* --cgroups=split, as Quadlet's are */
	{"nerdctl", RUNTIME_NERDCTL},
	/* Beside a container, not in it: what watches it. */
	{"crio-conmon", RUNTIME_NONE},
	{"libpod-conmon", RUNTIME_NONE},
};

static enum runtime runtime_of_prefix(struct part prefix)
{
	for (size_t i = 0; i < ARRAY_LEN(container_prefixes); i++)
		if (part_is(prefix, container_prefixes[i].word))
			return container_prefixes[i].runtime;
	return RUNTIME_UNKNOWN;
}

/* PREFIX-ID.scope, PREFIX-ID, SLICE:PREFIX:ID. */
static enum runtime container_of_prefix(struct part part, struct part *ret_id)
{
	bool scope = part_trim(&part, ".scope");
	enum runtime runtime;
	struct part prefix;

	*ret_id = part_behind(part, '-', &prefix);
	if (part_is_hex_id(*ret_id) && prefix.length) {
		runtime = runtime_of_prefix(prefix);
		return scope || runtime != RUNTIME_UNKNOWN ? runtime : RUNTIME_NONE;
	}
	*ret_id = part_behind(part, ':', &prefix);
	if (scope || !part_is_hex_id(*ret_id) || !prefix.length)
		return RUNTIME_NONE;
	return runtime_of_prefix(part_behind(prefix, ':', &prefix));
}

/* A bare id: the directory above it says whose. */
static enum runtime container_of_id(const struct walk *walk, struct part part)
{
	const struct identity *to = walk->to;
	const struct identity_pod *pod = to->container.runtime ? &to->nested_pod : &to->pod;

	if (!part_is_hex_id(part) || part_is(walk->above[0], "libpod_parent")) /* podman's pod */
		return RUNTIME_NONE;
	if (part_is(walk->above[0], "docker"))
		return RUNTIME_DOCKER;
	if (part_is(walk->above[0], "default")) /* nerdctl's namespace, unless told another */
		return RUNTIME_NERDCTL;
	if (pod->uid[0] && pod->level + 1 == to->level)
		return RUNTIME_CONTAINERD;
	return RUNTIME_UNKNOWN;
}

/* Names become parts of paths: no "." and "..", nothing that a file's name would not have. */
static bool container_name_is_safe(struct part name)
{
	return name.text[0] != '.' && part_consists_of(name, "-_.:+@") &&
	       name.length < IDENTITY_ID_MAX;
}

/* lxc.payload.NAME (4.0), lxc.payload/NAME (3.1), lxc/NAME. */
static enum runtime container_of_lxc(const struct walk *walk, struct part part, struct part *ret)
{
	struct part name = part;

	if (!part_skip(&name, "lxc.payload.") && !part_is(walk->above[0], "lxc.payload") &&
	    !part_is(walk->above[0], "lxc"))
		return RUNTIME_NONE;
	*ret = name;
	return container_name_is_safe(name) ? RUNTIME_LXC : RUNTIME_NONE;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* \xNN, as systemd-escape(1) writes it, and "-" for a slash, which no machine's name has. */
static bool name_unescape(struct part part, char to[IDENTITY_ID_MAX])
{
	size_t length = 0;

	for (size_t i = 0; i < part.length; length++) {
		if (length + 1 >= IDENTITY_ID_MAX || part.text[i] == '-')
			return false;
		if (part.text[i] != '\\') {
			to[length] = part.text[i++];
			continue;
		}
		if (i + 4 > part.length || part.text[i + 1] != 'x' ||
		    hex_digit(part.text[i + 2]) < 0 || hex_digit(part.text[i + 3]) < 0)
			return false;
		to[length] = (char)(hex_digit(part.text[i + 2]) << 4 | hex_digit(part.text[i + 3]));
		if (!to[length])
			return false;
		i += 4;
	}
	to[length] = 0;
	return true;
}

/*
 * machine-NAME.scope is what systemd-machined makes for anyone who registers a machine. libvirt
 * calls its own, virtual machines for the most part, qemu-1-NAME and lxc-1-NAME.
 */
static bool machine_is_libvirts(const char *name)
{
	name += strncmp(name, "qemu-", 5) == 0 ? 5 : strncmp(name, "lxc-", 4) == 0 ? 4 : 0;
	return isdigit((unsigned char)name[0]) && name[strspn(name, "0123456789")] == '-';
}

/* systemd-nspawn@NAME.service, machine-NAME.scope. */
static enum runtime container_of_nspawn(struct part part, char id[IDENTITY_ID_MAX])
{
	if (part_skip(&part, "systemd-nspawn@") && part_trim(&part, ".service")) {
		if (!container_name_is_safe(part) || !part_copy(part, id, IDENTITY_ID_MAX))
			return RUNTIME_NONE;
		return RUNTIME_NSPAWN;
	}
	if (!part_skip(&part, "machine-") || !part_trim(&part, ".scope") ||
	    !name_unescape(part, id) || machine_is_libvirts(id) ||
	    !container_name_is_safe((struct part){id, strlen(id)}))
		return RUNTIME_NONE;
	return RUNTIME_NSPAWN;
}

static bool container_of_part(const struct walk *walk, struct part part,
			      struct identity_container *ret)
{
	struct part id = part;

	ret->level = walk->to->level;
	ret->runtime = container_of_nspawn(part, ret->id);
	if (ret->runtime)
		return true;
	ret->runtime = container_of_lxc(walk, part, &id);
	if (!ret->runtime)
		ret->runtime = container_of_prefix(part, &id);
	if (!ret->runtime) {
		id = part;
		ret->runtime = container_of_id(walk, part);
	}
	return ret->runtime && part_copy(id, ret->id, sizeof(ret->id));
}

static void walk_container(struct walk *walk, struct part part)
{
	struct identity *to = walk->to;
	struct identity_container found = {0};

	if (!container_of_part(walk, part, &found))
		return;
	if (to->container.runtime)
		to->nested = found;
	else
		to->container = found;
}

/* The path --------------------------------------------------------------------------------- */

static struct part part_next(const char **path)
{
	struct part part;

	*path += strspn(*path, "/");
	part = (struct part){*path, strcspn(*path, "/")};
	*path += part.length;
	return part;
}

static void identity_blank(struct identity *identity)
{
	memset(identity, 0, sizeof(*identity));
	identity->user = IDENTITY_NO_USER;
}

void identity_of_path(const char *path, struct identity *ret)
{
	struct walk walk = {.to = ret, .in_slices = true};

	identity_blank(ret);
	for (size_t i = 0; i < ARRAY_LEN(walk.above); i++)
		walk.above[i] = (struct part){"", 0};
	for (struct part part; (part = part_next(&path)).length;) {
		/* The kernel writes ".." for what is outside of a namespace: nothing is known. */
		if (part_is(part, ".") || part_is(part, "..")) {
			identity_blank(ret);
			return;
		}
		ret->level++;
		walk_unit(&walk, part);
		walk_pod(&walk, part);
		walk_container(&walk, part);
		walk.above[2] = walk.above[1];
		walk.above[1] = walk.above[0];
		walk.above[0] = part;
	}
}
