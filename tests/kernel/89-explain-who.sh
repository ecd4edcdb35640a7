# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# Who asks, by the name of a unit, a user's unit, a container or a pod: explain finds the cgroup that
# it lives in, says so when there is none or more than one, and is not taken in by what a container
# or a service calls a cgroup of its own.
. "$(dirname "$0")/lib.sh"
((EUID == 0)) || skip "needs root"
[[ $CGROUP2 ]] || skip "no cgroup2 is mounted"
SLICE=$ID.slice USERS=user.slice/user-61234.slice/user@61234.service
MADE_USERS=$([[ -d $CGROUP2/user.slice ]] || echo yes)
hex() { printf "$1%.0s" {1..32}; }
WEB=$(hex a1) DB=$(hex b2) POD=11111111-2222-3333-4444-555555555555
CGROUPS=("$SLICE/$ID-web.service" "$SLICE/$ID-web.service/$ID-other.service" "$SLICE/$ID-sub.slice"
	"$USERS/app.slice/$ID-shell.service" "$SLICE/docker-$WEB.scope"
	"$SLICE/docker-$WEB.scope/docker-$DB.scope" "$SLICE/docker-$DB.scope"
	"kubepods.slice/kubepods-pod${POD//-/_}.slice")

cleanup_more() {
	local cgroup
	for ((i = ${#CGROUPS[@]} - 1; i >= 0; i--)); do
		cgroup=${CGROUPS[i]}
		while [[ $cgroup == */* || $cgroup == "$SLICE" ]]; do
			rmdir "$CGROUP2/$cgroup" 2>/dev/null || break
			[[ $cgroup == */* ]] || break
			cgroup=${cgroup%/*}
		done
	done
	[[ $MADE_USERS ]] && rmdir "$CGROUP2/user.slice" 2>/dev/null
	rmdir "$CGROUP2/$SLICE" 2>/dev/null
	[[ $MADE_PODS ]] && rmdir "$CGROUP2/kubepods.slice" 2>/dev/null
}
MADE_PODS=$([[ -d $CGROUP2/kubepods.slice ]] || echo yes)
for cgroup in "${CGROUPS[@]}"; do
	mkdir -p "$CGROUP2/$cgroup" || die "no cgroup $cgroup"
done
mkdir -p "$WORK/docker/containers/$WEB" "$WORK/docker/containers/$DB" "$WORK/pods/prod_api-0_$POD"
printf '{"ID":"%s","Name":"/%s","Config":{"Image":"web:1","Labels":{}}}' "$WEB" "$ID-front" \
	>"$WORK/docker/containers/$WEB/config.v2.json"
printf '{"ID":"%s","Name":"/%s","Config":{"Image":"db:1","Labels":{}}}' "$DB" "$ID-db" \
	>"$WORK/docker/containers/$DB/config.v2.json"
policy <<-YAML
	apiVersion: dnsfence/v1
	policies:
	  - {name: web, match: {cgroup: /$SLICE/$ID-web.service}, resolvers: any}
	  - {name: default, resolvers: []}
	runtimes: {docker: $WORK/docker, pods: $WORK/pods}
YAML

asked() { "$DNSFENCE" -C "$CONFIG" explain 8.8.8.8 -j "$@" 2>"$WORK/why"; }

# lives CGROUP ARGUMENT...
lives() {
	local cgroup=$1
	shift
	expect "$*" "$(asked "$@" | jq -r .asker.cgroup)" "/$cgroup"
}

# nobody REGEX ARGUMENT...: why nobody is found.
nobody() {
	local why=$1
	shift
	asked "$@" >/dev/null
	expect "$*, exit status" $? 2
	expect_match "$*" "$(<"$WORK/why")" "$why"
}

lives "$SLICE/$ID-web.service" --unit "$ID-web.service"
lives "$SLICE/$ID-web.service" --unit "$ID-web"
lives "$SLICE/$ID-sub.slice" --unit "$ID-sub.slice"
nobody "no unit '$ID-other.service'" --unit "$ID-other.service" # a service's own invention
nobody "no unit '$ID-we'" --unit "$ID-we"
nobody "no unit '$ID-shell.service'" --unit "$ID-shell.service"
lives "$USERS/app.slice/$ID-shell.service" --user-unit "$ID-shell"
expect "a user's unit is that user" "$(asked --user-unit "$ID-shell" | jq .asker.user.id)" 61234
nobody "no user unit" --user-unit "$ID-shell" --user 0
lives "$SLICE/docker-$WEB.scope" --container "$ID-front"
lives "$SLICE/docker-$WEB.scope" --container "${WEB:0:12}"
# What a container makes below itself, by another's id, is neither that one nor in doubt with it.
lives "$SLICE/docker-$DB.scope" --container "$DB"
lives "$SLICE/docker-$DB.scope" --container "$ID-db"
nobody "no container '$ID-back'" --container "$ID-back"
lives "kubepods.slice/kubepods-pod${POD//-/_}.slice" --pod prod/api-0
lives "kubepods.slice/kubepods-pod${POD//-/_}.slice" --pod $POD
nobody "no pod 'test/api-0'" --pod test/api-0
nobody "who asks is in one cgroup: give --pid or --unit, not both" --unit "$ID-web" --pid $$
expect "the verdict is that unit's policy's" "$(asked --unit "$ID-web" | jq -r '[.verdict, .policy] | @csv')" \
	'"allow","web"'
expect "for lines of standard input" \
	"$(printf '8.8.8.8 unit=%s\n8.8.8.8 container=%s\n' "$ID-web" "$ID-front" |
		"$DNSFENCE" -C "$CONFIG" explain - | cut -f 1,4 | xargs)" "allow web deny default"

# Two of one name.
mkdir "$CGROUP2/$SLICE/$ID-sub.slice/$ID-web.service"
CGROUPS+=("$SLICE/$ID-sub.slice/$ID-web.service")
nobody "more than one unit is '$ID-web'" --unit "$ID-web"
expect_more "units for the shells" "$("$DNSFENCE" completion units | grep -cxF "$ID-web.service")" 0
expect "what no unit is is not offered" "$("$DNSFENCE" completion units | grep -cxF "$ID-other.service")" 0
finish
