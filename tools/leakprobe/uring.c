// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * io_uring: the kernel makes the system call, in the caller's context, in a worker thread
 * (IOSQE_ASYNC) or in a polling thread (IORING_SETUP_SQPOLL). By raw system calls, one request
 * at a time.
 */
#include "probe.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES 4
#define POLL_IDLE_MS 50

struct ring {
	int fd;
	struct io_uring_params params;
	unsigned char *queues; /* submission and completion, IORING_FEAT_SINGLE_MMAP */
	size_t queues_len;
	struct io_uring_sqe *entries;
	size_t entries_len;
};

static unsigned int *ring_word(const struct ring *ring, unsigned int offset)
{
	return (unsigned int *)(ring->queues + offset);
}

static void ring_close(struct ring *ring)
{
	if (ring->entries)
		munmap(ring->entries, ring->entries_len);
	if (ring->queues)
		munmap(ring->queues, ring->queues_len);
	if (ring->fd >= 0)
		close(ring->fd);
}

static void *ring_map(struct ring *ring, size_t len, off_t offset)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd,
			offset);

	return at == MAP_FAILED ? NULL : at;
}

static int ring_open(struct probe *p, struct ring *ring, unsigned int flags)
{
	size_t completions;

	*ring = (struct ring){.params = {.flags = flags, .sq_thread_idle = POLL_IDLE_MS}};
	p->step = "socket";
	ring->fd = (int)syscall(__NR_io_uring_setup, ENTRIES, &ring->params);
	if (ring->fd < 0)
		return -errno;
	if (!(ring->params.features & IORING_FEAT_SINGLE_MMAP))
		return -ENOSYS; /* before 5.4 */
	ring->queues_len = ring->params.sq_off.array + ring->params.sq_entries * sizeof(uint32_t);
	completions =
		ring->params.cq_off.cqes + ring->params.cq_entries * sizeof(struct io_uring_cqe);
	if (completions > ring->queues_len)
		ring->queues_len = completions;
	ring->entries_len = ring->params.sq_entries * sizeof(struct io_uring_sqe);
	ring->queues = ring_map(ring, ring->queues_len, IORING_OFF_SQ_RING);
	ring->entries = ring_map(ring, ring->entries_len, (off_t)IORING_OFF_SQES);
	return ring->queues && ring->entries ? 0 : -ENOMEM;
}

/* Hands one request over and returns what it came to: a completion's result, or -errno. */
static int ring_run(struct ring *ring, const struct io_uring_sqe *request)
{
	unsigned int *tail = ring_word(ring, ring->params.sq_off.tail);
	unsigned int mask = *ring_word(ring, ring->params.sq_off.ring_mask);
	unsigned int *array = ring_word(ring, ring->params.sq_off.array);
	unsigned int *head = ring_word(ring, ring->params.cq_off.head);
	unsigned int flags = IORING_ENTER_GETEVENTS;
	const struct io_uring_cqe *completions =
		(const struct io_uring_cqe *)(ring->queues + ring->params.cq_off.cqes);
	unsigned int slot = *tail & mask, first;

	ring->entries[slot] = *request;
	array[slot] = slot;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (ring->params.flags & IORING_SETUP_SQPOLL)
		flags |= IORING_ENTER_SQ_WAKEUP;
	if (syscall(__NR_io_uring_enter, ring->fd, 1, 1, flags, NULL, 0) < 0)
		return -errno;
	first = __atomic_load_n(head, __ATOMIC_ACQUIRE);
	mask = *ring_word(ring, ring->params.cq_off.ring_mask);
	__atomic_store_n(head, first + 1, __ATOMIC_RELEASE);
	return completions[first & mask].res;
}

static int run_request(struct probe *p, unsigned int ring_flags, const struct io_uring_sqe *request,
		       const char *step)
{
	struct ring ring;
	int result = ring_open(p, &ring, ring_flags);

	if (!result) {
		p->step = step;
		result = ring_run(&ring, request);
	}
	ring_close(&ring);
	return result < 0 ? result : 0;
}

static int uring_connect_to(struct probe *p, const union endpoint *to)
{
	const struct io_uring_sqe request = {
		.opcode = IORING_OP_CONNECT,
		.fd = p->fd,
		.addr = (uintptr_t)&to->any,
		.off = address_len(to),
	};

	return run_request(p, 0, &request, "connect");
}

/* On a connected socket, or with an address, which IORING_OP_SEND takes since 6.x. */
static int uring_send_bytes(struct probe *p, unsigned int opcode, unsigned int ring_flags,
			    unsigned char request_flags, const union endpoint *to)
{
	const struct io_uring_sqe request = {
		.opcode = (unsigned char)opcode,
		.flags = request_flags,
		.fd = p->fd,
		.addr = (uintptr_t)(p->query + 2),
		.len = (unsigned int)p->query_len,
		.msg_flags = MSG_NOSIGNAL,
		.addr2 = to ? (uintptr_t)&to->any : 0,
		.addr_len = to ? (uint16_t)address_len(to) : 0,
	};

	return run_request(p, ring_flags, &request, "send");
}

static int uring_send_message(struct probe *p, unsigned int opcode, unsigned int ring_flags,
			      unsigned char request_flags)
{
	struct iovec iov = {.iov_base = p->query + 2, .iov_len = p->query_len};
	struct msghdr message = {.msg_name = &p->to,
				 .msg_namelen = address_len(&p->to),
				 .msg_iov = &iov,
				 .msg_iovlen = 1};
	const struct io_uring_sqe request = {
		.opcode = (unsigned char)opcode,
		.flags = request_flags,
		.fd = p->fd,
		.addr = (uintptr_t)&message,
		.len = 1,
		.msg_flags = MSG_NOSIGNAL,
	};

	return run_request(p, ring_flags, &request, "send");
}

static int uring_connect(struct probe *p)
{
	return open_udp(p) ?: uring_connect_to(p, &p->to)
		?: uring_send_bytes(p, IORING_OP_SEND, 0, 0, NULL);
}

static int uring_tcp(struct probe *p)
{
	return open_tcp(p) ?: uring_connect_to(p, &p->to)
		?: uring_send_bytes(p, IORING_OP_SEND, 0, 0, NULL);
}

/* The socket, too, is the kernel's own call: IORING_OP_SOCKET. */
static int uring_socket(struct probe *p)
{
	const struct io_uring_sqe request = {
		.opcode = IORING_OP_SOCKET,
		.fd = p->to.any.sa_family,
		.off = SOCK_DGRAM | SOCK_CLOEXEC,
		.len = IPPROTO_UDP,
	};
	struct ring ring;
	int result = ring_open(p, &ring, 0);

	if (!result)
		p->fd = result = ring_run(&ring, &request);
	ring_close(&ring);
	if (result < 0)
		return result;
	return uring_send_message(p, IORING_OP_SENDMSG, 0, 0);
}

static int uring_sendmsg(struct probe *p)
{
	return open_udp(p) ?: uring_send_message(p, IORING_OP_SENDMSG, 0, 0);
}

static int uring_async(struct probe *p)
{
	return open_udp(p) ?: uring_send_message(p, IORING_OP_SENDMSG, 0, IOSQE_ASYNC);
}

static int uring_sqpoll(struct probe *p)
{
	return open_udp(p) ?: uring_send_message(p, IORING_OP_SENDMSG, IORING_SETUP_SQPOLL, 0);
}

static int uring_sqpoll_async(struct probe *p)
{
	return open_udp(p)
		       ?: uring_send_message(p, IORING_OP_SENDMSG, IORING_SETUP_SQPOLL,
					     IOSQE_ASYNC);
}

static int uring_send_zc(struct probe *p)
{
	return open_udp(p) ?: uring_send_bytes(p, IORING_OP_SEND_ZC, 0, 0, &p->to);
}

static int uring_sendmsg_zc(struct probe *p)
{
	return open_udp(p) ?: uring_send_message(p, IORING_OP_SENDMSG_ZC, 0, 0);
}

static int uring_send_to(struct probe *p)
{
	return open_udp(p) ?: uring_send_bytes(p, IORING_OP_SEND, 0, 0, &p->to);
}

const struct technique uring_techniques[] = {
	{"uring-connect", FOR_BOTH, NEEDS_NOTHING, uring_connect, "io_uring: CONNECT, SEND"},
	{"uring-tcp", FOR_BOTH, NEEDS_NOTHING, uring_tcp, "io_uring: CONNECT, SEND over TCP"},
	{"uring-socket", FOR_BOTH, NEEDS_NOTHING, uring_socket, "io_uring: SOCKET, SENDMSG"},
	{"uring-sendmsg", FOR_BOTH, NEEDS_NOTHING, uring_sendmsg, "io_uring: SENDMSG"},
	{"uring-async", FOR_BOTH, NEEDS_NOTHING, uring_async,
	 "io_uring: SENDMSG in a worker thread, IOSQE_ASYNC"},
	{"uring-sqpoll", FOR_BOTH, NEEDS_NOTHING, uring_sqpoll,
	 "io_uring: SENDMSG in a polling thread, IORING_SETUP_SQPOLL"},
	{"uring-sqpoll-async", FOR_BOTH, NEEDS_NOTHING, uring_sqpoll_async,
	 "io_uring: both, a worker of the polling thread"},
	{"uring-send-zc", FOR_BOTH, NEEDS_NOTHING, uring_send_zc, "io_uring: SEND_ZC"},
	{"uring-sendmsg-zc", FOR_BOTH, NEEDS_NOTHING, uring_sendmsg_zc, "io_uring: SENDMSG_ZC"},
	{"uring-send-to", FOR_BOTH, NEEDS_NOTHING, uring_send_to,
	 "io_uring: SEND with an address (kernel 6.x)"},
	{},
};
