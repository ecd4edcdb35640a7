# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# A socket that once went to a `translated` resolver is not trusted for ever: after a reload, or
# when it is connected to somebody else, what was asked for is judged again by the policy in force.
. "$(dirname "$0")/lib.sh"
kernel_is_from 5.14 || skip "no translated resolver before Linux 5.14 (SO_NETNS_COOKIE): 26-translated sees it refused"
setup
need python3
service=10.96.0.10
ip -n "$NEAR" route add $service/32 dev near
near nft -f - <<-RULES || skip "no NAT in this kernel"
	table inet nat {
		chain output {
			type nat hook output priority -100;
			ip daddr $service udp dport 53 dnat ip to $OTHER4
		}
	}
RULES
config() { # RESOLVER...
	policy <<-YAML
		apiVersion: dnsfence/v1
		open_sockets: leave # a reload would close it, sooner or later
		resolvers: {good: [$(IFS=,; echo "$*")]}
		policies: [{name: default, resolvers: [good]}]
		events: {stdout: true}
	YAML
}
nat="{address: $service, translated: true}"

# One UDP socket that does what it is told: connect ADDR, send, sendto ADDR; says 0 or the errno.
cat >"$WORK/client.py" <<'PYTHON'
import socket, sys
query = bytes.fromhex("0001010000010000000000000178047465737400 00010001".replace(" ", ""))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for line in sys.stdin:
    word, *address = line.split()
    try:
        if word == "connect":
            sock.connect((address[0], 53))
        elif word == "sendto":
            sock.sendto(query, (address[0], 53))
        else:
            sock.send(query)
        print(0, flush=True)
    except OSError as error:
        print(error.errno, flush=True)
PYTHON

client() {
	coproc CLIENT { fenced python3 "$WORK/client.py"; }
}
tell() { # WORD...: sets SAID
	echo "$*" >&"${CLIENT[1]}"
	read -r -t $((5 * SLOW)) SAID <&"${CLIENT[0]}" || SAID='nothing'
}
expect_said() { # WHAT WANTED WORD...
	local what=$1 wanted=$2
	shift 2
	tell "$@"
	expect "$what" "$SAID" "$wanted"
}
end_client() {
	local input=${CLIENT[1]}
	eval "exec $input>&-"
	wait "$CLIENT_PID" 2>/dev/null
}

# Without the fence: the forbidden resolver gets it.
client
before=$(arrived $BAD4)
expect_said "no fence, sendto" 0 sendto $BAD4
((CHECKS++))
wait_until arrived_more $BAD4 "$before" || fail "nothing arrived without the fence"
end_client

DAEMON_NETNS=/run/netns/$NEAR
config "$GOOD4" "$nat"
start_fence

# The policy drops the translated resolver: its socket has no word left.
client
expect_said "through NAT" 0 sendto $service
config "$GOOD4"
dnsfence reload 2>/dev/null
before=$(arrived $BAD4) through=$(arrived $OTHER4)
expect_said "elsewhere after the reload" 1 sendto $BAD4
expect_said "through NAT after the reload" 1 sendto $service
settle
expect "packets at the forbidden resolver" "$(arrived $BAD4)" "$before"
expect "packets behind NAT" "$(arrived $OTHER4)" "$through"
expect_said "the sanctioned one" 0 sendto $GOOD4
end_client

# Connected while that was in order; then the policy changes, and the socket asks through NAT.
config "$BAD4"
dnsfence reload 2>/dev/null
client
expect_said "connect while sanctioned" 0 connect $BAD4
expect_said "send while sanctioned" 0 send
config "$GOOD4" "$nat"
dnsfence reload 2>/dev/null
before=$(arrived $BAD4)
expect_said "send when no longer sanctioned" 1 send
tell sendto $service
expect_said "send after a call to the translated one" 1 send
settle
expect "packets at the resolver no longer sanctioned" "$(arrived $BAD4)" "$before"
end_client

# And a socket that is connected through NAT goes on working over a reload that keeps it.
client
expect_said "connect through NAT" 0 connect $service
expect_said "send through NAT" 0 send
config "$GOOD4" "$nat" 192.0.2.77
dnsfence reload 2>/dev/null
before=$(arrived $OTHER4)
expect_said "send through NAT after a reload" 0 send
((CHECKS++))
wait_until arrived_more $OTHER4 "$before" || fail "nothing came through NAT after the reload"
end_client
expect_log_whole
finish
