// SPDX-License-Identifier: GPL-2.0-or-later
#include "sockets.h"

#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "netlink.h"

#define ANSWER_BYTES 32768 /* the kernel's largest dump datagram */
#define PATIENCE_S 10 /* the kernel answers at once, or something is very wrong */
#define PROTOCOL_WIDE 0xff /* the request's 8 bits hold no such number: an attribute does */

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* MPTCP after TCP: the connections below an MPTCP socket are in the TCP tables. */
const struct socket_table socket_tables[] = {
	{AF_INET, IPPROTO_TCP, "tcp", "CONFIG_INET_TCP_DIAG", false, true},
	{AF_INET6, IPPROTO_TCP, "tcp", "CONFIG_INET_TCP_DIAG", false, true},
	{AF_INET, IPPROTO_UDP, "udp", "CONFIG_INET_UDP_DIAG", false, true},
	{AF_INET6, IPPROTO_UDP, "udp", "CONFIG_INET_UDP_DIAG", false, true},
	{AF_INET, IPPROTO_UDPLITE, "udplite", "CONFIG_INET_UDP_DIAG", true, false},
	{AF_INET6, IPPROTO_UDPLITE, "udplite", "CONFIG_INET_UDP_DIAG", true, false},
	{AF_INET, IPPROTO_MPTCP, "mptcp", "CONFIG_INET_MPTCP_DIAG", true, false},
	{AF_INET6, IPPROTO_MPTCP, "mptcp", "CONFIG_INET_MPTCP_DIAG", true, false},
};
const size_t socket_tables_length = ARRAY_LEN(socket_tables);

static const char *const state_names[] = {
	[TCP_ESTABLISHED] = "established",
	[TCP_SYN_SENT] = "syn-sent",
	[TCP_SYN_RECV] = "syn-received",
	[TCP_FIN_WAIT1] = "fin-wait-1",
	[TCP_FIN_WAIT2] = "fin-wait-2",
	[TCP_TIME_WAIT] = "time-wait",
	[TCP_CLOSE] = "closed",
	[TCP_CLOSE_WAIT] = "close-wait",
	[TCP_LAST_ACK] = "last-ack",
	[TCP_LISTEN] = "listening",
	[TCP_CLOSING] = "closing",
};

/* Not time-wait and a server's half-open ones: they send nothing of an application's. */
#define STATES_WANTED                                                                             \
	(1u << TCP_ESTABLISHED | 1u << TCP_SYN_SENT | 1u << TCP_FIN_WAIT1 | 1u << TCP_FIN_WAIT2 | \
	 1u << TCP_CLOSE_WAIT | 1u << TCP_LAST_ACK | 1u << TCP_CLOSING | 1u << TCP_LISTEN)

struct sockets {
	struct mnl_socket *link;
	uint32_t sequence;
	uint8_t buffer[ANSWER_BYTES] __attribute__((aligned(8)));
};

const char *sockets_state_name(uint8_t state)
{
	return state < ARRAY_LEN(state_names) && state_names[state] ? state_names[state]
								    : "unknown";
}

int sockets_open(struct sockets **ret)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	struct sockets *sockets = calloc(1, sizeof(*sockets));
	int error;

	if (!sockets)
		return -ENOMEM;
	sockets->link = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	if (sockets->link && mnl_socket_bind(sockets->link, 0, MNL_SOCKET_AUTOPID) == 0 &&
	    setsockopt(mnl_socket_get_fd(sockets->link), SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) == 0) {
		*ret = sockets;
		return 0;
	}
	error = errno;
	sockets_close(sockets);
	return -error;
}

void sockets_close(struct sockets *sockets)
{
	if (!sockets)
		return;
	if (sockets->link)
		(void)mnl_socket_close(sockets->link);
	free(sockets);
}

static int entry_read(const struct nlmsghdr *message, const struct socket_table *table,
		      struct socket_entry *ret)
{
	const struct inet_diag_msg *diag = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*diag) ||
	    diag->idiag_family != table->family)
		return -EPROTO;
	*ret = (struct socket_entry){
		.table = table,
		.id = diag->id,
		.inode = diag->idiag_inode,
		.uid = diag->idiag_uid,
		.state = diag->idiag_state,
	};
	netlink_attr_for_each (attr, message, sizeof(*diag)) {
		if (mnl_attr_get_type(attr) != INET_DIAG_CGROUP_ID)
			continue;
		if (mnl_attr_get_payload_len(attr) != sizeof(ret->cgroup_id))
			return -EPROTO;
		memcpy(&ret->cgroup_id, mnl_attr_get_payload(attr), sizeof(ret->cgroup_id));
	}
	return 0;
}

/* The number in an end or an error: 0 or -errno; what is no such number cannot be believed. */
static int status_read(const struct nlmsghdr *message)
{
	int32_t status = 0;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(status))
		return message->nlmsg_type == NLMSG_DONE ? 0 : -EPROTO;
	memcpy(&status, mnl_nlmsg_get_payload(message), sizeof(status));
	if (message->nlmsg_type == NLMSG_DONE && status > 0)
		return 0;
	return status > 0 || status < -4095 ? -EPROTO : status;
}

int sockets_read_answer(const void *data, size_t length, const struct socket_table *table,
			uint32_t sequence, uint32_t port, socket_handler handler, void *context)
{
	const struct nlmsghdr *message = data;
	int left = (int)length, r;

	if (!netlink_message_fits(message, left))
		return -EPROTO;
	for (; netlink_message_fits(message, left); message = mnl_nlmsg_next(message, &left)) {
		struct socket_entry entry;

		/* Of an earlier request that was given up. */
		if (!mnl_nlmsg_seq_ok(message, sequence) || !mnl_nlmsg_portid_ok(message, port))
			continue;
		if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
			return status_read(message);
		if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY)
			continue;
		r = entry_read(message, table, &entry);
		if (r == 0)
			r = handler(context, &entry);
		if (r < 0)
			return r;
	}
	return left > 0 ? -EPROTO : 1;
}

static struct inet_diag_req_v2 *request_begin(struct sockets *sockets, uint16_t type,
					      uint16_t flags, const struct socket_table *table)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(sockets->buffer);
	struct inet_diag_req_v2 *request;
	uint32_t wide = table->protocol;

	message->nlmsg_type = type;
	message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	message->nlmsg_seq = ++sockets->sequence;
	request = mnl_nlmsg_put_extra_header(message, sizeof(*request));
	request->sdiag_family = table->family;
	request->sdiag_protocol = wide > UINT8_MAX ? PROTOCOL_WIDE : (uint8_t)wide;
	if (wide > UINT8_MAX)
		mnl_attr_put_u32(message, INET_DIAG_REQ_PROTOCOL, wide);
	return request;
}

static int request_send(struct sockets *sockets)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)sockets->buffer;

	return mnl_socket_sendto(sockets->link, message, message->nlmsg_len) < 0 ? -errno : 0;
}

static int answer_receive(struct sockets *sockets, const struct socket_table *table,
			  socket_handler handler, void *context)
{
	uint32_t port = mnl_socket_get_portid(sockets->link);
	ssize_t length;
	int r;

	do {
		length = mnl_socket_recvfrom(sockets->link, sockets->buffer,
					     sizeof(sockets->buffer));
		if (length < 0)
			return -errno;
		r = sockets_read_answer(sockets->buffer, (size_t)length, table, sockets->sequence,
					port, handler, context);
	} while (r > 0);
	return r;
}

int sockets_list(struct sockets *sockets, const struct socket_table *table, socket_handler handler,
		 void *context)
{
	int r;

	request_begin(sockets, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, table)->idiag_states =
		STATES_WANTED;
	r = request_send(sockets);
	return r < 0 ? r : answer_receive(sockets, table, handler, context);
}

static int no_entry(void *context, const struct socket_entry *entry)
{
	(void)context;
	(void)entry;
	return -EPROTO;
}

int sockets_destroy(struct sockets *sockets, const struct socket_entry *entry)
{
	int r;

	request_begin(sockets, SOCK_DESTROY, NLM_F_ACK, entry->table)->id = entry->id;
	r = request_send(sockets);
	return r < 0 ? r : answer_receive(sockets, entry->table, no_entry, NULL);
}
