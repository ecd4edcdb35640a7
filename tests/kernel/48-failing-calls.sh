# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 240
# vm: left out, two hundred loads take more than half an hour in emulation
#
# One bpf() call of a load fails: each of those that publish and attach, every fourth of the many
# that load programs. Either the load gets along without it, or it says why and
# leaves what was there before: nothing, or the policy, the hooks and the counters of a closed fence.
# A daemon that cannot wait for events ends, not as if it had been told to; one that cannot set up
# what it waits with says why, and what has become of the fence.
. "$(dirname "$0")/lib.sh"
need strace
setup
simple_policy
cp "$CONFIG" "$WORK/one.yaml"
# Sanctions another resolver, and wants hooks that the first one does not.
sed "s/^resolvers: .*/resolvers: {good: [$OTHER4, 10.88.0.0\/16]}/; \$a on_deny: refused" \
	"$CONFIG" >"$WORK/two.yaml"

traced() {
	OUT=$(strace -f -qq -o "$WORK/calls" -e trace=bpf "$@" "$DNSFENCE" -C "$CONFIG" \
		--cgroup "/$ID" --pin-dir "$PIN_DIR" --runtime-dir "$WORK/run" load 2>&1 </dev/null)
	STATUS=$?
}

# load_failing CALL: the policy in $CONFIG, with that one call refused.
load_failing() {
	traced -e inject=bpf:error=ENOMEM:when="$1"
	((STATUS == 0)) && return 0
	expect_match "call $1 fails: exit status" $STATUS '^[35]$'
	expect_match "call $1 fails: says why" "$OUT" 'error: .+'
	return 1
}

hooks_of() { status_of '[.hooks[] | select(.attached) | .name] | join(" ")'; }

traced
expect "load, exit status" "$STATUS" 0
calls=$(wc -l <"$WORK/calls")
expect_more "bpf() calls of a load" "$calls" 50
dnsfence unload 2>/dev/null
loading=$(grep -n 'BPF_PROG_' "$WORK/calls" | tail -n 1 | cut -d : -f 1)

refusals=0
for ((call = 1; call <= calls; call += call < loading ? 4 : 1)); do
	if load_failing $call; then
		probe udp-sendto $BAD4 53
		expect "call $call fails, and the load gets along: errno" "$ERRNO" EPERM
		dnsfence unload 2>/dev/null
		expect "call $call fails, and the load gets along: unload, exit status" $? 0
	else
		((++refusals))
		expect "call $call fails: left in the pin directory" "$(find "$PIN_DIR" 2>/dev/null)" ""
	fi
done
expect_more "first loads that a failing call stops" $refusals 10
probe udp-sendto $BAD4 53
expect "nothing is fenced after all that, errno" "$ERRNO" 0

# The same over a fence that is closed.
judged() { # WHAT GOOD OTHER: the errno of lookups there, one as a regex
	probe udp-sendto $GOOD4 53
	expect_match "$1: the first policy's resolver, errno" "$ERRNO" "$2"
	probe udp-sendto $OTHER4 53
	expect "$1: the second policy's resolver, errno" "$ERRNO" "$3"
}

dnsfence load 2>/dev/null
hooks=$(hooks_of) refusals=0
for ((call = 1; call <= calls; call += call < loading ? 4 : 1)); do
	generation=$(status_of .generation)
	cp "$WORK/two.yaml" "$CONFIG"
	if load_failing $call; then
		judged "call $call fails, and the load gets along" '^(ECONNREFUSED|EPERM)$' 0
		cp "$WORK/one.yaml" "$CONFIG"
		dnsfence load 2>/dev/null
	else
		((++refusals))
		judged "call $call fails over a closed fence" '^0$' EPERM
		expect "call $call fails over a closed fence: generation" \
			"$(status_of .generation)" "$generation"
	fi
	expect "call $call over a closed fence: hooks" "$(hooks_of)" "$hooks"
done
expect_more "second loads that a failing call stops" $refusals 5
probe udp-sendto $BAD4 53
expect "still closed, errno" "$ERRNO" EPERM

start_fence
timeout $((20 * SLOW)) strace -qq -o "$WORK/calls" -e trace=epoll_wait,epoll_pwait \
	-e inject=epoll_wait,epoll_pwait:error=EBADF -p "$DAEMON" 2>/dev/null &
wait "$DAEMON"
expect "the daemon's wait fails: exit status" $? 5
DAEMON=''
expect_match "and what it says" "$(tail -n 2 "$DAEMON_LOG.now")" \
	'cannot wait for events: .*start the daemon again.*the fence stays closed'
probe udp-sendto $BAD4 53
expect "and its fence, errno" "$ERRNO" EPERM
dnsfence unload 2>/dev/null

# run_failing [OPTION]: a daemon whose ring buffer gets no epoll descriptor; its own loop has one.
run_failing() {
	OUT=$(timeout $((20 * SLOW)) strace -f -qq -o "$WORK/calls" -e trace=epoll_create1 \
		-e inject=epoll_create1:error=EMFILE:when=2 "$DNSFENCE" -C "$CONFIG" --cgroup "/$ID" \
		--pin-dir "$PIN_DIR" --runtime-dir "$WORK/run" run "$@" 2>&1 </dev/null)
	STATUS=$?
}

probe udp-sendto $BAD4 53
expect "before a daemon that cannot start, errno" "$ERRNO" 0
run_failing
expect "the daemon gets no ring buffer: exit status" $STATUS 5
expect_match "and what it says" "$OUT" \
	'cannot set up the event loop: Too many open files.*the fence stays closed; "dnsfence unload" opens it'
probe udp-sendto $BAD4 53
expect "and its fence, errno" "$ERRNO" EPERM
dnsfence unload 2>/dev/null
run_failing --ephemeral
expect "the same of an ephemeral one: exit status" $STATUS 5
expect_match "and what it says" "$OUT" 'Too many open files.*its fence is open again'
probe udp-sendto $BAD4 53
expect "and its fence, errno" "$ERRNO" 0
finish
