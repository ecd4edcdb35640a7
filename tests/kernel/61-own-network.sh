# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh disable=SC2034
# limit: 240
#
# A user without privileges, root of user and network namespaces of his own that a veth pair joins to
# the host, as containers with CAP_NET_ADMIN have them: his NAT, netfilter's hooks behind the packet
# layer, a tunnel device whose own packets are lookups, uids and limits that he chooses. Each goes
# out without a fence, and not with it; what the first two rewrite to a sanctioned resolver does.
. "$(dirname "$0")/lib.sh"
setup
for tool in nft dig /usr/bin/python3; do
	command -v $tool >/dev/null || skip "needs $tool"
done
DAEMON_NETNS=/run/netns/$NEAR
OUTER=61000 INNER=61234 HOLDER='' SERVER=''
HOST_END=02:df:00:00:00:80 BOX4=10.80.0.2
cleanup_more() {
	# shellcheck disable=SC2086 # none, one or two
	kill -KILL $HOLDER $SERVER 2>/dev/null
}
chmod 755 "$WORK"
cp "$PROBE" "$WORK/leakprobe" && chmod 755 "$WORK/leakprobe"

# Joins the namespaces of a process and keeps every capability there.
cat >"$WORK/enter.py" <<'PY'
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
spaces = [os.open(f"/proc/{sys.argv[1]}/ns/{kind}", os.O_RDONLY) for kind in ("user", "net")]
for space in spaces:
    if libc.setns(space, 0):
        raise OSError(ctypes.get_errno(), "setns")
head, data = ctypes.create_string_buffer(struct.pack("Ii", 0x20080522, 0), 8), ctypes.create_string_buffer(24)
libc.capget(head, data)
low, high = struct.unpack("6I", data.raw)[1::3]
libc.capset(head, ctypes.create_string_buffer(struct.pack("6I", low, low, low, high, high, high), 24))
for capability in range(64):
    libc.prctl(47, 2, capability, 0, 0)  # PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE
os.execvp(sys.argv[2], sys.argv[2:])
PY

# box COMMAND...: there, in the fenced cgroup.
box() {
	fenced setpriv --reuid $OUTER --regid $OUTER --clear-groups \
		/usr/bin/python3 "$WORK/enter.py" "$HOLDER" "$@"
}

make_box() {
	(
		echo "$BASHPID" >"$CGROUP2/$APPS/cgroup.procs"
		exec setpriv --reuid $OUTER --regid $OUTER --clear-groups \
			unshare -U --map-user=$INNER --map-group=$INNER --keep-caps -n sleep 600
	) 2>"$WORK/unshare" &
	HOLDER=$!
	disown $HOLDER
	apart() { [[ $(readlink "/proc/$HOLDER/ns/net") != "$(readlink /proc/self/ns/net)" && $(</proc/$HOLDER/comm) == sleep ]]; }
	wait_until apart || skip "users have no namespaces here: $(<"$WORK/unshare")"
	ip -n "$NEAR" link add ve0 type veth peer name eth0 netns "$HOLDER" || die "no veth"
	ip -n "$NEAR" link set ve0 up address $HOST_END
	ip -n "$NEAR" addr add 10.80.0.1/24 dev ve0
	near sysctl -qw net.ipv4.ip_forward=1
	ip -n "$FAR" route add 10.80.0.0/24 via 10.77.0.1
	box sh -ec "ip link set lo up; ip link set eth0 up
		ip addr add $BOX4/24 dev eth0; ip route add default via 10.80.0.1" || die "no network in the box"
	wait_until box ping -c 1 -W 1 -q $GOOD4 >"$WORK/ping" 2>&1 || die "the box reaches nothing: $(<"$WORK/ping")"
}

box_policy() {
	policy <<-YAML
		apiVersion: dnsfence/v1
		$1
		resolvers: {good: [$GOOD4, "$GOOD6", $BOX4]} # the last for those who ask the box
		policies:
		  - {name: recursor, match: {user: $INNER}, resolvers: any}
		  - {name: default, resolvers: [good]}
		edge: {interfaces: ["ve*", near], uplinks: [near]}
		events: {stdout: true}
	YAML
}

# asks DIG_ARGUMENT...: ANSWER.
asks() { ANSWER=$(box timeout 5 dig +short +tries=1 +time=1 "$@" x.test 2>/dev/null | grep -v '^;'); }

# escapes NAME HOOK COMMAND...: bytes to BAD's port 53, which arrive when nothing is loaded only.
escapes() {
	local what=$1 hook=$2 before denied_before lines failures=$FAILURES
	shift 2
	lines=$(wc -l 2>/dev/null <"$EVENTS")
	before=$(arrived $BAD4)
	[[ $PHASE == open ]] || denied_before=$(denied)
	"$@" >/dev/null 2>&1
	settle
	if [[ $PHASE == open ]]; then
		expect_more "$what, without the fence, packets" "$(arrived $BAD4)" "$before"
		return
	fi
	expect "$what, packets" "$(arrived $BAD4)" "$before"
	expect_more "$what, denied counter" "$(denied)" "$denied_before"
	expect "$what, event" "$(tail -n +$((lines + 1)) "$EVENTS" | tail -n 1 | jq -r '[.dnsfence.hook, .destination.ip,
		.event.reason, .dnsfence.cgroup.path] | join(" ")')" \
		"$hook $BAD4 resolver-not-sanctioned /$APPS"
	((FAILURES > failures)) || covered "$what" 53 "$hook"
}

# Rules of his own: port 7777 becomes 53 before the packet layer (NAT), or behind it.
nat() {
	box nft -f - <<-RULES
		table ip box {
			chain out { type nat hook output priority -100; meta l4proto { tcp, udp } th dport 7777 dnat to $1:53; }
			chain post { type nat hook postrouting priority 100; ip daddr $1 udp dport 53 snat to $BOX4:4500; }
		}
	RULES
}
rewrite() {
	box nft -f - <<-RULES
		table netdev box {
			chain out { type filter hook egress device eth0 priority 0;
				ip protocol udp udp dport 7777 udp dport set 53; ip protocol tcp tcp dport 7777 tcp dport set 53; }
			chain in { type filter hook ingress device eth0 priority 0;
				ip protocol udp udp sport 53 udp sport set 7777; ip protocol tcp tcp sport 53 tcp sport set 7777; }
		}
	RULES
}

cases() {
	local transport
	nat $BAD4 2>/dev/null || lacking nat-from-4500 53 "no NAT in nftables"
	if box nft list table ip box >/dev/null 2>&1; then
		# The same source port, again and again: the first one's refusal changes nothing.
		for _ in 1 2 3; do
			escapes nat-from-4500 packet asks -b $BOX4#6000 -p 7777 @$BAD4
		done
		escapes nat-tcp packet asks +tcp -p 7777 @$BAD4
		box nft delete table ip box
	fi
	rewrite 2>/dev/null || lacking rewritten-udp 53 "no egress hook of nftables (Linux 5.16)"
	if box nft list table netdev box >/dev/null 2>&1; then
		escapes rewritten-udp edge_in asks -p 7777 @$BAD4
		escapes rewritten-tcp edge_in asks +tcp -p 7777 @$BAD4
		for transport in +notcp +tcp; do
			asks $transport -p 7777 @$GOOD4
			expect "rewritten to a sanctioned resolver, $transport" "$ANSWER" "$GOOD_ANSWER"
		done
		box nft delete table netdev box
	fi
	escapes af-packet-own-uid edge_in \
		box "$WORK/leakprobe" af-packet-raw $BAD4 53 -i eth0 -m $HOST_END
	tunnel
	optmem
}

# VXLAN's own header to port 53 is a question: its id is the number of questions, and what is inside,
# from the addresses of the frame on, a name.
tunnel() {
	box ip link add vx address 3e:61:62:63:64:65 type vxlan id 256 dstport 53 local $BOX4 \
		remote $BAD4 dev eth0 2>/dev/null || {
		lacking tunnel-vxlan 53 "no VXLAN"
		return
	}
	# What the kernel itself would send there is of no cgroup below the root.
	box sh -ec 'echo 1 >/proc/sys/net/ipv6/conf/vx/disable_ipv6; ip link set vx up; ip addr add 10.99.0.1/24 dev vx
		ip neigh add 10.99.0.2 lladdr 00:00:00:00:01:78 dev vx'
	escapes tunnel-vxlan edge_in box /usr/bin/python3 -c '
import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(
    b"y" * 27 + b"\x04test\0\0\1\0\1", ("10.99.0.2", 9))'
	box ip link del vx
}

# Without room for what the fence knows of a socket. Each namespace has a limit of its own since 6.9.
optmem() {
	local limit=/proc/sys/net/core/optmem_max
	# access() would ask for the real user, who may not.
	box sh -c "echo 0 >$limit" 2>/dev/null || return
	if [[ $PHASE == open ]]; then
		escapes optmem-tcp - asks +tcp @$BAD4
	else
		asks +tcp @$BAD4
		expect "optmem_max 0, answer" "$ANSWER" ""
		expect "optmem_max 0, a socket" \
			"$(box /usr/bin/python3 -c 'import socket; socket.socket()' 2>&1 | grep -c PermissionError)" 1
		settle
		expect "optmem_max 0, event" "$(tail -n 1 "$EVENTS" |
			jq -r '[.dnsfence.hook, .event.reason, .dnsfence.cgroup.path, .process.name] | join(" ")')" \
			"sock_create policy-state /$APPS python3"
	fi
	box sh -c "echo 131072 >$limit"
	asks @$GOOD4
	expect "optmem_max as before, answer" "$ANSWER" "$GOOD_ANSWER"
}

# A server in the box: what it answers goes to port 53, too, and is none of the fence's business.
cat >"$WORK/server.py" <<'PY'
import socketserver, threading
answer = lambda query: query[:2] + bytes([query[2] | 0x80]) + query[3:]
class Datagram(socketserver.BaseRequestHandler):
    def handle(self):
        self.request[1].sendto(answer(self.request[0]), self.client_address)
class Stream(socketserver.BaseRequestHandler):
    def handle(self):
        query = self.request.recv(2048)
        self.request.sendall(query[:2] + answer(query[2:]))
socketserver.TCPServer.allow_reuse_address = True
threading.Thread(target=socketserver.UDPServer(("", 53), Datagram).serve_forever).start()
socketserver.TCPServer(("", 53), Stream).serve_forever()
PY
served() { far timeout 5 dig "$@" +tries=1 +time=2 -b "$CLIENT4#53" @$BOX4 x.test 2>/dev/null | grep -o 'status: [A-Z]*'; }
is_served() { [[ $(served +notcp) == "status: NOERROR" ]]; }
serves() {
	box /usr/bin/python3 "$WORK/server.py" 2>"$WORK/server" &
	disown $!
	((CHECKS++))
	wait_until is_served || fail "$1, the box's server does not answer: $(<"$WORK/server")"
	SERVER=$(<"$WORK/pid")
	expect "$1, a server's answer to port 53 over UDP" "$(served +notcp)" "status: NOERROR"
	expect "$1, a server's answer to port 53 over TCP" "$(served +tcp)" "status: NOERROR"
	kill -KILL "$SERVER" # a tunnel device wants the port
	SERVER=''
}

make_box
serves "without the fence"
asks @$GOOD4
GOOD_ANSWER=$ANSWER
expect_match "the sanctioned resolver answers" "$GOOD_ANSWER" '^[0-9.]+$'
PHASE=open
cases
PHASE=closed
for hooks in auto all; do
	box_policy "hooks: $hooks"
	start_fence
	asks @$GOOD4
	expect "hooks: $hooks, the sanctioned resolver" "$ANSWER" "$GOOD_ANSWER"
	serves "hooks: $hooks"
	cases
	expect_log_whole
	stop_fence TERM
	dnsfence unload
done

# Audited it goes on, and so does a socket whose maker cannot be written down.
box_policy "mode: audit"
start_fence
if box sh -c 'echo 0 >/proc/sys/net/core/optmem_max' 2>/dev/null; then
	expect "audit, optmem_max 0, a socket" "$(box /usr/bin/python3 -c 'import socket; socket.socket()' 2>&1)" ""
	settle
	expect "audit, optmem_max 0, event" "$(tail -n 1 "$EVENTS" | jq -r '[.dnsfence.hook, .dnsfence.verdict] | join(" ")')" \
		"sock_create audit"
	box sh -c 'echo 131072 >/proc/sys/net/core/optmem_max'
fi
before=$(arrived $BAD4)
asks @$BAD4
expect_more "audit, packets" "$(arrived $BAD4)" "$before"
stop_fence TERM
dnsfence unload
finish
