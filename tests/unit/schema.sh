#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The JSON Schema that tools/schema-dump makes, and the parser it was made beside: both take what
# `dnsfence init` prints, and of the cases below both take or both refuse each. BUILD names the
# build directory. Needs no root; python3-yaml and python3-jsonschema, or everything is skipped.
# shellcheck source=tests/unit/lib.bash
. "$(dirname "$0")/lib.bash"
schema=$build/dnsfence.schema.json

# PyYAML reads YAML 1.1, where off is false: the schema takes both.
validator='
import json, sys, yaml, jsonschema
schema = json.load(open(sys.argv[1]))
kind = jsonschema.validators.validator_for(schema)
kind.check_schema(schema)
errors = list(kind(schema).iter_errors(yaml.safe_load(open(sys.argv[2]))))
for error in errors:
    print(error.json_path + ": " + error.message[:200], file=sys.stderr)
sys.exit(1 if errors else 0)
'

if ! python3 -c 'import yaml, jsonschema' 2>/dev/null; then
	skip "schema: python3-yaml or python3-jsonschema is missing"
	finish
fi
if [[ ! -s $schema ]]; then
	fail "schema: $schema is not built"
	finish
fi


by_schema() { python3 -c "$validator" "$schema" "$1" 2>"$work/why"; }

if "$build/dnsfence" init >"$work/init.yaml" && by_schema "$work/init.yaml"; then
	pass "schema: takes what dnsfence init prints"
else
	fail "schema: refuses what dnsfence init prints: $(cat "$work/why")"
fi

# shellcheck disable=SC2016 # the dollar is a key's
if grep -qF '"$schema":"https://json-schema.org/draft/2020-12/schema"' "$schema"; then
	pass "schema: is of draft 2020-12"
else
	fail "schema: is not of draft 2020-12"
fi

# case_of taken|refused NAME: the configuration on stdin, by the schema and by `dnsfence check`.
case_of() {
	local wanted=$1 name=$2 file=$work/case.yaml verdict=refused status
	cat >"$file"
	by_schema "$file" && verdict=taken
	if [[ $verdict == "$wanted" ]]; then
		pass "schema: $name: $wanted"
	else
		fail "schema: $name: $verdict by the schema $(head -n 1 "$work/why")"
	fi
	"$build/dnsfence" -C "$file" check >/dev/null 2>"$work/why"
	status=$?
	verdict=refused
	((status)) || verdict=taken
	if ((status == 3)); then
		skip "check: $name: $(head -n 1 "$work/why")"
	elif [[ $verdict == "$wanted" ]]; then
		pass "check: $name: $wanted"
	else
		fail "check: $name: $verdict by the parser, exit $status: $(head -n 1 "$work/why")"
	fi
}

# A whole configuration with one more line.
with() {
	local wanted=$1 name=$2
	shift 2
	case_of "$wanted" "$name" <<-YAML
		apiVersion: dnsfence/v1
		resolvers: {good: [10.0.0.53, 10.1.0.0/24, "2001:db8::53"]}
		policies: [{name: default, resolvers: [good]}]
		$*
	YAML
}

# A whole configuration with this entry in its resolver set.
resolver() {
	local wanted=$1 name=$2
	shift 2
	case_of "$wanted" "$name" <<-YAML
		apiVersion: dnsfence/v1
		resolvers: {good: [$*]}
		policies: [{name: default, resolvers: [good]}]
	YAML
}

# A whole configuration with this policy before the default one.
policy() {
	local wanted=$1 name=$2
	shift 2
	case_of "$wanted" "$name" <<-YAML
		apiVersion: dnsfence/v1
		resolvers: {good: [10.0.0.53]}
		policies: [{$*}, {name: default, resolvers: [good]}]
	YAML
}

with taken "the least there is" ""
with taken "mode" "mode: audit"
with taken "on_deny" "on_deny: unreachable"
with taken "deny_at" "deny_at: packet"
with taken "open_sockets" "open_sockets: leave"
with taken "one service" "services: dot"
with taken "a list of services" "services: [dns, mdns]"
with taken "edge off" "edge: {interfaces: off}"
with taken "events" "events: {stdout: false, file: /var/log/events.jsonl, buffer: 2048}"
with taken "rotation" "events: {file: /var/log/e, rotate: {size: 64MiB, keep: 3}}"
with taken "every sink" "events: {journal: true, socket: /run/e.sock, syslog: {to: [local, 'tcp:[::1]:601', 'udp:10.0.0.1:514', 'unix:/dev/log']}, queue: 128KiB, drop: oldest}"
with taken "a size in bytes" "events: {queue: 131072}"
with taken "hooks" "hooks: all"
with taken "metrics at an address" "metrics: {listen: 127.0.0.1:9753, textfile: /var/lib/n/d.prom, interval: 5}"
with taken "metrics at an address of IPv6" "metrics: {listen: '[::1]:9753'}"
with taken "metrics at a path" "metrics: {listen: unix:/run/m.sock}"
with refused "metrics at a name" "metrics: {listen: 'localhost:9753'}"
with refused "metrics without a port" "metrics: {listen: 127.0.0.1}"
with refused "metrics at a port alone" "metrics: {listen: 9753}"
with refused "metrics every day" "metrics: {interval: 86400}"
with refused "a syslog daemon without a protocol" "events: {syslog: {to: 10.0.0.1}}"
with refused "a syslog daemon without a port" "events: {syslog: {to: 'tcp:loghost'}}"
with refused "syslog to nobody" "events: {syslog: {facility: daemon}}"
with refused "an unknown facility" "events: {syslog: {to: local, facility: kern}}"
with refused "a rotation without a size" "events: {file: /var/log/e, rotate: {keep: 3}}"
with refused "a size in other units" "events: {queue: 1MB}"
with refused "an unknown way to drop" "events: {drop: random}"
with refused "an unknown key" "mood: audit"
with refused "a key of another object" "address: 10.0.0.1"
with refused "an unknown choice" "mode: observe"
with refused "another way with open sockets" "open_sockets: drop"
with refused "an unknown service" "services: [dns, doh]"
with refused "no service" "services: []"
with refused "text for a boolean" "events: {stdout: \"yes, please\"}"
with refused "a log without an absolute path" "events: {file: events.jsonl}"
with refused "a buffer that is no power of two" "events: {buffer: 100}"
with refused "a buffer too small" "events: {buffer: 1}"
with refused "an unknown key below events" "events: {syslog: true}"
with taken "edge auto" "edge: {interfaces: auto}"
with taken "edge by glob" "edge: {interfaces: ['df-none*', 'df-other*'], uplinks: 'df-up*'}"
with taken "runtimes" "runtimes: {host: /host, docker: /data/docker, containerd: [/run/a, /run/b], crio: /c, podman: /p, pods: /l}"
with refused "a runtime's path that is not absolute" "runtimes: {docker: docker}"
with refused "one such path in a list" "runtimes: {podman: [/a, b]}"
with refused "a runtime with no path" "runtimes: {docker: []}"
with refused "an unknown runtime" "runtimes: {rkt: /var/lib/rkt}"
with refused "an edge of nothing" "edge: {interfaces: []}"
with refused "an edge by number" "edge: {interfaces: {eth0: true}}"

resolver taken "a resolver as an object" \
	"{address: 10.0.0.1, service: dns, port: 5300, protocol: udp, translated: true}"
resolver taken "a resolver for two services" "{address: 10.0.0.1, service: [dns, dot]}"
resolver refused "a resolver without an address" "{service: dns}"
resolver refused "an unknown key of a resolver" "{address: 10.0.0.1, zone: eth0}"
resolver refused "port 0" "{address: 10.0.0.1, port: 0}"
resolver refused "a protocol that is none" "{address: 10.0.0.1, protocol: sctp}"
resolver refused "a list for a resolver" "[10.0.0.1]"

policy taken "a policy for a user" "name: one, match: {user: root}, resolvers: any, mode: audit"
policy taken "a policy for a uid" "name: one, match: {user: 0}, resolvers: []"
policy taken "a policy for a glob" "name: one, match: {cgroup: /no-such/*}, resolvers: [good]"
policy taken "a forwarder" "name: one, match: {user: root}, resolvers: [good], forwards: true"
policy refused "a word for a forwarder" "name: one, match: {user: root}, resolvers: [good], forwards: dockerd"
policy refused "a policy without a name" "match: {user: root}, resolvers: [good]"
policy refused "a policy without resolvers" "name: one, match: {user: root}"
policy refused "resolvers as a word" "name: one, match: {user: root}, resolvers: good"
policy taken "lists" "name: one, match: {cgroup: ['/no-such/*', '/no-other*'], user: [root, 0]}, resolvers: []"
policy taken "units" "name: one, match: {unit: [no-such.service, 'no-such@*'], user: root}, resolvers: any"
policy taken "a user's unit" "name: one, match: {user_unit: 'app-*.scope', user: root}, resolvers: any"
policy taken "a container" "name: one, match: {container: {name: 'w-*', image: [a, 'b/*'], label: {app: web, x: [1, '2*']}, runtime: [docker, podman], id: '3f0c*', user: root}}, resolvers: []"
policy taken "a pod" "name: one, match: {pod: {namespace: prod, name: [a, 'b-*'], label: {app: web}}}, resolvers: []"
policy refused "an empty match" "name: one, match: {}, resolvers: []"
policy refused "any container without a word" "name: one, match: {container: {}}, resolvers: []"
policy refused "a container by a word" "name: one, match: {container: web}, resolvers: []"
policy refused "a runtime that is none" "name: one, match: {container: {runtime: rkt}}, resolvers: []"
policy refused "an unknown key of a container" "name: one, match: {container: {nam: web}}, resolvers: []"
policy refused "labels as a word" "name: one, match: {container: {label: app}}, resolvers: []"
policy refused "no labels" "name: one, match: {pod: {label: {}}}, resolvers: []"
policy refused "an empty list of units" "name: one, match: {unit: []}, resolvers: []"
policy refused "redirect" "name: one, match: {user: root}, resolvers: [good], redirect: 10.0.0.53"
policy refused "an unknown subject" "name: one, match: {group: wheel}, resolvers: any"

case_of refused "no policies" <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [10.0.0.53]}
YAML
case_of refused "no version" <<-YAML
	policies: [{name: default, resolvers: any}]
YAML
case_of refused "another version" <<-YAML
	apiVersion: dnsfence/v2
	policies: [{name: default, resolvers: any}]
YAML
case_of refused "a set named any" <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {any: [10.0.0.53]}
	policies: [{name: default, resolvers: any}]
YAML
finish
