# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh disable=SC2034
# limit: 120
#
# Policies for units of the system and of users' own managers, in cgroups as systemd makes them. A
# unit is one by its place below the root cgroup, so the root cgroup has to be the test's own, as
# it is in tests/vm/run's guests. What can be shown elsewhere is that another place makes none.
. "$(dirname "$0")/lib.sh"
setup
MADE='' # cgroups of this test outside of its own, the deepest last
cleanup_more() {
	local cgroup
	for cgroup in $MADE; do
		echo "$cgroup"
	done | tac | while read -r cgroup; do
		rmdir "$CGROUP2/$cgroup" 2>/dev/null
	done
}

# make CGROUP: below the mount, with what is above it.
make() {
	local part path=''
	for part in ${1//\// }; do
		path+=${path:+/}$part
		[[ -d $CGROUP2/$path ]] && continue
		mkdir "$CGROUP2/$path" || die "no cgroup /$path"
		MADE+=" $path"
	done
}

web=$ID-web.service job=$ID-job-1.scope app=$ID-app.service slice=$ID.slice
uid=4711 manager=user.slice/user-4711.slice/user@4711.service
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers:
	  good: [$GOOD4]
	  other: [$OTHER4]
	policies:
	  - {name: web, match: {unit: $web}, resolvers: [other]}
	  - {name: job, match: {unit: "$ID-job-*.scope"}, resolvers: [other]}
	  - {name: slice, match: {unit: $slice}, resolvers: [other]}
	  - {name: users, match: {user_unit: $app, user: $uid}, resolvers: [other]}
	  - {name: anyones, match: {user_unit: "$ID-any.*"}, resolvers: [other]}
	  - {name: default, resolvers: [good]}
	events: {stdout: true}
YAML

# judged CGROUP POLICY ALLOWED DENIED [COMMAND...]: of what asks there, run by the command.
judged() {
	local cgroup=$1 policy=$2 allowed=$3 denied=$4 before pid
	shift 4
	before=$(arrived "$denied")
	OUT=$(in_cgroup "$cgroup" "$@" "$PROBE" udp-sendto "$denied" 53)
	pid=$(<"$WORK/pid")
	expect_match "/$cgroup to $denied" "$OUT" 'errno=EPERM'
	expect_event "/$cgroup to $denied" "$pid" \
		".rule.name == \"$policy\" and .dnsfence.cgroup.path == \"/$cgroup\""
	settle
	expect "/$cgroup to $denied, packets" "$(arrived "$denied")" "$before"
	before=$(arrived "$allowed")
	OUT=$(in_cgroup "$cgroup" "$@" "$PROBE" udp-sendto "$allowed" 53)
	expect_match "/$cgroup to $allowed" "$OUT" 'errno=0'
	((CHECKS++))
	wait_until arrived_more "$allowed" "$before" || fail "/$cgroup to $allowed: nothing arrived"
}

own() { judged "$1" "$2" $OTHER4 $GOOD4 "${@:3}"; }
none() { judged "$1" default $GOOD4 $OTHER4 "${@:2}"; }

# Without the fence both arrive.
for address in $GOOD4 $OTHER4; do
	before=$(arrived $address)
	probe udp-sendto $address 53
	((CHECKS++))
	wait_until arrived_more $address "$before" || fail "without the fence nothing arrived at $address"
done

# Another place makes no unit of it, whatever its name.
make "$ID/system.slice/$web"
make "$ID/$slice/below"
make "$ID/$manager/$app"
start_fence
none "$ID/system.slice/$web"
none "$ID/$slice/below"
none "$ID/$manager/$app" setpriv --reuid=$uid --regid=$uid --clear-groups
[[ $FENCED == / ]] || {
	expect_log_whole
	skip "a unit is one by its place below the root cgroup; tests/vm/run has a root cgroup for it"
}

# soon CGROUP ...: made while the daemon runs; its own policy a moment later.
soon() {
	make "$1"
	sleep 1
	"$2" "$1" "${@:3}"
}

soon "system.slice/$web" own web
soon "system.slice/$web/sub/group" own web # what it makes below is the unit's, too
soon "system.slice/$job" own job
soon "$slice" own slice
soon "$slice/$ID-x.slice" own slice
soon "system.slice/$ID-y.service/$web" none # a service, a container or a user has no say
soon "$manager/app.slice/$app" own users setpriv --reuid=$uid --regid=$uid --clear-groups
none "$manager/app.slice/$app" # somebody else in there
soon "$manager/app.slice/$ID-any.service" own anyones
soon "system.slice/$ID-any.service" none # a unit of the system is no user's
soon "user.slice/user-4711.slice/user@4712.service/$ID-any.service" none
expect_more "entries" "$(status_of .subjects.entries)" 4

# All the same for what is there when the daemon starts, and gone with the units.
stop_fence
start_fence
own "system.slice/$web" web
own "$slice/$ID-x.slice" slice
own "$manager/app.slice/$app" users setpriv --reuid=$uid --regid=$uid --clear-groups
cleanup_more
MADE=''
gone() { [[ $(status_of .subjects.entries) == 0 ]]; }
((CHECKS++))
wait_until gone || fail "$(status_of .subjects.entries) entries are left of units that have gone"
expect_log_whole
finish
