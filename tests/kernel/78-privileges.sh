# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
# vm: left out, it looks at leakprobe alone, without a fence
#
# What leakprobe -l says of privileges is so, without a fence: as nobody each technique works or
# is refused as its row says, and with the row's one capability it works.
. "$(dirname "$0")/lib.sh"
need setpriv
setup
near sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
cp "$PROBE" "$WORK/leakprobe"
chmod 755 "$WORK" "$WORK/leakprobe"

# tried COMMAND...: sets OUT ERRNO.
tried() {
	OUT=$(fenced setpriv "$@" 2>&1)
	ERRNO=${OUT##*errno=} ERRNO=${ERRNO%% *}
}

# Not for want of a privilege: what the far end, or this kernel, answers to a few of them.
is_answer_to() {
	case $1,$2 in
	*,0) ;;
	ip6-cmsg-*routing,EINVAL) ;; # no CONFIG_IPV6_MIP6
	ip4-lsrr-tcp,EINPROGRESS | ip6-routing-tcp,EINPROGRESS) ;; # nobody behind the hop
	tcp-repair,ECONNRESET | udp-any,ECONNREFUSED) ;;
	*) return 1 ;;
	esac
}

works() {
	((CHECKS++))
	is_answer_to "$technique" "$ERRNO" || fail "$1: $OUT"
}

"$PROBE" -l | sed 's/ 4 6 / 46 /' >"$WORK/rows"
while read -r technique families capability _; do
	address=$BAD4 other=$GOOD4
	[[ $families == 6 ]] && address=$BAD6 other=$GOOD6
	case $technique in
	udp-pktinfo-source) other=10.77.0.1 ;;
	udp-freebind | udp-transparent) other=${other%2}77 ;; # nobody's address
	esac
	arguments=("$WORK/leakprobe" "$technique" "$address" 53 -f "$other" -t 300 -i near)
	tried --reuid 65534 --regid 65534 --clear-groups "${arguments[@]}"
	if [[ $capability == none ]]; then
		works "$technique as nobody"
		continue
	fi
	expect_match "$technique as nobody, errno ($OUT)" "$ERRNO" '^(EPERM|EACCES)$'
	only=${capability#CAP_}
	tried --inh-caps -all --bounding-set "-all,+${only,,}" "${arguments[@]}"
	works "$technique with $capability alone"
done <"$WORK/rows"
expect_more "techniques tried" "$(wc -l <"$WORK/rows")" 90
finish
