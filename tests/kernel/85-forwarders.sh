# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
#
# Programs that look names up for others: dnsmasq and unbound, each in a cgroup of its own, under
# policies with `forwards: true`. What their upstream's policy forbids is blocked at the packet, and
# the event says who asked them for it.
. "$(dirname "$0")/lib.sh"
setup
need dnsmasq
mkdir -p "$CGROUP/forwarders" "$CGROUP/two" || die "no cgroups"
forwarders=$ID/forwarders

# forwarder COMMAND...: in the forwarders' cgroup and the near namespace; its process id in PID.
forwarder() {
	(
		echo "$BASHPID" >"$CGROUP2/$forwarders/cgroup.procs" || exit 125
		exec nsenter --net="/run/netns/$NEAR" "$@"
	) >>"$WORK/forwarders.log" 2>&1 &
	PID=$!
	SERVERS+=" $PID"
	disown $PID
}

# dnsmasq_at ADDRESS UPSTREAM
dnsmasq_at() {
	forwarder dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root \
		--pid-file= --cache-size=0 --bind-interfaces --listen-address="$1" --server="$2"
}

# unbound_at ADDRESS UPSTREAM: with names in mixed case (0x20) on the way up.
unbound_at() {
	cat >"$WORK/forwarder.$1.conf" <<-CONF
		server:
		  do-daemonize: no
		  username: ""
		  chroot: ""
		  pidfile: ""
		  use-syslog: no
		  interface: $1
		  use-caps-for-id: yes
		  do-not-query-localhost: no
		  module-config: "iterator"
		  local-zone: "test." nodefault
		forward-zone:
		  name: "."
		  forward-addr: $2
		remote-control:
		  control-enable: no
	CONF
	forwarder unbound -c "$WORK/forwarder.$1.conf"
}

# config [MODE]: forwards to GOOD only; FORWARDS is the key, or nothing.
config() {
	policy <<-YAML
		apiVersion: dnsfence/v1
		resolvers: {good: [$GOOD4], local: [127.0.0.0/8]}
		policies:
		- {name: forwarders, match: {cgroup: /$forwarders}, resolvers: [good, local]$1}
		- {name: default, resolvers: [local]}
		events: {stdout: true}
	YAML
}

# asks CGROUP SERVER NAME [ARGUMENT...]: one try; CLIENT is its process id.
asks() {
	local cgroup=$1 server=$2
	shift 2
	OUT=$(in_cgroup "$cgroup" dig +short +tries=1 +time=$((2 * SLOW)) "@$server" "$@" 2>/dev/null)
	CLIENT=$(<"$WORK/pid")
}

# via_of CLIENT CGROUP: the filter for an event that names this asker. It may have ended by the
# time its executable is looked for.
DIG=$(readlink -f "$(command -v dig)")
via_of() {
	echo "(.dnsfence.via.process | del(.executable)) ==
			{pid: $1, name: \"dig\", parent: {pid: .dnsfence.via.process.parent.pid}}
		and (.dnsfence.via.process.executable | IN(null, \"$DIG\"))
		and .dnsfence.via.cgroup.path == \"/$2\" and .dnsfence.via.user.id == \"0\""
}
NOBODY='.dnsfence | has("via") | not'
asked() { echo "(.dns.question.name | ascii_downcase) == \"${1,,}\""; }

dnsmasq_at 127.0.0.1 $GOOD4
dnsmasq_at 127.0.0.2 $BAD4
DNSMASQ=$PID
unbound_at 127.0.0.3 $BAD4
UNBOUND=$PID
dnsmasq_at 127.0.0.4 127.0.0.3
opens() { asks "$APPS" "$1" up.test && [[ $OUT ]]; }
for server in 127.0.0.1 127.0.0.2 127.0.0.3 127.0.0.4; do
	wait_until opens $server || die "no forwarder at $server: $(<"$WORK/forwarders.log")"
done
before=$(arrived $BAD4)
asks "$APPS" 127.0.0.2 leak.test
expect "through dnsmasq without the fence" "$OUT" $BAD_ANSWER
asks "$APPS" 127.0.0.3 leak.test
expect "through unbound without the fence" "$OUT" $BAD_ANSWER
expect_more "packets at the sink without the fence" "$(arrived $BAD4)" "$before"

config ', forwards: true'
start_fence
before=$(arrived $BAD4)
asks "$APPS" 127.0.0.1 good.test
expect "an upstream that is sanctioned" "$OUT" $GOOD_ANSWER

# blocked WHAT FORWARDER-PID SERVER CGROUP NAME [ARGUMENT...]: refused, and the asker is named.
blocked() {
	local what=$1 pid=$2 server=$3 cgroup=$4 name=$5
	shift 5
	asks "$cgroup" "$server" "$name" "$@"
	expect "$what, answer" "$OUT" ""
	expect_event "$what" "$pid" "$(asked "$name") and $(via_of "$CLIENT" "$cgroup")
		and .dnsfence.hook == \"packet\" and .destination.ip == \"$BAD4\" and
		.rule.name == \"forwarders\" and .dnsfence.cgroup.path == \"/$forwarders\""
}

blocked "dnsmasq" $DNSMASQ 127.0.0.2 "$APPS" one.test
blocked "dnsmasq, another type" $DNSMASQ 127.0.0.2 "$APPS" one.test AAAA
blocked "dnsmasq, asked in capitals" $DNSMASQ 127.0.0.2 "$APPS" CAPITALS.TEST
blocked "unbound" $UNBOUND 127.0.0.3 "$APPS" a-name-of-which-the-case-is-mixed.test
# Not only the question that unbound falls back to, as it was asked.
expect_event "unbound has mixed the case" $UNBOUND "$(asked a-name-of-which-the-case-is-mixed.test)
	and (.dns.question.name | test(\"[A-Z]\")) and $(via_of "$CLIENT" "$APPS")"
blocked "unbound, asked over TCP" $UNBOUND 127.0.0.3 "$APPS" tcp.test +tcp
blocked "a chain of forwarders" $UNBOUND 127.0.0.4 "$APPS" chain.test

# Two clients at a time.
clients=''
for cgroup in "$APPS" "$ID/two"; do
	in_cgroup "$cgroup" dig +short +tries=1 +time=2 @127.0.0.2 "at-a-time-${cgroup##*/}.test" >/dev/null 2>&1 &
	clients+=" $!"
done
# shellcheck disable=SC2086
wait $clients
for cgroup in "$APPS" "$ID/two"; do
	expect_event "two clients at a time, the one in $cgroup" $DNSMASQ \
		"$(asked "at-a-time-${cgroup##*/}.test") and .dnsfence.via.cgroup.path == \"/$cgroup\""
done

# An asker that is still there when the event is read: its executable is told, too. In the
# shell's own words: stay.test, A, as a query with id 1.
mkfifo "$WORK/stay" || die "no fifo"
# shellcheck disable=SC2016
in_cgroup "$APPS" timeout 60 bash -c 'exec 3<>/dev/udp/127.0.0.2/53
	printf "\0\1\1\0\0\1\0\0\0\0\0\0\4stay\4test\0\0\1\0\1" >&3
	read -r _ <"$1"' bash "$WORK/stay" &
expect_event "an asker that stays" $DNSMASQ "$(asked stay.test) and
	.dnsfence.via.process.name == \"bash\" and
	.dnsfence.via.process.executable == \"$(readlink -f "$(command -v bash)")\""
: <>"$WORK/stay" # it may go

# The same question by two: neither is folded into the other's event.
blocked "the same question, the first" $DNSMASQ 127.0.0.2 "$APPS" same.test
blocked "the same question, the second" $DNSMASQ 127.0.0.2 "$ID/two" same.test

# What nobody has asked the forwarder is nobody's, nor what was asked long ago.
itself() {
	in_cgroup $forwarders dig +short +tries=1 +time=1 "@$BAD4" "$@" >/dev/null 2>&1
	PID=$(<"$WORK/pid")
}
itself own.test
expect_event "a forwarder's own question" "$PID" "$(asked own.test) and ($NOBODY)"
asks "$APPS" 127.0.0.1 window.test
asker=$CLIENT
itself window.test
expect_event "within the window" "$PID" "$(asked window.test) and $(via_of "$asker" "$APPS")"
itself window.test AAAA
expect_event "another question" "$PID" "$(asked window.test) and ($NOBODY)"
sleep 5.5
itself window.test
expect_event "after the window" "$PID" "$(asked window.test) and ($NOBODY)"

# What is not a forwarder's names nobody.
probe udp-sendto $BAD4 53
expect_event "not a forwarder" "$PID" "$NOBODY"
settle
expect "packets at the sink" "$(arrived $BAD4)" "$before"
expect_log_whole

# In audit mode the lookup works, and the event names who asked.
config ', forwards: true, mode: audit'
dnsfence reload
asks "$APPS" 127.0.0.2 audited.test
expect "in audit mode, answer" "$OUT" $BAD_ANSWER
expect_event "in audit mode" $DNSMASQ "$(asked audited.test) and $(via_of "$CLIENT" "$APPS")
	and .dnsfence.verdict == \"audit\""

# Without the key nothing is remembered, and nobody named.
config ''
dnsfence reload
asks "$APPS" 127.0.0.2 unmarked.test
expect "without the key, answer" "$OUT" ""
# Before 6.12 its sendto() is then refused at the call, where there is no question.
filter=$(asked unmarked.test)
kernel_is_from 6.12 || filter='.dnsfence.hook == "sendmsg4"'
expect_event "without the key" $DNSMASQ "$filter and ($NOBODY)"
expect_log_whole
finish
