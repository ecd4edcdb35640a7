# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 900
#
# A thousand daemons killed at any moment of their lives, two fences of five hundred each, under
# 10,000 forbidden packets a second: none leaves, no sanctioned one is refused, and in the end the
# log and the stated losses make up what was counted. RESTARTS chooses another number.
. "$(dirname "$0")/lib.sh"
. "$HERE/endurance.sh"
RESTARTS=${RESTARTS:-1000}
setup_endurance

# live_and_die NAME COUNT: one in four gets ready, the others die somewhere on the way there.
live_and_die() {
	local name=$1 count=$2 round
	for ((round = 0; round < count; round++)); do
		launch "$name"
		((round % 4)) || wait_ready "$name"
		pause $((RANDOM % 250))
		kill_daemon KILL
		echo "$STATUS" >>"$WORK/died.$name"
	done
}

keepers=''
for name in $INSTANCES; do
	keeper live_and_die "$name" $((RESTARTS / 2)) 2>/dev/null &
	keepers+=" $!"
done
# shellcheck disable=SC2086
wait $keepers
died=$(cat "$WORK"/died.* | grep -c '^137$')
ready=$(cat "$WORK"/log.* | grep -c '^dnsfence: ready')
echo "$died killed, $ready of them ready" >&2
expect "daemons killed" "$died" $((RESTARTS / 2 * 2))
expect_more "of them when they were ready" "$ready" $((RESTARTS / 5))
expect_more "of them before that" $((died - ready)) $((RESTARTS / 5))
expect "what they complained of" "$(cat "$WORK"/log.* | grep -v '^dnsfence: ready')" ""

launch_last
expect_closed_throughout
for name in $INSTANCES; do
	expect_balance "$name"
	# A daemon killed between writing lines and accounting for them counts them as lost as well.
	read -r denied logged < <(instance "$name" status -j | jq -r '"\(.counters.denied) \(.log.logged)"')
	lines=$(awk '{ lost = /"action":"events-lost"/
		while (match($0, /"count":[0-9]+/)) {
			if (!lost) all += substr($0, RSTART + 8, RLENGTH - 8)
			$0 = substr($0, RSTART + RLENGTH)
		} } END { printf "%.0f", all }' "$WORK/events.$name")
	echo "$name: denied $denied, logged $logged, lines speak of $lines" >&2
	expect_more "$name: the log has what it says it has" $((lines + 1)) "$logged"
	# One that is killed between a line and telling the ring of it leaves that record to the next.
	expect_more "$name: the log has hardly anything twice" $((denied + denied / 1000 + 1)) "$lines"
done
kill_last
finish
