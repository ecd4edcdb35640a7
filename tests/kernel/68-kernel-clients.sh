# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# limit: 180
#
# File systems whose client is the kernel itself: 9P, whose mount(8) makes the connection, and
# NFS, whose kernel threads make it, over TCP and (for the mount protocol) over UDP. To port 53
# they are refused; to their own ports and to a sanctioned address they go as ever. The threads
# are in the root cgroup, so NFS is tried where that is fenced, in the guests of tests/vm/run.
. "$(dirname "$0")/lib.sh"
need mount socat
setup
simple_policy
mkdir "$WORK/mnt"

# has_filesystem NAME: now, or after loading the module that mount(2) would load.
has_filesystem() {
	grep -qw "$1" /proc/filesystems || modprobe -q "$1" 2>/dev/null
	grep -qw "$1" /proc/filesystems
}

# Servers are none, so that a mount that gets out fails at once, after the packet was counted.
# Each time another address: the kernel remembers connections that it could not make.
fresh=64
fresh_address() {
	FRESH=10.77.0.$((++fresh))
	ip -n "$FAR" addr add "$FRESH/24" dev far
	ip -n "$NEAR" neigh add "$FRESH" lladdr 02:df:00:00:00:02 nud permanent dev near
}

# mount_as KIND ADDR PORT
mount_as() {
	local kind=$1 address=$2 port=$3
	case $kind in
	9p) set -- -t 9p -o "trans=tcp,port=$port" "$address" ;;
	nfs4) set -- -t nfs4 -o "vers=4.0,addr=$address,clientaddr=10.77.0.1,port=$port,proto=tcp,soft,timeo=10,retrans=1" "$address:/" ;;
	nfs3) set -- -t nfs -o "vers=3,addr=$address,port=2049,proto=tcp,mountaddr=$address,mountvers=3,mountport=$port,mountproto=udp,soft,timeo=10,retrans=1" "$address:/" ;;
	esac
	fenced timeout -k 1 $((5 * SLOW)) mount -i "$@" "$WORK/mnt" >"$WORK/mount.log" 2>&1 &
	MOUNT=$!
}

end_mount() {
	kill "$MOUNT" 2>/dev/null
	wait "$MOUNT" 2>/dev/null
}

# gets_out WHAT KIND PORT [COMMAND...]: and the command succeeds while the mount goes on.
gets_out() {
	local what=$1 kind=$2 port=$3 before
	shift 3
	before=$(arrived "$FRESH")
	mount_as "$kind" "$FRESH" "$port"
	((CHECKS++))
	wait_until arrived_more "$FRESH" "$before" ||
		fail "$what: nothing arrived at $FRESH:$port ($(<"$WORK/mount.log"))"
	((!$#)) || wait_until "$@" || fail "$what: not '$*'"
	end_mount
}

# refusal HOOK: of the address tried last.
has_refusal() {
	[[ $(jq -c "select(.destination.ip == \"$FRESH\" and .destination.port == 53 and
		.dnsfence.verdict == \"deny\" and .dnsfence.hook == \"$1\")" "$EVENTS") ]]
}

# is_refused KIND HOOK
is_refused() {
	local before denied_before failures=$FAILURES
	fresh_address
	before=$(arrived "$FRESH") denied_before=$(denied)
	mount_as "$1" "$FRESH" 53
	((CHECKS++))
	wait_until has_refusal "$2" || fail "$1 to port 53: no event of $2: $(tail -n 2 "$EVENTS")"
	end_mount
	settle
	expect "$1 to port 53, packets" "$(arrived "$FRESH")" "$before"
	expect_more "$1 to port 53, denied counter" "$(denied)" "$denied_before"
	((FAILURES > failures)) || covered "$1" 53 "$2"
}

kinds='' lacks=''
has_filesystem 9p && modprobe -q 9pnet_fd 2>/dev/null
if has_filesystem 9p; then kinds+=' 9p'; else lacks+=' 9p'; fi
if [[ $FENCED != / ]]; then
	lacks+=" nfs (its threads are outside the fenced cgroup)"
elif has_filesystem nfs && has_filesystem nfs4; then
	kinds+=' nfs4 nfs3'
else
	lacks+=' nfs'
fi
[[ $kinds ]] || skip "this kernel lacks$lacks"

hook_of() {
	case $1 in
	nfs3) echo packet ;;
	*) echo connect4 ;;
	esac
}

for kind in $kinds; do
	fresh_address
	gets_out "$kind without the fence" "$kind" 53
done
start_fence
for kind in $kinds; do
	is_refused "$kind" "$(hook_of "$kind")"
done

# Their own ports, and what a client sends there.
# A client that was refused may try once more on its own.
is_quiet() {
	denied_before=$(denied)
	sleep 1
	[[ $(denied) == "$denied_before" ]]
}
wait_until is_quiet || fail "a refused client does not end"
for kind in $kinds; do
	[[ $kind == nfs3 ]] && continue
	port=2049
	[[ $kind == 9p ]] && port=564
	fresh_address
	far socat -u "TCP-LISTEN:$port,bind=$FRESH" "OPEN:$WORK/heard.$kind,creat" &
	SERVERS+=" $!"
	disown $!
	serves() { far ss -tln | grep -q "$FRESH:$port "; }
	wait_until serves || die "nothing listens at $FRESH:$port"
	gets_out "$kind to port $port" "$kind" $port test -s "$WORK/heard.$kind"
done

# A sanctioned address, for the same client.
for kind in $kinds; do
	fresh_address
	sed -i "s/^resolvers: .*/resolvers: {good: [$FRESH]}/" "$CONFIG"
	dnsfence reload 2>/dev/null
	gets_out "$kind to a sanctioned address" "$kind" 53
done
expect "denied counter" "$(denied)" "$denied_before"
expect_log_whole
finish
