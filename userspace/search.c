// SPDX-License-Identifier: GPL-2.0-or-later
#include "search.h"

#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>

#include "bpf/service.h"
#include "cgroup.h"
#include "owners.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define PORT_BYTES (65536 / 8)

/* The cgroup that was looked up last: sockets of one cgroup come in a row. */
struct cgroup_facts {
	uint64_t id;
	int error; /* 0 or -errno: nothing below is known */
	bool inside; /* of the request's cgroup */
	char path[1024];
	uint64_t ancestors[DF_LEVEL_MAX];
	size_t levels;
};

/* The work at hand. */
struct search {
	const struct sweep_request *request;
	int out;
	int mount_fd;
	char *top; /* the request's cgroup as cgroup_path_of() writes it */
	struct owners owners;
	struct cgroup_facts cgroup;
	struct sweep_record record;
	/* Of the namespace at hand: */
	struct sockets *sockets;
	uint64_t netns;
	struct socket_entry *found; /* with a fenced port at the other end */
	size_t found_length;
	uint8_t listening[PORT_BYTES]; /* bit per TCP port */
};

static void search_send(struct search *search)
{
	const struct sweep_record *record = &search->record;

	_Static_assert(sizeof(*record) <= PIPE_BUF, "one write is one record");
	if (write(search->out, record, sizeof(*record)) != sizeof(*record))
		_exit(1); /* nobody reads any more */
}

static void search_send_trouble(struct search *search, enum sweep_trouble trouble, int error,
				const struct socket_table *table)
{
	search->record = (struct sweep_record){
		.kind = SWEEP_TROUBLE,
		.trouble = trouble,
		.error = error,
		.netns = search->netns,
		.table = table,
	};
	search_send(search);
}

static void facts_read(struct search *search, struct cgroup_facts *facts)
{
	_cleanup_free_ char *path = NULL;
	int r;

	facts->error = facts->id ? cgroup_path_of(search->mount_fd, search->request->mount,
						  facts->id, &path)
				 : -ENOENT;
	if (facts->error < 0)
		return;
	r = cgroup_ancestors(search->mount_fd, path, facts->ancestors, DF_LEVEL_MAX);
	facts->error = r < 0 ? r : 0;
	facts->levels = r < 0 ? 0 : (size_t)r;
	facts->inside = cgroup_is_below(path, search->top);
	snprintf(facts->path, sizeof(facts->path), "%s", path);
}

static const struct cgroup_facts *search_cgroup(struct search *search, uint64_t id)
{
	if (search->cgroup.id != id || !id) {
		search->cgroup = (struct cgroup_facts){.id = id};
		facts_read(search, &search->cgroup);
	}
	return &search->cgroup;
}

/* The same rule as for packets: an IPv4-mapped address is an IPv4 one. */
static void address_from_diag(uint8_t family, const uint32_t words[4], uint8_t *ret_family,
			      uint8_t bytes[16])
{
	struct df_flow flow = {.family = 4};

	if (family == AF_INET6)
		flow_set_daddr6(&flow, words);
	else
		memcpy(flow.daddr, words, 4);
	*ret_family = flow.family;
	memcpy(bytes, flow.daddr, sizeof(flow.daddr));
}

static void flow_from_socket(const struct socket_entry *socket, struct df_flow *flow)
{
	uint8_t ignored;

	*flow = (struct df_flow){
		.flags = FLOW_PORTS,
		.protocol = (uint8_t)socket->table->protocol,
		.dport = ntohs(socket->id.idiag_dport),
		.sport = ntohs(socket->id.idiag_sport),
	};
	address_from_diag(socket->table->family, socket->id.idiag_src, &ignored, flow->saddr);
	address_from_diag(socket->table->family, socket->id.idiag_dst, &flow->family, flow->daddr);
}

/*
 * A server's connection with a client whose own port is a fenced one looks like a lookup. The
 * kernel tells nobody who began a connection, so one on the port of a listener is left alone, and
 * so is a datagram socket on a port that is fenced itself; the packet layer sees what they send.
 */
static bool search_is_serving(const struct search *search, const struct df_flow *flow)
{
	if (protocol_bit(flow->protocol) == DF_PROTO_TCP)
		return (search->listening[flow->sport / 8] >> flow->sport % 8) & 1;
	return judge_fences(search->request->image, flow->sport);
}

/* False when the socket has gone meanwhile. */
static bool search_close(struct search *search, struct sweep_record *record)
{
	int r = sockets_destroy(search->sockets, &record->socket);

	if (r == -ENOENT)
		return false;
	record->fate = r < 0 ? SWEEP_FATE_FAILED : SWEEP_FATE_CLOSED;
	record->error = -r;
	return true;
}

static enum sweep_fate search_fate(const struct search *search, const struct sweep_record *record)
{
	if (record->judgement.verdict == DF_VERDICT_ALLOW)
		return SWEEP_FATE_ALLOWED;
	if (search->cgroup.error < 0)
		return SWEEP_FATE_UNJUDGED;
	if (search_is_serving(search, &record->flow))
		return SWEEP_FATE_SERVING;
	return record->judgement.verdict == DF_VERDICT_AUDIT ? SWEEP_FATE_AUDITED : SWEEP_FATE_OPEN;
}

/*
 * Is it among the sockets that the request is about? Where the cgroup that made it has gone, the
 * one of the process that holds it is the next best.
 */
static bool search_wants(const struct search *search, const struct socket_entry *socket)
{
	char path[1024];

	if (!search->cgroup.error)
		return search->cgroup.inside;
	owners_process_cgroup(owners_find(&search->owners, socket->inode), path, sizeof(path));
	return cgroup_is_below(path, search->top);
}

static void search_judge(struct search *search, const struct socket_entry *socket)
{
	const struct sweep_request *request = search->request;
	const struct cgroup_facts *cgroup = search_cgroup(search, socket->cgroup_id);
	const struct policy_image *image = request->image;
	struct sweep_record *record = &search->record;

	if (!search_wants(search, socket))
		return;
	*record = (struct sweep_record){
		.kind = SWEEP_SOCKET, .netns = search->netns, .socket = *socket};
	flow_from_socket(socket, &record->flow);
	record->judgement =
		judge_flow(image, &record->flow,
			   judge_rank(image, cgroup->ancestors, cgroup->levels, socket->uid));
	if (record->judgement.verdict == DF_VERDICT_PASS)
		return;
	record->fate = search_fate(search, record);
	if (record->fate == SWEEP_FATE_ALLOWED && !request->all)
		return;
	if (record->fate == SWEEP_FATE_OPEN && request->close && !search_close(search, record))
		return;
	record->pid = owners_find(&search->owners, socket->inode);
	owners_process_name(record->pid, record->process, sizeof(record->process));
	memcpy(record->cgroup, cgroup->path, sizeof(record->cgroup));
	memcpy(record->policy, image->generation.policies[record->judgement.rank].name,
	       sizeof(record->policy));
	search_send(search);
}

/* What carries an MPTCP socket's connection belongs to no process itself: lend it the inode. */
static void search_lend(struct search *search, const struct socket_entry *mptcp)
{
	for (size_t i = 0; i < search->found_length; i++) {
		struct socket_entry *entry = &search->found[i];

		if (entry->table->family == mptcp->table->family &&
		    entry->table->protocol == IPPROTO_TCP &&
		    memcmp(&entry->id, &mptcp->id, offsetof(struct inet_diag_sockid, idiag_if)) ==
			    0 &&
		    !owners_find(&search->owners, entry->inode))
			entry->inode = mptcp->inode;
	}
}

static int search_take(void *context, const struct socket_entry *entry)
{
	struct search *search = context;
	uint16_t port = ntohs(entry->id.idiag_sport);
	struct socket_entry *found;

	if (entry->state == TCP_LISTEN) {
		search->listening[port / 8] |= (uint8_t)(1u << port % 8);
		return 0;
	}
	if (!judge_fences(search->request->image, ntohs(entry->id.idiag_dport)))
		return 0;
	if (entry->table->protocol == IPPROTO_MPTCP) {
		search_lend(search, entry);
		return 0;
	}
	found = ARRAY_APPEND(search->found, search->found_length);
	if (!found)
		return -ENOMEM;
	*found = *entry;
	return 0;
}

static void search_tables(struct search *search)
{
	for (size_t i = 0; i < socket_tables_length; i++) {
		const struct socket_table *table = &socket_tables[i];
		int r = sockets_list(search->sockets, table, search_take, search);

		if (r < 0 && !table->optional)
			search_send_trouble(search, SWEEP_TROUBLE_TABLE, -r, table);
	}
	for (size_t i = 0; i < search->found_length; i++)
		search_judge(search, &search->found[i]);
}

static void search_namespace(struct search *search, const struct netns *netns)
{
	int r = netns->fd < 0 ? -netns->error : 0;

	search->netns = netns->inode;
	if (r == -ENOENT || r == -ESRCH)
		return; /* gone with its last process */
	if (r == 0 && setns(netns->fd, CLONE_NEWNET) < 0)
		r = -errno;
	if (r == 0)
		r = sockets_open(&search->sockets);
	if (r < 0) {
		search_send_trouble(search, SWEEP_TROUBLE_NETNS, -r, NULL);
		return;
	}
	search_tables(search);
	sockets_close(search->sockets);
	search->sockets = NULL;
	free(search->found);
	search->found = NULL;
	search->found_length = 0;
	memset(search->listening, 0, sizeof(search->listening));
}

/* The cgroup that --cgroup names, however it is written. */
static int search_begin(struct search *search)
{
	uint64_t id;
	int r;

	search->mount_fd = open(search->request->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (search->mount_fd < 0)
		return -errno;
	r = cgroup_id_of(search->mount_fd, search->request->cgroup, &id);
	if (r == 0)
		r = cgroup_path_of(search->mount_fd, search->request->mount, id, &search->top);
	return r < 0 ? r : owners_read(&search->owners);
}

static void search_everywhere(struct search *search)
{
	int r = search_begin(search);

	if (r < 0) {
		search_send_trouble(search, SWEEP_TROUBLE_SEARCH, -r, NULL);
		return;
	}
	for (size_t i = 0; i < search->owners.namespaces_length; i++)
		search_namespace(search, &search->owners.namespaces[i]);
	search->record = (struct sweep_record){.kind = SWEEP_END};
	search_send(search);
}

void search_run(const struct sweep_request *request, int out)
{
	struct search *search = calloc(1, sizeof(*search));

	if (!search)
		_exit(1);
	search->request = request;
	search->out = out;
	search_everywhere(search);
	_exit(0);
}
