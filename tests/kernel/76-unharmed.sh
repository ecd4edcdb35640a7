# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
# vm: below the root, clients ask the fenced server from the root cgroup
#
# What is no lookup arrives, and not one packet of it is counted as denied: ping, traceroute's
# probes, neighbour discovery, multicast, large datagrams and their fragments, bulk TCP, packets
# of other protocols, tunnels with whatever inside, servers that answer from port 53.
. "$(dirname "$0")/lib.sh"
need ping python3
setup
simple_policy
start_fence

# arrives LABEL ADDR TECHNIQUE ARGUMENT...
arrives() {
	local label=$1 address=$2 before
	shift 2
	before=$(arrived "$address")
	probe "$@"
	expect "$label, errno" "$ERRNO" 0
	((CHECKS++))
	wait_until arrived_more "$address" "$before" || fail "$label: nothing arrived at $address"
}

# Whole and in pieces, which a receiver answers only when it has all of them.
for size in 56 8000; do
	for address in $BAD4 $BAD6; do
		fenced ping -c 1 -W 3 -s $size $address >/dev/null
		expect "ping -s $size $address, exit status" $? 0
	done
done

# Neighbours: forgotten and found again, over IPv4 by ARP, over IPv6 by ICMPv6 from the kernel's
# own socket.
ip -n "$FAR" addr add 10.77.0.60/24 dev far
ip -n "$FAR" addr add fd77::60/64 dev far nodad
for address in 10.77.0.60 fd77::60; do
	ip -n "$NEAR" neigh flush to $address 2>/dev/null
	arrives "a datagram to a new neighbour" $address udp-sendto $address 9
done

for address in $BAD4 $BAD6; do
	for port in 33434 33435 443 123 5300; do
		arrives "UDP to port $port" $address udp-sendto $address $port
	done
	arrives "a datagram of 64 KiB" $address udp-big $address 9
	arrives "datagrams in one send" $address udp-gso $address 9
	arrives "UDP-Lite" $address udplite-sendto $address 9
	arrives "a connection to port 5300" $address tcp-connect $address 5300
	arrives "32 KiB over TCP" $address tcp-big $address 5300
	arrives "a hand-made datagram" $address raw-hdrincl $address 9
	arrives "AH" $address raw-ah $address 9
	for protocol in 2 3 47 50 89 97 103 112 253; do
		arrives "IP protocol $protocol" $address raw-protocol $address 53 -x $protocol
	done
	arrives "IP in IP, port 9 inside" $address ipip $address 9 -f $GOOD4
done
arrives "IPv4 options" $BAD4 ip4-options $BAD4 9
arrives "a source route" $BAD4 ip4-lsrr $BAD4 9 -f $GOOD4
arrives "destination options" $BAD6 ip6-dstopts $BAD6 9
arrives "hop-by-hop options" $BAD6 ip6-hopopts $BAD6 9
arrives "a routing header" $BAD6 ip6-routing $BAD6 9 -f $GOOD6
arrives "an atomic fragment" $BAD6 ip6-atomic-fragment $BAD6 9
arrives "mDNS" 224.0.0.251 udp-multicast 224.0.0.251 5353 -i near
arrives "mDNS, IPv6" ff02::fb udp-multicast ff02::fb 5353 -i near

# A reset that the kernel sends to a client's port 53, for a port that nobody listens on.
far timeout 3 python3 -c "
import socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('$CLIENT4', 53))
s.settimeout(2)
try:
    s.connect(('10.77.0.1', 4444))
except ConnectionRefusedError:
    raise SystemExit(7)"
expect "a connection from port 53 to a closed port is refused" $? 7

# A server whose accept() waits for data, in the fenced cgroup, and a client from port 53.
in_cgroup "$APPS" python3 -c "
import socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 5)
s.bind(('10.77.0.1', 4445))
s.listen(4)
c, _ = s.accept()
c.send(c.recv(64)[::-1])
c.close()" &
listens() { near ss -tln | grep -q ':4445 '; }
wait_until listens || die "the deferring server does not listen"
expect "a deferred connection from port 53, answer" "$(far timeout 5 python3 -c "
import socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('$CLIENT4', 53))
s.settimeout(4)
s.connect(('10.77.0.1', 4445))
s.send(b'abc')
print(s.recv(64).decode())")" cba

# A DNS server in the fenced cgroup.
resolver "$APPS" "$NEAR" 192.0.2.3 10.77.0.1 fd77::1
wait_until answers far 10.77.0.1 || fail "the fenced server does not answer"
for options in "@10.77.0.1" "@fd77::1" "+tcp @10.77.0.1" "+tcp @fd77::1" "-b $CLIENT4#53 @10.77.0.1"; do
	# shellcheck disable=SC2086
	expect_answer "the fenced server to dig $options" 192.0.2.3 \
		far dig +short +tries=1 +time=2 $options x.test
done

expect "denied counter" "$(denied)" 0
expect "events" "$(wc -c <"$EVENTS")" 0
expect_log_whole
finish
