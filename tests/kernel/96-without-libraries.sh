# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# A dnsfence without the optional libraries (make without) fences all the same, and says by name
# which one is missing where it is asked for what needs it.
. "$(dirname "$0")/lib.sh"
DNSFENCE=$ROOT/build/without/dnsfence
[[ -x $DNSFENCE ]] || skip "build/without/dnsfence is missing; make without"
need script
setup

linked=$(ldd "$DNSFENCE")
expect_match "what it is linked with" "$linked" 'libbpf'
expect "optional libraries among it" "$(grep -cE 'libncurses|libsystemd|libmicrohttpd' <<<"$linked")" 0

policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4, "$GOOD6"]}
	policies: [{name: default, resolvers: [good]}]
	metrics: {listen: "127.0.0.1:19153"}
YAML
OUT=$(near timeout 60 "$DNSFENCE" -C "$CONFIG" "${INSTANCE[@]}" run 2>&1)
expect "run with metrics.listen, exit status" $? 1
expect_match "run with metrics.listen" "$OUT" 'metrics\.listen.*without libmicrohttpd.*metrics\.textfile'

simple_policy
before=$(arrived $BAD4)
probe udp-sendto $BAD4 53
expect "without the fence, errno" "$ERRNO" 0
((CHECKS++))
wait_until arrived_more $BAD4 "$before" || fail "without the fence nothing arrived"
export NOTIFY_SOCKET=$WORK/notify
start_fence
unset NOTIFY_SOCKET
expect_said "that systemd is not told" 'without libsystemd.*Type=exec'
before=$(arrived $BAD4)
probe udp-sendto $BAD4 53
expect "with the fence, errno" "$ERRNO" EPERM
expect_event "with the fence" "$PID" ".destination.ip == \"$BAD4\""
settle
expect "with the fence, packets" "$(arrived $BAD4)" "$before"
expect "denied" "$(denied)" 1

top=("$DNSFENCE" --runtime-dir "$WORK/run" top)
OUT=$(script -qec "${top[*]}" /dev/null </dev/null 2>&1)
expect "top, exit status" $? 3 # the system cannot do it
expect_match "top" "$OUT" 'without ncurses.*top --batch'
dnsfence top --batch -n 1 >"$WORK/top" 2>&1
expect "top --batch, exit status" $? 0
dnsfence metrics >"$WORK/metrics" 2>&1
expect "metrics, exit status" $? 0
expect_match "metrics" "$(<"$WORK/metrics")" 'dnsfence_'
finish
