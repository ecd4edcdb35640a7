// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * BPF programs as the benchmark sees them: file descriptors with an attach type. dnsfence's own
 * come out of its pin directory: each pinned link names its program, whatever it is called, so
 * that nothing here knows the inside of dnsfence. Knows no sockets and no arms.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <net/ethernet.h>
#include <bpf/bpf.h>

#include "programs.h"
#include "util.h"

#define PATH_LEN 256
#define DEPTH_MAX 8
#define TEST_RUN_REPEAT 20000

/* Every attach type that acts on the sockets of a cgroup and adds to what traffic costs. */
static const enum bpf_attach_type path_types[] = {
	BPF_CGROUP_INET_INGRESS,      BPF_CGROUP_INET_EGRESS,   BPF_CGROUP_INET_SOCK_CREATE,
	BPF_CGROUP_INET_SOCK_RELEASE, BPF_CGROUP_SOCK_OPS,      BPF_CGROUP_INET4_BIND,
	BPF_CGROUP_INET4_POST_BIND,   BPF_CGROUP_INET4_CONNECT, BPF_CGROUP_INET4_GETPEERNAME,
	BPF_CGROUP_INET4_GETSOCKNAME, BPF_CGROUP_UDP4_SENDMSG,  BPF_CGROUP_UDP4_RECVMSG,
	BPF_CGROUP_INET6_CONNECT,     BPF_CGROUP_UDP6_SENDMSG,  BPF_CGROUP_UDP6_RECVMSG,
	BPF_CGROUP_GETSOCKOPT,        BPF_CGROUP_SETSOCKOPT,
};

/* A pinned file may be a map or a program as well; only the name of its inode tells. */
static bool fd_is_link(int fd)
{
	char proc[64], name[64] = "";

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	if (readlink(proc, name, sizeof(name) - 1) < 0)
		return false;
	return strstr(name, "bpf_link") || strstr(name, "bpf-link");
}

static int link_program(int link, struct program *ret_program)
{
	struct bpf_link_info info = {};
	__u32 length = sizeof(info);
	int fd;

	if (bpf_obj_get_info_by_fd(link, &info, &length) < 0)
		return -errno;
	if (info.type != BPF_LINK_TYPE_CGROUP)
		return -EINVAL;
	fd = bpf_prog_get_fd_by_id(info.prog_id);
	if (fd < 0)
		return -errno;
	*ret_program = (struct program){.fd = fd, .attach = info.cgroup.attach_type};
	return 0;
}

static const char *hold_to; /* nftw() hands no pointer through */
static int held;

static int hold_pin(const char *path, const struct stat *status, int kind, struct FTW *at)
{
	_cleanup_close_ int link = -1;
	struct program program = {.fd = -1};
	char pin[PATH_LEN];
	int error;

	(void)status;
	(void)at;
	if (kind != FTW_F)
		return 0;
	link = bpf_obj_get(path);
	if (link < 0 || !fd_is_link(link) || link_program(link, &program) < 0)
		return 0;
	snprintf(pin, sizeof(pin), "%s/%d", hold_to, program.attach);
	error = bpf_obj_pin(program.fd, pin) < 0 ? errno : 0;
	close(program.fd);
	held += !error;
	return error;
}

int programs_hold(const char *from, const char *to)
{
	int error;

	hold_to = to;
	held = 0;
	error = nftw(from, hold_pin, DEPTH_MAX, FTW_PHYS);
	if (error < 0)
		return -errno;
	return error ? -error : held;
}

int programs_open(const char *dir, struct program_set *ret_set)
{
	struct program_set set = {};
	char pin[PATH_LEN];

	for (int attach = 0; attach < __MAX_BPF_ATTACH_TYPE && set.length < PROGRAM_SET_MAX;
	     attach++) {
		int fd;

		snprintf(pin, sizeof(pin), "%s/%d", dir, attach);
		fd = bpf_obj_get(pin);
		if (fd >= 0)
			set.programs[set.length++] = (struct program){fd, attach};
	}
	if (!set.length)
		return -ENOENT;
	*ret_set = set;
	return 0;
}

static bool attach_is_wanted(enum bpf_attach_type attach, enum only only)
{
	switch (only) {
	case ONLY_PACKET:
		return attach == BPF_CGROUP_INET_EGRESS;
	case ONLY_CONNECT:
		return attach == BPF_CGROUP_INET4_CONNECT || attach == BPF_CGROUP_INET6_CONNECT;
	default:
		return true;
	}
}

int programs_attach(const struct program_set *set, enum only only, int cgroup,
		    struct link_set *ret_links)
{
	struct link_set links = {};

	for (size_t i = 0; i < set->length; i++) {
		const struct program *program = &set->programs[i];
		int fd;

		if (!attach_is_wanted(program->attach, only))
			continue;
		fd = bpf_link_create(program->fd, cgroup, program->attach, NULL);
		if (fd < 0) {
			int error = errno;

			programs_detach(&links);
			return -error;
		}
		links.fds[links.length++] = fd;
	}
	if (!links.length)
		return -ENOENT;
	*ret_links = links;
	return 0;
}

/* Explicitly: a link that only loses its last descriptor is detached some time later. */
void programs_detach(struct link_set *links)
{
	for (size_t i = 0; i < links->length; i++) {
		(void)bpf_link_detach(links->fds[i]);
		close(links->fds[i]);
	}
	links->length = 0;
}

int programs_effective(int cgroup)
{
	int found = 0;

	for (size_t i = 0; i < ARRAY_LEN(path_types); i++) {
		__u32 flags = 0, count = 0;

		if (bpf_prog_query(cgroup, path_types[i], BPF_F_QUERY_EFFECTIVE, &flags, NULL,
				   &count) == 0)
			found += count;
		else if (errno != EINVAL) /* EINVAL: an attach type that this kernel lacks */
			return -errno;
	}
	return found;
}

int programs_links(void)
{
	__u32 id = 0;
	int found = 0;

	while (bpf_link_get_next_id(id, &id) == 0) {
		_cleanup_close_ int fd = bpf_link_get_fd_by_id(id);
		struct bpf_link_info info = {};
		__u32 length = sizeof(info);

		if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &length) == 0)
			found += info.type == BPF_LINK_TYPE_CGROUP;
	}
	return errno == ENOENT ? found : -errno;
}

struct test_packet {
	struct ether_header ether;
	struct iphdr ip;
	struct udphdr udp;
	char payload[32];
} __attribute__((__packed__)); /* the wire's layout */

int programs_test_run(const struct program_set *set, const char *dst, unsigned short port,
		      double *ret_ns)
{
	struct test_packet packet = {
		.ether.ether_type = htons(ETHERTYPE_IP),
		.ip = {.version = 4,
		       .ihl = 5,
		       .ttl = 64,
		       .protocol = IPPROTO_UDP,
		       .saddr = inet_addr("127.0.0.1"),
		       .daddr = inet_addr(dst),
		       .tot_len = htons(sizeof(packet) - sizeof(packet.ether))},
		.udp = {.source = htons(40000),
			.dest = htons(port),
			.len = htons(sizeof(packet.udp) + sizeof(packet.payload))},
	};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = &packet, .data_size_in = sizeof(packet),
		    .repeat = TEST_RUN_REPEAT);

	for (size_t i = 0; i < set->length; i++) {
		if (set->programs[i].attach != BPF_CGROUP_INET_EGRESS)
			continue;
		if (bpf_prog_test_run_opts(set->programs[i].fd, &options) < 0)
			return -errno;
		if (options.retval != 1) /* the verdict: allow */
			return -EPERM;
		*ret_ns = options.duration; /* already the mean of one run */
		return 0;
	}
	return -ENOENT;
}
