# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# Thousands of lookups that explain is asked about, by the configuration and by what is in force
# with the loaded program's own word: both say the same, also as each cgroup's own process, whose
# policy the program finds itself, and while the policy is reloaded again and again. Some hundred of
# them are sent, too. TEST_SEED and TEST_QUERIES choose others.
# limit: 240
. "$(dirname "$0")/lib.sh"
setup
SEED=${TEST_SEED:-20260101} QUERIES=${TEST_QUERIES:-5000}
CGROUPS=(a a/b a/b/c d d/e apps)
for cgroup in "${CGROUPS[@]}"; do
	mkdir -p "$CGROUP/$cgroup"
done

# settings DEFAULT-SET
settings() {
	policy <<-YAML
		apiVersion: dnsfence/v1
		services: [dns, dot, doq, llmnr]
		resolvers:
		  good: [$GOOD4, "$GOOD6", 10.0.0.0/24, {address: 10.0.0.7, service: dot}]
		  other:
		    - $OTHER4
		    - {address: "$OTHER6", service: [dns, doq]}
		    - {address: $GOOD4, port: 5300, protocol: udp}
		    - {address: 10.0.1.0/24, port: 5300}
		    - "2001:db8::/32"
		    - {address: 192.0.2.9, service: dns, port: 853}
		  wide: [10.0.0.0/8, {address: "fd77::/112", service: dot}, $BAD4]
		policies:
		  - {name: deep, match: {cgroup: /$ID/a/b/c}, resolvers: [other]}
		  - {name: pair, match: {cgroup: /$ID/a, user: "1000"}, resolvers: [wide, good]}
		  - {name: wide, match: {cgroup: /$ID/a}, mode: audit, resolvers: [wide]}
		  - {name: user, match: {user: "1001"}, resolvers: any}
		  - {name: none, match: {cgroup: /$ID/d/*}, on_deny: refused, resolvers: []}
		  - {name: default, resolvers: [$1]}
		events: {stdout: false}
	YAML
}
settings "good, other"
start_fence

# queries SEED COUNT [asker]: random lookups, one a line; of random askers.
queries() {
	awk -v seed="$1" -v count="$2" -v asker="${3:-}" -v id="$ID" -v cgroups="${CGROUPS[*]}" '
		function one(list, parts) { return parts[1 + int(rand() * split(list, parts, " "))] }
		BEGIN {
			srand(seed)
			for (i = 0; i < count; i++) {
				address = one("10.77.0.2 10.77.0.3 10.77.0.4 10.0.0.7 10.0.0.200 10.0.1.1 10.9.9.9 192.0.2.9 192.0.2.10 8.8.8.8 fd77::2 fd77::3 fd77::4 fd77::5 2001:db8::1 2001:db9::1 ::1 127.0.0.1 0.0.0.0 ::")
				if (rand() < 0.1)
					address = int(rand() * 223) + 1 "." int(rand() * 256) "." int(rand() * 256) "." int(rand() * 256)
				printf "[%s]:%s/%s", address, one("53 53 53 853 853 5300 5300 5355 5353 443 " int(1 + rand() * 65535)),
					one("udp udp udp tcp tcp udplite sctp dccp")
				if (asker) {
					printf " cgroup=/%s/%s", id, one(cgroups)
					if (rand() < 0.7)
						printf " user=%s", one("0 1000 1001 1002")
				}
				printf "\n"
			}
		}'
}

# asked FILE OUTPUT ARGUMENT...: as JSON, everything but what only the one in force can tell.
asked() {
	local from=$1 to=$2
	shift 2
	dnsfence explain - -j "$@" <"$from" >"$WORK/answer.json" 2>"$WORK/answer.err"
	STATUS=$?
	jq -c 'del(.live)' "$WORK/answer.json" >"$to"
	LIVE=$WORK/answer.json
}

# same WHAT FILE FILE
same() {
	expect "$1, lines" "$(wc -l <"$2")" "$(wc -l <"$3")"
	((CHECKS++))
	diff "$2" "$3" >"$WORK/difference" || fail "$1 differ: $(head -c 1500 "$WORK/difference")"
}

echo "TEST_SEED=$SEED TEST_QUERIES=$QUERIES" >&2
queries "$SEED" "$QUERIES" asker >"$WORK/queries"
asked "$WORK/queries" "$WORK/offline.json"
expect "by the configuration, exit status" "$STATUS" 1
asked "$WORK/queries" "$WORK/live.json" --live
expect "by what is in force, exit status" "$STATUS" 1
expect "what it has to say" "$(<"$WORK/answer.err")" ''
expect "answers" "$(wc -l <"$WORK/live.json")" "$QUERIES"
same "both readings" "$WORK/offline.json" "$WORK/live.json"
expect "answers that the program has not given itself" \
	"$(jq -c 'select(.live.program != .verdict or .live.program_reason != .reason)' "$LIVE" | wc -l)" 0
for reason in sanctioned resolver-not-sanctioned exempt transport none; do
	expect_more "answers: $reason" \
		"$(grep -c "\"reason\":\"$reason\"" "$WORK/live.json")" $((QUERIES / 200))
done
for policy in deep pair wide user none default; do
	expect_more "answers by $policy" "$(grep -c "\"policy\":\"$policy\"" "$WORK/live.json")" \
		$((QUERIES / 100))
done

# As each cgroup's own process.
for cgroup in "${CGROUPS[@]}"; do
	queries $((SEED + ${#cgroup})) $((QUERIES / 10)) >"$WORK/own"
	asked "$WORK/own" "$WORK/told.json" --live --cgroup "/$ID/$cgroup" --user 0
	expect "told whose policy it is" "$(jq -r .live.program_walked "$LIVE" | sort -u)" false
	in_cgroup "$ID/$cgroup" "$DNSFENCE" -C "$CONFIG" "${INSTANCE[@]}" explain - -j --live \
		<"$WORK/own" >"$WORK/walked.json"
	expect "the program has found the policy in /$cgroup" \
		"$(jq -r .live.program_walked "$WORK/walked.json" | sort -u)" true
	same "/$cgroup, told and found" <(jq -c 'del(.live, .asker)' "$WORK/told.json") \
		<(jq -c 'del(.live, .asker)' "$WORK/walked.json")
done

# And sent: where the far end has an address for it.
sent=0
while read -r destination asker; do
	[[ $destination =~ ^\[(10\.77\.0\.[234]|fd77::[2345])\]:(53|853|5300)/(udp|tcp)$ ]] || continue
	((++sent > 150 / SLOW)) && break
	technique=udp-sendto
	[[ $destination == */tcp ]] && technique=tcp-connect
	cgroup=${asker%% *} cgroup=${cgroup#cgroup=/}
	verdict=$(dnsfence explain - <<<"$destination $asker user=0" | cut -f 1)
	probe_in "$cgroup" $technique "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
	[[ $ERRNO == EPERM || ($cgroup == */d/e && $ERRNO == ECONNREFUSED && $STEP != reply) ]] &&
		real=deny || real=let
	expect "$destination from $cgroup ($OUT)" "$([[ $verdict == deny ]] && echo deny || echo let)" $real
done <"$WORK/queries"
expect_more "lookups that were sent" "$sent" $((150 / SLOW - 1))

# While another policy is published again and again every answer is one of the two.
settings "good, other"
asked "$WORK/queries" "$WORK/first.json"
settings "wide"
asked "$WORK/queries" "$WORK/second.json"
reload_on() {
	local turn
	for ((turn = 0; turn < 400; turn++)); do
		settings "$([[ $((turn % 2)) == 0 ]] && echo wide || echo 'good, other')"
		dnsfence reload 2>/dev/null
	done
}
reload_on &
reloader=$!
plain() { jq -r '[.verdict, .reason, .policy] | @csv' "$1"; }
for _ in 1 2 3; do
	dnsfence explain - -j --live <"$WORK/queries" >"$WORK/moving.json" 2>"$WORK/moving.err"
	expect "during reloads, exit status" $? 1
	expect "during reloads, words" "$(<"$WORK/moving.err")" ''
	expect_more "generations" "$(jq .live.generation "$WORK/moving.json" | sort -u | wc -l)" 1
	expect "answers of neither policy" "$(paste -d '|' <(plain "$WORK/first.json") \
		<(plain "$WORK/second.json") <(plain "$WORK/moving.json") |
		awk -F '|' '$3 != $1 && $3 != $2' | wc -l)" 0
done
kill $reloader 2>/dev/null
wait $reloader 2>/dev/null
finish
