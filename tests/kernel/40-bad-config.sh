# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# Configurations that are refused: by check, by load and by run alike, with file, line and
# column, and nothing is left attached.
. "$(dirname "$0")/lib.sh"
setup

# refused WHAT REGEX [COMMAND]: the configuration is on stdin.
refused() {
	[[ -t 0 ]] || policy
	local command
	for command in check load "run --ephemeral"; do
		# shellcheck disable=SC2086
		OUT=$(timeout $((10 * SLOW)) "$DNSFENCE" -C "$CONFIG" \
			"${INSTANCE[@]}" $command 2>&1 </dev/null)
		expect "$1: $command, exit status" $? 1
		expect_match "$1: $command says why" "$OUT" "$2"
		expect "$1: $command leaves pins" "$(find "$PIN_DIR" -type f 2>/dev/null)" ""
	done
}

HEAD='apiVersion: dnsfence/v1'
DEFAULT='policies: [{name: default, resolvers: any}]'
at() { echo "dnsfence\\.yaml:$1: error: "; }

refused "an unknown key" "$(at 2:1)unknown key 'resolver'.*did you mean 'resolvers'" <<<"$HEAD
resolver: {a: [10.0.0.1]}
$DEFAULT"
refused "an unknown key far from any" "$(at 2:1)unknown key 'zzzzzzzz'" <<<"$HEAD
zzzzzzzz: 1
$DEFAULT"
refused "a duplicate key" "$(at 3:1)duplicate key 'mode'.*line 2" <<<"$HEAD
mode: audit
mode: enforce
$DEFAULT"
refused "a bad address" "$(at 2:17)'10.0.0.256'" <<<"$HEAD
resolvers: {a: [10.0.0.256]}
$DEFAULT"
refused "a host name" "$(at 2:17)'dns.example'" <<<"$HEAD
resolvers: {a: [dns.example]}
$DEFAULT"
refused "host bits in a prefix" "$(at 2:17)'10.1.2.3/24' has host bits set.*10.1.2.0/24" <<<"$HEAD
resolvers: {a: [10.1.2.3/24]}
$DEFAULT"
refused "a prefix too long" "$(at 2:17).*10.1.2.0/33" <<<"$HEAD
resolvers: {a: [10.1.2.0/33]}
$DEFAULT"
refused "a log that is nowhere" "$(at 2:16).*no directory $WORK/nowhere;" <<<"$HEAD
events: {file: $WORK/nowhere/below/events.jsonl}
$DEFAULT"
refused "a log that is a directory" "$(at 2:16).*$WORK is a directory; name a file in it" <<<"$HEAD
events: {file: $WORK}
$DEFAULT"
refused "a log below a file" "$(at 2:16).*dnsfence.yaml is no directory" <<<"$HEAD
events: {file: $CONFIG/events.jsonl}
$DEFAULT"
refused "a socket that is nowhere" "$(at 2:18)socket: there is no directory $WORK/nowhere;" <<<"$HEAD
events: {socket: $WORK/nowhere/events.sock}
$DEFAULT"
refused "metrics that are nowhere" "$(at 2:19)listen: there is no directory $WORK/nowhere;" <<<"$HEAD
metrics: {listen: \"unix:$WORK/nowhere/metrics\"}
$DEFAULT"
refused "a textfile that is nowhere, too" "yaml:3:21: warning: textfile: there is no directory $WORK/nowhere;" <<<"$HEAD
events: {file: $WORK/nowhere/below/events.jsonl}
metrics: {textfile: $WORK/nowhere/dnsfence.prom}
$DEFAULT"
mkdir "$WORK/dnsfence.d"
echo 'mood: 1' >"$WORK/dnsfence.d/a.yml"
refused "a file with a strange ending" "warning: $WORK/dnsfence.d/a.yml is not read: name it .yaml" <<<"$HEAD
mode: permit
$DEFAULT"
rm -r "$WORK/dnsfence.d"
refused "a set name that is no set" "$(at 2:40)any .*stands alone: resolvers: any" <<<"$HEAD
policies: [{name: default, resolvers: [any]}]"
refused "no default policy" "$(at 2:12)no default policy" <<<"$HEAD
policies: [{name: a, match: {user: root}, resolvers: any}]"
refused "no policies" "default" <<<"$HEAD"
refused "two default policies" "$(at 2:42)" <<<"$HEAD
policies: [{name: a, resolvers: any},    {name: b, resolvers: any}]"
refused "an unknown set" "$(at 2:40)there is no resolver set 'nosuch'" <<<"$HEAD
policies: [{name: default, resolvers: [nosuch]}]"
refused "an unknown service" "$(at 2:12).*'dnss'" <<<"$HEAD
services: [dnss]
$DEFAULT"
refused "an unknown mode" "$(at 2:7).*'permit'.*enforce" <<<"$HEAD
mode: permit
$DEFAULT"
refused "a port out of range" "$(at 2:43).*70000" <<<"$HEAD
resolvers: {a: [{address: 10.0.0.1, port: 70000}]}
$DEFAULT"
refused "a wrong apiVersion" "$(at 1:13).*dnsfence/v9" <<<"apiVersion: dnsfence/v9
$DEFAULT"
refused "no apiVersion" "apiVersion" <<<"$DEFAULT"
refused "an alias" "error: .*anchor" <<<"$HEAD
resolvers: {a: &x [10.0.0.1], b: *x}
$DEFAULT"
refused "a tag" "error: .*tag" <<<"$HEAD
mode: !!str audit
$DEFAULT"
refused "a list where a word belongs" "$(at 2:7)" <<<"$HEAD
mode: [audit]
$DEFAULT"
refused "a user that nobody has" "no-such-user-here" <<<"$HEAD
policies: [{name: a, match: {user: no-such-user-here}, resolvers: any}, {name: b, resolvers: any}]"
refused "a cgroup that is not there" "no cgroup '/$ID/nowhere'" <<<"$HEAD
policies: [{name: a, match: {cgroup: /$ID/nowhere}, resolvers: any}, {name: b, resolvers: any}]"
refused "two errors at once, the first" "$(at 2:1)unknown key 'mood'" <<<"$HEAD
mood: audit
on_deny: ignore
$DEFAULT"
expect_match "two errors at once, the second" "$OUT" "$(at 3:10).*'ignore'"
refused "no YAML" "dnsfence.yaml:[0-9]+:[0-9]+: error: " <<<"{["
refused "an empty file" "error: " <<<""
refused "bytes that are no text" "error: " < <(head -c 4096 /dev/urandom)
refused "10 MB" "error: .*bytes" < <(head -c 10485760 /dev/zero | tr '\0' '#')
refused "deep nesting" "error: " < <(printf '[%.0s' {1..20000})

probe udp-sendto $BAD4 53
expect "nothing is fenced after all that, errno" "$ERRNO" 0
finish
