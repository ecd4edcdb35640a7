# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh disable=SC2034
# limit: 120
#
# A kernel that refuses the raw tracepoints by which cgroups are followed: to load their programs,
# or to attach them. The fence is closed all the same, cgroups are followed by inotify, and status
# says so.
. "$(dirname "$0")/lib.sh"
need strace
setup
mkdir -p "$CGROUP/jobs"
policy <<-YAML
	apiVersion: dnsfence/v1
	resolvers: {good: [$GOOD4], other: [$OTHER4]}
	policies:
	  - {name: jobs, match: {cgroup: "/$ID/jobs/*"}, resolvers: [other]}
	  - {name: default, resolvers: [good]}
	events: {stdout: true}
YAML

# under STRACE-ARGUMENT...: the next start is traced; the daemon is its starter's child as ever.
under() {
	printf '#!/bin/sh\nexec strace -D -qq -o %q -e trace=bpf %s %q "$@"\n' \
		"$WORK/calls" "$*" "$DNSFENCE" >"$WORK/traced"
	chmod +x "$WORK/traced"
}

# start_traced STRACE-ARGUMENT...: false where the daemon did not become ready.
start_traced() {
	under "$@"
	DNSFENCE=$WORK/traced try_fence
}

# call_of PATTERN: which bpf() call it is, counted from 1.
call_of() { grep -n "$1" "$WORK/all" | head -n 1 | cut -d : -f 1; }

start_traced || die "without a refusal: the daemon did not become ready"
expect "without a refusal" "$(status_of .subjects.follow)" tracepoint
stop_fence
dnsfence unload 2>/dev/null
cp "$WORK/calls" "$WORK/all"

# refuse PATTERN TIMES: a start whose first such call, and what is tried again, is refused. Which
# call it is differs by a few from one start to the next: a neighbour that is refused in its stead
# may be one that the daemon does not start without.
refuse() {
	local call offset
	call=$(call_of "$1")
	expect_match "$1: is one of the calls" "$call" '^[0-9]+$'
	for offset in 0 -1 1 -2 2 -3 3; do
		start_traced -e inject=bpf:error=EPERM:when=$((call + offset))..$((call + offset + $2 - 1)) &&
			grep -m 1 INJECTED "$WORK/calls" | grep -q "$1" && return
		stop_fence
		dnsfence unload 2>/dev/null
	done
	die "$1: it was never refused"
}

# libbpf loads again for the verifier's log.
for what in 'BPF_PROG_LOAD.*prog_name="dnsfence_came" 2' 'BPF_RAW_TRACEPOINT_OPEN 1'; do
	refuse "${what% *}" "${what##* }"
	expect "$what is refused: the way" "$(status_of .subjects.follow)" inotify
	expect_match "$what is refused: status in words" "$(dnsfence status)" 'followed by inotify'
	mkdir "$CGROUP/jobs/one"
	sleep "$SLOW"
	probe_in "$ID/jobs/one" udp-sendto $OTHER4 53
	expect "$what is refused: a new cgroup's own resolver, errno" "$ERRNO" 0
	probe_in "$ID/jobs/one" udp-sendto $GOOD4 53
	expect "$what is refused: its parent's, errno" "$ERRNO" EPERM
	rmdir "$CGROUP/jobs/one"
	stop_fence
	dnsfence unload 2>/dev/null
done
start_fence
expect_log_whole
finish
