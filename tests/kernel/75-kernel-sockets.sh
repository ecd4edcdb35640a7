# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
#
# Sockets that the kernel makes by itself: a Multipath TCP connection to another port learns of
# another address of its peer's, on port 53, and a kernel worker connects to it. (File
# systems are in 68-kernel-clients.)
. "$(dirname "$0")/lib.sh"
need python3
[[ -e /proc/sys/net/mptcp/enabled ]] || skip "this kernel has no Multipath TCP"
setup
simple_policy
near ip mptcp limits set subflow 4 add_addr_accepted 4
far ip mptcp limits set subflow 4 add_addr_accepted 4

cat >"$WORK/server.py" <<'PYTHON'
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((sys.argv[1], 8080))
server.listen(8)
while True:
    connection, _ = server.accept()
    connection.recv(64)
    connection.send(b"x")
    connection.recv(64)
PYTHON
cat >"$WORK/client.py" <<'PYTHON'
import socket, sys, time
client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
client.connect((sys.argv[1], 8080))
client.send(b"x")
client.recv(1)
time.sleep(float(sys.argv[2]))
PYTHON
far python3 "$WORK/server.py" $GOOD4 &
SERVERS+=" $!"
disown $!
serves() { far ss -tln | grep -q "$GOOD4:8080 "; }
wait_until serves || die "no Multipath TCP server"

# subflow_to ADDR: the server tells of ADDR, port 53, where no resolver listens. Each time
# another, for the last one's connections still hold theirs.
subflow_to() {
	local before
	ip -n "$FAR" addr add "$1/24" dev far
	before=$(arrived "$1")
	far ip mptcp endpoint flush
	far ip mptcp endpoint add "$1" port 53 signal || die "no endpoint $1"
	fenced python3 "$WORK/client.py" $GOOD4 1 || fail "the connection to port 8080 failed"
	(($(arrived "$1") > before))
}

((CHECKS++))
subflow_to 10.77.0.41 || fail "without the fence: no subflow to 10.77.0.41:53"

start_fence
denied_before=$(denied)
((CHECKS++))
subflow_to 10.77.0.42 && fail "a subflow to 10.77.0.42:53 left"
expect_more "denied counter" "$(denied)" "$denied_before"
((CHECKS++))
# refusals ADDR: events of it. The kernel's worker made the call, and is named.
refusals() {
	jq -c "select(.destination.ip == \"$1\" and .destination.port == 53
		and .network.transport == \"tcp\" and .dnsfence.verdict == \"deny\"
		and .dnsfence.hook == \"connect4\" and (.process.name | startswith(\"kworker\")))" "$EVENTS"
}
is_refused() { [[ $(refusals "$1") ]]; }
wait_until is_refused 10.77.0.42 || fail "no event of the subflow: $(tail -n 3 "$EVENTS")"
((FAILURES)) || covered mptcp-subflow 53 connect4

sed -i "s/^resolvers: .*/resolvers: {good: [10.77.0.43]}/" "$CONFIG"
dnsfence reload 2>/dev/null
((CHECKS++))
subflow_to 10.77.0.43 || fail "no subflow to 10.77.0.43:53 although it is sanctioned"
expect "events of the sanctioned address" "$(grep -c 10.77.0.43 "$EVENTS")" 0
expect_log_whole
finish
