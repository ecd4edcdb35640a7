# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends one router advertisement (RFC 4861 4.2) with a recursive DNS server option (RFC 8106 5.1)
to all nodes on DEVICE: advertise.py DEVICE LIFETIME RESOLVER... The kernel fills in the checksum.
Prints when it was sent, in nanoseconds of the system's clock."""
import socket
import struct
import sys
import time

ROUTER_ADVERTISEMENT, RDNSS = 134, 25

device, lifetime, resolvers = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
sender = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode() + b"\0")
sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
# No default router, no prefix: hop limit and lifetime 0.
message = struct.pack("!BBHBBHII", ROUTER_ADVERTISEMENT, 0, 0, 0, 0, 0, 0, 0)
message += struct.pack("!BBHI", RDNSS, 1 + 2 * len(resolvers), 0, lifetime)
message += b"".join(socket.inet_pton(socket.AF_INET6, one) for one in resolvers)
print(time.time_ns(), flush=True)
sender.sendto(message, ("ff02::1", 0, 0, socket.if_nametoindex(device)))
