# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh disable=SC2016,SC2119 # what other shells expand
# limit: 240
# vm: below the root, a resolver of its own asks from outside of the fence
#
# README's ten minutes, with the commands that stand in README: on a plain host, on one with
# systemd-resolved's files and a stub, on one with Docker's. Each sees /etc of its own. Only what a
# test has to say differently is said differently: where the instance lives, ten minutes are four
# seconds, top prints its table.
. "$(dirname "$0")/lib.sh"
need dnsmasq unshare dig
setup
# A slice at the top, as units have it.
SLICE=$ID.slice
INSTANCE+=(--cgroup "/$SLICE") # the last one counts
RUN=''
[[ -d /run/systemd ]] || RUN=/run/systemd # made to mount upon
[[ ! $RUN ]] || mkdir $RUN
trap 'find "$CGROUP2/$SLICE" $RUN -depth -type d -exec rmdir {} + 2>/dev/null; cleanup' EXIT
CONTAINER=docker/bbbbbbbbbbbb$(printf 'b%.0s' {1..52})
mkdir -p "$CGROUP2/$SLICE/"{nginx.service,shell,web} "$CGROUP2/$SLICE/$CONTAINER"
PUBLIC=203.0.113.53 # a resolver compiled into something
STUB=127.0.0.53
ip -n "$NEAR" route add 203.0.113.0/24 dev near || die "no route"
ip -n "$NEAR" neigh add $PUBLIC lladdr 02:df:00:00:00:02 nud permanent dev near 2>/dev/null

# walk_commands: README's, one on a line, without their comments.
walk_commands() {
	sed -n '/^## Ten minutes/,/^| and then/p' "$ROOT/README.md" | grep '^sudo ' |
		sed 's/ *# [1-8]\..*$//; s/^sudo make install$//; /^$/d'
}
mapfile -t WALK < <(walk_commands)
expect "commands of the walk" "${#WALK[@]}" 9

# host NAME: a mount namespace whose /etc and /run are to be written to.
host() {
	HOST_ROOT=$WORK/$1
	mkdir -p "$HOST_ROOT"/{etc,etc.work,run}
	unshare -m sh -c 'mount --make-rprivate / &&
		mount -t overlay -o "lowerdir=/etc,upperdir=$0/etc,workdir=$0/etc.work" overlay /etc &&
		rm -rf /etc/dnsfence /etc/docker /etc/systemd/resolved.conf* /etc/resolv.conf && mkdir /etc/dnsfence &&
		mount --bind "$0/run" /run/systemd && touch "$0/ready" && exec sleep 200' "$HOST_ROOT" &
	HOST=$!
	SERVERS+=" $HOST"
	disown $HOST
	wait_until test -e "$HOST_ROOT/ready" || die "no host of its own"
}

on_host() { nsenter -m -t "$HOST" --net="/run/netns/$NEAR" "$@"; }

# on_host_file PATH: its text from standard input.
on_host_file() { on_host sh -c 'mkdir -p "$(dirname "$0")" && cat >"$0"' "$1"; }

# command_of NUMBER: that one of README's, as a test says it; what names the instance is in "$@".
command_of() {
	local command=${WALK[$1]//sudo /}
	command=${command/--for 10m/--for $((4 * SLOW))s}
	command=${command/%top/top --batch -n 1}
	echo "${command//dnsfence /\"\$dnsfence\" \"\$@\" }"
}

# become_shell LINE: a shell there that runs it, with the instance, in place of this process.
become_shell() {
	export dnsfence=$DNSFENCE
	exec nsenter -m -t "$HOST" --net="/run/netns/$NEAR" \
		bash -c "set -o pipefail; $1" walk "${INSTANCE[@]}"
}

# step NUMBER: that command, its output in $WORK/out and $WORK/words. Sets STATUS.
step() {
	(
		echo "$BASHPID" >"$CGROUP2/$SLICE/shell/cgroup.procs" || exit 125
		become_shell "$(command_of "$1")"
	) >"$WORK/out" 2>"$WORK/words" </dev/null
	STATUS=$?
}

# ask ADDRESS WHO: sets ERRNO.
ask() {
	probe_in "$2" udp-sendto "$1" 53
}

# goes_on RESOLVER WHO: the workload meanwhile, which has a leak in it.
goes_on() {
	while sleep 0.3; do
		ask "$1" "$2"
		ask $PUBLIC "$2"
	done
}

# step_meanwhile NUMBER RESOLVER WHO: while they ask.
step_meanwhile() {
	local workload
	goes_on "$2" "$3" &
	workload=$!
	step "$1"
	kill $workload
	wait $workload 2>/dev/null
}

# walk NAME RESOLVER WHO STATUS AUDITED SUBJECT: how the first step ends, and a regex of what it
# points at; as whom the last one knows who asks.
walk() {
	local name=$1 resolver=$2 who=$3
	step 0
	expect "$name: audit, exit status" "$STATUS" "$4"
	expect_match "$name: audit" "$(<"$WORK/out")" "$5"
	step_meanwhile 1 "$resolver" "$who"
	expect "$name: learn, exit status" "$STATUS" 1 # a leak was left out
	expect_match "$name: learn says what to do" "$(<"$WORK/words")" "left out.*looks like a leak.*--accept"
	step 2
	expect "$name: check, exit status" "$STATUS" 0
	: >"$DAEMON_LOG.now"
	become_shell "exec $(command_of 3)" >"$EVENTS" 2>"$DAEMON_LOG.now" </dev/null &
	DAEMON=$!
	wait_until daemon_said '^dnsfence: ready' || die "$name: run: $(<"$DAEMON_LOG.now")"
	ask $PUBLIC "$who"
	expect "$name: audit mode, errno" "$ERRNO" 0
	((CHECKS++))
	wait_until grep -q "dns-audited.*$PUBLIC" "$EVENTS" || fail "$name: nothing says what would be blocked"
	step 4
	expect "$name: explain, exit status" "$STATUS" 0 # audit mode
	expect_match "$name: explain" "$(<"$WORK/out")" "AUDITED.* unit nginx: .*policy +everybody \(/etc/dnsfence/dnsfence.yaml:[0-9]+"
	step 5
	expect "$name: sed, exit status" "$STATUS" 0
	step 6
	expect "$name: reload, exit status" "$STATUS" 0
	ask $PUBLIC "$who"
	expect "$name: enforced, the leak" "$ERRNO" EPERM
	ask "$resolver" "$who"
	expect "$name: enforced, the resolver" "$ERRNO" 0
	step 7
	expect "$name: leaktest, exit status" "$STATUS" 0
	expect_match "$name: leaktest" "$(<"$WORK/out")" "closed"
	step_meanwhile 8 "$resolver" "$who"
	expect "$name: top, exit status" "$STATUS" 0
	expect_match "$name: top" "$(<"$WORK/out")" "$6"
	stop_fence
	expect "$name: run ends, exit status" "$STATUS" 0
	dnsfence unload 2>"$WORK/words"
	expect "$name: unload, exit status" $? 0
}

host plain
on_host_file /etc/resolv.conf <<<"nameserver $GOOD4"
walk plain $GOOD4 "$SLICE/web" 0 "fine +$GOOD4:53 .*/etc/resolv.conf:1" "/$SLICE/web"

host resolved
on_host_file /etc/resolv.conf <<<"nameserver $STUB"
on_host_file /run/systemd/resolve/resolv.conf <<<"nameserver $GOOD4"
on_host_file /etc/systemd/resolved.conf <<-END
	[Resolve]
	FallbackDNS=$PUBLIC
END
(exec ip netns exec "$NEAR" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts \
	--user=root --bind-interfaces --listen-address=$STUB --except-interface=near --pid-file= --server=$GOOD4) &
SERVERS+=" $!"
disown $!
wait_until answers near $STUB || die "no stub"
walk resolved $STUB "$SLICE/web" 1 "leaks +$PUBLIC:53 .*resolved.conf:2" "/$SLICE/web"

host docker
on_host_file /etc/resolv.conf <<<"nameserver $GOOD4"
on_host_file /etc/docker/daemon.json <<<"{\"dns\": [\"$GOOD4\", \"$PUBLIC\"]}"
walk docker $GOOD4 "$SLICE/$CONTAINER" 1 "leaks +$PUBLIC:53 .*daemon.json" "container b{12}"
finish
