"""Sockets of a Linux host that listens to multicast addresses (RFC 3810 section 3).

    listener.py INTERFACE COMMANDS ANSWERS

reads lines `SOCKET GROUP include|exclude [SOURCE,...]` from the FIFO COMMANDS and answers each with
`ok`, or what the kernel refused, through the FIFO ANSWERS. INCLUDE without sources ends a socket's
interest.
"""

import errno
import os
import socket
import struct
import sys

# linux/in.h; Python's socket module names none of them.
MCAST_JOIN_GROUP = 42
MCAST_LEAVE_GROUP = 45
MCAST_JOIN_SOURCE_GROUP = 46
MCAST_MSFILTER = 48
# Documentation (RFC 3849): no case has it among its sources.
NOBODY = "2001:db8:ffff:ffff::"
MODES = {"exclude": 0, "include": 1}
IPV6 = socket.IPPROTO_IPV6


def storage(address):
    """A struct sockaddr_storage."""
    octets = socket.inet_pton(socket.AF_INET6, address)
    # The family is in the host's order.
    return struct.pack("=HHI16sI100x", socket.AF_INET6, 0, 0, octets, 0)


class Listener:
    """The sockets of one interface."""

    def __init__(self, interface):
        self.index = socket.if_nametoindex(interface)
        # A kernel's socket for each socket and group: each has one filter.
        self.sockets = {}

    def listen(self, name, group, mode, sources):
        """IPv6MulticastListen (socket, interface, address, filter mode, source list)."""
        key = (name, group)
        if mode == "include" and not sources:
            if key in self.sockets:
                self.sockets.pop(key).close()
            return
        # struct group_req begins like struct group_filter: interface, padding, group.
        head = struct.pack("=I4x", self.index) + storage(group)
        if key not in self.sockets:
            made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            # A filter can only be set on an address that has been joined, and what follows at once is
            # told with the join. INCLUDE begins with the first source; EXCLUDE without one, or
            # beside another socket, whose excluded sources that would free, with somebody unknown.
            others = any(listened == group for _, listened in self.sockets)
            try:
                if mode == "include" or others:
                    first = sources[0] if mode == "include" else NOBODY
                    made.setsockopt(IPV6, MCAST_JOIN_SOURCE_GROUP, head + storage(first))
                else:
                    made.setsockopt(IPV6, MCAST_JOIN_GROUP, head)
            except OSError:
                made.close()
                raise
            self.sockets[key] = made
        value = head + struct.pack("=II", MODES[mode], len(sources))
        value += b"".join(storage(source) for source in sources)
        self.sockets[key].setsockopt(IPV6, MCAST_MSFILTER, value)


def main():
    """Answers until it is killed."""
    interface, commands, answers = sys.argv[1:]
    listener = Listener(interface)
    # Open at both ends: a FIFO whose writer has gone says end of file.
    lines = os.fdopen(os.open(commands, os.O_RDWR), "r")
    out = os.open(answers, os.O_RDWR)
    os.write(out, b"ok\n")
    for line in lines:
        try:
            name, group, mode, *rest = line.split()
            listener.listen(name, group, mode, rest[0].split(",") if rest else [])
            answer = "ok"
        except (OSError, ValueError, KeyError) as error:
            code = getattr(error, "errno", None)
            answer = f"{line.strip()}: {errno.errorcode.get(code, '')} {error}"
        os.write(out, (answer + "\n").encode())


if __name__ == "__main__":
    main()
