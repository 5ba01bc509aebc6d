"""Sends one version 2 General Query that says a Query Interval and a Robustness Variable.

    query.py INTERFACE SECONDS ROBUSTNESS

A Linux host has no setting of its own for either: it takes what the last query said.
"""

import socket
import struct
import sys


def checksum(octets):
    """The Internet checksum."""
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def query(seconds, robustness):
    """The frame: from fe80::a1, answered within 2 s, the version 1 querier's own."""
    source = socket.inet_pton(socket.AF_INET6, "fe80::a1")
    everybody = socket.inet_pton(socket.AF_INET6, "ff02::1")
    body = struct.pack("!BBHHH16sBBH", 130, 0, 0, 2000, 0, bytes(16), robustness, seconds, 0)
    pseudo = source + everybody + struct.pack("!II", len(body), 58)
    body = body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]
    # Hop-by-Hop Options: Router Alert for MLD, PadN.
    options = bytes.fromhex("3a00050200000100")
    length = len(options) + len(body)
    header = struct.pack("!IHBB", 6 << 28, length, 0, 1) + source + everybody
    ether = bytes.fromhex("333300000001020000000101" "86dd")
    return ether + header + options + body


def main():
    """Sends it."""
    interface, seconds, robustness = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind((interface, 0))
    out.send(query(seconds, robustness))


if __name__ == "__main__":
    main()
