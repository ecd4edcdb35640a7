# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
#
# Multicast and broadcast destinations on a fenced port are destinations like any other: mDNS and
# LLMNR groups, the limited and the subnet's broadcast address. On other ports they are open.
. "$(dirname "$0")/lib.sh"
need python3
setup
ip -n "$NEAR" route add 255.255.255.255/32 dev near
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [224.0.0.252, "ff02::1:3", 10.77.0.255]}
	policies: [{name: default, resolvers: [good]}]
	events: {stdout: true}
YAML
twin() {
	case $1 in
	224.*) echo 224.0.0.252 ;;
	ff02*) echo ff02::1:3 ;;
	*) echo 10.77.0.255 ;;
	esac
}

cases() {
	leak udp-multicast 224.0.0.251 53 packet send -i near
	leak udp-multicast ff02::fb 53 packet send -i near
	leak udp-multicast-connect 224.0.0.251 53 connect4 connect -i near
	leak udp-multicast-connect ff02::fb 53 connect6 connect -i near
	leak udp-broadcast 255.255.255.255 53 packet send
	leak udp-broadcast-connect 255.255.255.255 53 connect4 connect
	leak udp-multicast 224.0.0.251 853 packet send -i near
}
prove cases

# Other ports are nobody's business: mDNS, LLMNR and SSDP as they are.
denied_before=$(denied)
for case in "224.0.0.251 5353" "ff02::fb 5353" "224.0.0.252 5355" "239.255.255.250 1900"; do
	read -r group port <<<"$case"
	before=$(arrived "$group")
	probe udp-multicast "$group" "$port" -i near
	expect "$group port $port, errno" "$ERRNO" 0
	((CHECKS++))
	wait_until arrived_more "$group" "$before" || fail "$group port $port: nothing arrived"
done
expect "denied counter" "$(denied)" "$denied_before"

# Once they are fenced they are refused, too.
sed -i '1a services: [dns, mdns, llmnr]' "$CONFIG"
dnsfence reload 2>/dev/null
before=$(arrived 224.0.0.251)
probe udp-multicast 224.0.0.251 5353 -i near
expect "mDNS, fenced, errno" "$ERRNO" EPERM
probe udp-multicast 224.0.0.252 5355 -i near
expect "LLMNR to a sanctioned group, errno" "$ERRNO" 0
settle
expect "mDNS, fenced, packets" "$(arrived 224.0.0.251)" "$before"
expect_log_whole
finish
