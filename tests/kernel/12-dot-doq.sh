# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# DNS over TLS (TCP 853) and DNS over QUIC (UDP 853), beside a service that the policy does not
# fence: mDNS stays open until the policy names it.
. "$(dirname "$0")/lib.sh"
setup
simple_policy

cases() {
	leak tcp-connect $BAD4 853 connect4 connect
	leak tcp-connect $BAD6 853 connect6 connect
	leak tcp-tfo $BAD4 853 connect4 send
	leak v4mapped-tcp $BAD4 853 connect6 connect
	leak udp-connect $BAD4 853 connect4 connect
	leak udp-connect $BAD6 853 connect6 connect
	leak udp-sendto $BAD4 853 packet send
	leak udp-sendto $BAD6 853 packet send
	leak udp-gso $BAD4 853 packet send
	leak v4mapped-udp-sendto $BAD4 853 packet send
}
prove cases

if command -v kdig >/dev/null && [[ -s $WORK/cert.pem ]]; then
	expect_answer "kdig +tls, sanctioned, IPv4" $GOOD_ANSWER \
		fenced kdig +tls +short +retry=0 @$GOOD4 x.test
	expect_answer "kdig +tls, sanctioned, IPv6" $GOOD_ANSWER \
		fenced kdig +tls +short +retry=0 @$GOOD6 x.test
	before=$(arrived $BAD4)
	fenced kdig +tls +short +retry=0 +timeout=2 @$BAD4 x.test >/dev/null 2>&1
	expect_event "kdig +tls, not sanctioned" "$(<"$WORK/pid")" \
		'.dnsfence.hook == "connect4" and .destination.port == 853 and .process.name == "kdig"'
	settle
	expect "kdig +tls, not sanctioned, packets" "$(arrived $BAD4)" "$before"
fi

probe udp-sendto $BAD4 5353
expect "mDNS is not fenced, errno" "$ERRNO" 0
simple_policy 'services: [dns, dot, doq, mdns, llmnr]'
dnsfence reload
expect "reload with mDNS, exit status" $? 0
probe udp-sendto $BAD4 5353
expect "mDNS is fenced, errno" "$ERRNO" EPERM
probe tcp-connect $BAD4 5355
expect "LLMNR over TCP is fenced, errno" "$ERRNO" EPERM
probe udp-sendto $GOOD4 5353
expect "mDNS to an address listed for every service, errno" "$ERRNO" 0
finish
