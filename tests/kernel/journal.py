#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A journal of the tests' own: journal.py SOCKET reads datagrams of journald's native protocol and
# prints each as one line of JSON. It reads while there is a line on its standard input for each
# datagram, or after the word "all" every one, so that a test can have it stuck.
import json
import os
import socket
import sys


def fields(datagram):
    found = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = int.from_bytes(rest[:8], "little")
            value, rest = rest[8:8 + size], rest[8 + size:]
            if rest[:1] != b"\n":
                raise ValueError("no newline behind the value of " + name.decode())
            rest = rest[1:]
        if name.decode() in found:
            raise ValueError(name.decode() + " comes twice")
        found[name.decode()] = value.decode()
        datagram = rest
    return found


path = sys.argv[1]
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
journal.bind(path)
os.chmod(path, 0o666)
everything = False
while everything or (word := sys.stdin.readline()):
    everything = everything or word == "all\n"
    print(json.dumps(fields(journal.recv(1 << 20))), flush=True)
