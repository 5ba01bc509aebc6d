#!/usr/bin/env python3
"""Records the Linux kernel as an MLD listener, in two network namespaces of its own.

Usage, as root: linux-listener.py KIND OUT.pcapng     (needs ip and dumpcap)

KIND is 1 or 2, the listener's version, with queries sent from a packet socket, or `bridge`: a version 2 listener
and a Linux bridge as querier. A veth pair joins the namespaces; in one sockets join and leave, in the other
everything is captured. The namespaces are deleted at the end.
"""
import ctypes
import os
import socket
import struct
import subprocess
import sys
import time

ROUTER, LISTENER = "tandem-router", "tandem-listener"
ROUTER_MAC, LISTENER_MAC = "02:00:00:00:00:01", "02:00:00:00:10:01"
ROUTER_LL = "fe80::ff:fe00:1"
S = ["2001:db8:40::100", "2001:db8:40::101", "2001:db8:40::102"]
# linux/sched.h, linux/in.h
CLONE_NEWNET = 0x40000000
MCAST_BLOCK_SOURCE, MCAST_JOIN_SOURCE_GROUP, MCAST_LEAVE_SOURCE_GROUP = 43, 46, 47


def run(*words):
    subprocess.run(words, check=True)


def enter(name):
    with open(f"/run/netns/{name}") as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {name}")


def checksum(octets):
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def query(group, delay_ms, sources=()):
    """A version 2 query as an Ethernet frame."""
    group_octets = socket.inet_pton(socket.AF_INET6, group)
    general = group == "::"
    destination = socket.inet_pton(socket.AF_INET6, "ff02::1" if general else group)
    source = socket.inet_pton(socket.AF_INET6, ROUTER_LL)
    head = struct.pack("!BBHHH", 130, 0, 0, delay_ms, 0) + group_octets
    message = head + struct.pack("!BBH", 2, 125, len(sources))
    message += b"".join(socket.inet_pton(socket.AF_INET6, s) for s in sources)
    pseudo = source + destination + struct.pack("!II", len(message), 58)
    message = message[:2] + struct.pack("!H", checksum(pseudo + message)) + message[4:]
    options = bytes([58, 0, 5, 2, 0, 0, 1, 0])
    packet = struct.pack("!IHBB", 6 << 28, 8 + len(message), 0, 1) + source + destination
    mac = b"\x33\x33" + destination[12:]
    ethernet = mac + bytes.fromhex(ROUTER_MAC.replace(":", "")) + b"\x86\xdd"
    return ethernet + packet + options + message


def source_request(index, group, source):
    def address(text):
        octets = struct.pack("=HHI", socket.AF_INET6, 0, 0)
        octets += socket.inet_pton(socket.AF_INET6, text) + struct.pack("=I", 0)
        return octets.ljust(128, b"\0")

    return struct.pack("=II", index, 0) + address(group) + address(source)


class Listener:
    def __init__(self):
        self.index = socket.if_nametoindex("t1")
        self.sockets = {}

    def socket(self, group):
        if group not in self.sockets:
            self.sockets[group] = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        return self.sockets[group]

    def any_source(self, option, group):
        request = socket.inet_pton(socket.AF_INET6, group) + struct.pack("=I", self.index)
        self.socket(group).setsockopt(socket.IPPROTO_IPV6, option, request)

    def source(self, option, group, source):
        request = source_request(self.index, group, source)
        self.socket(group).setsockopt(socket.IPPROTO_IPV6, option, request)


def set_up(version, bridge):
    for name in (ROUTER, LISTENER):
        run("ip", "netns", "add", name)
    run("ip", "link", "add", "p1", "netns", ROUTER, "type", "veth",
        "peer", "name", "t1", "netns", LISTENER)
    for name, device, mac in ((ROUTER, "p1", ROUTER_MAC), (LISTENER, "t1", LISTENER_MAC)):
        run("ip", "-n", name, "link", "set", device, "address", mac)
        prefix = ["ip", "netns", "exec", name, "sysctl", "-q", "-w"]
        run(*prefix, f"net.ipv6.conf.{device}.accept_dad=0")
        run(*prefix, f"net.ipv6.conf.{device}.router_solicitations=0")
    run("ip", "netns", "exec", LISTENER, "sysctl", "-q", "-w",
        f"net.ipv6.conf.t1.force_mld_version={version}")
    # The router's kernel stays silent on the port: its queries come from the packet socket, or the bridge.
    run("ip", "netns", "exec", ROUTER, "sysctl", "-q", "-w", "net.ipv6.conf.p1.disable_ipv6=1")
    if bridge:
        # Hundredths of a second: query interval 5 s, response 1 s, last listener 1 s.
        run("ip", "-n", ROUTER, "link", "add", "br0", "address", ROUTER_MAC, "type", "bridge",
            "mcast_snooping", "1", "mcast_querier", "1", "mcast_mld_version", "2",
            "mcast_query_interval", "500", "mcast_query_response_interval", "100",
            "mcast_startup_query_interval", "125", "mcast_startup_query_count", "2",
            "mcast_last_member_interval", "100", "mcast_last_member_count", "2",
            "mcast_membership_interval", "1100", "mcast_querier_interval", "1050")
        run("ip", "-n", ROUTER, "link", "set", "p1", "master", "br0")
        run("ip", "netns", "exec", ROUTER, "sysctl", "-q", "-w", "net.ipv6.conf.br0.accept_dad=0")
        run("ip", "netns", "exec", ROUTER, "sysctl", "-q", "-w",
            "net.ipv6.conf.br0.router_solicitations=0")
        run("ip", "-n", ROUTER, "link", "set", "br0", "up")


def play(version, bridge):
    """What is done, by seconds since the links came up."""
    def ask(group="::", delay=500, sources=()):
        return lambda: packets.send(query(group, delay, sources))

    enter(ROUTER)
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    packets.bind(("p1", 0))
    enter(LISTENER)
    listener = Listener()
    join, leave = socket.IPV6_JOIN_GROUP, socket.IPV6_LEAVE_GROUP
    steps = [
        (2, ask()),
        (4, lambda: listener.any_source(join, "ff1e::1")),
        (7, ask()),
        (14, lambda: listener.any_source(leave, "ff1e::1")),
        (17, ask()),
    ]
    if version == 2:
        steps += [
            (5, lambda: listener.source(MCAST_JOIN_SOURCE_GROUP, "ff1e::2", S[0])),
            (6, lambda: listener.source(MCAST_JOIN_SOURCE_GROUP, "ff1e::2", S[1])),
            (9, lambda: listener.source(MCAST_LEAVE_SOURCE_GROUP, "ff1e::2", S[0])),
            (10, lambda: listener.any_source(join, "ff1e::3")),
            (12, lambda: listener.source(MCAST_BLOCK_SOURCE, "ff1e::3", S[2])),
            (13, ask("ff1e::3", 200)),
            (13.5, ask("ff1e::2", 200, S[:2])),
        ]
    else:
        steps += [
            (5, lambda: listener.any_source(join, "ff1e::2")),
            (10, ask("ff1e::2", 200)),
        ]
    if bridge:
        queries = (2, 7, 13, 13.5, 17)
        steps = [step for step in steps if step[0] not in queries]
    begun = time.monotonic()
    for at, step in sorted(steps, key=lambda step: step[0]):
        time.sleep(max(0.0, begun + at - time.monotonic()))
        step()
    time.sleep(max(0.0, begun + 19 - time.monotonic()))
    return packets, listener


def main():
    bridge = sys.argv[1] == "bridge"
    version, out = 2 if bridge else int(sys.argv[1]), os.path.abspath(sys.argv[2])
    set_up(version, bridge)
    capture = None
    try:
        capture = subprocess.Popen(["ip", "netns", "exec", ROUTER, "dumpcap", "-q", "-i", "p1",
                                    "-w", out])
        run("ip", "-n", ROUTER, "link", "set", "p1", "up")
        time.sleep(1)
        run("ip", "-n", LISTENER, "link", "set", "t1", "up")
        kept = play(version, bridge)
        capture.terminate()
        capture.wait()
        del kept
    finally:
        if capture is not None and capture.poll() is None:
            capture.terminate()
            capture.wait()
        for name in (ROUTER, LISTENER):
            subprocess.run(["ip", "netns", "del", name], check=False)


main()
