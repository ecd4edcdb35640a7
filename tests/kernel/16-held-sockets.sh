# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
#
# Sockets that were connected before the fence was loaded, or under a policy that allowed it. No
# connect() is seen of them; the packet layer judges what they send. UDP senders get EPERM, TCP
# segments are dropped. The layer is alone here: `open_sockets: leave`, see 50-open-sockets.
. "$(dirname "$0")/lib.sh"
setup

# hold KIND ADDR: connects, waits; HOLD_IN and HOLD_OUT are its pipes.
hold() {
	coproc HOLD { fenced "$PROBE" "hold-$1" "$2" 53 2>&1; }
	HOLD_OUT=${HOLD[0]} HOLD_IN=${HOLD[1]} HOLD_WAIT=$HOLD_PID
	read -r -t $((5 * SLOW)) -u "$HOLD_OUT" line && [[ $line == ready ]] || die "hold-$1 $2: $line"
	PID=$(<"$WORK/pid")
}

# release: lets it send; OUT ERRNO.
release() {
	echo go >&"$HOLD_IN"
	read -r -t $((5 * SLOW)) -u "$HOLD_OUT" OUT
	ERRNO=${OUT##*errno=} ERRNO=${ERRNO%% *}
	wait "$HOLD_WAIT"
}

# Where a source port looks like IPsec's, and calls are judged for IPsec's sake.
near sysctl -qw net.ipv4.ip_local_port_range="1024 65535"

for address in $BAD4 $BAD6; do
	for kind in udp udp-cork tcp tcp-listen; do
		[[ $kind == udp-cork && $address == "$BAD4" ]] && continue # the socket's own port there
		hold $kind $address
		before=$(arrived $address)
		release
		expect "hold-$kind $address without the fence, errno" "$ERRNO" 0
		((CHECKS++))
		wait_until arrived_more $address "$before" ||
			fail "hold-$kind $address without the fence: nothing arrived"
	done
done

# goes_out KIND ADDR WHEN; stays_in KIND ADDR ERRNO WHEN: what a held socket sends now.
goes_out() {
	local before denied_before label="hold-$1 $2 $3"
	before=$(arrived "$2") denied_before=$(denied)
	release
	expect "$label, errno" "$ERRNO" 0
	settle
	expect_more "$label, packets" "$(arrived "$2")" "$before"
	expect "$label, denied counter" "$(denied)" "$denied_before"
}

stays_in() {
	local before denied_before label="hold-$1 $2 $4" failures=$FAILURES
	before=$(arrived "$2") denied_before=$(denied)
	: >"$EVENTS"
	release
	expect "$label, errno" "$ERRNO" "$3"
	settle
	expect "$label, packets" "$(arrived "$2")" "$before"
	expect_more "$label, denied counter" "$(denied)" "$denied_before"
	((CHECKS++))
	wait_until grep -q "\"ip\":\"$2\",\"port\":53" "$EVENTS" || fail "$label: no event"
	expect "$label, event" "$(jq -r 'select(.dns.question) |
		[.dnsfence.hook, .event.reason, .network.transport, .user.id,
		.dnsfence.cgroup.path, .dns.question.name] | join(" ")' "$EVENTS" | head -n 1)" \
		"packet resolver-not-sanctioned ${1%%-*} 0 /$APPS leak.dnsfence.test"
	[[ $3 == 0 ]] || expect_event "$label" "$PID" '.process.name == "leakprobe"'
	((FAILURES > failures)) || covered "hold-$1" 53 packet "$4"
}

# One at a time: bash has one coprocess.
for case in "udp $BAD4 EPERM" "udp $BAD6 EPERM" "udp-cork $BAD6 EPERM" "tcp $BAD4 0" "tcp $BAD6 0" \
	"tcp-listen $BAD4 0" "tcp-listen $BAD6 0" \
	"udp $GOOD4" "udp $GOOD6" "tcp $GOOD4" "tcp $GOOD6"; do
	read -r kind address errno <<<"$case"
	simple_policy 'open_sockets: leave' "$([[ $kind == udp-cork ]] && echo 'hooks: all')"
	hold "$kind" "$address"
	start_fence
	if [[ $errno ]]; then
		stays_in "$kind" "$address" "$errno" "from before the load"
	else
		goes_out "$kind" "$address" "from before the load"
		# Connected while it was sanctioned, used when it is not any more.
		for after in "$kind" $([[ $kind == tcp ]] && echo tcp-listen); do
			simple_policy 'open_sockets: leave'
			dnsfence reload 2>/dev/null
			hold "$after" "$address"
			sed -i "s/^resolvers: .*/resolvers: {good: [$CLIENT4]}/" "$CONFIG"
			dnsfence reload 2>/dev/null
			stays_in "$after" "$address" "$([[ $kind == udp ]] && echo EPERM || echo 0)" \
				"from before the reload"
		done
	fi
	dnsfence unload 2>/dev/null
	expect "unload, exit status" $? 0
	wait "$DAEMON"
	DAEMON=''
done
finish
