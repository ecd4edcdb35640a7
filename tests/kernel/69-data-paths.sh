# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 180
#
# Ways for bytes into a packet other than one send(): write, sendfile and splice, zero-copy,
# corks, and several datagrams in one packet, which the packet layer sees once, by the first.
. "$(dirname "$0")/lib.sh"
setup
simple_policy

cases() {
	local technique
	for technique in udp-write udp-writev udp-sendfile udp-splice tcp-zerocopy tcp-sendfile \
		tcp-splice tcp-big; do
		leak $technique $BAD4 53 connect4 connect
		leak $technique $BAD6 53 connect6 connect
	done
	for technique in udp-zerocopy udp-gso-cmsg udp-gso-answer; do
		leak $technique $BAD4 53 packet send
		leak $technique $BAD6 53 packet send
	done
	leak udp-gso-answer $BAD4 53 packet send -s 53
}

prove cases

# What a packet layer denies on a socket that was let through at connect().
simple_policy 'deny_at: packet'
dnsfence reload 2>/dev/null
for technique in udp-write udp-writev; do
	leak $technique $BAD4 53 packet send
done

# Pulling the cork sends, and the kernel tells the caller nothing; sendfile() and splice() learn
# of it on UDP. Nothing has left, and the log has the question.
silent() {
	local address=$2 before denied_before failures=$FAILURES
	before=$(arrived "$address") denied_before=$(denied)
	probe "$@"
	expect "$*, errno" "$ERRNO" "$ERRNO_WANTED"
	settle
	expect "$*, packets" "$(arrived "$address")" "$before"
	expect "$*, denied counter" "$(denied)" $((denied_before + 1))
	expect_event "$*" "$PID" '.dnsfence.hook == "packet" and .process.name == "leakprobe"
		and .dns.question.name == "leak.dnsfence.test"'
	((FAILURES > failures)) || covered "$1" 53 packet
	passes "$*" "$(twin "$address")" "$1" "$(twin "$address")" 53
}
for address in $BAD4 $BAD6; do
	ERRNO_WANTED=0 silent udp-cork-option $address 53
	ERRNO_WANTED=EPERM silent udp-sendfile $address 53
	ERRNO_WANTED=EPERM silent udp-splice $address 53
done
expect_log_whole
finish
