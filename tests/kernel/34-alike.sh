# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh
#
# Violations made to look alike: none is counted as another, whatever their bytes; and those that
# are equal are counted as one, in any case of letters and at every length of a name.
. "$(dirname "$0")/lib.sh"
need python3
setup
simple_policy

# Bits that cancel each other in a product with an odd number that is folded by a shift of 29,
# which is how questions and destinations were compared once: no secret is needed to know them.
ALIKE6=fd77::80:0:0:400:83
ip -n "$NEAR" route add fd77:0:0:80::/64 via $BAD6 dev near

cat >"$WORK/ask.py" <<'PYTHON'
import socket, struct, sys, time
ASKED = {}

def ask(address, *labels):
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    query = struct.pack(">HHHHHH", 77, 0x100, 1, 0, 0, 0) + name + struct.pack(">HH", 1, 1)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.sendto(query, (address, 53))
            errno = 0
        except OSError as error:
            errno = error.errno
    shown = ".".join(label.decode() if label.isascii() else
                     "".join(chr(byte) if byte < 128 else f"\\{byte:03}" for byte in label)
                     for label in (label.lower() for label in labels))
    key = (address, shown)
    ASKED[key] = ASKED.get(key, 0) + 1
    ERRNOS.add(errno)

ERRNOS = set()
kind, address, other = sys.argv[1:]
if kind == "questions":
    label = bytearray(b"a" * 63)
    ask(address, bytes(label))
    for byte, bits in (7, 0x80), (12, 0x04), (15, 0x80):
        label[byte] ^= bits
    ask(address, bytes(label))
    ask(address, b"A" * 63)
elif kind == "destinations":
    for target in address, other, address:
        ask(target, b"leak", b"test")
elif kind == "lengths":
    names = [[b"x" * length, b"test"] for length in range(1, 64)]
    names += [[b"y"] * labels for labels in range(1, 128)]
    names += [[b"z" * 63] * 3 + [b"z" * 61], [b"z" * 63] * 3 + [b"z" * 60]]
    for labels in names:
        ask(address, *labels)
        ask(address, *(label.upper() for label in labels))
print(*ERRNOS)
for (address, shown), count in sorted(ASKED.items()):
    print(address, shown, count)
PYTHON

# ask KIND [OTHER]: of one process; ERRNOS, and ASKED: a line "address name count" of each.
ask() {
	fenced python3 "$WORK/ask.py" "$1" "${2:-$BAD4}" "${3:--}" >"$WORK/asked"
	PID=$(<"$WORK/pid")
	ERRNOS=$(head -n 1 "$WORK/asked") ASKED=$(tail -n +2 "$WORK/asked")
}
# What the log says of the same, repeats added up.
logged() {
	jq -r --argjson pid "$PID" 'select(.process.pid == $pid) | "\(.destination.ip) \(
		.dns.question.name // "?" | ascii_downcase) \(.dnsfence.count)"' "$EVENTS" |
		awk '{ sum[$1 " " $2] += $3 } END { for (key in sum) print key, sum[key] }' | sort
}
all_logged() { [[ $(logged) == "$(sort <<<"$ASKED")" ]]; }

# asked_is_logged WHAT COUNT KIND ADDRESS [OTHER]
asked_is_logged() {
	local what=$1 count=$2 earlier=() targets=("${@:4}") denied_before address
	shift 2
	for address in "${targets[@]}"; do earlier+=("$(arrived "$address")"); done
	denied_before=$(denied)
	ask "$@"
	expect "$what, errno" "$ERRNOS" 1
	settle
	for i in "${!targets[@]}"; do
		expect "$what, packets at ${targets[i]}" "$(arrived "${targets[i]}")" "${earlier[i]}"
	done
	expect "$what, denied" $(($(denied) - denied_before)) "$count"
	((CHECKS++))
	wait_until all_logged ||
		fail "$what: not as it was asked: $(diff <(sort <<<"$ASKED") <(logged) | head -n 10)"
}

for address in $BAD4 $BAD6 $ALIKE6; do
	before=$(arrived "$address")
	ask destinations "$address" "$address"
	expect "without the fence, errno" "$ERRNOS" 0
	((CHECKS++))
	wait_until arrived_more "$address" $((before + 2)) || fail "without the fence nothing arrives at $address"
done
start_fence
asked_is_logged "questions" 3 questions $BAD4
asked_is_logged "destinations" 3 destinations $BAD6 $ALIKE6
# Each name's second case is counted in the record of its first; a slow machine may miss a second.
folded=$(status_of .log.folded)
asked_is_logged "lengths" $((2 * (63 + 127 + 2))) lengths $BAD4
expect_more "lengths, folded" $(($(status_of .log.folded) - folded)) $((63 + 127 + 2 - 10))

# A question that is sanctioned goes through as before, of any length.
before=$(arrived $GOOD4)
ask lengths $GOOD4
expect "sanctioned, errno" "$ERRNOS" 0
((CHECKS++))
wait_until arrived_more $GOOD4 $((before + 2 * (63 + 127 + 2) - 1)) || fail "sanctioned: not all arrived"
expect_log_whole
finish
