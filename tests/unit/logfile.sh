#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `dnsfence events --file` on logs as logrotate, dnsfence itself and accidents leave them, and -f
# while they change. BUILD names the build directory. Needs no root.
# shellcheck source=tests/unit/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$work" || exit 1
log=events.jsonl

# line NUMBER: an event that was logged at that second.
line() {
	printf '{"@timestamp":"2026-11-24T10:00:%02d.000000Z","event":{"action":"dns-denied","sequence":%d}}\n' "$1" "$1"
}
sequences() { grep -o '"sequence":[0-9]*' | cut -d: -f2 | tr '\n' ' '; }
numbers() { "$build/dnsfence" events --file $log -j "$@" 2>err | sequences; }

line 5 >$log
line 4 >$log.1
line 3 | gzip >$log.2.gz
line 2 >$log.10
line 1 | gzip >$log-20261123.gz
line 0 >$log-20261122
line 9 >$log.old
line 9 >$log.1.swp
line 9 >other-$log
same "oldest first" "$(numbers)" "0 1 2 3 4 5 "
same "since" "$(numbers --since 2026-11-24T10:00:04Z)" "4 5 "
touch -d @1 $log.10
same "files from before are left out" "$(numbers --since 2026-11-24T10:00:00Z)" "0 1 3 4 5 "
line 4 | sed s/04.000/04.001/ >$log.1
touch -d 2026-11-24T09:59:10Z $log.1
same "a file's time is behind that of its events" "$(numbers --since 2026-11-24T10:00:04.001Z)" "4 5 "
gzip -k $log.1
same "packed and not packed yet" "$(numbers)" "0 1 2 3 4 5 "
ln $log.1 $log.3
same "moved while it is read" "$(numbers)" "0 1 2 3 4 5 "
rm $log.3 $log.1.gz

line 8 | gzip | head -c 30 >$log.4.gz
echo packed >$log.5.zst
same "a torn and a strange packing" "$(numbers)" "0 1 2 3 4 5 "
same "and what is said of them" "$(grep -c 'is not read, or not to its end' err)" 2
rm $log.4.gz $log.5.zst
{
	line 6
	line 7 | head -c 40
} >>$log
same "a torn line" "$(numbers)" "0 1 2 3 4 5 6 "
same "and what is said of it" "$(grep -c 'left out: 1$' err)" 1
{
	head -c 200000 /dev/zero | tr '\0' x
	echo
	line 8
} >>$log
same "a line that is far too long" "$(numbers)" "0 1 2 3 4 5 6 8 "

# Nothing found is told, and a success.
# nothing WORDS ARGUMENT...
nothing() {
	local words=$1 status
	shift
	"$build/dnsfence" events -j "$@" >out 2>err
	status=$?
	same "$*: exit status, output, messages" "$status $(wc -c <out) $(grep -c "$words" err)" "0 0 1"
}
: >empty
nothing "none of the 8 events that were read is one of" --file $log --action dns-denyed
nothing "there is no event in $log from then on" --file $log --since tomorrow
nothing "there is no event in empty$" --file empty
nothing "there is no event in empty from then on" --file empty --since 10:00
numbers --action dns-denied >/dev/null
same "found: nothing is said of it" "$(grep -c "none of\|is no event in" err)" 0

# What is no log is told, and no success.
mkdir directory
head -c 3000 /dev/urandom >foreign
for no in "1 directory 'Is a directory; name the file in it'" "1 nowhere 'give the log by --file'" \
	"1 foreign 'foreign is no log of dnsfence'"; do
	eval "set -- $no"
	"$build/dnsfence" events --file "$2" >out 2>err
	same "$2, exit status" $? "$1"
	same "$2, what is said of it" "$(grep -c "error: .*$3" err) $(wc -l <err) $(wc -c <out)" "1 1 0"
done
if ((EUID == 0)); then
	chmod 755 . && install -m 600 $log unreadable && cp "$build/dnsfence" program
	setpriv --reuid 65534 --clear-groups ./program events --file unreadable >out 2>err
	same "a log of root's, exit status" $? 3
	same "and what is said of it" "$(grep -c 'Permission denied; run as root' err)" 1
fi

# -f, over every way that files change.
rm -f $log*
line 1 >$log
"$build/dnsfence" events --file $log -f -j >followed 2>err &
follower=$!
has() {
	local try
	for ((try = 0; try < 100 * ${DNSFENCE_TEST_SLOW:-1}; try++)); do
		[[ $(sequences <followed) == "$1" ]] && break
		sleep 0.05
	done
	sequences <followed
}
same "-f, what is there" "$(has '1 ')" "1 "
line 2 | head -c 30 >>$log
sleep 0.3
line 2 | tail -c +31 >>$log
same "-f, a line in two pieces" "$(has '1 2 ')" "1 2 "
mv $log $log.1
line 3 >>$log.1 # the writer has not been told yet
touch $log
same "-f, the old file" "$(has '1 2 3 ')" "1 2 3 "
line 4 >>$log.1
line 5 >>$log
same "-f, then the new one" "$(has '1 2 3 4 5 ')" "1 2 3 4 5 "
kill -STOP $follower # two rotations without a look
line 6 >>$log
mv $log.1 $log.2 && gzip $log.2 && mv $log $log.1 && line 7 >$log
mv $log.2.gz $log.3.gz && mv $log.1 $log.2 && gzip $log.2 && mv $log $log.1 && line 8 >$log
kill -CONT $follower
same "-f, two rotations at once" "$(has '1 2 3 4 5 6 7 8 ')" "1 2 3 4 5 6 7 8 "
cp $log $log.1 && : >$log
sleep 0.5
line 9 >>$log
same "-f, copied and cut" "$(has '1 2 3 4 5 6 7 8 9 ')" "1 2 3 4 5 6 7 8 9 "
kill $follower
wait $follower 2>/dev/null
finish
