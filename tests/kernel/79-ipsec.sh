# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 240
# vm: below the root, clients ask the fenced server from the root cgroup
#
# IPsec comes before the packet layer, which sees ESP and not what is in it: TCP and connected UDP
# are judged by their socket's peer, and sendto() at the call, for which sendmsg4/6 are attached as
# soon as IPsec is there. Until then the packet layer refuses what it cannot tell. ESP in transport
# and in tunnel mode, and in UDP. The kernels of tests/vm/run have the modules that this takes.
. "$(dirname "$0")/lib.sh"
setup

TUNNEL_GOOD=10.90.0.2 TUNNEL_BAD=10.90.0.3
ENCAP_GOOD=10.77.0.32 ENCAP_BAD=10.77.0.31 # in UDP, and nobody there takes it out
SERVED=10.77.0.7 # a client of a server here

twin() {
	case $1 in
	"$BAD4") echo $GOOD4 ;;
	"$BAD6") echo $GOOD6 ;;
	"$TUNNEL_BAD") echo $TUNNEL_GOOD ;;
	"$ENCAP_BAD") echo $ENCAP_GOOD ;;
	esac
}

# A pair of states, outbound here and inbound there, and this host's policies. Answers come back
# in the clear.
esp_keys() {
	echo "auth hmac(sha256) 0x$(printf '%064d' 7) enc cbc(aes) 0x$(printf '%032d' 7)"
}

# esp_state NAMESPACE SOURCE TARGET SPI MODE [ENCAPSULATION...]
esp_state() {
	# shellcheck disable=SC2046
	ip -n "$1" xfrm state add src "$2" dst "$3" proto esp spi "$4" mode "$5" $(esp_keys) "${@:6}"
}

# esp_to TARGET SPI [ENCAPSULATION...]: transport mode to that address.
esp_to() {
	local source=10.77.0.1 target=$1 spi=$2
	[[ $1 == *:* ]] && source=fd77::1
	shift 2
	esp_state "$NEAR" $source "$target" "$spi" transport "$@" &&
		esp_state "$FAR" $source "$target" "$spi" transport "$@" &&
		ip -n "$NEAR" xfrm policy add src $source dst "$target" dir out \
			tmpl src $source dst "$target" proto esp mode transport
}

# esp_tunnel NETWORK SPI: tunnel mode to a network behind the peer.
esp_tunnel() {
	esp_state "$NEAR" 10.77.0.1 $CLIENT4 "$2" tunnel && esp_state "$FAR" 10.77.0.1 $CLIENT4 "$2" tunnel &&
		ip -n "$NEAR" xfrm policy add src 0.0.0.0/0 dst "$1" dir out \
			tmpl src 10.77.0.1 dst $CLIENT4 proto esp mode tunnel &&
		ip -n "$FAR" xfrm policy add src 10.77.0.1/32 dst "$1" dir in \
			tmpl src 10.77.0.1 dst $CLIENT4 proto esp mode tunnel &&
		ip -n "$NEAR" route add "$1" dev near src 10.77.0.1 &&
		ip -n "$FAR" addr add $TUNNEL_GOOD/32 dev lo && ip -n "$FAR" addr add $TUNNEL_BAD/32 dev lo
}

if ! ip -n "$NEAR" xfrm state list >/dev/null 2>&1 || ! esp_to $BAD4 1001 2>"$WORK/esp"; then
	lacking esp 53 "no module xfrm_user or esp4"
	skip "no module xfrm_user or esp4"
fi
ip -n "$FAR" addr add $SERVED/24 dev far
ip -n "$NEAR" neigh add $SERVED lladdr 02:df:00:00:00:02 nud permanent dev near
esp_to $GOOD4 1002 && esp_to $BAD6 1003 && esp_to $GOOD6 1004 && esp_to $SERVED 1005 &&
	esp_tunnel 10.90.0.0/24 1006 && esp_to $ENCAP_BAD 1007 encap espinudp 4500 4500 0.0.0.0 &&
	esp_to $ENCAP_GOOD 1008 encap espinudp 4500 4500 0.0.0.0 || die "no ESP: $(<"$WORK/esp")"
resolver '' "$FAR" 192.0.2.2 $TUNNEL_GOOD
resolver '' "$FAR" 192.0.2.67 $TUNNEL_BAD
resolver "$APPS" "$NEAR" 192.0.2.3 10.77.0.1
for address in $TUNNEL_GOOD $TUNNEL_BAD; do
	wait_until answers near $address || die "no resolver behind the tunnel at $address"
done

# ipsec_policy LINE...
ipsec_policy() {
	policy <<-YAML
		apiVersion: dnsfence/v1
		$(printf '%s\n' "$@")
		resolvers: {good: [$GOOD4, "$GOOD6", $TUNNEL_GOOD, $ENCAP_GOOD, {address: $GOOD4, port: 5300}]}
		policies: [{name: default, resolvers: [good]}]
		edge: {interfaces: off}
		events: {stdout: true}
	YAML
}

hook_at() { [[ $2 == *:* ]] && echo "${1}6" || echo "${1}4"; }

# sealed_events ADDR REASON TRANSPORT: how many the packet layer has told of. It names no process.
sealed_events() {
	jq -c "select(.event.reason == \"$2\" and .dnsfence.hook == \"packet\" and
		.destination.ip == \"$1\" and .network.transport == \"$3\" and .dns == null and
		.dnsfence.cgroup.path == \"/$APPS\")" "$EVENTS" 2>/dev/null | wc -l
}

sealed_events_more() {
	(($(sealed_events "$1" "$2" "$3") > $4))
}

# seals TECHNIQUE ADDR [REASON [ARG...]]: by the socket, since the packet cannot be read.
seals() {
	local technique=$1 addr=$2 reason=${3:-resolver-not-sanctioned} label="$1 $2 by ESP"
	local before denied_before events failures=$FAILURES transport
	transport=$(transport_of "$technique")
	shift 3 2>/dev/null || shift $#
	if [[ $PHASE == open ]]; then
		shows_leak "$label" "$addr" "$technique" "$addr" 53 "$@"
		return
	fi
	before=$(arrived "$addr") denied_before=$(denied)
	events=$(sealed_events "$addr" "$reason" "$transport")
	probe "$technique" "$addr" 53 "$@"
	expect "$label errno" "$ERRNO" EPERM
	expect "$label step" "$STEP" send
	settle
	expect "$label packets at the far end" "$(arrived "$addr")" "$before"
	expect "$label denied counter" "$(denied)" $((denied_before + 1))
	((CHECKS++))
	wait_until sealed_events_more "$addr" "$reason" "$transport" "$events" ||
		fail "$label: no event of it: $(grep -F "\"$addr\"" "$EVENTS" | tail -n 1)"
	((FAILURES > failures)) || covered "$technique" 53 packet "${reason#resolver-not-sanctioned}"
	[[ $reason != resolver-not-sanctioned ]] ||
		passes "$label" "$(twin "$addr")" "$technique" "$(twin "$addr")" 53 "$@"
}

cases() {
	local address
	for address in $BAD4 $BAD6 $TUNNEL_BAD $ENCAP_BAD; do
		leak udp-connect $address 53 "$(hook_at connect $address)" connect
		leak udp-sendto $address 53 "$(hook_at sendmsg $address)" send
		leak udp-connect-sendto-elsewhere $address 53 "$(hook_at sendmsg $address)" send -f "$(twin $address)"
		leak udplite-sendto $address 53 "$(hook_at sendmsg $address)" send
		seals udplite-connect $address
		[[ $address == "$ENCAP_BAD" ]] ||
			leak tcp-connect $address 53 "$(hook_at connect $address)" connect
	done
	seals udp-sendto $BAD4 ipsec -s 5300 # could be an answer from a fenced port
}

# ordinary WHAT: what is no lookup, and what answers one.
ordinary() {
	local address technique before denied_before server
	denied_before=$(denied)
	for address in $BAD4 $BAD6 $TUNNEL_BAD $ENCAP_BAD; do
		for technique in udp-connect udp-sendto udplite-connect udplite-sendto; do
			before=$(arrived $address)
			probe $technique $address 9
			expect "$technique to port 9 at $address, $1, errno" "$ERRNO" 0
			((CHECKS++))
			wait_until arrived_more $address "$before" ||
				fail "$technique to port 9 at $address, $1: nothing came out"
		done
		[[ $address == "$ENCAP_BAD" ]] && continue
		fenced ping -c 1 -W 3 -q $address >/dev/null
		expect "ping $address, $1, exit status" $? 0
	done
	for server in "-b $SERVED @10.77.0.1" "+tcp -b $SERVED @10.77.0.1" "+tcp -b $SERVED#53 @10.77.0.1"; do
		# shellcheck disable=SC2086
		expect_answer "a server's answer by ESP, $server, $1" 192.0.2.3 \
			far dig +short +tries=1 +time=3 $server x.test
	done
	expect "denied counter, $1" "$(denied)" "$denied_before"
}

# What is no IPsec of the kernel's: a raw socket's ESP, and a socket of its own to port 4500.
own() {
	local before
	for technique in "raw-protocol $CLIENT4 9 -x 50" "udp-sendto $CLIENT4 4500" \
		"udplite-connect $CLIENT4 4500"; do
		before=$(arrived $CLIENT4)
		# shellcheck disable=SC2086
		probe $technique
		expect "$technique, $1, errno" "$ERRNO" 0
		((CHECKS++))
		wait_until arrived_more $CLIENT4 "$before" || fail "$technique, $1: nothing arrived"
	done
}

ipsec_policy 'open_sockets: leave'
hold_socket udp "$APPS" udp $BAD4
hold_socket udplite "$APPS" udplite $BAD4
hold_socket udp-good "$APPS" udp $GOOD4
hold_socket tcp-good "$APPS" tcp $GOOD4

DAEMON_NETNS=/run/netns/$NEAR # where it finds IPsec
prove cases
expect_match "why sendmsg4 is attached" \
	"$(status_of '.hooks[] | select(.name == "sendmsg4" and .attached) | .why')" \
	"IPsec hides|packet hook cannot tell who sends"
ordinary "IPsec before the fence"
own "IPsec before the fence"
held_fails udp $BAD4 EPERM
held_fails udplite $BAD4 EPERM
held_works udp-good $GOOD4
held_works tcp-good $GOOD4

# deny_at: packet leaves it to a packet that nobody can read.
ipsec_policy 'deny_at: packet' 'open_sockets: leave'
DAEMON_NETNS='' dnsfence reload 2>/dev/null
seals udp-connect $BAD4
stop_fence
dnsfence unload 2>/dev/null

# The daemon does not see that IPsec, until a packet of it is refused.
DAEMON_NETNS=/proc/self/ns/net
ipsec_policy
start_fence
seals udp-connect-sendto-elsewhere $BAD4 ipsec -f $GOOD4
expect_said "IPsec" 'from here on sendto() is judged at the call'
leak udp-sendto $BAD4 53 sendmsg4 send
leak udplite-sendto $BAD6 53 sendmsg6 send
seals udplite-connect $BAD4
ordinary "IPsec that a packet tells of"
stop_fence
dnsfence unload 2>/dev/null

# load without a daemon: refused until somebody loads it anew, or with hooks: all.
dnsfence load 2>/dev/null
own "load"
before=$(arrived $BAD4)
for technique in udp-sendto udplite-connect; do
	probe $technique $BAD4 9
	expect "$technique to port 9, load, errno" "$ERRNO" EPERM
done
expect_answer "TCP, load" $GOOD_ANSWER fenced dig +short +tcp +tries=1 +time=3 @$GOOD4 x.test
settle
expect "packets, load" "$(arrived $BAD4)" "$before"
ipsec_policy 'hooks: all'
dnsfence load 2>/dev/null
ordinary "load with hooks: all"
probe udp-sendto $BAD4 53
expect "udp-sendto, load with hooks: all, errno" "$ERRNO" EPERM
dnsfence unload 2>/dev/null

# A connection from before goes on trying, and being refused.
ipsec_policy 'open_sockets: leave'
hold_socket tcp "$APPS" tcp $BAD4
start_fence
before=$(arrived $BAD4)
send_held tcp
settle
expect "packets of a connection from before" "$(arrived $BAD4)" "$before"
expect_more "denied counter, a connection from before" "$(denied)" 0
finish
