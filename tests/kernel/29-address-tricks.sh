# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
#
# Targets and sources that are not what they look like: AF_UNSPEC for AF_INET, sockets that
# change their family or their peer, sources and devices that the caller chooses. The packet's
# destination is what counts, and nothing that a call says beside it.
. "$(dirname "$0")/lib.sh"
setup
simple_policy
ip -n "$NEAR" addr add 10.77.0.9/24 dev near
ip -n "$NEAR" addr add fd77::9/64 dev near nodad

connecting() {
	leak v4mapped-addrform $BAD4 53 connect6 connect
	leak udp-reconnect $BAD4 53 connect4 connect -f $GOOD4
	leak udp-reconnect $BAD6 53 connect6 connect -f $GOOD6
	leak tcp-reconnect $BAD4 53 connect4 connect -f $GOOD4
	leak tcp-reconnect $BAD6 53 connect6 connect -f $GOOD6
	leak tcp-from-listener $BAD4 53 connect4 connect
	leak tcp-from-listener $BAD6 53 connect6 connect
	leak tcp-nonblocking $BAD4 53 connect4 connect
	leak tcp-nonblocking $BAD6 53 connect6 connect
}

sending() {
	leak udp-family-0 $BAD4 53 packet send
	leak udp-disconnect-sendto $BAD4 53 packet send -f $GOOD4
	leak udp-disconnect-sendto $BAD6 53 packet send -f $GOOD6
	leak udp-pktinfo-source $BAD4 53 packet send -f 10.77.0.9 -i near
	leak udp-pktinfo-source $BAD6 53 packet send -f fd77::9 -i near
	leak udp-bindtodevice $BAD4 53 packet send -i near
	leak udp-bindtodevice $BAD6 53 packet send -i near
	leak udp-unicast-if $BAD4 53 packet send -i near
	leak udp-unicast-if $BAD6 53 packet send -i near
	leak udp-transparent $BAD4 53 packet send -f 10.77.0.77
	leak udp-transparent $BAD6 53 packet send -f fd77::77
	leak udp-freebind $BAD6 53 packet send -f fd77::77
	leak udplite-sendto $BAD4 53 packet send
	leak udplite-sendto $BAD6 53 packet send
}

cases() {
	connecting
	sending
}
prove cases

# TCP_REPAIR makes a connection without a handshake; its connect() is a connect() all the same.
# Towards the sanctioned resolver its segment is let through, and reset by who knows of nothing.
for address in $BAD4 $BAD6; do
	before=$(arrived $address) denied_before=$(denied) failures=$FAILURES
	probe tcp-repair $address 53
	expect "tcp-repair $address, errno" "$ERRNO" EPERM
	settle
	expect "tcp-repair $address, packets" "$(arrived $address)" "$before"
	expect "tcp-repair $address, denied counter" "$(denied)" $((denied_before + 1))
	expect_event "tcp-repair $address" "$PID" ".dnsfence.hook | startswith(\"connect\")"
	((FAILURES > failures)) || covered tcp-repair 53 "$([[ $address == *:* ]] && echo connect6 || echo connect4)"
	good=$(twin $address)
	before=$(arrived "$good")
	probe tcp-repair "$good" 53
	settle
	expect_more "tcp-repair $good, packets" "$(arrived "$good")" "$before"
done
expect_log_whole
finish
