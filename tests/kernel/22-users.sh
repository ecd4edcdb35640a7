# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# Policies by user, by name and by number, alone and together with a cgroup.
. "$(dirname "$0")/lib.sh"
need setpriv
setup
mkdir -p "$CGROUP/both"
uid=61234
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers:
	  good: [$GOOD4, "$GOOD6"]
	  other: [$OTHER4, "$OTHER6"]
	policies:
	  - {name: both, match: {cgroup: /$ID/both, user: "$uid"}, resolvers: any}
	  - {name: nobody, match: {user: nobody}, resolvers: [other]}
	  - {name: number, match: {user: $uid}, resolvers: []}
	  - {name: default, resolvers: [good]}
	events: {stdout: true}
YAML
cp "$PROBE" "$WORK/leakprobe"
chmod 755 "$WORK" "$WORK/leakprobe"

# as_user CGROUP UID TECHNIQUE ADDR ERRNO [RULE]
as_user() {
	OUT=$(in_cgroup "$ID/$1" setpriv --reuid "$2" --regid "$2" --clear-groups --no-new-privs \
		"$WORK/leakprobe" "$3" "$4" 53 2>&1)
	PID=$(<"$WORK/pid")
	ERRNO=${OUT##*errno=} ERRNO=${ERRNO%% *}
	expect "$3 in /$1 as $2 to $4, errno" "$ERRNO" "$5"
	[[ $5 == EPERM ]] && expect_event "$3 in /$1 as $2 to $4" "$PID" \
		".rule.name == \"$6\" and .user.id == \"$2\" and .process.name == \"leakprobe\""
}

nobody=$(id -u nobody)
before=$(arrived $BAD4)
as_user apps "$nobody" udp-sendto $BAD4 0
((CHECKS++))
wait_until arrived_more $BAD4 "$before" || fail "without the fence nothing arrived"

start_fence
before=$(arrived $BAD4)
for technique in udp-connect udp-sendto tcp-connect v4mapped-udp-connect; do
	as_user apps 0 $technique $GOOD4 0
	as_user apps 0 $technique $OTHER4 EPERM default
	as_user apps "$nobody" $technique $OTHER4 0
	as_user apps "$nobody" $technique $GOOD4 EPERM nobody
	as_user apps "$nobody" $technique $BAD4 EPERM nobody
	as_user apps $uid $technique $GOOD4 EPERM number
	as_user both "$nobody" $technique $GOOD4 EPERM nobody
done
settle
expect "packets of all the denied" "$(arrived $BAD4)" "$before"
as_user both $uid udp-sendto $BAD4 0
as_user both $uid tcp-connect $BAD6 0

# A uid that a user namespace's owner chose is not believed.
if unshare --user true 2>/dev/null; then
	OUT=$(in_cgroup "$APPS" setpriv --reuid $uid --regid $uid --clear-groups \
		unshare --user --map-root-user "$WORK/leakprobe" udp-sendto $GOOD4 53 2>&1)
	expect_match "root of a user namespace is still its owner" "$OUT" errno=EPERM
fi
expect_log_whole
finish
