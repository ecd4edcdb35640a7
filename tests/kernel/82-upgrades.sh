# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 900
#
# A hundred upgrades to another version and back, under 10,000 forbidden packets a second: to one
# with other programs on the same maps, which are taken over with all their counters, and to one
# with other maps, whose counters begin anew. None of the packets leaves, no sanctioned one is
# refused, and each version's account balances. UPGRADES chooses another number.
. "$(dirname "$0")/lib.sh"
. "$HERE/endurance.sh"
UPGRADES=${UPGRADES:-100}
OTHER_LAYOUT=$ROOT/build/upgrade/layout/dnsfence OTHER_PROGRAM=$ROOT/build/upgrade/program/dnsfence
[[ -x $OTHER_LAYOUT && -x $OTHER_PROGRAM ]] || skip "build/upgrade is missing"
OWN=$DNSFENCE
setup_endurance

complain() { echo "$*" >>"$WORK/complaints"; }

# account NAME: how often a policy was published to these maps, and violations counted in them, of
# which the log may not know more than there are.
account() {
	instance "$1" status -j 2>/dev/null | jq -r '(.counters.denied + .counters.audited) as $all |
		"\(.generation) \(if $all >= .log.logged + .log.lost then $all else -1 end)"'
}

# switch_to NAME BINARY adopts|replaces SIGNAL: the version starts, serves, and ends by the signal.
switch_to() {
	local name=$1 how=$3 signal=$4 words generation_before before generation after
	read -r generation_before before < <(account "$name") # by the version that was there
	DNSFENCE=$2
	launch "$name"
	wait_ready "$name" || complain "$name: $2 did not start: $(tail -n 1 "$WORK/log.$name.now")"
	words=$(<"$WORK/log.$name.now")
	read -r generation after < <(account "$name")
	case $how,$words in
	adopts,*"took over the fence"*)
		((generation == generation_before + 1 && after >= before)) ||
			complain "$name: $before counted, then $after; generation $generation"
		;;
	replaces,*"is another version's"*)
		((generation == 1 && after >= 0)) ||
			complain "$name: new maps begin with $after, generation $generation"
		;;
	*) complain "$name: $2 should say that it $how what was there, says: $words" ;;
	esac
	pause $((RANDOM % 200))
	kill_daemon "$signal"
	[[ $STATUS == 0 || $signal == KILL ]] || complain "$name: $2 ended with $STATUS"
	echo "$how" >>"$WORK/switched"
}

# To and fro, COUNT times each; every way ends by both signals.
switch_versions() {
	local name=$1 count=$2 round signals=(TERM KILL KILL TERM)
	for ((round = 0; round < count; round++)); do
		if ((round % 2)); then
			switch_to "$name" "$OTHER_PROGRAM" adopts "${signals[round / 2 % 4]}"
			switch_to "$name" "$OWN" adopts "${signals[(round / 2 + 1) % 4]}"
		else
			switch_to "$name" "$OTHER_LAYOUT" replaces "${signals[round / 2 % 4]}"
			switch_to "$name" "$OWN" replaces "${signals[(round / 2 + 1) % 4]}"
		fi
	done
}

: >"$WORK/complaints"
keepers=''
for name in $INSTANCES; do
	keeper switch_versions "$name" $((UPGRADES / 2)) 2>/dev/null &
	keepers+=" $!"
done
# shellcheck disable=SC2086
wait $keepers
expect "what went wrong" "$(<"$WORK/complaints")" ""
expect "versions started on the maps of another" "$(grep -c adopts "$WORK/switched")" $((UPGRADES / 4 * 4))
expect "versions started with maps of their own" "$(grep -c replaces "$WORK/switched")" $((UPGRADES / 4 * 4))

launch_last
expect_closed_throughout
for name in $INSTANCES; do
	expect_balance "$name"
	expect_more "$name: denied since the last new maps" "$(instance "$name" status -j | jq .counters.denied)" 0
	expect "$name: pins left of an exchange" "$(find "$PIN_DIR/$name" -name '*-new')" ""
done
kill_last
finish
