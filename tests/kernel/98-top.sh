# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 120
#
# dnsfence top: tables for scripts, and the screen in tmux at 80x24 and 200x60 with thousands of
# rows, keys, a resize, the daemon's restart, and a crash after which the terminal is as before.
. "$(dirname "$0")/lib.sh"
need tmux python3 stty
setup
simple_policy
ip -n "$NEAR" route add 10.78.0.0/16 via $GOOD4 dev near || die "no route"

# flood COUNT: one lookup each to so many resolvers that nobody sanctioned, no faster than a reader
# on a loaded machine can follow: what does not fit into its queue is dropped, and counted.
flood() {
	fenced python3 - "$1" <<-'PY'
		import socket, sys, time
		query = bytes.fromhex("123401000001000000000000046c65616b08646e7366656e6365047465737400000100 01".replace(" ", ""))
		sent = 0
		for i in range(int(sys.argv[1])):
		    time.sleep(0 if i % 50 else 0.1)
		    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
		        try:
		            s.sendto(query, ("10.78.%d.%d" % (i // 250, i % 250 + 1), 53))
		            sent += 1
		        except PermissionError:
		            pass
		print(sent)
	PY
}

expect "without the fence, lookups sent" "$(flood 3)" 3
start_fence

# Scripts.
dnsfence top --batch -n 1 -d $((2 * SLOW)) -j >"$WORK/batch.json" 2>"$WORK/batch.err" &
batch=$!
dnsfence top -b -n 2 -d $((2 * SLOW)) --by resolver --sort name --rows 2 >"$WORK/batch" 2>&1 &
table=$!
sleep $((SLOW / 2)).5
probe udp-sendto $BAD4 53
expect "a lookup, errno" "$ERRNO" EPERM
probe udp-sendto $BAD6 53
probe udp-sendto $GOOD4 53
expect "a sanctioned lookup, errno" "$ERRNO" 0
wait "$batch"
expect "--batch -j, exit status" $? 0
expect "--batch -j, rows" "$(jq -c '.rows | map([.key, .denied, .audited])' "$WORK/batch.json")" \
	"[[\"/$APPS\",2,0]]"
expect "--batch -j, sums" "$(jq -c '[.daemon, .fence, .by, .sort, .seen.denied, .seen.lost, .seen.broken]' \
	"$WORK/batch.json")" '[true,"closed","subject","rate",2,0,0]'
expect "--batch -j, a rate" "$(jq '.rows[0].per_second > 0' "$WORK/batch.json")" true
wait "$table"
expect "--batch, exit status" $? 0
expect "--batch, tables" "$(grep -c '^by resolver, sorted by name: ' "$WORK/batch")" 2
expect_match "--batch, a row" "$(<"$WORK/batch")" ' 1 +0 +0 +[0-9]+s  10\.77\.0\.3:53 dns/udp +leakprobe\['
expect_match "--batch, the kernel's counters" "$(<"$WORK/batch")" 'kernel: denied 2 .*allowed [1-9]'
expect "--batch -j, a filter" "$(dnsfence top -b -n 1 -d 1 --filter nothing -j | jq -c .rows)" '[]'
dnsfence top --by nothing --batch >/dev/null 2>&1
expect "no such grouping, exit status" $? 2
dnsfence top </dev/null >/dev/null 2>"$WORK/err"
expect "no terminal, exit status" $? 2
expect_match "no terminal" "$(<"$WORK/err")" '\-\-batch'

# The screen. `keys` types; `shows` waits until the screen matches.
export TMUX_TMPDIR=$WORK
tmux_do() { tmux -L "$ID" -f /dev/null "$@"; }
cleanup_more() { tmux_do kill-server 2>/dev/null; }
keys() { tmux_do send-keys -t top "$@"; }
screen() { tmux_do capture-pane -p -t top; }
screen_has() { [[ $(screen) =~ $1 ]]; }
shows() {
	((CHECKS++))
	wait_until screen_has "$2" || fail "$1: no '$2' on the screen:
$(screen)"
}
tmux_do new-session -d -s top -x 80 -y 24 "env TERM=screen LANG=C.UTF-8 bash --norc" || skip "tmux does not start"
keys "stty -a > $WORK/stty.before" Enter
run_top() {
	keys "clear; $DNSFENCE --runtime-dir $WORK/run top; code=\$?; stty -a > $WORK/stty.after; echo over \$code" Enter
	shows "top begins" 'dnsfence top - .*fence closed'
}
top_pid() { pgrep -f "^$DNSFENCE --runtime-dir $WORK/run top" | head -n 1; }
expect_sane() {
	shows "$1, the shell is back" "over $2"
	expect "$1, the terminal" "$(<"$WORK/stty.after")" "$(<"$WORK/stty.before")"
	expect "$1, the alternate screen" "$(tmux_do display -p -t top '#{alternate_on}')" 0
	expect "$1, the cursor" "$(tmux_do display -p -t top '#{cursor_flag}')" 1
}

run_top
expect "the alternate screen" "$(tmux_do display -p -t top '#{alternate_on}')" 1
expect "refused lookups that were sent" "$(flood 3000)" 0
keys 2
shows "3000 resolvers" 'by resolver, sorted by rate: 3000 rows'
shows "80x24, the last line" 'q quit'
expect "80x24, lines that are too long" "$(screen | awk 'length > 80' | wc -l)" 0
keys s
shows "sorted by total" 'sorted by total'
keys / 10.78.11.250 Enter
shows "the filter" 'filter "10\.78\.11\.250" \(2999 hidden\)'
shows "the row" '10\.78\.11\.250:53 dns/udp'
keys Enter
shows "the event" 'destination\.ip +10\.78\.11\.250'
keys Escape
shows "back" 'by resolver'
keys / Enter
shows "without the filter" '3000 rows'$'\n'
tmux_do resize-window -t top -x 200 -y 60
shows "200x60" 'LATEST'
rows() { screen | grep -c 'dns/udp'; }
many_rows() { (($(rows) == 60 - 6)); }
((CHECKS++))
wait_until many_rows || fail "200x60 shows $(rows) rows"
expect "200x60, the last line" "$(screen | sed -n 60p | cut -c1-7)" "g group"
keys End
shows "the end of 3000 rows" '10\.78\.9\.99:53|10\.78\.11\.250:53'
keys Home
tmux_do resize-window -t top -x 20 -y 5
tmux_do resize-window -t top -x 80 -y 24
shows "small and 80x24 again" 'q quit'
keys p
shows "paused" 'dnsfence top PAUSED'
paused=$(screen | sed -n 6,23p | grep -o '10\.78[0-9.]*')
probe udp-sendto $BAD4 53
sleep 1.5
expect "paused rows" "$(screen | sed -n 6,23p | grep -o '10\.78[0-9.]*')" "$paused"
keys p
shows "3001 resolvers" '3001 rows'
keys h
shows "help" 'group by subject'
keys Escape
keys 4
shows "by process" 'by process.*: 2 rows'
shows "processes" 'python3.* \(root\)'

# The daemon goes and comes.
stop_fence TERM
shows "without the daemon" 'the daemon in .* is gone for'
start_fence
shows "with the daemon" 'connected again'
probe udp-sendto $BAD6 53
keys 2
shows "events of the new daemon" '3002 rows'
keys q
expect_sane "q" 0

# However it ends.
for signal in TERM INT HUP; do
	run_top
	kill "-$signal" "$(top_pid)"
	expect_sane "SIG$signal" 0
done
run_top
kill -SEGV "$(top_pid)"
expect_sane "SIGSEGV" 139
run_top
kill -ABRT "$(top_pid)"
expect_sane "SIGABRT" 134
keys "clear; TERM=nothing $DNSFENCE top; echo over \$?" Enter
shows "an unknown terminal" "the terminal 'nothing' is not known"

stop_fence TERM
dnsfence top --batch -n 1 -d 1 >/dev/null 2>"$WORK/err"
expect "no daemon, exit status" $? 4
finish
