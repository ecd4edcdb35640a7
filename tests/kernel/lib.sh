# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What every kernel test uses: a near and a far network namespace joined by a veth pair, real
# resolvers at the far end, packet counts taken there, a cgroup to fence, and the dnsfence
# daemon. Sourced by NN-topic.sh, which ends with `finish`. Everything that a test makes carries
# the test's process id in its name and is removed when the test ends, however it ends.
#
#   near: 10.77.0.1 fd77::1   asks      far: 10.77.0.2 fd77::2  GOOD, 10.77.0.4 fd77::4  OTHER
#                                            10.77.0.3 fd77::3  BAD, and more, see FAR_ADDRESSES

set -u
export LC_ALL=C
# Ubuntu's command wants a bpftool of the running kernel's version; any will do.
for dir in /usr/lib/linux-tools-*/; do
	[[ ! -x $dir/bpftool ]] || PATH=$dir:$PATH
done

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
DNSFENCE=${DNSFENCE:-$ROOT/build/dnsfence}
PROBE=${PROBE:-$ROOT/build/leakprobe}
SLOW=${DNSFENCE_TEST_SLOW:-1}

GOOD4=10.77.0.2 GOOD6=fd77::2 BAD4=10.77.0.3 BAD6=fd77::3 OTHER4=10.77.0.4 OTHER6=fd77::4
CLIENT4=10.77.0.5 CLIENT6=fd77::5 # no server there
FAR_ADDRESSES="$GOOD4 $GOOD6 $BAD4 $BAD6 $OTHER4 $OTHER6 $CLIENT4 $CLIENT6
10.77.0.16 10.77.0.31 10.77.0.32 fd77::1:0 fd77::1:ffff fd77::2:0"
GOOD_ANSWER=192.0.2.1 BAD_ANSWER=192.0.2.66

ID=dfk$$
NEAR=${ID}n FAR=${ID}f
CGROUP2=$(findmnt -t cgroup2 -no TARGET | head -n 1)
CGROUP=$CGROUP2/$ID
APPS=$ID/apps # where `fenced` runs its commands, below the cgroup2 mount
FENCED=/$ID # what the daemon fences: that, or everybody in a machine of the test's own
[[ ${DNSFENCE_TEST_CGROUP:-} != / ]] || FENCED=/
PIN_DIR=/sys/fs/bpf/$ID
WORK=$(mktemp -d "${TMPDIR:-/tmp}/$ID.XXXXXX")
INSTANCE=(--cgroup "$FENCED" --pin-dir "$PIN_DIR" --runtime-dir "$WORK/run")
CONFIG=$WORK/dnsfence.yaml EVENTS=$WORK/events.jsonl DAEMON_LOG=$WORK/daemon.log
DAEMON='' SERVERS='' CHECKS=0 FAILURES=0 FIRST_FAILURE='' PHASE=closed FINISHED=''

# Verdicts ---------------------------------------------------------------------------------

# One line for the runner.
verdict() {
	printf '%s\n' "$*" >"${DF_VERDICT:-/dev/stderr}"
}

skip() {
	((FAILURES)) && finish
	FINISHED=1
	verdict "SKIP $*"
	exit 77
}

fail() {
	((FAILURES++))
	FIRST_FAILURE=${FIRST_FAILURE:-$*}
	printf 'not ok: %s\n' "$*" >&2
}

# A test that cannot go on.
die() {
	fail "$@"
	finish
}

# expect WHAT ACTUAL WANTED
expect() {
	((CHECKS++))
	[[ $2 == "$3" ]] || fail "$1: got '$2', want '$3'"
}

# expect_match WHAT ACTUAL REGEX
expect_match() {
	((CHECKS++))
	[[ $2 =~ $3 ]] || fail "$1: got '$2', want a match of '$3'"
}

# expect_more WHAT ACTUAL THAN
expect_more() {
	((CHECKS++))
	(($2 > $3)) || fail "$1: got $2, want more than $3"
}

# The daemon that is left ends in peace: what a sanitizer has found it says only then.
end_fence() {
	[[ $DAEMON ]] || return 0
	kill -TERM "$DAEMON" 2>/dev/null
	wait_until daemon_is_gone || kill -KILL "$DAEMON"
	wait "$DAEMON" 2>/dev/null
	expect "the daemon at the end, exit status" $? 0
	DAEMON=''
	expect_no_report
}

daemon_is_gone() { ! kill -0 "$DAEMON" 2>/dev/null; }

# A daemon built with the sanitizers has found nothing so far.
expect_no_report() {
	local report
	report=$(grep -m 1 -E 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$DAEMON_LOG.now" 2>/dev/null) || return 0
	fail "the daemon: $report"
	cat "$DAEMON_LOG.now" >>"$DAEMON_LOG"
}

finish() {
	FINISHED=1
	((CHECKS)) || fail "the test checked nothing"
	((FAILURES)) || end_fence
	if ((FAILURES)); then
		verdict "FAIL $FIRST_FAILURE ($FAILURES failures, $CHECKS checks)"
		[[ -s $DAEMON_LOG ]] && sed 's/^/daemon: /' "$DAEMON_LOG" | tail -n 30 >&2
		exit 1
	fi
	verdict "PASS $CHECKS checks"
	exit 0
}

# wait_until COMMAND...: up to 5 seconds, more on machines that are said to be slow.
wait_until() {
	local end=$((SECONDS + 5 * SLOW + 1))
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.05
	done
}

# kernel_is_from VERSION: the running kernel is that one or a later one.
kernel_is_from() {
	local release
	release=$(uname -r)
	[[ $(printf '%s\n' "$1" "${release%%[^0-9.]*}" | sort -V | head -n 1) == "$1" ]]
}

# covered WHAT SERVICE-OR-PORT LAYER [NOTE]; lacking WHAT PORT WHY: for the table of kernels that
# tests/vm/table makes, a line in the file that DNSFENCE_TEST_COVERAGE names.
covered() {
	[[ ${DNSFENCE_TEST_COVERAGE:-} ]] || return 0
	printf '%s\t%s\t%s\t%s\t%s\n' "$(basename "$0" .sh)" "$1" "$2" "$3" "${4:-}" \
		>>"$DNSFENCE_TEST_COVERAGE"
}

lacking() {
	printf '%s: not on this kernel: %s\n' "$1" "$3" >&2
	covered "$1" "$2" - "$3"
}

# Setting up and tearing down --------------------------------------------------------------

need() {
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null || skip "$tool is not installed"
	done
}

cleanup() {
	local status=$? pid
	trap - EXIT
	trap '' TERM INT HUP
	[[ $FINISHED ]] || verdict "FAIL ended early: ${FIRST_FAILURE:-status $status}"
	[[ $DAEMON ]] && kill -9 "$DAEMON" 2>/dev/null && wait "$DAEMON" 2>/dev/null
	for pid in $SERVERS; do
		kill -9 "$pid" 2>/dev/null
	done
	for pid in $(jobs -p); do
		kill -9 "$pid" 2>/dev/null
	done
	[[ -d $PIN_DIR ]] && timeout $((10 * SLOW)) "$DNSFENCE" "${INSTANCE[@]}" \
		unload >/dev/null 2>&1
	[[ -d $PIN_DIR ]] && rm -rf "$PIN_DIR"
	[[ -e $CGROUP/cgroup.kill ]] && echo 1 >"$CGROUP/cgroup.kill"
	for _ in 1 2 3 4 5; do
		[[ -d $CGROUP ]] || break
		find "$CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null
		[[ -d $CGROUP ]] && sleep 0.1
	done
	declare -F cleanup_more >/dev/null && cleanup_more
	ip netns del "$NEAR" 2>/dev/null
	ip netns del "$FAR" 2>/dev/null
	rm -rf "/etc/netns/$NEAR"
	mountpoint -q "$WORK/full" && umount "$WORK/full"
	rm -rf "$WORK"
	exit "$status"
}
trap cleanup EXIT
trap 'exit 143' TERM INT HUP

near() { nsenter --net="/run/netns/$NEAR" "$@"; }
far() { nsenter --net="/run/netns/$FAR" "$@"; }

setup_links() {
	local address
	ip netns add "$NEAR" && ip netns add "$FAR" || die "no network namespaces"
	ip -n "$NEAR" link add near address 02:df:00:00:00:01 type veth \
		peer name far address 02:df:00:00:00:02 netns "$FAR" || die "no veth pair"
	{
		echo "link set lo up"
		echo "link set near up"
		echo "addr add 10.77.0.1/24 dev near"
		echo "addr add fd77::1/64 dev near nodad"
		for address in $FAR_ADDRESSES; do
			echo "neigh add $address lladdr 02:df:00:00:00:02 nud permanent dev near"
		done
	} | ip -n "$NEAR" -batch - || die "the near end cannot be set up"
	{
		echo "link set lo up"
		echo "link set far up"
		for address in $FAR_ADDRESSES; do
			[[ $address == *:* ]] && echo "addr add $address/64 dev far nodad"
			[[ $address == *:* ]] || echo "addr add $address/24 dev far"
		done
		echo "neigh add 10.77.0.1 lladdr 02:df:00:00:00:01 nud permanent dev far"
		echo "neigh add fd77::1 lladdr 02:df:00:00:00:01 nud permanent dev far"
	} | ip -n "$FAR" -batch - || die "the far end cannot be set up"
}

# count_arrivals near|far DEVICE: every packet by its destination, ICMP aside.
count_arrivals() {
	"$1" nft -f - <<-RULES || die "no packet counters"
		table netdev arrivals {
			set seen4 { type ipv4_addr; size 4096; flags dynamic; }
			set seen6 { type ipv6_addr; size 4096; flags dynamic; }
			chain ingress {
				type filter hook ingress device "$2" priority 0;
				meta protocol ip ip protocol != icmp update @seen4 { ip daddr counter }
				meta protocol ip6 ip6 nexthdr != ipv6-icmp update @seen6 { ip6 daddr counter }
			}
		}
	RULES
}

# arrived ADDR: packets that arrived for it so far.
arrived() {
	local end=far text pattern="[[:space:]{,]$1 counter packets ([0-9]+)"
	[[ $1 == 127.* || $1 == ::1 ]] && end=near
	text=$("$end" nft list table netdev arrivals)
	[[ $text =~ $pattern ]] && echo "${BASH_REMATCH[1]}" || echo 0
}

# Packets leave in order: when this one has arrived, whatever left before has too.
settle() {
	local before
	before=$(arrived $CLIENT4)
	fenced "$PROBE" udp-sendto $CLIENT4 9 >/dev/null
	wait_until arrived_more $CLIENT4 "$before" || fail "a packet to port 9 did not arrive"
}

arrived_more() {
	(($(arrived "$1") > $2))
}

# resolver_config ANSWER ADDRESS...: prints the name of a configuration of unbound with that one
# answer to every name below test.
resolver_config() {
	local answer=$1 address file=$WORK/unbound.$1.conf
	shift
	{
		echo 'server:'
		echo '  do-daemonize: no'
		echo '  username: ""'
		echo '  chroot: ""'
		echo '  pidfile: ""'
		echo '  use-syslog: no'
		echo '  num-threads: 1'
		echo '  tcp-idle-timeout: 300000' # connections that wait count no segment of their end
		echo '  access-control: 0.0.0.0/0 allow'
		echo '  access-control: ::/0 allow'
		for address in "$@"; do
			echo "  interface: $address"
			echo "  interface: $address@5300"
			[[ -s $WORK/cert.pem ]] && echo "  interface: $address@853"
		done
		[[ -s $WORK/cert.pem ]] && printf '  tls-service-key: "%s"\n  tls-service-pem: "%s"\n' \
			"$WORK/key.pem" "$WORK/cert.pem"
		echo '  local-zone: "test." redirect'
		echo "  local-data: \"test. A $answer\""
		echo "  local-data: \"test. AAAA 2001:db8::${answer##*.}\""
		echo 'remote-control:'
		echo '  control-enable: no'
	} >"$file"
	echo "$file"
}

# resolver CGROUP NAMESPACE ANSWER ADDRESS...: starts it; an empty CGROUP means ours.
resolver() {
	local cgroup=$1 where=$2 config
	shift 2
	config=$(resolver_config "$@")
	(
		[[ -z $cgroup ]] || echo "$BASHPID" >"$CGROUP2/$cgroup/cgroup.procs"
		exec nsenter --net="/run/netns/$where" unbound -c "$config"
	) >"$config.log" 2>&1 &
	SERVERS+=" $!"
	disown $!
}

answers() {
	[[ $("$1" dig +short +tries=1 +time=1 "@$2" up.test A 2>/dev/null) == [0-9]* ]]
}

# The root cgroup is everybody's, and a fence there everybody's fence.
refuse_root_cgroup() {
	case ${DNSFENCE_TEST_CGROUP:-} in
	'') return ;;
	/) [[ -e /run/dnsfence-guest || ${DNSFENCE_TEST_MACHINE_IS_MINE:-} == yes ]] && return ;;
	*) die "DNSFENCE_TEST_CGROUP can be / only" ;;
	esac
	die "the root cgroup is fenced in tests/vm/run's guests; DNSFENCE_TEST_MACHINE_IS_MINE=yes says this is one"
}

setup() {
	refuse_root_cgroup
	((EUID == 0)) || skip "needs root"
	[[ $CGROUP2 ]] || skip "no cgroup2 is mounted"
	need ip nft nsenter unbound dig jq findmnt
	[[ -x $PROBE ]] || skip "build/leakprobe is missing"
	[[ -x $DNSFENCE ]] || skip "build/dnsfence is missing"
	setup_links
	count_arrivals far far
	count_arrivals near lo
	mkdir -p "$CGROUP2/$APPS" "$WORK/run" || die "no cgroup"
	command -v openssl >/dev/null && openssl req -x509 -newkey ec -pkeyopt \
		ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=resolver.test \
		-keyout "$WORK/key.pem" -out "$WORK/cert.pem" 2>/dev/null
	resolver '' $FAR $GOOD_ANSWER $GOOD4 $GOOD6 $OTHER4 $OTHER6
	resolver '' $FAR $BAD_ANSWER $BAD4 $BAD6 10.77.0.16 10.77.0.31 10.77.0.32 \
		fd77::1:0 fd77::1:ffff fd77::2:0
	wait_until answers far $GOOD4 || die "the far resolver does not answer: $(cat "$WORK"/unbound*.log)"
	wait_until answers far $BAD4 || die "the far sink does not answer"
}

# Running things ---------------------------------------------------------------------------

# in_cgroup CGROUP COMMAND...: in the near namespace; its process id is left in $WORK/pid.
in_cgroup() {
	local cgroup=$1
	shift
	(
		echo "$BASHPID" >"$WORK/pid"
		echo "$BASHPID" >"$CGROUP2/$cgroup/cgroup.procs" || exit 125
		exec nsenter --net="/run/netns/$NEAR" "$@"
	)
}

fenced() { in_cgroup "$APPS" "$@"; }

# fenced_client COMMAND...: with the resolv.conf that `resolv_conf` wrote.
fenced_client() {
	(
		echo "$BASHPID" >"$WORK/pid"
		echo "$BASHPID" >"$CGROUP2/$APPS/cgroup.procs" || exit 125
		exec ip netns exec "$NEAR" "$@"
	)
}

resolv_conf() {
	mkdir -p "/etc/netns/$NEAR"
	printf 'nameserver %s\n' "$@" >"/etc/netns/$NEAR/resolv.conf"
	echo 'options timeout:1 attempts:1' >>"/etc/netns/$NEAR/resolv.conf"
}

# probe_in CGROUP ARGUMENT...: leakprobe; sets OUT STATUS PID ERRNO STEP.
probe_in() {
	local cgroup=$1
	shift
	OUT=$(in_cgroup "$cgroup" "$PROBE" "$@" 2>&1)
	STATUS=$?
	PID=$(<"$WORK/pid")
	ERRNO=${OUT##*errno=} STEP=${OUT##*step=}
	ERRNO=${ERRNO%% *} STEP=${STEP%% *}
}

probe() { probe_in "$APPS" "$@"; }

# hold_socket NAME CGROUP KIND ADDR [ARGUMENT...]: a leakprobe hold-KIND to port 53 that has
# connected and waits, as many as there are names. HELD_PIDS[NAME].
declare -A HELD_FDS HELD_PIDS
hold_socket() {
	local name=$1 cgroup=$2 kind=$3 addr=$4 fd
	shift 4
	rm -f "$WORK/held.$name".{in,out}
	mkfifo "$WORK/held.$name.in"
	: >"$WORK/held.$name.out"
	in_cgroup "$cgroup" "$PROBE" "hold-$kind" "$addr" 53 "$@" <"$WORK/held.$name.in" \
		>"$WORK/held.$name.out" 2>&1 &
	exec {fd}>"$WORK/held.$name.in"
	HELD_FDS[$name]=$fd
	wait_until grep -q '^ready' "$WORK/held.$name.out" ||
		die "hold-$kind $addr: $(<"$WORK/held.$name.out")"
	# shellcheck disable=SC2034 # tests read it
	HELD_PIDS[$name]=$(<"$WORK/pid")
}

# send_held NAME: lets it send, after which it ends; OUT ERRNO.
send_held() {
	local fd=${HELD_FDS[$1]}
	echo go >&"$fd"
	wait_until grep -q 'errno=' "$WORK/held.$1.out" || fail "$1 does not send"
	exec {fd}>&-
	OUT=$(tail -n 1 "$WORK/held.$1.out")
	ERRNO=${OUT##*errno=} ERRNO=${ERRNO%% *}
}

# held_works NAME ADDR: what it sends arrives.
held_works() {
	local before
	before=$(arrived "$2")
	send_held "$1"
	expect "$1, errno" "$ERRNO" 0
	((CHECKS++))
	wait_until arrived_more "$2" "$before" || fail "$1: nothing arrived at $2"
}

# held_fails NAME ADDR ERRNO: that errno, and nothing arrives.
held_fails() {
	local before
	before=$(arrived "$2")
	send_held "$1"
	expect "$1, errno" "$ERRNO" "$3"
	settle
	expect "$1, packets" "$(arrived "$2")" "$before"
}

# The daemon -------------------------------------------------------------------------------

# policy: configuration from stdin; simple_policy: GOOD for everyone.
policy() {
	cat >"$CONFIG"
}

simple_policy() {
	policy <<-YAML
		apiVersion: dnsfence/v1
		$(printf '%s\n' "$@")
		resolvers: {good: [$GOOD4, "$GOOD6"]}
		policies: [{name: default, resolvers: [good]}]
		edge: {interfaces: off}
		events: {stdout: true}
	YAML
}

dnsfence() {
	"$DNSFENCE" -C "$CONFIG" "${INSTANCE[@]}" "$@"
}

daemon_is_ready() {
	kill -0 "$DAEMON" 2>/dev/null || return 0
	grep -q '^dnsfence: ready' "$DAEMON_LOG.now"
}

# start_fence [ARGUMENT...]: returns when it enforces. DAEMON_NETNS: its network namespace.
# shellcheck disable=SC2120
start_fence() {
	try_fence "$@" || die "the daemon did not become ready: $(tail -n 1 "$DAEMON_LOG.now")"
}

# try_fence [ARGUMENT...]: as start_fence, and is false where the daemon did not become ready.
try_fence() {
	: >"$DAEMON_LOG.now"
	nsenter --net="${DAEMON_NETNS:-/proc/self/ns/net}" "$DNSFENCE" -C "$CONFIG" \
		"${INSTANCE[@]}" run "$@" >>"$EVENTS" 2>>"$DAEMON_LOG.now" </dev/null &
	DAEMON=$!
	wait_until daemon_is_ready || wait_until daemon_is_ready # the verifiers of emulated machines
	cat "$DAEMON_LOG.now" >>"$DAEMON_LOG"
	kill -0 "$DAEMON" 2>/dev/null && grep -q '^dnsfence: ready' "$DAEMON_LOG.now"
}

daemon_said() {
	grep -q -- "$1" "$DAEMON_LOG.now"
}

# expect_said WHAT REGEX: in what the daemon that runs now has logged.
expect_said() {
	((CHECKS++))
	wait_until daemon_said "$2" || fail "$1: the log has no '$2': $(<"$DAEMON_LOG.now")"
}

# stop_fence [SIGNAL]: sets STATUS.
stop_fence() {
	kill "-${1:-TERM}" "$DAEMON"
	wait "$DAEMON" 2>/dev/null
	STATUS=$?
	DAEMON=''
	expect_no_report
}

# status_of JQ-FILTER
status_of() {
	dnsfence status -j 2>/dev/null | jq -r "$1"
}

# As `status_of .counters.denied`, but asked for so often that jq's start is felt in emulation.
denied() {
	[[ $(dnsfence status -j 2>/dev/null) =~ \"counters\":\{[^{}]*\"denied\":([0-9]+) ]] &&
		echo "${BASH_REMATCH[1]}"
}

log_is_whole() {
	[[ $(status_of '.counters.denied + .counters.audited == .log.logged + .log.lost
		and .log.pending == 0') == true ]]
}

# The log and the counters agree once nothing is pending.
expect_log_whole() {
	((CHECKS++))
	wait_until log_is_whole || fail "denied + audited is not logged + lost: $(dnsfence status -j |
		jq -c '[.counters.denied, .counters.audited, .log]')"
}

# event_of PID [FILTER]: the first event of that process that passes the filter. jq takes long to
# start, and is not before there is something for it to read.
event_of() {
	local lines
	lines=$(grep -F "\"pid\":$1," "$EVENTS" 2>/dev/null) || return
	jq -c --argjson pid "$1" "select(.process.pid == \$pid and (${2:-true}))" <<<"$lines" 2>/dev/null |
		head -n 1
}

has_event() {
	[[ $(event_of "$@") ]]
}

# expect_event WHAT PID FILTER
expect_event() {
	((CHECKS++))
	wait_until has_event "$2" "$3" && return
	fail "$1: no event of pid $2 with $3; it has: $(event_of "$2")"
}

# Leak cases -------------------------------------------------------------------------------

# prove FUNCTION: its cases without the fence, then with it.
prove() {
	PHASE=open
	"$1"
	start_fence
	PHASE=closed
	"$1"
	expect_log_whole
}

# The good twin of a bad address.
twin() {
	case $1 in
	"$BAD4") echo $GOOD4 ;;
	"$BAD6") echo $GOOD6 ;;
	*) echo "$1" ;;
	esac
}

# shows_leak LABEL TARGET TECHNIQUE ADDR PORT [ARG...]: without the fence the query arrives.
shows_leak() {
	local label=$1 target=$2 before
	shift 2
	before=$(arrived "$target")
	probe "$@"
	((CHECKS++))
	wait_until arrived_more "$target" "$before" ||
		fail "$label without the fence: nothing arrived at $target ($OUT)"
}

transport_of() {
	case $1 in
	*tcp*) echo tcp ;;
	udplite*) echo udplite ;;
	*) echo udp ;;
	esac
}

# shows_question TECHNIQUE: not where a first fragment ends before the question, or where several
# datagrams begin with an answer.
shows_question() {
	[[ $1 != raw-fragment-first && $1 != raw-overlap && $1 != udp-gso-answer ]]
}

# event_filter TECHNIQUE ADDR PORT HOOK REASON: what the event of a blocked probe says.
event_filter() {
	local filter
	filter=".event.reason == \"$5\" and .dnsfence.hook == \"$4\" and .dnsfence.verdict == \"deny\"
		and .event.action == \"dns-denied\" and .destination.ip == \"$2\"
		and .process.name == \"leakprobe\" and .user.id == \"0\" and .user.name == \"root\"
		and .dnsfence.cgroup.path == \"/$APPS\" and .rule.name == \"default\""
	[[ $2 == *:* ]] && filter+=' and .network.type == "ipv6"'
	[[ $2 == *:* ]] || filter+=' and .network.type == "ipv4"'
	[[ $5 == resolver-not-sanctioned ]] && filter+=" and .destination.port == $3"
	case $(transport_of "$1") in
	tcp) filter+=' and .network.transport == "tcp"' ;;
	udp) [[ $5 == resolver-not-sanctioned ]] && filter+=' and .network.transport == "udp"' ;;
	esac
	[[ $4 == packet && $3 == 53 && $5 == resolver-not-sanctioned ]] && shows_question "$1" &&
		filter+=' and .dns.question.name == "leak.dnsfence.test" and .dns.question.type == "A"'
	echo "$filter"
}

# blocks_leak LABEL TARGET HOOK STEP REASON TECHNIQUE ADDR PORT [ARG...]: with it, it does not.
blocks_leak() {
	local label=$1 target=$2 hook=$3 step=$4 reason=$5 before denied_before failures=$FAILURES
	shift 5
	before=$(arrived "$target") denied_before=$(denied)
	probe "$@"
	expect "$label errno" "$ERRNO" EPERM
	expect "$label step" "$STEP" "$step"
	expect "$label exit status" "$STATUS" 1
	settle
	expect "$label packets at the far end" "$(arrived "$target")" "$before"
	expect "$label denied counter" "$(denied)" $((denied_before + 1))
	expect_event "$label" "$PID" "$(event_filter "$1" "$target" "$3" "$hook" "$reason")"
	((FAILURES > failures)) || covered "$1" "$3" "$hook" "${reason#resolver-not-sanctioned}"
}

# passes LABEL TARGET TECHNIQUE ADDR PORT [ARG...]: with the fence, a sanctioned query arrives.
passes() {
	local label=$1 target=$2 before denied_before
	shift 2
	before=$(arrived "$target") denied_before=$(denied)
	probe "$@"
	expect "$label, sanctioned, errno" "$ERRNO" 0
	((CHECKS++))
	wait_until arrived_more "$target" "$before" ||
		fail "$label, sanctioned: nothing arrived at $target ($OUT)"
	expect "$label, sanctioned, denied counter" "$(denied)" "$denied_before"
}

# leak TECHNIQUE ADDR PORT HOOK STEP [ARG...]: a resolver that the policy does not list, and
# beside it the same technique to the one that it does.
leak() {
	local technique=$1 addr=$2 port=$3 hook=$4 step=$5 label="$1 $2 $3"
	shift 5
	if [[ $PHASE == open ]]; then
		shows_leak "$label" "$addr" "$technique" "$addr" "$port" "$@"
		return
	fi
	blocks_leak "$label" "$addr" "$hook" "$step" resolver-not-sanctioned \
		"$technique" "$addr" "$port" "$@"
	passes "$label" "$(twin "$addr")" "$technique" "$(twin "$addr")" "$port" "$@"
}

# hidden TECHNIQUE ADDR PORT REASON [ARG...]: a packet that is refused for its shape.
hidden() {
	local technique=$1 addr=$2 port=$3 reason=$4 label="$1 $2 $3"
	shift 4
	if [[ $PHASE == open ]]; then
		shows_leak "$label" "$addr" "$technique" "$addr" "$port" "$@"
		return
	fi
	blocks_leak "$label" "$addr" packet send "$reason" "$technique" "$addr" "$port" "$@"
}

# expect_answer WHAT WANTED COMMAND...: a client's output.
expect_answer() {
	local what=$1 wanted=$2
	shift 2
	expect "$what" "$("$@" 2>/dev/null | tail -n 1)" "$wanted"
}
