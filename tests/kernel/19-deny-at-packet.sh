# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# deny_at: packet: a UDP connect() goes through and the packet layer denies what is sent, so that
# the log has the question of connected sockets too. TCP is denied at connect() all the same.
. "$(dirname "$0")/lib.sh"
setup
simple_policy 'deny_at: packet'

cases() {
	local technique
	for technique in udp-connect udp-sendto udp-cmsg-tos udp-cork; do
		leak $technique $BAD4 53 packet send
		leak $technique $BAD6 53 packet send
	done
	leak v4mapped-udp-connect $BAD4 53 packet send
	leak udp-connect $BAD6 853 packet send
	leak tcp-connect $BAD4 53 connect4 connect
	leak v4mapped-tcp $BAD4 53 connect6 connect
}
prove cases

simple_policy 'deny_at: connect'
dnsfence reload 2>/dev/null
probe udp-connect $BAD4 53
expect "deny_at: connect, errno" "$ERRNO" EPERM
expect "deny_at: connect, step" "$STEP" connect
finish
