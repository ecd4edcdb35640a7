# SPDX-License-Identifier: GPL-2.0-or-later
"""How long new interfaces are without a tc filter: listens to the kernel's notifications of links
and filters (rtnetlink(7)) and prints the microseconds between the two for each of COUNT interfaces
whose names begin with PREFIX, sorted. One process hears both, so that one clock tells."""
import socket
import struct
import sys
import time

RTM_NEWLINK, RTM_NEWTFILTER = 16, 44
RTMGRP_LINK, RTMGRP_TC = 1, 8
IFLA_IFNAME = 3

prefix, count = sys.argv[1].encode(), int(sys.argv[2])
listener = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
listener.bind((0, RTMGRP_LINK | RTMGRP_TC))
listener.settimeout(20)
print("listening", flush=True)
seen, gaps = {}, {}


def name_of(attributes):
    while len(attributes) >= 4:
        length, kind = struct.unpack_from("HH", attributes)
        if kind & 0x3FFF == IFLA_IFNAME:
            return attributes[4:length].rstrip(b"\0")
        attributes = attributes[max(length + 3 & ~3, 4):]
    return b""


while len(gaps) < count:
    data, now = listener.recv(1 << 16), time.monotonic()
    while len(data) >= 16:
        length, kind = struct.unpack_from("IH", data)
        (index,) = struct.unpack_from("i", data, 16 + 4)
        if kind == RTM_NEWLINK and name_of(data[32:length]).startswith(prefix):
            seen.setdefault(index, now)
        if kind == RTM_NEWTFILTER and index in seen:
            gaps.setdefault(index, (now - seen[index]) * 1e6)
        data = data[length + 3 & ~3:]
print(*(round(gap) for gap in sorted(gaps.values())), sep="\n")
