# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh disable=SC2034
#
# Everything that an attacker inside the fence may try, for the tests that say who it is. Each
# attempt is first shown to work for the host's root, on something like the fence that nobody
# needs; then it has to fail with the errno that the test names.

. "$HERE/tampering.sh"

DECOY=$CGROUP2/$ID-decoy
DECOY_PINS=/sys/fs/bpf/$ID-decoy
drop_decoy() {
	rm -rf "$DECOY_PINS"
	[[ -d $DECOY ]] && find "$DECOY" -depth -type d -exec rmdir {} + 2>/dev/null
}
trap 'drop_decoy; cleanup' EXIT

# setup_attempts: a closed fence, and what has to be known or made by root before.
setup_attempts() {
	need bpftool setpriv tc unshare
	setup
	simple_policy
	start_fence
	mkdir "$WORK/bin" "$DECOY" "$DECOY/below" || die "no decoy"
	mkdir -m 700 "$DECOY_PINS" || die "no pin directory for the decoy"
	cp "$TAMPER" "$PROBE" "$WORK/bin"
	TAMPER=$WORK/bin/tamper
	chmod -R go+rX "$WORK/bin"
	chmod 755 "$WORK" "$WORK/run"
	links=$PIN_DIR/links maps=$PIN_DIR/maps
	LINK_ID=$(bpftool -j link show pinned "$links/packet" | jq .id)
	PROGRAM_ID=$(bpftool -j link show pinned "$links/packet" | jq .prog_id)
	MAP_ID=$(bpftool -j map show pinned "$maps/globals" | jq .id)
	PINS_BEFORE=$(pinned_ids)
	attempts=0
}

# works ATTEMPT ARGUMENT...: for the host's root.
works() {
	local AS=()
	tamper "$@"
	expect "root: $*, errno" "$ERRNO" 0
}

# refused ERRNO ATTEMPT ARGUMENT...: for the attacker, who is AS. Before Linux 5.19 bpf() says EPERM
# to whoever has no privileges, before it looks at anything (kernel.unprivileged_bpf_disabled).
refused() {
	local wanted=$1
	shift
	tamper "$@"
	[[ $ERRNO != EPERM ]] || kernel_is_from 5.19 || wanted=EPERM
	((++attempts))
	expect "$WHO: $*, errno" "$ERRNO" "$wanted"
}

decoy_link() {
	rm -f "$DECOY_PINS/link"
	works link-create "$DECOY" connect4 allow "$DECOY_PINS/link"
}

decoy_link_id() { bpftool -j link show pinned "$DECOY_PINS/link" | jq .id; }

# by_pins ERRNO: through the names in the BPF file system.
by_pins() {
	local wanted=$1 directory link map
	decoy_link
	works list "$DECOY_PINS"
	for directory in "$PIN_DIR" "$links" "$maps"; do
		refused "$wanted" list "$directory"
	done
	works get "$DECOY_PINS/link"
	works link-update "$DECOY_PINS/link" connect4 deny
	works link-detach "$DECOY_PINS/link"
	works unlink "$DECOY_PINS/link"
	for link in packet connect4 connect6; do
		refused "$wanted" get "$links/$link"
		refused "$wanted" link-update "$links/$link" $link allow
		refused "$wanted" link-detach "$links/$link"
		refused "$wanted" unlink "$links/$link"
	done
	works map-write "$maps/seal"
	for map in globals resolvers prefixes subjects owners counters log_state folds events seal; do
		refused "$wanted" map-write "$maps/$map"
		refused "$wanted" unlink "$maps/$map"
	done
}

# by_ids ERRNO: without any name.
by_ids() {
	decoy_link
	works link-detach-id "$(decoy_link_id)"
	refused "$1" link-detach-id "$LINK_ID"
	works map-write-id "$(bpftool -j map show pinned "$maps/seal" | jq .id)"
	refused "$1" map-write-id "$MAP_ID"
}

# by_cgroup DIRECTORY DETACH-ERRNO: through the descriptor of a cgroup, which anybody may open.
by_cgroup() {
	local directory=$1 hook
	works query "$DECOY" connect4
	! kernel_is_from 5.18 || works attach "$DECOY" connect4 success # bpf_set_retval()
	works attach "$DECOY" packet deny
	for hook in connect4 connect6 packet; do
		refused EPERM query "$directory" $hook
		refused "$2" detach "$directory" $hook
		refused EPERM detach-program "$directory" $hook "$PROGRAM_ID"
	done
	for hook in connect4 sendmsg4 sock_create; do
		refused EPERM attach "$directory" $hook allow
	done
	refused EPERM attach "$directory" connect4 success
	refused EPERM attach "$directory" packet allow
	refused EPERM link-create "$directory" connect4 allow "$DECOY_PINS/theirs"
}

# by_filters: those of tc at the near namespace's interfaces.
by_filters() {
	local AS_ATTACKER=("${AS[@]}") AS
	near tc qdisc replace dev lo clsact || die "no clsact"
	AS=(nsenter --net="/run/netns/$NEAR")
	tamper filter lo ingress 1 1
	expect "root: filter, errno" "$ERRNO" 0
	tamper filter-detach lo ingress 1 1
	expect "root: filter-detach, errno" "$ERRNO" 0
	AS=("${AS_ATTACKER[@]}")
	refused EPERM filter near egress 1 1
	refused EPERM filter-detach near egress 1 1
	expect "$WHO: filter-detach, the step that failed" "$STEP" detach
}

# by_daemon FILE-ERRNO SIGNAL-ERRNO
by_daemon() {
	works ask "$WORK/run/control" "status text"
	refused "$1" ask "$WORK/run/control" unload
	refused "$1" unlink "$WORK/run/control"
	works create "$WORK/run/new"
	refused "$1" create "$WORK/run/other"
	works unlink "$WORK/run/new"
	works signal "$DAEMON"
	refused "$2" signal "$DAEMON"
}

# nothing_came_of_it: the fence is the same, blocks the attacker, and the daemon found nothing.
nothing_came_of_it() {
	local before
	before=$(arrived $BAD4)
	OUT=$("${AS[@]}" "$WORK/bin/leakprobe" udp-sendto $BAD4 53 2>&1)
	expect_match "$WHO asks a forbidden resolver" "$OUT" 'errno=EPERM'
	OUT=$("${AS[@]}" "$WORK/bin/leakprobe" tcp-connect $BAD4 53 2>&1)
	expect_match "$WHO connects to a forbidden resolver" "$OUT" 'errno=EPERM'
	OUT=$("${AS[@]}" "$WORK/bin/leakprobe" udp-sendto $GOOD4 53 2>&1)
	expect_match "$WHO asks the sanctioned resolver" "$OUT" 'errno=0'
	settle
	expect "$WHO: packets at the forbidden resolver" "$(arrived $BAD4)" "$before"
	AS=()
	expect_blocked "after all attempts"
	expect "pins, links, programs and maps are the same" "$(pinned_ids)" "$PINS_BEFORE"
	expect "tampering that the daemon found" "$(status_of .process.tampered)" 0
	expect "events of tampering" "$(jq -c 'select(.event.action == "tamper")' "$EVENTS")" ""
	expect_log_whole
	expect_more "attempts" "$attempts" 30
}
