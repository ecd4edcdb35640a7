# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# Two fences side by side, each around a cgroup of its own whose senders never rest. For the tests
# that kill daemons or exchange them by the hundred; sourced after lib.sh. Starting takes a fifth
# of a second of one processor and waits for the kernel as long, hence two at a time.

INSTANCES="one two"
FLOOD=10000 # forbidden packets a second, by instance
SENDERS=''
exec {NEVER}<> <(:) # nothing comes from there

# pause MILLISECONDS: without a process.
pause() {
	local seconds
	printf -v seconds '%d.%03d' $(($1 / 1000)) $(($1 % 1000))
	read -rt "$seconds" -u "$NEVER"
}

# instance NAME ARGUMENT...: dnsfence for one of the fences.
instance() {
	local name=$1
	shift
	"$DNSFENCE" -C "$CONFIG" --cgroup "/$ID/$name" --pin-dir "$PIN_DIR/$name" \
		--runtime-dir "$WORK/run.$name" "$@"
}

# launch NAME [COMMAND...]: a daemon, which COMMAND may start; sets RUNNING.
launch() {
	local name=$1
	shift
	cat "$WORK/log.$name.now" >>"$WORK/log.$name" 2>/dev/null
	: >"$WORK/log.$name.now"
	"$@" "$DNSFENCE" -C "$CONFIG" --cgroup "/$ID/$name" --pin-dir "$PIN_DIR/$name" \
		--runtime-dir "$WORK/run.$name" run \
		>>"$WORK/events.$name" 2>"$WORK/log.$name.now" </dev/null &
	RUNNING=$!
}

# wait_ready NAME
wait_ready() {
	local try
	for ((try = 0; try < 500 * ${DNSFENCE_TEST_SLOW:-1}; try++)); do
		[[ $(<"$WORK/log.$1.now") == *"dnsfence: ready"* ]] && return 0
		pause 20
	done
	return 1
}

# kill_daemon SIGNAL: sets STATUS.
# shellcheck disable=SC2034
kill_daemon() {
	kill "-$1" "$RUNNING" 2>/dev/null
	wait "$RUNNING" 2>/dev/null
	STATUS=$?
}

# In a cgroup that nobody fences, from which cleanup() kills whatever is left.
keeper() {
	echo "$BASHPID" >"$CGROUP/keepers/cgroup.procs" || exit 1
	"$@"
}

# sender NAME LABEL TECHNIQUE ADDRESS RATE [OPTION...]: a batch a second, until $WORK/done is there.
sender() {
	local name=$1 label=$2 technique=$3 address=$4 rate=$5
	shift 5
	echo "$BASHPID" >"$CGROUP/$name/cgroup.procs" || exit 1
	until [[ -e $WORK/done ]]; do
		nsenter --net="/run/netns/$NEAR" "$PROBE" "$technique" "$address" 53 \
			-r "$rate" -R "$rate" "$@"
	done >"$WORK/sent.$label.$name" 2>&1
}

start_senders() {
	local name
	for name in $INSTANCES; do
		sender "$name" flood udp-sendto $BAD4 $FLOOD &
		SENDERS+=" $!"
		sender "$name" names udp-sendto $BAD6 500 -u &
		SENDERS+=" $!"
		sender "$name" tcp tcp-connect $BAD4 50 &
		SENDERS+=" $!"
		sender "$name" sanctioned udp-sendto $GOOD4 500 &
		SENDERS+=" $!"
	done
}

stop_senders() {
	: >"$WORK/done"
	# shellcheck disable=SC2086
	wait $SENDERS
}

# sum FIELD LABEL: over all batches of a kind of sender.
sum() {
	cat "$WORK/sent.$2".* | grep -o " $1=[0-9]*" | awk -F= '{ n += $2 } END { printf "%.0f", n }'
}

# expect_batches LABEL PATTERN
expect_batches() {
	expect_more "batches of $1" "$(cat "$WORK/sent.$1".* | wc -l)" 2
	expect "batches of $1 that went otherwise" "$(cat "$WORK/sent.$1".* | grep -v "$2")" ""
}

# Without a fence the same flood arrives; then both fences are closed, and daemons killed.
setup_endurance() {
	local name
	setup
	simple_policy
	mkdir "$CGROUP/keepers" "$PIN_DIR" && chmod 700 "$PIN_DIR" || die "no pin directory"
	for name in $INSTANCES; do
		mkdir "$CGROUP/$name" || die "no cgroup"
	done
	probe_in "$ID/one" udp-sendto $BAD4 53 -r $FLOOD -R $FLOOD
	expect_match "a flood without the fence" "$OUT" "errno=0 .*failed=0$"
	settle
	expect_more "packets of it that arrived" "$(arrived $BAD4)" $((FLOOD * 9 / 10))
	for name in $INSTANCES; do
		launch "$name"
		wait_ready "$name" || die "the first daemon of $name: $(tail -n 1 "$WORK/log.$name.now")"
		kill_daemon KILL
	done
	BEFORE4=$(arrived $BAD4) BEFORE6=$(arrived $BAD6) BEFORE=$(arrived $GOOD4)
	start_senders
}

# The daemons that take over at the end, and go in peace.
launch_last() {
	local name
	LAST=''
	for name in $INSTANCES; do
		launch "$name"
		LAST+=" $RUNNING"
		wait_ready "$name" || die "the last daemon of $name: $(tail -n 1 "$WORK/log.$name.now")"
	done
}

kill_last() {
	# shellcheck disable=SC2086
	kill $LAST
}

# Nothing forbidden has left, everything sanctioned has.
expect_closed_throughout() {
	local rate
	stop_senders
	expect_batches flood "errno=EPERM step=send .*count=$FLOOD failed=$FLOOD$"
	expect_batches names 'errno=EPERM step=send .*count=500 failed=500$'
	expect_batches tcp 'errno=EPERM step=connect .*count=50 failed=50$'
	expect_batches sanctioned 'errno=0 .*failed=0$'
	rate=$(($(sum count flood) * 1000000 / $(sum elapsed_us flood)))
	echo "$(sum count flood) forbidden packets at $rate a second in each cgroup" >&2
	expect_more "forbidden packets a second" $rate $((FLOOD / 10)) # of a machine with much else to do
	settle
	expect "forbidden packets that arrived, IPv4" "$(arrived $BAD4)" "$BEFORE4"
	expect "forbidden packets that arrived, IPv6" "$(arrived $BAD6)" "$BEFORE6"
	expect "sanctioned packets that arrived" $(($(arrived $GOOD4) - BEFORE)) "$(sum count sanctioned)"
}

# What was counted is in the log or stated as lost, to the last one.
instance_balances() {
	instance "$1" status -j 2>/dev/null | jq -e '.log.pending == 0 and .log.rejected == 0
		and .counters.denied + .counters.audited == .log.logged + .log.lost' >/dev/null
}

expect_balance() {
	((CHECKS++))
	wait_until instance_balances "$1" || wait_until instance_balances "$1" ||
		fail "$1: denied + audited is not logged + lost: $(instance "$1" status -j |
			jq -c '[.counters.denied, .counters.audited, .log]')"
}
