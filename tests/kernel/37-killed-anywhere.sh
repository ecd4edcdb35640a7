# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# vm: left out, dozens of daemon starts take half an hour in emulation
# limit: 180
#
# kill -9 at any moment of starting, taking over and reloading. What is left half done is mended
# by the next daemon, and a fence that was closed once stays closed all the way.
. "$(dirname "$0")/lib.sh"
setup
simple_policy
cp "$CONFIG" "$WORK/one.yaml"
sed "s/^resolvers: .*/resolvers: {good: [$GOOD4, $OTHER4, 10.88.0.0\/16]}/" "$CONFIG" >"$WORK/two.yaml"
cat >>"$WORK/two.yaml" <<-YAML
	services: [dns, dot, doq, llmnr]
YAML

# start_and_kill SECONDS: a daemon that gets this long to live.
start_and_kill() {
	"$DNSFENCE" -C "$CONFIG" "${INSTANCE[@]}" run >>"$EVENTS" 2>>"$DAEMON_LOG" </dev/null &
	local pid=$!
	sleep "$1"
	kill -9 "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
}

# Starting: open or closed, but with the policy whenever it is closed.
for delay in 0.002 0.01 0.02 0.05 0.1 0.15 0.2 0.25 0.3 0.4 0.6 0.8; do
	start_and_kill $delay
	probe udp-sendto $GOOD4 53
	expect "killed after $delay s, sanctioned, errno" "$ERRNO" 0
	if [[ $(status_of .fence) == closed ]]; then
		probe udp-sendto $BAD4 53
		expect "killed after $delay s and closed, errno" "$ERRNO" EPERM
	fi
	dnsfence unload >/dev/null 2>&1
	expect "unload after a death, exit status" $? 0
	expect "unload after a death, pins" "$(find "$PIN_DIR" -type f 2>/dev/null)" ""
done

# Half a start, and then a whole one.
for delay in 0.05 0.1 0.2 0.3; do
	start_and_kill $delay
	start_fence
	probe udp-sendto $BAD4 53
	expect "a start after half a start, errno" "$ERRNO" EPERM
	dnsfence status >/dev/null
	expect "a start after half a start, status" $? 0
	dnsfence unload 2>/dev/null
	wait "$DAEMON"
	DAEMON=''
done

# Taking over and reloading, with queries all the time.
start_fence
stop_fence KILL
before=$(arrived $BAD4)
while [[ ! -e $WORK/done ]]; do
	fenced "$PROBE" udp-sendto $BAD4 53 -r 2000
done >"$WORK/through" 2>&1 &
through=$!
for ((round = 0; round < 12; round++)); do
	start_and_kill 0.0$((RANDOM % 10))
	start_fence
	for policy in two one two one; do
		cp "$WORK/$policy.yaml" "$CONFIG"
		kill -HUP "$DAEMON"
		sleep 0.00$((RANDOM % 10))
	done
	stop_fence KILL
	probe udp-sendto $GOOD4 53
	expect "killed while it reloads, sanctioned, errno" "$ERRNO" 0
done
start_fence
: >"$WORK/done"
wait $through
expect_more "batches of queries" "$(grep -c count= "$WORK/through")" 1
expect "batches with a query let through" \
	"$(grep -vc 'errno=EPERM .*failed=2000$' "$WORK/through")" 0
settle
expect "packets" "$(arrived $BAD4)" "$before"
expect_log_whole
finish
