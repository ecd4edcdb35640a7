/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between the BPF programs and the controller: map keys and values, the event
 * record, and the enums both sides print or compare. The only header both sides include.
 *
 * Rules: fixed widths, explicit padding, no bool, no pointers. Addresses are in network byte
 * order, an IPv4 address in the first four bytes and zeroes behind it. Ports and all other
 * integers are in host byte order. Enumerators are append-only: pinned maps and log readers
 * outlive a binary. Change the layout of anything below and DF_ABI_VERSION goes up by one.
 */
#ifndef DNSFENCE_ABI_H
#define DNSFENCE_ABI_H

#include <linux/types.h>

#define DF_ABI_VERSION 7

/* BPF_CGROUP_UNIX_CONNECT of linux/bpf.h, 6.7: the headers that the fence is built with lack it. */
#define DF_ATTACH_UNIX_CONNECT 49

/* Cgroup hooks: enumerator, name in events and status, the BPF attach point. */
#define DF_CGROUP_HOOKS(X)                                         \
	X(CONNECT4, "connect4", BPF_CGROUP_INET4_CONNECT)          \
	X(CONNECT6, "connect6", BPF_CGROUP_INET6_CONNECT)          \
	X(SENDMSG4, "sendmsg4", BPF_CGROUP_UDP4_SENDMSG)           \
	X(SENDMSG6, "sendmsg6", BPF_CGROUP_UDP6_SENDMSG)           \
	X(PACKET, "packet", BPF_CGROUP_INET_EGRESS)                \
	X(SOCK_CREATE, "sock_create", BPF_CGROUP_INET_SOCK_CREATE) \
	X(SETSOCKOPT, "setsockopt", BPF_CGROUP_SETSOCKOPT)         \
	X(CONNECT_UNIX, "connect_unix", DF_ATTACH_UNIX_CONNECT)

/* Hooks at an interface (tc): enumerator, name in events and status. */
#define DF_EDGE_HOOKS(X)      \
	X(EDGE_IN, "edge_in") \
	X(EDGE_OUT, "edge_out")

enum df_hook {
#define X(id, name, attach) DF_HOOK_##id,
	DF_CGROUP_HOOKS(X)
#undef X
		DF_HOOK_CGROUP_MAX,
	DF_HOOK_BEFORE_EDGE = DF_HOOK_CGROUP_MAX - 1,
#define X(id, name) DF_HOOK_##id,
	DF_EDGE_HOOKS(X)
#undef X
		DF_HOOK_MAX,
};

/* PASS: no name resolution, never counted. AUDIT: would have been denied, let through. */
#define DF_VERDICTS(X)    \
	X(PASS, "pass")   \
	X(ALLOW, "allow") \
	X(DENY, "deny")   \
	X(AUDIT, "audit")

enum df_verdict {
#define X(id, name) DF_VERDICT_##id,
	DF_VERDICTS(X)
#undef X
		DF_VERDICT_MAX,
};

/* Why: enumerator, name in events, one sentence for people. */
#define DF_REASONS(X)                                                                           \
	X(NONE, "none", "no name resolution")                                                   \
	X(SANCTIONED, "sanctioned", "the policy lists this resolver")                           \
	X(EXEMPT, "exempt", "the policy says resolvers: any")                                   \
	X(ANSWER, "answer", "a server's answer to a client, no lookup")                         \
	X(NOT_SANCTIONED, "resolver-not-sanctioned", "the policy does not list this resolver")  \
	X(NO_POLICY, "no-policy", "the kernel holds no policy for this caller")                 \
	X(ROUTING_HEADER, "routing-header", "name resolution under an IPv6 routing header")     \
	X(SOURCE_ROUTE, "source-route", "name resolution under an IPv4 source route")           \
	X(TUNNEL, "hand-made-tunnel", "name resolution inside hand-made IP-in-IP")              \
	X(FRAGMENT, "hand-made-fragment", "a hand-made later fragment hides its ports")         \
	X(TRUNCATED, "truncated-header", "the headers end before the ports")                    \
	X(HEADER_CHAIN, "header-chain", "more extension headers than the fence walks")          \
	X(TRANSPORT, "transport", "a name resolution port over a transport no resolver speaks") \
	X(STATE, "policy-state", "a policy map is missing; the fence stays closed")             \
	X(BYPASS, "bypass-socket", "a socket whose frames would pass by every hook")            \
	X(IPSEC, "ipsec", "IPsec hides where it goes, and no hook has judged the call")

enum df_reason {
#define X(id, name, text) DF_REASON_##id,
	DF_REASONS(X)
#undef X
		DF_REASON_MAX,
};

#define DF_REASON_SLOTS 16 /* a power of two, for the verifier */

#define DF_PROTO_UDP 1u /* UDP and UDP-Lite */
#define DF_PROTO_TCP 2u

/* Services: enumerator, name, port, transports, source of the port. */
#define DF_SERVICES(X)                                                     \
	X(DNS, "dns", 53, DF_PROTO_UDP | DF_PROTO_TCP, "RFC 1035 4.2")     \
	X(DOT, "dot", 853, DF_PROTO_TCP, "RFC 7858 3.1")                   \
	X(DOQ, "doq", 853, DF_PROTO_UDP, "RFC 9250 4.1.1")                 \
	X(MDNS, "mdns", 5353, DF_PROTO_UDP, "RFC 6762 2")                  \
	X(LLMNR, "llmnr", 5355, DF_PROTO_UDP | DF_PROTO_TCP, "RFC 4795 2") \
	X(NETBIOS, "netbios", 137, DF_PROTO_UDP, "RFC 1002 4.2")

enum df_service {
#define X(id, name, port, protocols, source) DF_SERVICE_##id,
	DF_SERVICES(X)
#undef X
		DF_SERVICE_MAX, /* also: a port of its own, named by a resolver in the policy */
};

#define DF_POLICY_MAX 256 /* policies in one configuration; a power of two */
#define DF_POLICY_NAME_LEN 32 /* with its terminating zero */
#define DF_LEVEL_MAX 32 /* cgroup depth that a policy may name; the root is level 0 */
#define DF_GENERATIONS 2
#define DF_PORT_WORDS 1024 /* 65536 ports, one bit each */
#define DF_UID_ANY 0xffffffffu /* (uid_t)-1 is nobody's uid */
#define DF_SCOPE_ENDPOINTS 0u /* every resolver with a port of its own, whoever may ask it */

/* df_policy.flags */
#define DF_POLICY_VALID (1u << 0) /* unset in an all-zero entry: deny */
#define DF_POLICY_EXEMPT (1u << 1) /* resolvers: any */
#define DF_POLICY_AUDIT (1u << 2) /* log what would be denied, let it pass */
#define DF_POLICY_PREFIXES (1u << 3) /* its scope has entries in resolver_prefix */
#define DF_POLICY_FORWARDS (1u << 4) /* it looks names up for others: its denials name them */
#define DF_POLICY_TRANSLATED (1u << 5) /* its scope has a resolver behind this host's NAT */

/*
 * A sanctioned address beside its policy: what the hash table says of it for the services' own
 * ports, without the hash. Most policies name no more than DF_NEAR_MAX resolvers.
 */
struct df_near_resolver {
	__u64 addr[2]; /* as df_resolver_key.addr */
	__u32 mask; /* as the table's value */
	__u32 family; /* 4 or 6; 0: no entry */
};

#define DF_NEAR_MAX 3

/* One policy, ready for the kernel; its rank is its index, lower wins. */
struct df_policy {
	__u32 flags;
	__u32 scope; /* which resolvers: first part of df_resolver_key, never 0 */
	__s32 errnum; /* positive errno for connect() and sendto(), on_deny */
	__u32 pad;
	struct df_near_resolver near[DF_NEAR_MAX];
	char name[DF_POLICY_NAME_LEN];
};

/* df_generation.flags */
#define DF_GEN_USERS (1u << 0) /* some policy names a user */
#define DF_GEN_SEVERAL (1u << 1) /* more than one policy: the caller's may differ */
#define DF_GEN_ENDPOINT_PREFIXES (1u << 2) /* DF_SCOPE_ENDPOINTS has prefixes */
#define DF_GEN_ERRNO (1u << 3) /* some policy wants another errno than EPERM */
#define DF_GEN_TRANSLATED (1u << 4) /* some resolver is behind this host's NAT */
#define DF_GEN_DEFER (1u << 5) /* deny_at: packet; a UDP connect() is not denied, its packet is */
#define DF_GEN_ORIGINS (1u << 6) /* some policy names a source or an interface */
#define DF_GEN_CALLS (1u << 7) /* hooks: all, or IPsec: sendmsg() is denied, not its packet */
#define DF_GEN_FORWARDS (1u << 8) /* some policy forwards: who asks is remembered */
#define DF_GEN_SAMPLES (1u << 9) /* of the allowed lookups, one in .sample is logged */

/*
 * Everything of a policy that is not a lookup table. Lives in .bss, so that a packet that is
 * no name resolution is let go without one map lookup.
 */
struct df_generation {
	__u64 id; /* counts published policies from 1; 0: never published */
	__u32 flags;
	__u32 services; /* bit per enum df_service: fenced */
	__u32 default_policy; /* rank of the policy without a match */
	__u32 policies_len;
	__u64 levels; /* bit per cgroup level that some policy names */
	__u64 cgroup_id; /* the fenced cgroup, for frames of sockets that no cgroup hook sees */
	__u32 sample; /* with DF_GEN_SAMPLES, never 0 */
	__u32 pad;
	/*
	 * With DF_GEN_FORWARDS: addresses behind this host's NAT, which may lead to a forwarder on
	 * this host and then keep their address and change the port, as Docker's 127.0.0.11 does.
	 */
	struct df_near_resolver translated[DF_NEAR_MAX];
	__u64 ports[DF_PORT_WORDS];
	struct df_policy policies[DF_POLICY_MAX];
};

/* Who a policy is for. Value: its rank, __u32. {0, uid} is a user in any cgroup. */
struct df_subject_key {
	__u64 cgroup_id;
	__u32 uid; /* in the initial user namespace, or DF_UID_ANY */
	__u32 pad;
};

/*
 * Whose a frame without a socket is, as a longest-prefix key: by the interface on which it came
 * into this host (0: any) and its source address. prefixlen counts from ifindex. Value: the lowest
 * rank of all policies that cover it, __u32.
 */
struct df_origin_key {
	__u32 prefixlen;
	__u32 ifindex;
	__u8 family; /* 4 or 6 */
	__u8 pad[3];
	__u8 addr[16];
};

#define DF_ORIGIN_BASE 64u

/*
 * Which resolver. Value, __u32, a mask of transports: for port 0 DF_PROTO_ bits of each service
 * that may be asked on its own port, see DF_SERVICE_MASK; for any other port DF_PROTO_ bits
 * themselves. DF_RESOLVER_TRANSLATED of those bits that are reached through this host's NAT.
 */
#define DF_SERVICE_MASK(service, protocols) ((__u32)(protocols) << ((service)*2))
#define DF_RESOLVER_TRANSLATED(mask) ((__u32)(mask) << 16)

struct df_resolver_key {
	__u32 scope;
	__u16 port; /* 0: the services' own ports */
	__u8 family; /* 4 or 6 */
	__u8 pad;
	__u8 addr[16];
};

/* The same as a longest-prefix key; prefixlen counts from scope, so it is 64 + the prefix. */
struct df_resolver_prefix_key {
	__u32 prefixlen;
	struct df_resolver_key key;
};

#define DF_PREFIX_BASE 64u

/* df_owner.flags */
#define DF_OWNER_CREATED (1u << 0) /* creator_uid and creator_cgroup are set */
#define DF_OWNER_CALLED (1u << 1) /* the fields of the last connect() or sendmsg() are set */
#define DF_OWNER_TRANSLATED (1u << 2) /* that call went to a resolver behind this host's NAT */
#define DF_OWNER_LISTENER (1u << 3) /* it accepts connections, or came of one that does */
#define DF_OWNER_ANSWERS (1u << 4) /* it has sent from one fenced port to another: a server */

/* The process that made a call. */
struct df_caller {
	__u32 tgid;
	__u32 uid; /* in the initial user namespace */
	__u32 netns_inode; /* as /proc/PID/ns/net shows it */
	__u32 parent_tgid;
	char comm[16]; /* of the process, not the thread */
	char parent_comm[16];
};

/* Who asked a forwarder for the name that it then was refused. */
struct df_via {
	__u64 cgroup_id; /* that made the asking socket; 0: nobody is known */
	__u32 tgid; /* 0: the process is not known */
	__u32 uid; /* in the initial user namespace */
	__u32 netns_inode;
	__u32 parent_tgid;
	char comm[16];
};

/*
 * The last one that has sent a question, by its hash. Names in any case are the same name
 * (RFC 1035 2.3.3, RFC 4343), as a forwarder that mixes cases (0x20) needs it.
 */
struct df_asker {
	struct df_via who;
	__u64 time_ns; /* CLOCK_MONOTONIC */
};

#define DF_ASKERS_MAX 8192
#define DF_VIA_NS 5000000000ull /* a forwarder's question is an asker's no longer than this */

/*
 * A forwarder's lookup may be a client's no longer than this after it has connected. nss-resolve(8)
 * connects for each lookup and asks at once, and systemd-resolved sends what it does not know
 * within milliseconds; a second is for hosts under load. More would only meet more clients, and
 * of two nobody is named. What is asked again later, after a timeout, is nobody's.
 */
#define DF_CLIENT_NS 1000000000ull

/* Who made and who used a socket; socket storage, readable where "current" is not. */
struct df_owner {
	__u64 cgroup_id; /* caller's */
	__u64 netns_cookie;
	__u64 generation; /* in which .policy was found */
	__u64 creator_cgroup;
	__u32 policy; /* rank for the caller */
	__u32 creator_uid;
	__u32 flags;
	__u16 dport;
	__u8 family;
	__u8 pad;
	__u8 daddr[16];
	struct df_caller caller;
};

/* df_event.flags */
#define DF_EVENT_CALLER (1u << 0) /* all of caller is known */
#define DF_EVENT_PACKET (1u << 1) /* judged on a packet; unset: at a system call, before one */
#define DF_EVENT_QUESTION (1u << 2) /* the question section is in, or question_hash names it */
#define DF_EVENT_MALFORMED (1u << 3) /* there was a payload that holds no readable question */
#define DF_EVENT_UID (1u << 4) /* caller.uid is known */
#define DF_EVENT_CONNECTED (1u << 5) /* via: the only client that connected, whatever it asked */

#define DF_COMMAND_MAX 128
#define DF_QUESTION_MAX 264 /* RFC 1035: name 255, type 2, class 2; rounded up to 8 */

/*
 * One violation, or .count equal ones, as the ring buffer carries it; or, with DF_VERDICT_ALLOW,
 * one lookup that stands for .sample allowed ones, never folded. In one of three lengths.
 * DF_EVENT_HEAD_SIZE: folded repeats, question_hash names their question. DF_EVENT_CALL_SIZE: a
 * call, with the caller's command line. All of it: a packet, with its question section, raw, from
 * the first label to the class.
 */
struct df_event {
	__u16 size; /* of this record, bytes */
	__u8 abi; /* DF_ABI_VERSION */
	__u8 hook;
	__u8 verdict;
	__u8 reason;
	__u8 service;
	__u8 family; /* 4 or 6 */
	__u8 protocol; /* IPPROTO_ */
	__u8 pad0;
	__u16 dport;
	__u32 flags;
	__u8 daddr[16];
	__u64 cgroup_id; /* the judged one: the socket's on a packet, the caller's at a call */
	__u64 netns_cookie; /* of the socket, as SO_NETNS_COOKIE tells it; 0: not known */
	__u64 question_hash; /* of its name in lower case, type and class, keyed */
	__u64 generation;
	__u8 saddr[16];
	__u32 ifindex; /* of the interface the packet was at */
	__u32 ingress_ifindex; /* on which a forwarded frame came in; 0: it did not */
	struct df_via via; /* who asked the forwarder that the record is about */
	struct df_caller caller;
	__u64 time_ns; /* CLOCK_MONOTONIC of the newest one */
	__u32 count;
	__u16 sport; /* 0: not known */
	__u16 question_len;
	__s32 errnum; /* what the call was denied with; 0 on a packet */
	__u32 sample; /* an allowed lookup: one in so many is written; 0: a violation */
	char policy[DF_POLICY_NAME_LEN];
	__u8 command[DF_COMMAND_MAX]; /* beginning of the arguments, zeroes between them */
	__u8 question[DF_QUESTION_MAX];
};

/* What makes two violations equal: all up to the caller's tgid and uid. */
#define DF_EVENT_KEY_SIZE __builtin_offsetof(struct df_event, caller.netns_inode)
#define DF_EVENT_HEAD_SIZE __builtin_offsetof(struct df_event, command)
#define DF_EVENT_CALL_SIZE __builtin_offsetof(struct df_event, question)

/*
 * Per-CPU. violations = event counts in the ring + folded and pending + lost, always. The allowed
 * lookups that were chosen for the log have an account of their own: sampled + crowded.
 */
struct df_counters {
	/* One number a verdict, for one addition a packet; sums are user space's matter. */
	__u64 verdicts[DF_HOOK_MAX][DF_VERDICT_MAX][DF_REASON_SLOTS];
	__u64 records; /* written to the ring */
	__u64 folded; /* violations counted in a slot instead of a record of their own */
	__u64 flushed; /* of those, in a record or in lost since */
	__u64 lost; /* violations whose record found the ring full */
	__u64 sampled; /* allowed lookups written to the ring */
	__u64 crowded; /* those that were not, to leave the ring to violations */
};

/* What the log has taken in, kept across daemons beside the counters. */
struct df_log_state {
	__u32 abi;
	__u32 pad;
	__u64 logged; /* sum of the counts of all events handed to the sinks */
	__u64 lost_stated; /* losses that an event has stated */
	__u64 rejected; /* records that failed validation */
	__u64 interrupted; /* violations taken from the ring by a daemon that was then killed */
	__u64 sequence; /* of the last event */
};

#define DF_EDGES_MAX 65536

#define DF_EDGE_QDISC (1u << 0) /* the clsact queueing discipline is ours, too */

/* An interface with filters of the fence, for whoever takes them away. */
struct df_edge {
	__u32 netns_inode; /* the interface's index is of this network namespace */
	__u32 flags; /* DF_EDGE_ */
};

#define DF_SEAL_TABLES 4 /* resolvers, prefixes, subjects, origins */
#define DF_SEAL_MAPS 16

/*
 * What the fence consisted of when it was last known to be whole, in the kernel's ids, which it
 * never gives twice at a time. User space alone writes and reads it: the daemon compares it with
 * what is there, and the next daemon finds what was done while none ran. 0: there is none.
 */
struct df_seal {
	__u32 abi; /* DF_ABI_VERSION; 0: a change was under way, so nothing is known */
	__u32 slot; /* which of the generations is in force, the word that programs read */
	__u64 cgroup_id;
	__u64 checksum; /* of that generation */
	__u32 tables[DF_SEAL_TABLES]; /* map ids, in that generation's entries */
	__u32 links[DF_HOOK_CGROUP_MAX]; /* link ids, while attached */
	__u32 programs[DF_HOOK_CGROUP_MAX]; /* program ids in them */
	__u32 link_pins[DF_HOOK_CGROUP_MAX]; /* link ids by the names in the pin directory */
	__u32 map_pins[DF_SEAL_MAPS]; /* likewise map ids */
	__u64 entries; /* sum over those of the subjects table while they may change; 0: frozen */
};

#define DF_CGROUP_NAME_MAX 256 /* NAME_MAX and the zero */
#define DF_CGROUP_NAME_ROOM 512 /* more than that, a power of two, for the verifier */

/* A cgroup that has come or gone, in the ring that only the running daemon reads. */
struct df_cgroup_change {
	__u64 id;
	__u64 parent; /* its id */
	__u32 level; /* the root is 0 */
	__u32 gone; /* 1; 0: it has come */
	char name[DF_CGROUP_NAME_ROOM]; /* and its zero, where the record ends; none of the gone */
};

#define DF_FOLD_SLOTS 1024
#define DF_FOLD_BATCH 64 /* slots that one run of dnsfence_flush walks */
#define DF_FOLD_NS 1000000000ull

_Static_assert(DF_VERDICT_MAX == 4, "a power of two, for the verifier");
_Static_assert(DF_REASON_MAX <= DF_REASON_SLOTS, "df_counters.verdicts");
_Static_assert(sizeof(struct df_near_resolver) == 24, "df_near_resolver");
_Static_assert(sizeof(struct df_policy) == 120, "df_policy");
_Static_assert(sizeof(struct df_subject_key) == 16, "df_subject_key");
_Static_assert(sizeof(struct df_origin_key) == 28, "df_origin_key");
_Static_assert(sizeof(struct df_resolver_key) == 24, "df_resolver_key");
_Static_assert(sizeof(struct df_resolver_prefix_key) == 28, "df_resolver_prefix_key");
_Static_assert(sizeof(struct df_caller) == 48, "df_caller");
_Static_assert(sizeof(struct df_via) == 40, "df_via");
_Static_assert(sizeof(struct df_asker) == 48, "df_asker");
_Static_assert(sizeof(struct df_owner) == 112, "df_owner");
_Static_assert(DF_EVENT_KEY_SIZE == 136, "the key part has no holes, whole words");
_Static_assert(DF_EVENT_HEAD_SIZE % 8 == 0, "the head is copied by words");
_Static_assert(sizeof(struct df_event) == DF_EVENT_CALL_SIZE + DF_QUESTION_MAX, "df_event");
_Static_assert(sizeof(struct df_seal) == 48 + 12 * DF_HOOK_CGROUP_MAX + 4 * DF_SEAL_MAPS,
	       "df_seal");
_Static_assert(sizeof(struct df_generation) == 48 + sizeof(struct df_near_resolver) * DF_NEAR_MAX +
						       8 * DF_PORT_WORDS +
						       sizeof(struct df_policy) * DF_POLICY_MAX,
	       "df_generation");

#endif
