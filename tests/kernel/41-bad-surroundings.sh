# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# Surroundings that do not fit: no privilege, an unreadable file, a cgroup or pin directory that
# is not ours, a second daemon. The answer is an exit status and a sentence, never a half fence.
. "$(dirname "$0")/lib.sh"
need setpriv
setup
simple_policy
chmod 755 "$WORK" "$WORK/run"
chmod 644 "$CONFIG"

# refused WHAT STATUS REGEX ARGUMENT...
refused() {
	local what=$1 status=$2 regex=$3
	shift 3
	OUT=$(timeout $((10 * SLOW)) "$@" 2>&1 </dev/null)
	expect "$what, exit status" $? "$status"
	expect_match "$what says why" "$OUT" "$regex"
}

ours=("${INSTANCE[@]}")
nobody=(setpriv --reuid nobody --regid nogroup --clear-groups)
mkdir "$WORK/theirs" && chown nobody "$WORK/theirs"
theirs=(--cgroup "$FENCED" --pin-dir "$PIN_DIR" --runtime-dir "$WORK/theirs")
cp "$DNSFENCE" "$WORK/dnsfence"

refused "run without privilege, where it may not write" 3 'run as root.*--runtime-dir' \
	"${nobody[@]}" "$WORK/dnsfence" -C "$CONFIG" "${ours[@]}" run
refused "run without privilege" 3 'run as root' \
	"${nobody[@]}" "$WORK/dnsfence" -C "$CONFIG" "${theirs[@]}" run
refused "load without privilege" 3 'run as root' \
	"${nobody[@]}" "$WORK/dnsfence" -C "$CONFIG" "${theirs[@]}" load
chmod 600 "$CONFIG"
refused "a file that cannot be read" 1 'dnsfence.yaml.*[Pp]ermission denied' \
	"${nobody[@]}" "$WORK/dnsfence" -C "$CONFIG" check
refused "a file that is not there" 1 "$WORK/nowhere.yaml" "$DNSFENCE" -C "$WORK/nowhere.yaml" check
refused "a directory as a file" 1 'not a regular file' "$DNSFENCE" -C "$WORK" check

refused "a cgroup that is not there" 1 "/$ID-nowhere" \
	"$DNSFENCE" -C "$CONFIG" --cgroup "/$ID-nowhere" --pin-dir "$PIN_DIR" \
	--runtime-dir "$WORK/run" run
refused "a path out of the hierarchy" 2 'takes a plain path' \
	"$DNSFENCE" -C "$CONFIG" --cgroup /../../../../../../tmp --pin-dir "$PIN_DIR" \
	--runtime-dir "$WORK/run" run
for command in run load; do
	refused "a runtime directory that is nowhere, $command" 1 'directory above it.*--runtime-dir' \
		"$DNSFENCE" -C "$CONFIG" "${ours[@]}" --runtime-dir "$WORK/nowhere/run" $command
	refused "a pin directory that is nowhere, $command" 1 'directory above it' \
		"$DNSFENCE" -C "$CONFIG" "${ours[@]}" --pin-dir "$PIN_DIR/a/b" $command
done
refused "a pin directory on another file system" 3 'BPF file system' \
	"$DNSFENCE" -C "$CONFIG" --cgroup "$FENCED" --pin-dir "$WORK/pins" --runtime-dir "$WORK/run" run
refused "a pin directory with a dot" 1 'no name with a dot' \
	"$DNSFENCE" -C "$CONFIG" "${ours[@]}" --pin-dir "$PIN_DIR.d" run
# without COMMAND ARGUMENT...: in a mount namespace where that command has been run.
without() { unshare --mount --propagation private sh -c "$1"' && shift && exec "$@"' sh "$@"; }
export -f without
refused "a BPF file system that is read only" 3 'Read-only.*--pin-dir' \
	bash -c 'without "$@"' bash 'mount -o remount,bind,ro /sys/fs/bpf' "$DNSFENCE" -C "$CONFIG" "${ours[@]}" run
refused "a runtime directory that is read only" 3 'Read-only.*--runtime-dir' \
	bash -c 'without "$@"' bash "mount --bind '$WORK/run' '$WORK/run' && mount -o remount,bind,ro '$WORK/run'" \
	"$DNSFENCE" -C "$CONFIG" "${ours[@]}" load
no_proc=3
[[ ! ${ASAN_OPTIONS:-} ]] || no_proc=1 # the leak detector, too, reads /proc: its own exit status
for command in run learn "explain 10.0.0.1" leaktest; do
	# shellcheck disable=SC2086
	refused "no /proc, $command" $no_proc '/proc/self/mountinfo.*mount /proc first' \
		bash -c 'without "$@"' bash 'mount -t tmpfs none /proc' "$DNSFENCE" -C "$CONFIG" "${ours[@]}" $command
done
refused "subjects of a cgroup that is not there" 1 "^dnsfence: error: there is no cgroup /$ID/nowhere[^"$'\n'"]*$" \
	"$DNSFENCE" -C "$CONFIG" --cgroup "/$ID/nowhere" --pin-dir "$PIN_DIR" subjects
refused "explain in a fence around nothing" 2 "there is no cgroup /$ID/nowhere" \
	"$DNSFENCE" -C "$CONFIG" --cgroup "/$ID/nowhere" explain 10.0.0.1
mkdir -m 700 "$PIN_DIR" && mkdir "$PIN_DIR/somebody"
refused "a pin directory of somebody else" 1 "somebody" "$DNSFENCE" -C "$CONFIG" "${ours[@]}" run
rmdir "$PIN_DIR/somebody" && chmod 755 "$PIN_DIR"
refused "a pin directory that others can enter" 3 "0700" "$DNSFENCE" -C "$CONFIG" "${ours[@]}" run
rm -rf "$PIN_DIR"
refused "an unknown command" 2 'nosuch' "$DNSFENCE" nosuch
refused "an unknown option" 2 'nosuch' "$DNSFENCE" --nosuch status
refused "no command" 2 'usage|Usage' "$DNSFENCE"

start_fence
generation=$(status_of .generation)
kill -STOP "$DAEMON"
refused "top beside a daemon that is stopped" 4 'does not answer: it is stopped or stuck' \
	"$DNSFENCE" "${ours[@]}" top --batch -n 1
for given_up in reload unload; do
	timeout $((2 * SLOW)) "$DNSFENCE" "${ours[@]}" $given_up 2>/dev/null
	expect "$given_up beside it is given up, exit status" $? 124
done
kill -CONT "$DAEMON"
expect "and not carried out later: generation" "$(status_of .generation)" "$generation"
denied_before=$(denied)
refused "a second daemon" 1 'another dnsfence works in .*reload' "$DNSFENCE" -C "$CONFIG" "${ours[@]}" run
refused "load beside a daemon" 1 'another dnsfence works in .*reload' "$DNSFENCE" -C "$CONFIG" "${ours[@]}" load
refused "a second daemon on the same pins" 1 'another dnsfence holds the pin directory' \
	"$DNSFENCE" -C "$CONFIG" "${ours[@]}" --runtime-dir "$WORK/second" run
kill -0 "$DAEMON"
expect "the first daemon is alive" $? 0
probe udp-sendto $BAD4 53
expect "and its fence closed, errno" "$ERRNO" EPERM
expect "and its counters whole" "$(denied)" $((denied_before + 1))
expect_event "and its log" "$PID" '.dnsfence.verdict == "deny"'

# A fence that is pinned around another cgroup, or that somebody has taken pins from.
stop_fence TERM
mkdir "$CGROUP/aside"
generation=$(status_of .generation)
sed "s/$GOOD4/$OTHER4/" "$CONFIG" >"$WORK/other.yaml"
refused "load around another cgroup" 1 'around another cgroup.*unload' "$DNSFENCE" \
	-C "$WORK/other.yaml" "${ours[@]}" --cgroup "/$ID/aside" load
expect "it changes nothing: generation" "$(status_of .generation)" "$generation"
probe udp-sendto $OTHER4 53
expect "it changes nothing: errno" "$ERRNO" EPERM
rm "$PIN_DIR/maps/counters"
refused "status with a map gone" 1 'not whole, and the fence is closed' "$DNSFENCE" "${ours[@]}" status
rm "$PIN_DIR"/maps/*
refused "status with all maps gone" 1 'not whole, and the fence is closed' "$DNSFENCE" "${ours[@]}" status
refused "load mends it" 0 'the fence is closed' "$DNSFENCE" -C "$CONFIG" "${ours[@]}" load
rm "$PIN_DIR/links/packet"
expect "the packet layer's link gone: status" "$(status_of .fence)" open
start_fence
expect "run mends it: status" "$(status_of .fence)" closed

# Others can neither ask the daemon nor touch what is pinned.
refused "status by nobody" 3 '.' "${nobody[@]}" "$WORK/dnsfence" "${ours[@]}" status
refused "unload by nobody with a runtime directory" 3 'run as root' \
	"${nobody[@]}" "$WORK/dnsfence" "${theirs[@]}" unload
refused "unload by nobody" 3 '.' "${nobody[@]}" "$WORK/dnsfence" "${ours[@]}" unload
probe udp-sendto $BAD4 53
expect "the fence is still closed, errno" "$ERRNO" EPERM
expect_log_whole
finish
