# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
#
# Sockets that change hands: passed over a unix socket, made before a process moves, accepted.
# The stricter policy of the maker's cgroup and of the user's decides, where the kernel can tell
# who uses it. It cannot of TCP, whose segments leave at any time, nor, before Linux 6.12, of a
# send() on a connected UDP socket: what an allowed process connected and gave away stays allowed.
# That process is a deputy, like any forwarder.
. "$(dirname "$0")/lib.sh"
need python3
setup
mkdir -p "$CGROUP/free" "$CGROUP/apps"
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4, "$GOOD6"]}
	policies:
	  - {name: free, match: {cgroup: /$ID/free}, resolvers: any}
	  - {name: default, resolvers: [good]}
	events: {stdout: true}
YAML

# handed MAKER-CGROUP USER-CGROUP KIND ADDR: the maker makes (and with udp-connect and tcp
# connects) a socket and passes it by SCM_RIGHTS; the user sends a query. Prints the errno.
cat >"$WORK/handed.py" <<'PYTHON'
import errno, os, socket, sys
maker, user, kind, address = sys.argv[1:]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
query = bytes.fromhex("df350100000100000000000004") + b"leak\x08dnsfence\x04test\0\0\1\0\1"

def join(cgroup):
    with open(cgroup + "/cgroup.procs", "w") as procs:
        procs.write("0")

ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
if os.fork() == 0:
    ours.close()
    join(user)
    _, fds, _, _ = socket.recv_fds(theirs, 1, 1)
    if not fds:
        os._exit(0)
    sock = socket.socket(fileno=fds[0])
    try:
        if kind == "tcp":
            sock.send(len(query).to_bytes(2, "big") + query)
        elif kind == "udp-connect":
            sock.send(query)
        else:
            sock.sendto(query, (address, 53))
        print("0", flush=True)
    except OSError as error:
        print(errno.errorcode[error.errno], flush=True)
    os._exit(0)
join(maker)
sock = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
try:
    if kind != "udp":
        sock.connect((address, 53))
    socket.send_fds(ours, [b"x"], [sock.fileno()])
    os.wait()
except OSError as error:
    print(errno.errorcode[error.errno], flush=True)
    os._exit(0)
PYTHON
handed() {
	near timeout $((10 * SLOW)) python3 "$WORK/handed.py" "$CGROUP/$1" "$CGROUP/$2" "$3" "$4"
}

# goes FROM TO KIND ADDR; stays FROM TO KIND ADDR
goes() {
	local before
	before=$(arrived "$4")
	expect "$* errno" "$(handed "$@")" 0
	((CHECKS++))
	wait_until arrived_more "$4" "$before" || fail "$*: nothing arrived"
}
stays() {
	local before denied_before failures=$FAILURES
	before=$(arrived "$4") denied_before=$(denied)
	expect "$* errno" "$(handed "$@")" EPERM
	settle
	expect "$* packets" "$(arrived "$4")" "$before"
	expect "$* denied counter" "$(denied)" $((denied_before + 1))
	((FAILURES > failures)) || [[ $1 == "$2" ]] || covered "handed-over $3" 53 "call or packet"
}

for address in $BAD4 $BAD6; do
	for kind in udp udp-connect tcp; do
		goes free apps $kind $address
	done
done
start_fence
connected=stays
[[ $(status_of '.kernel.lacks[] | select(.name == "packet-cgroup") | .needed') != true ]] ||
	connected=goes
for address in $BAD4 $BAD6; do
	good=$(twin $address)
	for kind in udp udp-connect tcp; do
		goes free free $kind $address
		stays apps apps $kind $address
		goes apps free $kind "$good"
		goes free apps $kind "$good"
	done
	stays free apps udp $address
	$connected free apps udp-connect $address
	for kind in udp udp-connect; do
		stays apps free $kind $address
	done
	stays apps free tcp $address
	goes free apps tcp $address
done
((CHECKS++))
wait_until grep -q '"rule":{"name":"default"}' "$EVENTS" || fail "no event names the policy"
expect_log_whole
finish
