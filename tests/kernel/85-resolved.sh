# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
#
# systemd-resolved and who asks it over its unix socket: nss-resolve, in a mount namespace where
# /run/systemd is the test's. What it is refused names the one client that has connected, and
# says that this is all that is known; of two clients nobody is named.
. "$(dirname "$0")/lib.sh"
setup
need getent perl unshare
UNPACKED=$ROOT/build/unpacked # by tools/deps
# first_of PATH...: the first one that is there.
first_of() {
	local path
	for path in "$@"; do
		[[ -e $path ]] && echo "$path" && return
	done
}
RESOLVED=$(first_of /lib/systemd/systemd-resolved "$UNPACKED/systemd-resolved")
[[ $RESOLVED ]] || skip "systemd-resolved is neither installed nor unpacked: tools/deps"
MODULES=$(first_of /usr/lib/*/libnss_resolve.so.2 "$UNPACKED/libnss_resolve.so.2")
[[ $MODULES ]] || skip "libnss-resolve is neither installed nor unpacked: tools/deps"
MODULES=$(dirname "$MODULES")
SOCKET=/run/systemd/resolve/io.systemd.Resolve
resolved=$ID/resolved two=$ID/two
mkdir -p "$CGROUP2/$resolved" "$CGROUP2/$two" /run/systemd || die "no cgroups"

for list in passwd group; do
	cp "/etc/$list" "$WORK/$list"
	grep -q ^systemd-resolve: "$WORK/$list" || echo "systemd-resolve:x:65533:65533::/:/bin/false" |
		if [[ $list == group ]]; then sed 's/3:65533::.*/3:/'; else cat; fi >>"$WORK/$list"
done

within() { nsenter --mount="/proc/$PID_RESOLVED/ns/mnt" "$@"; }
# shellcheck disable=SC2317,SC2329 # wait_until calls it
listens() { within test -S $SOCKET; }

# start_resolved: with BAD as its upstream; its process id in PID_RESOLVED.
start_resolved() {
	printf '%s\n' '[Resolve]' "DNS=$BAD4" FallbackDNS= LLMNR=no MulticastDNS=no DNSSEC=no Cache=no \
		ReadEtcHosts=no >"$WORK/resolved.conf"
	(
		echo "$BASHPID" >"$CGROUP2/$resolved/cgroup.procs" || exit 125
		exec nsenter --net="/run/netns/$NEAR" unshare -m --propagation private sh -c '
			mount -t tmpfs tmpfs /run/systemd && mount -t tmpfs tmpfs /etc/systemd &&
			cp "$1/resolved.conf" /etc/systemd/ &&
			mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/group" /etc/group &&
			exec "$2"' sh "$WORK" "$RESOLVED"
	) >"$WORK/resolved" 2>&1 &
	PID_RESOLVED=$!
	SERVERS+=" $PID_RESOLVED"
	disown $PID_RESOLVED
	wait_until listens || skip "systemd-resolved does not run here: $(tail -n 1 "$WORK/resolved")"
}

# looks_up CGROUP NAME: by nss-resolve; OUT, CLIENT.
looks_up() {
	OUT=$(LD_LIBRARY_PATH=$MODULES in_cgroup "$1" nsenter --mount="/proc/$PID_RESOLVED/ns/mnt" \
		timeout $((10 * SLOW)) sh -c 'echo $$ >"$1"; exec getent -s hosts:resolve ahostsv4 "$2"' \
		sh "$WORK/client" "$2" | awk 'NR == 1 { print $1 }')
	CLIENT=$(<"$WORK/client")
}

config() {
	policy <<-YAML
		apiVersion: dnsfence/v1
		resolvers: {local: [127.0.0.0/8], good: [$GOOD4], bad: [$BAD4]}
		policies:
		- {name: resolved, match: {cgroup: /$resolved}, resolvers: [$1, local]$2}
		- {name: default, resolvers: [local]}
		events: {stdout: true}
	YAML
}

# keeps CGROUP COMMAND...: over and over, all the time until stop_keeping. The first time is past.
keeps() {
	local cgroup=$1
	shift
	rm -f "$WORK/kept"
	in_cgroup "$cgroup" nsenter --mount="/proc/$PID_RESOLVED/ns/mnt" timeout 60 "$@" "$WORK/kept" \
		>"$WORK/keeper" 2>&1 &
	wait_until test -e "$WORK/kept" || fail "it does not connect: $(<"$WORK/keeper")"
	KEEPER=$(<"$WORK/pid")
}
stop_keeping() {
	kill "$KEEPER" || fail "it has ended: $(<"$WORK/keeper")"
	wait_until keeper_is_gone
	alone
}
# shellcheck disable=SC2317,SC2329 # wait_until calls it
keeper_is_gone() { ! kill -0 "$KEEPER" 2>/dev/null; }
# Whoever has connected is so no longer.
alone() { sleep 1.2; }

# Connects to a unix socket: Perl gives the whole sockaddr_un, nss-resolve ends it with the path.
# shellcheck disable=SC2016
CONNECTS='use Socket; my ($path, $sign) = @ARGV;
	for (;;) {
		socket(S, PF_UNIX, SOCK_STREAM, 0) && connect(S, sockaddr_un($path)) or die "$path: $!\n";
		open(F, ">", $sign); select(undef, undef, undef, 0.1);
	}'
# Asks systemd-resolved itself, with another root directory if it is told one.
# shellcheck disable=SC2016
ASKS_SOCKET='use Socket; my ($path, $name, $root) = @ARGV;
	socket(S, PF_UNIX, SOCK_STREAM, 0) or die; chroot($root) or die "$root: $!\n";
	connect(S, sockaddr_un($path)) or die "$path: $!\n";
	syswrite(S, qq({"method":"io.systemd.Resolve.ResolveHostname","parameters":{"name":"$name","family":2}}\0));
	sysread(S, my $answer, 4096); print $answer;'
# Asks the stub: other.test, A, as a query with id 1.
# shellcheck disable=SC2016
ASKS_STUB='for ((;;)); do
	printf "\0\1\1\0\0\1\0\0\0\0\0\0\5other\4test\0\0\1\0\1" >/dev/udp/127.0.0.53/53; : >"$1"; sleep 0.1; done'

asked() { echo ".dns.question.name == \"$1\""; }
NOBODY='.dnsfence | has("via") | not'
# client_is BASIS NAME CGROUP: the process CLIENT is named, and on that ground.
client_is() {
	echo ".dnsfence.via.basis == \"$1\" and .dnsfence.via.process.pid == $CLIENT and
		.dnsfence.via.process.name == \"$2\" and .dnsfence.via.cgroup.path == \"/$3\" and
		.dnsfence.via.user.id == \"0\" and .dnsfence.cgroup.path == \"/$resolved\" and
		.rule.name == \"resolved\""
}

# blocked WHAT CGROUP NAME: no answer, nothing arrives.
blocked() {
	local before
	before=$(arrived $BAD4)
	looks_up "$2" "$3"
	expect "$1, answer" "$OUT" ""
	settle
	expect "$1, packets" "$(arrived $BAD4)" "$before"
}

# names WHAT CGROUP NAME: and the event names who asked.
names() {
	blocked "$@"
	expect_event "$1" $PID_RESOLVED "$(asked "$3") and .dnsfence.hook == \"packet\" and
		$(client_is connection getent "$2")"
}

# asks_socket WHAT PATH NAME ROOT: refused all the same; CLIENT.
asks_socket() {
	OUT=$(in_cgroup "$APPS" nsenter --mount="/proc/$PID_RESOLVED/ns/mnt" \
		perl -e "$ASKS_SOCKET" "${@:2}" | tr '\0' '\n')
	CLIENT=$(<"$WORK/pid")
	expect_match "$1, what systemd-resolved says" "$OUT" '"error":"io.systemd'
}

# names_nobody WHAT CGROUP NAME: and no event of that name names anybody.
names_nobody() {
	blocked "$@"
	expect_event "$1" $PID_RESOLVED "$(asked "$3") and ($NOBODY)"
	expect "$1" "$(event_of $PID_RESOLVED "$(asked "$3") and (.dnsfence | has(\"via\"))")" ""
}

start_resolved
before=$(arrived $BAD4)
looks_up "$APPS" open.test
expect "without the fence" "$OUT" $BAD_ANSWER
expect_more "packets without the fence" "$(arrived $BAD4)" "$before"

config good ', forwards: true'
start_fence
attached() { status_of '.hooks[] | select(.name == "connect_unix").attached'; }
if [[ $(attached) != true ]]; then
	expect "a kernel without the hook, status" \
		"$(status_of '.kernel.lacks[] | select(.name == "connect-unix") | "\(.since) \(.needed)"')" "6.7 true"
	kernel_is_from 6.7 && fail "this kernel has the hook, and it is not attached"
	names_nobody "without the hook" "$APPS" old.test
	lacking "the clients of systemd-resolved's unix socket" 53 "no hook at connect() of unix sockets"
else
	alone
	names "nss-resolve" "$APPS" one.test
	# Refused, it tries TCP, whose event has no question.
	expect_event "over TCP" $PID_RESOLVED "$(client_is connection getent "$APPS") and
		.dnsfence.hook == \"connect4\" and .network.transport == \"tcp\""
	alone
	names "another one, later" $two two.test

	# Two at a time are two, however they write the address.
	keeps $two perl -e "$CONNECTS" $SOCKET
	names_nobody "two clients" "$APPS" both.test
	stop_keeping
	keeps $two perl -e "$CONNECTS" /var/run/systemd/resolve/io.systemd.Resolve
	names_nobody "two clients, one by another path" "$APPS" path.test
	stop_keeping

	# Other sockets are none of its business: their clients are not named, nor in the way.
	keeps $two perl -e "$CONNECTS" $SOCKET.Monitor
	names "beside one who connects elsewhere" "$APPS" monitor.test
	stop_keeping

	# A container's systemd-resolved would be at the same path: whose root is another is not named.
	asks_socket "without nss-resolve" $SOCKET direct.test /
	expect_event "without nss-resolve" $PID_RESOLVED "$(asked direct.test) and
		$(client_is connection perl "$APPS")"
	alone
	asks_socket "in another root" /resolve/io.systemd.Resolve root.test /run/systemd
	expect_event "in another root" $PID_RESOLVED "$(asked root.test) and ($NOBODY)"
	alone

	# Who asks the stub is known for it; and is one more for whom systemd-resolved may ask.
	in_cgroup "$APPS" dig +tries=1 +time=$((2 * SLOW)) @127.0.0.53 stub.test >/dev/null 2>&1
	CLIENT=$(<"$WORK/pid")
	expect_event "by the stub" $PID_RESOLVED "$(asked stub.test) and $(client_is question dig "$APPS")"
	alone
	keeps $two bash -c "$ASKS_STUB" bash
	names_nobody "beside one who asks the stub" "$APPS" beside.test
	stop_keeping

	# A client is not named for what others in its cgroup ask themselves, whatever they are called.
	looks_up "$APPS" last.test
	in_cgroup $resolved dig +tries=1 +time=1 @$BAD4 own.test >/dev/null 2>&1
	expect_event "a process beside it" "$(<"$WORK/pid")" "$(asked own.test) and ($NOBODY)"
fi
expect_log_whole

# What its policy sanctions it gets, and nothing is connected to that.
config bad ', forwards: true'
dnsfence reload
looks_up "$APPS" sanctioned.test
expect "an upstream that is sanctioned" "$OUT" $BAD_ANSWER

# Nobody is named where no policy forwards, and nothing attached.
config good ''
dnsfence reload
expect "without the key, the hook" "$(attached)" false
looks_up "$APPS" unmarked.test
expect "without the key, answer" "$OUT" ""
settle
expect "without the key, who is named" \
	"$(event_of $PID_RESOLVED "$(asked unmarked.test) and (.dnsfence | has(\"via\"))")" ""
expect_log_whole
finish
