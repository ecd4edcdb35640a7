# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# What explain says is what happens: verdict, hook and errno of each way to ask, for every setting
# that moves them, beside the real call, its event and its errno. Asking leaves no trace. By the
# configuration and by what is in force it says the same, and it says when the two are not the same.
# limit: 240
. "$(dirname "$0")/lib.sh"
setup
mkdir -p "$CGROUP/soft" "$CGROUP/watched"

# The arguments that make a probe: the asker, and the call's name in an explanation.
explained() { dnsfence explain -j "$@" 2>"$WORK/explain.err"; }
call_of() {
	case $1 in
	udplite*) echo 'send()' ;;
	*sendto) echo 'sendto()' ;;
	*) echo 'connect()' ;;
	esac
}

# as_explained CGROUP TECHNIQUE ADDR PORT: without the fence the packet arrives; with it what
# explain has said happens.
as_explained() {
	local label="$HEAD $2 $3:$4 in /$1" text layer before denied_before
	text=$(explained --live "$(bracketed "$3"):$4/$(transport_of "$2")" --cgroup "/$ID/$1" --user 0)
	layer=$(jq -c --arg call "$(call_of "$2")" '.layers[] | select(.call == $call)' <<<"$text")
	before=$(arrived "$3") denied_before=$(denied)
	probe_in "$ID/$1" "$2" "$3" "$4"
	if [[ $(jq -r .verdict <<<"$text") == deny ]]; then
		expect "$label, errno" "$ERRNO" "$(jq -r .errno <<<"$layer")"
		expect "$label, step" "$STEP()" "$(jq -r '.fails | sub("sendto"; "send")' <<<"$layer")"
		expect_event "$label" "$PID" ".dnsfence.hook == $(jq .hook <<<"$layer")
			and .event.reason == $(jq .reason <<<"$text") and .rule.name == $(jq .policy <<<"$text")"
		settle
		expect "$label, packets" "$(arrived "$3")" "$before"
		expect "$label, denied counter" "$(denied)" $((denied_before + 1))
		((DENIED++))
	else
		expect "$label, errno" "$ERRNO" 0
		((CHECKS++))
		wait_until arrived_more "$3" "$before" || fail "$label: nothing arrived"
		((PASSED++))
	fi
	[[ $(jq -r .verdict <<<"$text") == audit ]] &&
		expect_event "$label" "$PID" ".dnsfence.verdict == \"audit\""
}

bracketed() {
	[[ $1 == *:* ]] && echo "[$1]" || echo "$1"
}

# settings KEY...: a configuration with these; two policies more when one of them is "several".
settings() {
	local more='' soft="{name: soft, match: {cgroup: /$ID/soft}, on_deny: refused, resolvers: [other]}"
	local watched="{name: watched, match: {cgroup: /$ID/watched}, mode: audit, resolvers: [good]}"
	[[ " $* " == *' several '* ]] && more=$(printf '\n  - %s' "$soft" "$watched")
	policy <<-YAML
		apiVersion: dnsfence/v1
		$(printf '%s\n' "${@/several/}")
		resolvers:
		  good: [$GOOD4, "$GOOD6"]
		  other: [$OTHER4, "$OTHER6", {address: $GOOD4, port: 5300}]
		policies:$more
		  - {name: default, resolvers: [good]}
		events: {stdout: true}
	YAML
}

cases() {
	local technique cgroup
	for technique in udp-connect udp-sendto tcp-connect; do
		as_explained apps $technique $BAD4 53
		as_explained apps $technique $BAD6 53
		as_explained apps $technique $GOOD4 53
	done
	as_explained apps udplite-connect $BAD4 53
	as_explained apps udp-sendto $OTHER6 5300
	[[ $HEAD == *several* ]] || return
	for cgroup in soft watched; do
		for technique in udp-connect udp-sendto tcp-connect; do
			as_explained $cgroup $technique $OTHER4 53
			as_explained $cgroup $technique $GOOD4 53
		done
		as_explained $cgroup udp-sendto $GOOD4 5300
	done
}

PASSED=0 DENIED=0
HEAD=open
for target in $BAD4 $BAD6; do
	shows_leak "udp-sendto without the fence" $target udp-sendto $target 53
done
explained --live $BAD4
expect "explain --live of an open fence, exit status" $? 3
expect_match "and what it says" "$(<"$WORK/explain.err")" 'nothing is pinned.*"dnsfence run" closes it, or it is ephemeral'
settings
start_fence
for HEAD in 'several' 'deny_at: packet' 'hooks: all' 'on_deny: unreachable' 'several deny_at: packet'; do
	settings "${HEAD%% deny*}" "$([[ $HEAD == *several*deny* ]] && echo 'deny_at: packet')"
	dnsfence reload 2>/dev/null || fail "$HEAD: not loaded"
	cases
done
expect_more "cases that are let through" "$PASSED" 15
expect_more "cases that are refused" "$DENIED" 40
expect_log_whole

# Asking is no lookup: nothing is counted, nothing logged, nothing sent.
before=$(dnsfence status -j | jq -c '.counters, .log') arrived_before=$(arrived $BAD4)
lines=$(wc -l <"$EVENTS")
for _ in 1 2 3; do
	explained --live $BAD4 $BAD4/tcp $GOOD4 --cgroup "/$APPS" >"$WORK/trace.json"
	expect "explain --live, exit status" $? 1
done
expect "the program's answers" "$(jq -r .live.program "$WORK/trace.json" | xargs)" "deny deny allow"
expect "why it was not asked" "$(jq -r .live.program_why "$WORK/trace.json" | sort -u)" null
expect "counters and log after asking" "$(dnsfence status -j | jq -c '.counters, .log')" "$before"
expect "events after asking" "$(wc -l <"$EVENTS")" "$lines"
expect "packets after asking" "$(arrived $BAD4)" "$arrived_before"

# This process is judged as it is: the program finds its policy itself.
OUT=$(in_cgroup "$ID/soft" "$DNSFENCE" -C "$CONFIG" "${INSTANCE[@]}" explain --live -j $OTHER4)
expect "a sanctioned resolver of the own policy, exit status" $? 0
expect "the own policy" "$(jq -r '[.policy, .live.program, .live.program_walked] | @csv' <<<"$OUT")" \
	'"soft","allow",true'

# The words and lines for people.
OUT=$(dnsfence explain $BAD4 --cgroup "/$ID/soft" --user 0)
expect "explain, exit status" $? 1
expect_match "the verdict" "$OUT" "^DENIED +$BAD4:53/udp \(dns\): resolver-not-sanctioned"
expect_match "the policy and its line" "$OUT" "policy +soft \($CONFIG:8:5\), matches cgroup /$ID/soft"
expect_match "the layer" "$OUT" 'connect\(\) +refused by connect4: '
OUT=$(dnsfence explain $GOOD4 --cgroup "/$ID/soft" --user 0)
expect_match "another policy that would do" "$OUT" \
	"sanctioned by policy default .*: $GOOD4 of good \($CONFIG:5:"
expect_match "another port that would do" "$OUT" \
	"the same policy sanctions the address on 5300/udp: $GOOD4 of other \($CONFIG:6:"
OUT=$(dnsfence explain $OTHER4 --cgroup "/$ID/soft" --user 0)
expect "explain of a sanctioned one, exit status" $? 0
expect_match "the line that sanctions it" "$OUT" "resolver +$OTHER4 of other \($CONFIG:6:11\)"
OUT=$(dnsfence explain $BAD4 --cgroup /)
[[ $FENCED == / ]] || expect_match "outside the fence" "$OUT" 'PASSED .*outside the fence'
sleep 60 &
pid=$!
echo $pid >"$CGROUP/soft/cgroup.procs"
expect "--pid" "$(explained $OTHER4 --pid $pid | jq -r '[.policy, .verdict, .asker.cgroup] | @csv')" \
	"\"soft\",\"allow\",\"/$ID/soft\""
kill $pid
wait $pid 2>/dev/null

# The file has moved on: verdicts are by what is in force, and no line is named.
sed -i "s/other: \[$OTHER4, /other: [/" "$CONFIG"
expect "by the configuration" "$(explained $OTHER4 --cgroup "/$ID/soft" | jq -r .verdict)" deny
explained --live $OTHER4 --cgroup "/$ID/soft" >"$WORK/moved.json"
expect "by what is in force" "$(jq -r '[.verdict, .live.program, .resolver] | @csv' "$WORK/moved.json")" \
	'"allow","allow",'
expect_match "why no line is named" "$(jq -r .live.lines_why "$WORK/moved.json")" 'not what is in force'

# What is no question is no verdict.
for wrong in 8.8.8 8.8.8.8:x 8.8.8.0/24 8.8.8.8/dot/udp; do
	explained $wrong
	expect "explain $wrong, exit status" $? 2
done
explained $BAD4 --cgroup "/$ID/nowhere"
expect "a cgroup that is not there, exit status" $? 2
explained $BAD4 --user nobody-of-that-name
expect "a user that is not there, exit status" $? 2
explained
expect "nothing to explain, exit status" $? 2
finish
