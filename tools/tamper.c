// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lays hands on a fence: one thing somebody could try, with bpf(2) or the file system, a run.
 * Says which step ended it and with what errno; the tests say who runs it and what has to come
 * of it. Every attempt is a row of attempts[].
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bpf/abi.h"

#include "dnsfence.skel.h"

#define INSNS_MAX 16

static const char *step = "none";

/* 0, or -errno of a call that tells by -1. */
static int checked(long result)
{
	return result < 0 ? -errno : 0;
}

/* Programs. */

static const struct {
	const char *name;
	enum bpf_attach_type type;
} hooks[DF_HOOK_CGROUP_MAX] = {
#define X(id, name, attach) [DF_HOOK_##id] = {name, attach},
	DF_CGROUP_HOOKS(X)
#undef X
};

static int find_hook(const char *name)
{
	for (int hook = 0; hook < DF_HOOK_CGROUP_MAX; hook++)
		if (!strcmp(hooks[hook].name, name))
			return hook;
	fprintf(stderr, "tamper: no such hook: %s\n", name);
	exit(2);
}

static enum bpf_prog_type program_type(int hook)
{
	switch (hook) {
	case DF_HOOK_PACKET:
		return BPF_PROG_TYPE_CGROUP_SKB;
	case DF_HOOK_SOCK_CREATE:
		return BPF_PROG_TYPE_CGROUP_SOCK;
	case DF_HOOK_SETSOCKOPT:
		return BPF_PROG_TYPE_CGROUP_SOCKOPT;
	default:
		return BPF_PROG_TYPE_CGROUP_SOCK_ADDR;
	}
}

#define INSN(op, d, s, o, i) \
	((struct bpf_insn){.code = (op), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)})
#define MOVE(d, i) INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define CALL(function) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, function)
#define EXIT() INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static size_t write_constant(struct bpf_insn *to, int verdict)
{
	to[0] = MOVE(BPF_REG_0, verdict);
	to[1] = EXIT();
	return 2;
}

/* A denial by another program before this one is forgotten. */
static size_t write_success(struct bpf_insn *to)
{
	to[0] = MOVE(BPF_REG_1, 0);
	to[1] = CALL(BPF_FUNC_set_retval);
	return 2 + write_constant(to + 2, 1);
}

/* As IPAddressDeny= of systemd.resource-control(5): packets to one IPv4 address. */
static size_t write_deny_address(struct bpf_insn *to, uint32_t address)
{
	to[0] = MOVE(BPF_REG_2, 16); /* daddr of the IPv4 header */
	to[1] = INSN(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_10, 0, 0);
	to[2] = INSN(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_3, 0, 0, -8);
	to[3] = MOVE(BPF_REG_4, 4);
	to[4] = CALL(BPF_FUNC_skb_load_bytes);
	to[5] = INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 4, 0);
	to[6] = INSN(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_1, BPF_REG_10, -8, 0);
	to[7] = INSN(BPF_JMP32 | BPF_JNE | BPF_K, BPF_REG_1, 0, 2, (int32_t)address);
	(void)write_constant(to + 8, 0);
	return 10 + write_constant(to + 10, 1);
}

/* kind: allow, deny, success, or the address of a packet to deny. */
static size_t write_program(struct bpf_insn to[INSNS_MAX], const char *kind)
{
	struct in_addr address;

	if (!strcmp(kind, "success"))
		return write_success(to);
	if (inet_pton(AF_INET, kind, &address) == 1)
		return write_deny_address(to, address.s_addr);
	return write_constant(to, !strcmp(kind, "allow"));
}

static int load_program(int hook, const char *kind)
{
	struct bpf_insn insns[INSNS_MAX];
	size_t length = write_program(insns, kind);
	struct bpf_prog_load_opts options = {
		.sz = sizeof(options),
		.expected_attach_type = hooks[hook].type,
	};
	int fd;

	step = "load";
	fd = bpf_prog_load(program_type(hook), "stranger", "GPL", insns, length, &options);
	return fd < 0 ? -errno : fd;
}

/* Links and attachments. */

static int open_cgroup(const char *path)
{
	int fd;

	step = "cgroup";
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int get_pinned(const char *path)
{
	int fd;

	step = "get";
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

static int get_link(const char *id)
{
	int fd;

	step = "get-by-id";
	fd = bpf_link_get_fd_by_id((uint32_t)strtoul(id, NULL, 10));
	return fd < 0 ? -errno : fd;
}

static int try_get(char **arguments)
{
	int fd = get_pinned(arguments[0]);

	return fd < 0 ? fd : 0;
}

static int detach_link(int link)
{
	if (link < 0)
		return link;
	step = "detach";
	return checked(bpf_link_detach(link));
}

static int try_link_detach(char **arguments)
{
	return detach_link(get_pinned(arguments[0]));
}

static int try_link_detach_id(char **arguments)
{
	return detach_link(get_link(arguments[0]));
}

/* PATH HOOK KIND: another program into a pinned link. */
static int try_link_update(char **arguments)
{
	int link = get_pinned(arguments[0]), program;

	if (link < 0)
		return link;
	program = load_program(find_hook(arguments[1]), arguments[2]);
	if (program < 0)
		return program;
	step = "update";
	return checked(bpf_link_update(link, program, NULL));
}

/* CGROUP HOOK KIND PIN */
static int try_link_create(char **arguments)
{
	int hook = find_hook(arguments[1]), cgroup = open_cgroup(arguments[0]), program, link;

	if (cgroup < 0)
		return cgroup;
	program = load_program(hook, arguments[2]);
	if (program < 0)
		return program;
	step = "attach";
	link = bpf_link_create(program, cgroup, hooks[hook].type, NULL);
	if (link < 0)
		return -errno;
	step = "pin";
	return checked(bpf_obj_pin(link, arguments[3]));
}

static int attach(char **arguments, unsigned int flags)
{
	int hook = find_hook(arguments[1]), cgroup = open_cgroup(arguments[0]), program;

	if (cgroup < 0)
		return cgroup;
	program = load_program(hook, arguments[2]);
	if (program < 0)
		return program;
	step = "attach";
	return checked(bpf_prog_attach(program, cgroup, hooks[hook].type, flags));
}

/* CGROUP HOOK KIND, as systemd attaches; it stays when this program ends. */
static int try_attach(char **arguments)
{
	return attach(arguments, BPF_F_ALLOW_MULTI);
}

/* Likewise, but to be alone there. */
static int try_attach_alone(char **arguments)
{
	return attach(arguments, 0);
}

/* CGROUP HOOK: whatever is attached there. */
static int try_detach(char **arguments)
{
	int hook = find_hook(arguments[1]), cgroup = open_cgroup(arguments[0]);

	if (cgroup < 0)
		return cgroup;
	step = "detach";
	return checked(bpf_prog_detach(cgroup, hooks[hook].type));
}

/* CGROUP HOOK ID: that program. */
static int try_detach_program(char **arguments)
{
	int hook = find_hook(arguments[1]), cgroup = open_cgroup(arguments[0]), program;

	if (cgroup < 0)
		return cgroup;
	step = "get-by-id";
	program = bpf_prog_get_fd_by_id((uint32_t)strtoul(arguments[2], NULL, 10));
	if (program < 0)
		return -errno;
	step = "detach";
	return checked(bpf_prog_detach2(program, cgroup, hooks[hook].type));
}

static int try_query(char **arguments)
{
	int hook = find_hook(arguments[1]), cgroup = open_cgroup(arguments[0]);
	uint32_t ids[64], flags, count = 64;

	if (cgroup < 0)
		return cgroup;
	step = "query";
	return checked(bpf_prog_query(cgroup, hooks[hook].type, 0, &flags, ids, &count));
}

/* Maps. */

static int map_info(int map, struct bpf_map_info *ret)
{
	uint32_t size = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	step = "info";
	return checked(bpf_obj_get_info_by_fd(map, ret, &size));
}

/* An entry goes back as it was read, or a new one in where there is none: no harm is done. */
static int write_map(int map)
{
	static unsigned char key[256], value[1 << 20];
	struct bpf_map_info info;
	int r;

	if (map < 0)
		return map;
	r = map_info(map, &info);
	if (r < 0)
		return r;
	if (bpf_map_get_next_key(map, NULL, key) == 0)
		(void)bpf_map_lookup_elem(map, key, value);
	step = "write";
	return checked(bpf_map_update_elem(map, key, value, BPF_ANY));
}

static int try_map_write(char **arguments)
{
	return write_map(get_pinned(arguments[0]));
}

static int try_map_write_id(char **arguments)
{
	int fd;

	step = "get-by-id";
	fd = bpf_map_get_fd_by_id((uint32_t)strtoul(arguments[0], NULL, 10));
	return write_map(fd < 0 ? -errno : fd);
}

/* PATH of the globals: what every program reads, changed by change(). */
static int change_globals(const char *path, void (*change)(struct dnsfence_bpf__bss *))
{
	struct dnsfence_bpf__bss *bss = calloc(1, sizeof(*bss));
	int map = get_pinned(path), r = map;
	uint32_t zero = 0;

	if (!bss || map < 0)
		goto out;
	step = "read";
	r = checked(bpf_map_lookup_elem(map, &zero, bss));
	if (r < 0)
		goto out;
	change(bss);
	step = "write";
	r = checked(bpf_map_update_elem(map, &zero, bss, BPF_ANY));
out:
	free(bss);
	return r;
}

static void flip_active(struct dnsfence_bpf__bss *bss)
{
	bss->active = !bss->active;
}

/* Everybody may ask any resolver. */
static void exempt_all(struct dnsfence_bpf__bss *bss)
{
	for (int i = 0; i < DF_POLICY_MAX; i++)
		bss->generations[bss->active & 1].policies[i].flags |= DF_POLICY_EXEMPT;
}

static int try_active(char **arguments)
{
	return change_globals(arguments[0], flip_active);
}

static int try_generation(char **arguments)
{
	return change_globals(arguments[0], exempt_all);
}

/* The table that is in one of an outer map's places. */
static int get_inner(int outer)
{
	uint32_t id = 0;
	int fd;

	if (outer < 0)
		return outer;
	step = "lookup";
	for (uint32_t slot = 0; slot < DF_GENERATIONS && !id; slot++)
		(void)bpf_map_lookup_elem(outer, &slot, &id);
	step = "get-by-id";
	fd = bpf_map_get_fd_by_id(id);
	return fd < 0 ? -errno : fd;
}

static int try_table_write(char **arguments)
{
	return write_map(get_inner(get_pinned(arguments[0])));
}

/* The entry of one table; a table of a policy that has none to come is frozen. */
static int write_subject(int table, const struct df_subject_key *key, const char *rank)
{
	uint32_t value = (uint32_t)strtoul(rank, NULL, 10);

	if (table < 0)
		return -errno;
	if (!strcmp(rank, "none"))
		return checked(bpf_map_delete_elem(table, key));
	return checked(bpf_map_update_elem(table, key, &value, BPF_ANY));
}

/* PIN of the subjects, CGROUP, RANK or "none": whose policy is in force, in either generation. */
static int try_subject(char **arguments)
{
	int outer = get_pinned(arguments[0]), cgroup = open_cgroup(arguments[1]), r = -ENOENT;
	struct df_subject_key key = {.uid = DF_UID_ANY};
	struct stat st;

	if (outer < 0 || cgroup < 0 || fstat(cgroup, &st) < 0)
		return -errno;
	key.cgroup_id = st.st_ino;
	step = "write";
	for (uint32_t slot = 0; slot < DF_GENERATIONS; slot++) {
		uint32_t id;

		if (bpf_map_lookup_elem(outer, &slot, &id) == 0 &&
		    write_subject(bpf_map_get_fd_by_id(id), &key, arguments[2]) == 0)
			r = 0;
	}
	return r;
}

/* An empty table of the same kind. */
static int create_like(int map)
{
	struct bpf_map_create_opts options = {.sz = sizeof(options)};
	struct bpf_map_info info;
	int r = map < 0 ? map : map_info(map, &info), fd;

	if (r < 0)
		return r;
	step = "create";
	options.map_flags = info.map_flags & BPF_F_NO_PREALLOC;
	fd = bpf_map_create(info.type, "stranger", info.key_size, info.value_size, 1, &options);
	return fd < 0 ? -errno : fd;
}

/* PATH of an outer map: an empty table in both of its places. */
static int try_table(char **arguments)
{
	int outer = get_pinned(arguments[0]), fresh = create_like(get_inner(outer)), r = 0;

	if (fresh < 0)
		return fresh;
	step = "write";
	for (uint32_t slot = 0; slot < DF_GENERATIONS && !r; slot++)
		r = checked(bpf_map_update_elem(outer, &slot, &fresh, BPF_ANY));
	return r;
}

/* Filters of tc. */

/* INTERFACE ingress|egress HANDLE PRIORITY */
static int find_filter(char **arguments, struct bpf_tc_hook *ret_hook, struct bpf_tc_opts *ret)
{
	*ret_hook = (struct bpf_tc_hook){
		.sz = sizeof(*ret_hook),
		.ifindex = (int)if_nametoindex(arguments[0]),
		.attach_point = strcmp(arguments[1], "ingress") ? BPF_TC_EGRESS : BPF_TC_INGRESS,
	};
	*ret = (struct bpf_tc_opts){
		.sz = sizeof(*ret),
		.handle = (uint32_t)strtoul(arguments[2], NULL, 0),
		.priority = (uint32_t)strtoul(arguments[3], NULL, 0),
	};
	step = "interface";
	return ret_hook->ifindex ? 0 : -ENODEV;
}

static int try_filter_detach(char **arguments)
{
	struct bpf_tc_hook hook;
	struct bpf_tc_opts filter;
	int r = find_filter(arguments, &hook, &filter);

	if (r < 0)
		return r;
	step = "detach";
	return bpf_tc_detach(&hook, &filter);
}

/* A program that accepts everything, in place of what is there. */
static int try_filter(char **arguments)
{
	struct bpf_insn insns[INSNS_MAX];
	size_t length = write_constant(insns, 0); /* TC_ACT_OK */
	struct bpf_tc_opts filter;
	struct bpf_tc_hook hook;
	int r = find_filter(arguments, &hook, &filter);

	if (r < 0)
		return r;
	step = "load";
	filter.prog_fd =
		bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "stranger", "GPL", insns, length, NULL);
	if (filter.prog_fd < 0)
		return -errno;
	filter.flags = BPF_TC_F_REPLACE;
	step = "attach";
	return bpf_tc_attach(&hook, &filter);
}

/* Without BPF. */

static int try_list(char **arguments)
{
	DIR *directory;

	step = "list";
	directory = opendir(arguments[0]);
	if (!directory)
		return -errno;
	while (readdir(directory))
		;
	return checked(closedir(directory));
}

static int try_unlink(char **arguments)
{
	step = "unlink";
	return checked(unlink(arguments[0]));
}

static int try_rmdir(char **arguments)
{
	step = "rmdir";
	return checked(rmdir(arguments[0]));
}

static int try_create(char **arguments)
{
	step = "create";
	return checked(open(arguments[0], O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

/* PATH of a cgroup.procs: this process moves there. */
static int try_join(char **arguments)
{
	int fd;

	step = "open";
	fd = open(arguments[0], O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	step = "write";
	return checked(dprintf(fd, "0"));
}

static int try_signal(char **arguments)
{
	step = "signal";
	return checked(kill((pid_t)strtol(arguments[0], NULL, 10), 0));
}

/* DIR: other options for a bpffs that is mounted. */
static int try_remount(char **arguments)
{
	step = "remount";
	return checked(mount("bpf", arguments[0], "bpf", MS_REMOUNT, "mode=777"));
}

static int try_unmount(char **arguments)
{
	step = "unmount";
	return checked(umount2(arguments[0], MNT_DETACH));
}

/* SOCKET REQUEST: as the commands ask the daemon. */
static int try_ask(char **arguments)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char answer[64];
	int r;

	step = "connect";
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", arguments[0]);
	r = checked(connect(fd, (struct sockaddr *)&address, sizeof(address)));
	if (r < 0)
		return r;
	step = "ask";
	if (dprintf(fd, "%s\n", arguments[1]) < 0 || read(fd, answer, sizeof(answer)) <= 0)
		return -EIO;
	return 0;
}

static const struct attempt {
	const char *name;
	int length; /* of the arguments */
	int (*run)(char **arguments);
	const char *arguments;
} attempts[] = {
	{"get", 1, try_get, "PIN"},
	{"link-detach", 1, try_link_detach, "PIN"},
	{"link-detach-id", 1, try_link_detach_id, "ID"},
	{"link-update", 3, try_link_update, "PIN HOOK KIND"},
	{"link-create", 4, try_link_create, "CGROUP HOOK KIND PIN"},
	{"attach", 3, try_attach, "CGROUP HOOK KIND"},
	{"attach-alone", 3, try_attach_alone, "CGROUP HOOK KIND"},
	{"detach", 2, try_detach, "CGROUP HOOK"},
	{"detach-program", 3, try_detach_program, "CGROUP HOOK ID"},
	{"query", 2, try_query, "CGROUP HOOK"},
	{"map-write", 1, try_map_write, "PIN"},
	{"map-write-id", 1, try_map_write_id, "ID"},
	{"active", 1, try_active, "PIN"},
	{"generation", 1, try_generation, "PIN"},
	{"table", 1, try_table, "PIN"},
	{"table-write", 1, try_table_write, "PIN"},
	{"subject", 3, try_subject, "PIN CGROUP RANK|none"},
	{"filter", 4, try_filter, "INTERFACE ingress|egress HANDLE PRIORITY"},
	{"filter-detach", 4, try_filter_detach, "INTERFACE ingress|egress HANDLE PRIORITY"},
	{"list", 1, try_list, "DIR"},
	{"unlink", 1, try_unlink, "PATH"},
	{"rmdir", 1, try_rmdir, "DIR"},
	{"create", 1, try_create, "PATH"},
	{"join", 1, try_join, "CGROUP/cgroup.procs"},
	{"signal", 1, try_signal, "PID"},
	{"remount", 1, try_remount, "DIR"},
	{"unmount", 1, try_unmount, "DIR"},
	{"ask", 2, try_ask, "SOCKET REQUEST"},
};

static int print_usage(void)
{
	fprintf(stderr, "usage: tamper ATTEMPT ARGUMENT...\n"
			"KIND of a program: allow, deny, success (bpf_set_retval(0)), or an IPv4\n"
			"address whose packets it drops\n");
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		fprintf(stderr, "  %s %s\n", attempts[i].name, attempts[i].arguments);
	return 2;
}

int main(int argc, char **argv)
{
	const struct attempt *attempt = NULL;
	int r;

	for (size_t i = 0; argc > 1 && i < sizeof(attempts) / sizeof(attempts[0]); i++)
		if (!strcmp(attempts[i].name, argv[1]))
			attempt = &attempts[i];
	if (!attempt || argc - 2 != attempt->length)
		return print_usage();
	r = attempt->run(argv + 2);
	printf("%s errno=%s step=%s\n", attempt->name, r < 0 ? strerrorname_np(-r) : "0", step);
	return r < 0;
}
