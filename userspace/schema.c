// SPDX-License-Identifier: GPL-2.0-or-later
#include "schema.h"

#include "bpf/abi.h"
#include "config.h"
#include "identity.h"
#include "queue.h"
#include "suggest.h"

static const struct schema_choice choices_mode[] = {
	{"enforce", MODE_ENFORCE, "block and log"},
	{"audit", MODE_AUDIT, "log what would be blocked, block nothing"},
	{0},
};

static const struct schema_choice choices_on_deny[] = {
	{"eperm", EPERM,
	 "\"Operation not permitted\"; the client gives up or tries its next server"},
	{"refused", ECONNREFUSED, "\"Connection refused\"; some clients retry at once"},
	{"unreachable", EHOSTUNREACH, "\"No route to host\""},
	{0},
};

#define SERVICE_DOC(port, protocols, source)                               \
	(protocols) == DF_PROTO_UDP   ? "port " #port " over UDP, " source \
	: (protocols) == DF_PROTO_TCP ? "port " #port " over TCP, " source \
				      : "port " #port " over UDP and TCP, " source

static const struct schema_choice choices_service[] = {
#define X(id, name, port, protocols, source) \
	{name, DF_SERVICE_##id, SERVICE_DOC(port, protocols, source)},
	DF_SERVICES(X)
#undef X
		{0},
};

static const struct schema_choice choices_protocol[] = {
	{"udp", DF_PROTO_UDP, "UDP and UDP-Lite"},
	{"tcp", DF_PROTO_TCP, "TCP"},
	{0},
};

static const struct schema_choice choices_edge[] = {
	{"off", EDGE_OFF, "no interface is fenced"},
	{"auto", EDGE_AUTO,
	 "every interface that can carry such frames: the host's ends of veth pairs and taps on "
	 "the way in, all others but loopback and bridges on the way out, tun devices both ways. "
	 "With --cgroup below the root: none"},
	{0},
};

static const struct schema_choice choices_deny_at[] = {
	{"connect", DENY_AT_CONNECT,
	 "connect() fails, as it does for TCP; there is no question yet"},
	{"packet", DENY_AT_PACKET,
	 "connect() succeeds, send() fails; the event has the question, but a client that ignores "
	 "the errno of send(), as dig does, waits for its timeout"},
	{0},
};

static const struct schema_choice choices_open_sockets[] = {
	{"close", OPEN_SOCKETS_CLOSE,
	 "TCP connections and connected UDP sockets to resolvers that their policy does not "
	 "sanction are closed when the fence closes and after a reload; whoever uses them gets "
	 "ECONNABORTED, or EDESTADDRREQ from send() over UDP"},
	{"leave", OPEN_SOCKETS_LEAVE,
	 "the packet layer refuses what they send: UDP gets EPERM, TCP hangs"},
	{0},
};

static const struct schema_choice choices_follow[] = {
	{"auto", FOLLOW_TRACEPOINT,
	 "raw tracepoints, else inotify, else a walk through all of them once a second"},
	{"inotify", FOLLOW_INOTIFY, "a watch on every cgroup's directory"},
	{"walk", FOLLOW_NONE, "the walk alone"},
	{0},
};

static const struct schema_choice choices_hooks[] = {
	{"auto", HOOKS_AUTO, "those the policy, the kernel and IPsec need"},
	{"all", HOOKS_ALL,
	 "sendmsg4/6 and sock_create in any case: sendto() is denied at the call, before this "
	 "host's NAT or IPsec can make something else of the lookup; its event then has no "
	 "question. The others as with auto"},
	{0},
};

static const struct schema_field fields_resolver[] = {
	{.key = "address",
	 .kind = SCHEMA_ADDRESS,
	 .required = true,
	 .offset = offsetof(struct resolver, address),
	 .doc = "An IP address, or a prefix without host bits. Names are not looked up. IPv6 zones "
		"(%eth0) are refused: an address is sanctioned on every link."},
	{.key = "service",
	 .kind = SCHEMA_FLAGS,
	 .offset = offsetof(struct resolver, services),
	 .choices = choices_service,
	 .standard = "every fenced service",
	 .doc = "The service, or a list of them, that may be asked there."},
	{.key = "port",
	 .kind = SCHEMA_PORT,
	 .offset = offsetof(struct resolver, port),
	 .standard = "each service's own",
	 .doc = "Another port than the service's own, for one service at most. The port is then "
		"fenced at that address for everyone whose policy does not list it, and nowhere "
		"else."},
	{.key = "protocol",
	 .kind = SCHEMA_PROTOCOL,
	 .offset = offsetof(struct resolver, protocols),
	 .choices = choices_protocol,
	 .standard = "what the service speaks",
	 .doc = "Only this transport."},
	{.key = "translated",
	 .kind = SCHEMA_BOOL,
	 .offset = offsetof(struct resolver, translated),
	 .standard = "false",
	 .doc = "This host's own NAT sends packets for this address elsewhere, as for a "
		"Kubernetes service address: what was let through to it may leave to another. "
		"Attaches sendmsg4/6, and lookups are then refused at the call, whatever deny_at "
		"says. Before Linux 5.14 such a resolver is refused."},
	{0},
};

static const struct schema_choice choices_runtime[] = {
#define X(symbol, name) {name, symbol, NULL},
	IDENTITY_RUNTIMES(X)
#undef X
		{0},
};

static const struct schema_field fields_container[] = {
	{.key = "name",
	 .kind = SCHEMA_WORDS,
	 .offset = offsetof(struct policy_config, match.container.names),
	 .doc = "Name or glob; in a pod the name that the pod gives it."},
	{.key = "image",
	 .kind = SCHEMA_WORDS,
	 .offset = offsetof(struct policy_config, match.container.images),
	 .doc = "Image or glob, as the runtime writes it; * matches slashes, too, as in "
		"registry.example/*."},
	{.key = "label",
	 .kind = SCHEMA_LABELS,
	 .offset = offsetof(struct policy_config, match.container.labels),
	 .doc = "Labels that all must hold: key, and a value or glob, or a list of them. Whoever "
		"starts a container chooses its labels."},
	{.key = "runtime",
	 .kind = SCHEMA_FLAGS,
	 .offset = offsetof(struct policy_config, match.container.runtimes),
	 .choices = choices_runtime,
	 .doc = "What runs it, or a list of them."},
	{.key = "id",
	 .kind = SCHEMA_WORDS,
	 .offset = offsetof(struct policy_config, match.container.ids),
	 .doc = "The runtime's own id, or a glob, as in 3f0c*; {id: \"*\"} is every container."},
	{.key = "user",
	 .kind = SCHEMA_WORDS,
	 .offset = offsetof(struct policy_config, match.container.owners.words),
	 .standard = "root",
	 .doc = "Name or uid of the user whose own manager it runs under (rootless containers), or "
		"root for those of the system. Users name their containers as they like: a "
		"rootless one has no policy that does not name its owner here."},
	{0},
};

static const struct schema_object object_container = {
	"container",
	"A container, as its runtime's files describe it; with several keys, all must hold. The "
	"outermost one of a cgroup path counts: what runs inside a container cannot name itself.",
	fields_container,
	"name something of it, as in {name: web}; {id: \"*\"} is every container"};

static const struct schema_field fields_pod[] = {
	{.key = "namespace",
	 .kind = SCHEMA_WORDS,
	 .offset = offsetof(struct policy_config, match.pod.namespaces),
	 .doc = "Kubernetes namespace or glob."},
	{.key = "name",
	 .kind = SCHEMA_WORDS,
	 .offset = offsetof(struct policy_config, match.pod.names),
	 .doc = "Name or glob, as in \"web-*\"; {name: \"*\"} is every pod."},
	{.key = "label",
	 .kind = SCHEMA_LABELS,
	 .offset = offsetof(struct policy_config, match.pod.labels),
	 .doc = "Labels of the pod that all must hold: key, and a value or glob, or a list of "
		"them."},
	{0},
};

static const struct schema_object object_pod = {
	"pod", "A Kubernetes pod; with several keys, all must hold.", fields_pod,
	"name something of it, as in {namespace: prod}; {name: \"*\"} is every pod"};

static const struct schema_field fields_match[] = {
	{.key = "unit",
	 .kind = SCHEMA_WORDS,
	 .offset = offsetof(struct policy_config, match.units),
	 .doc = "systemd unit or slice of the system, or a glob, or a list, as in "
		"nginx.service, \"getty@*.service\", machine.slice. What a service, a container "
		"or a "
		"user makes below a cgroup of its own is none, whatever its name."},
	{.key = "user_unit",
	 .kind = SCHEMA_WORDS,
	 .offset = offsetof(struct policy_config, match.user_units),
	 .doc = "Unit or slice of a user's own manager (systemd --user), likewise. Users name "
		"their units as they like: a policy that allows more than others needs user beside "
		"it, which then says whose manager that is, too."},
	{.key = "container",
	 .kind = SCHEMA_OBJECT,
	 .object = &object_container,
	 .mark_offset = offsetof(struct policy_config, match.container.where),
	 .doc = "A container of Docker, containerd, CRI-O, Podman, LXC or systemd-nspawn."},
	{.key = "pod",
	 .kind = SCHEMA_OBJECT,
	 .object = &object_pod,
	 .mark_offset = offsetof(struct policy_config, match.pod.where),
	 .doc = "A Kubernetes pod with all its containers."},
	{.key = "cgroup",
	 .kind = SCHEMA_WORDS,
	 .offset = offsetof(struct policy_config, match.cgroups),
	 .doc = "Path below the cgroup2 mount, with all below it, or a list; * ? [ ] match within "
		"one path component, as in /ci.slice/*."},
	{.key = "user",
	 .kind = SCHEMA_WORDS,
	 .offset = offsetof(struct policy_config, match.users.words),
	 .doc = "User name or uid of the process, or a list. A name has to exist."},
	{.key = "interface",
	 .kind = SCHEMA_WORDS,
	 .offset = offsetof(struct policy_config, match.interfaces),
	 .doc = "For frames without a socket, see edge: name or glob, or a list of them, of the "
		"interface on which they came into this host, which need not be there yet. On the "
		"way out that is a bridge, not its port: name both."},
	{.key = "source",
	 .kind = SCHEMA_PREFIXES,
	 .offset = offsetof(struct policy_config, match.sources),
	 .doc = "For frames without a socket: their source address, an address or prefix, or a "
		"list. Whoever makes such frames chooses it: a policy that allows more than others "
		"should not be for a source alone. Masquerading changes it before the way out."},
	{0},
};

const struct schema_object schema_match = {
	"match",
	"Who a policy is for. With several keys, all must hold; a list is \"one of\". interface "
	"and "
	"source speak of frames without a socket, the other keys of sockets: no policy has both.",
	fields_match,
	"name a unit, a container, a pod, a cgroup, a user, an interface or a source, or leave "
	"match out for everyone"};

static const struct schema_field fields_policy[] = {
	{.key = "name",
	 .kind = SCHEMA_STRING,
	 .required = true,
	 .offset = offsetof(struct policy_config, name),
	 .doc = "Shown in events and by status: up to 31 letters, digits, dots, dashes and "
		"underscores."},
	{.key = "match",
	 .kind = SCHEMA_OBJECT,
	 .object = &schema_match,
	 .standard = "everyone",
	 .doc = "Who the policy is for. The last policy, and only that, has none."},
	{.key = "resolvers",
	 .kind = SCHEMA_SET_NAMES,
	 .required = true,
	 .doc = "Names of resolver sets; [] sanctions none; any exempts from the fence."},
	{.key = "mode",
	 .kind = SCHEMA_CHOICE,
	 .offset = offsetof(struct policy_config, mode),
	 .choices = choices_mode,
	 .standard = "the configuration's",
	 .doc = "For this policy only."},
	{.key = "on_deny",
	 .kind = SCHEMA_CHOICE,
	 .offset = offsetof(struct policy_config, on_deny),
	 .choices = choices_on_deny,
	 .standard = "the configuration's",
	 .doc = "For this policy only."},
	{.key = "forwards",
	 .kind = SCHEMA_BOOL,
	 .offset = offsetof(struct policy_config, forwards),
	 .standard = "false",
	 .doc = "What is under this policy looks names up for others: dockerd, aardvark-dns, "
		"systemd-resolved, dnsmasq, unbound. The event of a lookup that is refused or "
		"audited then names who asked for it, as dnsfence.via; for that its UDP lookups "
		"are refused at the packet, as with deny_at: packet. See FORWARDERS in "
		"dnsfence(8)."},
	{.key = "redirect",
	 .kind = SCHEMA_LATER,
	 .doc = "redirection is not offered by this version; sanction the resolver and configure "
		"the client to ask it"},
	{0},
};

static const struct schema_field fields_edge[] = {
	{.key = "interfaces",
	 .kind = SCHEMA_WORDS,
	 .offset = offsetof(struct config, edge.interfaces),
	 .mark_offset = offsetof(struct config, edge.interfaces_where),
	 .choices = choices_edge,
	 .standard = "off",
	 .doc = "Where frames without an inet socket are judged: off, auto, a name or glob, or a "
		"list "
		"of names and globs. A plain name has to exist when the daemon starts or reloads; "
		"what comes later by a glob or auto is fenced as it comes."},
	{.key = "uplinks",
	 .kind = SCHEMA_WORDS,
	 .offset = offsetof(struct config, edge.uplinks),
	 .mark_offset = offsetof(struct config, edge.uplinks_where),
	 .standard = "none",
	 .doc = "Names or globs of interfaces that lead away from this host though their kind does "
		"not show it, as the veth of a container that dnsfence itself runs in: fenced on "
		"the way out, not on the way in. A plain name has to exist here, too. An error "
		"where interfaces is off."},
	{0},
};

static const struct schema_object object_edge = {"edge",
						 "The interface layer: frames that no inet socket "
						 "of this host sent (AF_PACKET, AF_XDP, TUN, "
						 "virtual machines) and forwarded ones. They are "
						 "dropped without an errno. Sockets that would "
						 "send past this layer, too (PACKET_QDISC_BYPASS, "
						 "the transmit ring of AF_XDP), are refused at "
						 "setsockopt().",
						 fields_edge};

static const struct schema_choice choices_facility[] = {
#define X(name, number) {name, number, "facility " #number},
	SYSLOG_FACILITIES(X)
#undef X
		{0},
};

static const struct schema_choice choices_syslog_format[] = {
	{"json", SYSLOG_FORMAT_JSON, "the line of the file, behind the header"},
	{"text", SYSLOG_FORMAT_TEXT, "the readable line that a terminal shows, without its time"},
	{0},
};

static const struct schema_choice choices_drop[] = {
	{"newest", QUEUE_DROP_NEWEST, "what comes while the queue is full is missing"},
	{"oldest", QUEUE_DROP_OLDEST, "what has waited longest makes room"},
	{0},
};

static const struct schema_field fields_rotate[] = {
	{.key = "size",
	 .kind = SCHEMA_SIZE,
	 .required = true,
	 .offset = offsetof(struct config, rotate_size),
	 .min = 64,
	 .max = 1 << 30,
	 .doc = "The file is moved to its name with .1 behind it, and begun anew, before it would "
		"get larger than this."},
	{.key = "keep",
	 .kind = SCHEMA_INT,
	 .offset = offsetof(struct config, rotate_keep),
	 .min = 1,
	 .max = 999,
	 .standard = "5",
	 .doc = "How many such files stay: .1 is the newest."},
	{0},
};

static const struct schema_object object_rotate = {
	"rotate", "The daemon rotates events.file by itself; leave it out where logrotate does.",
	fields_rotate};

static const struct schema_field fields_syslog[] = {
	{.key = "to",
	 .kind = SCHEMA_SYSLOG,
	 .required = true,
	 .offset = offsetof(struct config, syslog),
	 .doc = "A syslog daemon, or a list of up to 8: local, the daemon of this host behind "
		"/dev/log, in the form that syslog(3) writes; unix:/PATH, a datagram socket; "
		"udp:ADDRESS:PORT; tcp:ADDRESS:PORT, with octet counting (RFC 6587). All but local "
		"in the form of RFC 5424. Addresses only, [..] around those of IPv6: a name would "
		"have to be looked up."},
	{.key = "facility",
	 .kind = SCHEMA_CHOICE,
	 .offset = offsetof(struct config, syslog_facility),
	 .choices = choices_facility,
	 .standard = "daemon",
	 .doc = "The facility of every message."},
	{.key = "format",
	 .kind = SCHEMA_CHOICE,
	 .offset = offsetof(struct config, syslog_format),
	 .choices = choices_syslog_format,
	 .standard = "json",
	 .doc = "What a message says."},
	{0},
};

static const struct schema_object object_syslog = {
	"syslog", "Messages to syslog daemons. A connection that breaks is made again.",
	fields_syslog};

static const struct schema_field fields_events[] = {
	{.key = "stdout",
	 .kind = SCHEMA_BOOL,
	 .offset = offsetof(struct config, events_stdout),
	 .standard = "true",
	 .doc = "One JSON object a line; readable lines on a terminal."},
	{.key = "file",
	 .kind = SCHEMA_PATH,
	 .offset = offsetof(struct config, events_file),
	 .mark_offset = offsetof(struct config, events_file_where),
	 .standard = "none",
	 .doc = "Append JSON lines to this file, created 0640 and its directory 0750 if they are "
		"missing; reopened on SIGUSR1. It must not be a symbolic link."},
	{.key = "rotate",
	 .kind = SCHEMA_OBJECT,
	 .object = &object_rotate,
	 .standard = "not rotated",
	 .doc = "The file's rotation by the daemon itself."},
	{.key = "journal",
	 .kind = SCHEMA_BOOL,
	 .offset = offsetof(struct config, events_journal),
	 .standard = "false",
	 .doc = "To systemd's journal with fields of their own, see dnsfence-events(7). As a "
		"service set stdout to false, or the journal gets both."},
	{.key = "syslog",
	 .kind = SCHEMA_OBJECT,
	 .object = &object_syslog,
	 .standard = "none",
	 .doc = "To syslog daemons."},
	{.key = "socket",
	 .kind = SCHEMA_PATH,
	 .offset = offsetof(struct config, events_socket),
	 .mark_offset = offsetof(struct config, events_socket_where),
	 .standard = "none",
	 .doc = "A unix stream socket on which whoever connects gets the JSON lines from then on, "
		"64 readers at most. Made 0660; in a directory with the setgid bit it has that "
		"directory's group."},
	{.key = "allowed",
	 .kind = SCHEMA_INT,
	 .offset = offsetof(struct config, events_allowed),
	 .min = 0,
	 .max = 1000000,
	 .standard = "0",
	 .doc = "Log allowed lookups, too: 1 every one, 100 one in a hundred, chosen by chance; 0 "
		"none. Violations come first: one is left out, and counted, while the ring buffer, "
		"or the queue of a place that events go to, is half full."},
	{.key = "queue",
	 .kind = SCHEMA_SIZE,
	 .offset = offsetof(struct config, queue_size),
	 .min = 64,
	 .max = 1 << 20,
	 .standard = "1MiB",
	 .doc = "How much may wait for a sink that does not take it: each sink, and each reader "
		"of the socket, has a queue of its own."},
	{.key = "drop",
	 .kind = SCHEMA_CHOICE,
	 .offset = offsetof(struct config, queue_drop),
	 .choices = choices_drop,
	 .standard = "newest",
	 .doc = "Which lines are dropped when a queue is full. An event where they are missing "
		"says how many violations they told of. Allowed lookups never make others give "
		"way: the newest of them is dropped, and from half of the queue on."},
	{.key = "buffer",
	 .kind = SCHEMA_POWER,
	 .offset = offsetof(struct config, ring_kib),
	 .min = 64,
	 .max = 65536,
	 .standard = "1024",
	 .doc = "Ring buffer in KiB. Takes effect after \"dnsfence unload\" and a new start."},
	{0},
};

static const struct schema_object object_events = {"events", "What is logged, and where it goes.",
						   fields_events};

static const struct schema_field fields_runtimes[] = {
	{.key = "host",
	 .kind = SCHEMA_PATH,
	 .offset = offsetof(struct config, runtimes.host),
	 .standard = "/",
	 .doc = "Where this host's root directory is seen, for a dnsfence that runs in a container "
		"itself. All paths below, and users' home directories, are looked up in there."},
	{.key = "docker",
	 .kind = SCHEMA_PATHS,
	 .offset = offsetof(struct config, runtimes.docker),
	 .standard = "/var/lib/docker, /var/snap/docker/common/var-lib-docker",
	 .doc = "Docker's data-root, or a list."},
	{.key = "containerd",
	 .kind = SCHEMA_PATHS,
	 .offset = offsetof(struct config, runtimes.containerd),
	 .standard = "/run/containerd, /run/k3s/containerd, "
		     "/var/snap/microk8s/common/run/containerd",
	 .doc = "containerd's state directory, or a list; nerdctl's containers are there, too."},
	{.key = "crio",
	 .kind = SCHEMA_PATHS,
	 .offset = offsetof(struct config, runtimes.crio),
	 .standard = "/run/containers/storage, /var/lib/containers/storage",
	 .doc = "The runroot and root of CRI-O's storage, or a list."},
	{.key = "podman",
	 .kind = SCHEMA_PATHS,
	 .offset = offsetof(struct config, runtimes.podman),
	 .standard = "/var/lib/containers/storage, /run/containers/storage",
	 .doc = "The graphroot and runroot of Podman's storage, or a list. Those of a user are "
		"always looked for in the home directory and below /run/user/UID."},
	{.key = "pods",
	 .kind = SCHEMA_PATHS,
	 .offset = offsetof(struct config, runtimes.pods),
	 .standard = "/var/log/pods",
	 .doc = "The kubelet's directory of pods' logs, whose names tell namespace and pod, or a "
		"list."},
	{0},
};

static const struct schema_object object_runtimes = {
	"runtimes",
	"Where container runtimes keep the files that tell names, images and labels. What is "
	"written here takes the place of the default; at most 32 directories of a runtime.",
	fields_runtimes};

static const struct schema_field fields_metrics[] = {
	{.key = "listen",
	 .kind = SCHEMA_LISTEN,
	 .offset = offsetof(struct config, metrics_listen),
	 .mark_offset = offsetof(struct config, metrics_listen_where),
	 .standard = "none",
	 .doc = "Answer GET /metrics here: unix:/PATH, a socket made 0660, or an address of "
		"loopback and a port, as 127.0.0.1:9753 or [::1]:9753. Whoever can connect can "
		"read the counters."},
	{.key = "textfile",
	 .kind = SCHEMA_PATH,
	 .offset = offsetof(struct config, metrics_file),
	 .mark_offset = offsetof(struct config, metrics_file_where),
	 .standard = "none",
	 .doc = "Write them to this file, whose name ends with .prom, for node_exporter's textfile "
		"collector: made anew and put in place whole, and removed when the daemon ends."},
	{.key = "interval",
	 .kind = SCHEMA_INT,
	 .offset = offsetof(struct config, metrics_interval),
	 .min = 1,
	 .max = 3600,
	 .standard = "15",
	 .doc = "Seconds between two writings of the textfile."},
	{0},
};

static const struct schema_object object_metrics = {
	"metrics", "Counters for Prometheus. \"dnsfence metrics\" prints them without any of this.",
	fields_metrics};

const struct schema_object schema_resolver = {
	"resolver", "A sanctioned resolver: an address or prefix alone, or these keys.",
	fields_resolver};
const struct schema_object schema_policy = {
	"policy", "Who may ask which resolvers. The first policy that matches decides.",
	fields_policy};

static const struct schema_field fields_config[] = {
	{.key = "apiVersion",
	 .kind = SCHEMA_VERSION,
	 .required = true,
	 .doc = "The language of this file: " CONFIG_API_VERSION "."},
	{.key = "mode",
	 .kind = SCHEMA_CHOICE,
	 .offset = offsetof(struct config, mode),
	 .choices = choices_mode,
	 .standard = "enforce",
	 .doc = "What happens to a violation."},
	{.key = "on_deny",
	 .kind = SCHEMA_CHOICE,
	 .offset = offsetof(struct config, on_deny),
	 .choices = choices_on_deny,
	 .standard = "eperm",
	 .doc = "The errno that connect() and sendto() get. Other than eperm needs Linux 5.18, "
		"before which it is eperm all the same, and attaches sendmsg4/6; the event then "
		"carries no question, for there is no packet."},
	{.key = "deny_at",
	 .kind = SCHEMA_CHOICE,
	 .offset = offsetof(struct config, deny_at),
	 .choices = choices_deny_at,
	 .standard = "connect",
	 .doc = "Where a lookup over a connected UDP socket is refused, if on_deny is eperm. "
		"Before Linux 6.12 packet takes effect with a single policy only."},
	{.key = "open_sockets",
	 .kind = SCHEMA_CHOICE,
	 .offset = offsetof(struct config, open_sockets),
	 .choices = choices_open_sockets,
	 .standard = "close",
	 .doc = "What becomes of sockets that were connected before, see \"dnsfence sockets\". "
		"Nothing is closed whose policy is in audit mode."},
	{.key = "follow",
	 .kind = SCHEMA_CHOICE,
	 .offset = offsetof(struct config, follow),
	 .choices = choices_follow,
	 .standard = "auto",
	 .doc = "How the daemon hears of cgroups that come and go, where a policy speaks of "
		"cgroups, units, containers or pods. \"dnsfence status\" says which way it is."},
	{.key = "services",
	 .kind = SCHEMA_FLAGS,
	 .offset = offsetof(struct config, services),
	 .choices = choices_service,
	 .standard = "[dns, dot, doq]",
	 .doc = "What is fenced."},
	{.key = "resolvers",
	 .kind = SCHEMA_SETS,
	 .doc = "Named sets of sanctioned resolvers: addresses, prefixes, or keys, see below. A "
		"name has up to 31 letters, digits, dots, dashes and underscores, and is not any."},
	{.key = "policies",
	 .kind = SCHEMA_POLICIES,
	 .required = true,
	 .doc = "In order; the first that matches decides, the last matches everyone."},
	{.key = "edge",
	 .kind = SCHEMA_OBJECT,
	 .object = &object_edge,
	 .doc = "Frames without an inet socket."},
	{.key = "events",
	 .kind = SCHEMA_OBJECT,
	 .object = &object_events,
	 .doc = "Where violations go."},
	{.key = "runtimes",
	 .kind = SCHEMA_OBJECT,
	 .object = &object_runtimes,
	 .doc = "Where container runtimes keep their files."},
	{.key = "metrics",
	 .kind = SCHEMA_OBJECT,
	 .object = &object_metrics,
	 .standard = "off",
	 .doc = "Counters for Prometheus."},
	{.key = "hooks",
	 .kind = SCHEMA_CHOICE,
	 .offset = offsetof(struct config, hooks),
	 .choices = choices_hooks,
	 .standard = "auto",
	 .doc = "Which programs are attached. The verdicts are the same either way, but for a "
		"sendto() that this host's own NAT takes from a fenced port to another, or its "
		"IPsec hides."},
	{0},
};

const struct schema_object schema_config = {"configuration", "The whole file.", fields_config};

const struct schema_field *schema_find(const struct schema_object *object, const char *key)
{
	for (const struct schema_field *field = object->fields; field->key; field++)
		if (util_streq(field->key, key))
			return field;
	return NULL;
}

const char *schema_suggest(const struct schema_object *object, const char *key)
{
	struct suggestion suggestion;

	suggestion_begin(&suggestion, key);
	for (const struct schema_field *field = object->fields; field->key; field++)
		if (field->kind != SCHEMA_LATER)
			suggestion_offer(&suggestion, field->key);
	return suggestion.nearest;
}

const struct schema_choice *schema_choice_find(const struct schema_choice *choices,
					       const char *name)
{
	for (; choices->name; choices++)
		if (util_streq(choices->name, name))
			return choices;
	return NULL;
}

const char *schema_choice_list(const struct schema_choice *choices, char *text, size_t size)
{
	size_t used = 0;

	text[0] = 0;
	for (const struct schema_choice *choice = choices; choice->name && used < size; choice++) {
		const char *link = choice == choices ? "" : choice[1].name ? ", " : " or ";

		used += (size_t)snprintf(text + used, size - used, "%s%s", link, choice->name);
	}
	return text;
}
