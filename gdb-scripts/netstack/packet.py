# SPDX-License-Identifier: GPL-2.0
"""Reading the headers of a frame. Plain Python, no gdb."""

from __future__ import annotations

import ipaddress
import struct

from . import bits


def _port_line(name: str, data: bytes, rest: str) -> str:
    source, target = struct.unpack_from("!HH", data)
    return f"{name} {source} > {target}{rest}"


def ethernet(data: bytes) -> str:
    """One line about an Ethernet header."""
    if len(data) < 14:
        return "Ethernet header cut short"
    kind = struct.unpack_from("!H", data, 12)[0]
    return f"Ethernet {bits.mac(data[6:12])} > {bits.mac(data[0:6])}, {bits.ethertype(kind)}"


def ipv4(data: bytes) -> str:
    """One line about an IPv4 header."""
    if len(data) < 20:
        return "IPv4 header cut short"
    length, ident = struct.unpack_from("!HH", data, 2)
    proto = bits.IP_PROTOCOLS.get(data[9], str(data[9]))
    source, target = ipaddress.IPv4Address(data[12:16]), ipaddress.IPv4Address(data[16:20])
    return (f"IPv4 {source} > {target}, {proto}, ttl {data[8]}, length {length}, "
            f"id 0x{ident:04x}, header {(data[0] & 15) * 4} B")


def ipv6(data: bytes) -> str:
    """One line about an IPv6 header."""
    if len(data) < 40:
        return "IPv6 header cut short"
    length, following, hops = struct.unpack_from("!HBB", data, 4)
    proto = bits.IP_PROTOCOLS.get(following, str(following))
    source, target = ipaddress.IPv6Address(data[8:24]), ipaddress.IPv6Address(data[24:40])
    return f"IPv6 {source} > {target}, {proto}, hop limit {hops}, payload {length}"


def arp(data: bytes) -> str:
    """One line about an ARP packet for IPv4 over Ethernet."""
    if len(data) < 28:
        return "ARP packet cut short"
    operation = struct.unpack_from("!H", data, 6)[0]
    sender, target = ipaddress.IPv4Address(data[14:18]), ipaddress.IPv4Address(data[24:28])
    if operation == 1:
        return f"ARP who has {target}? tell {sender}"
    return f"ARP {sender} is at {bits.mac(data[8:14])}"


def transport(protocol: int, data: bytes) -> str:
    """One line about what IP carries."""
    name = bits.IP_PROTOCOLS.get(protocol, f"protocol {protocol}")
    if protocol == 17 and len(data) >= 8:
        length, check = struct.unpack_from("!HH", data, 4)
        return _port_line("UDP", data, f", length {length}, checksum 0x{check:04x}")
    if protocol == 6 and len(data) >= 20:
        seq, ack = struct.unpack_from("!II", data, 4)
        flags = bits.decode_bits(data[13], ("FIN", "SYN", "RST", "PSH", "ACK", "URG"))
        return _port_line("TCP", data, f", {flags}, seq {seq}, ack {ack}")
    if protocol in (1, 58) and len(data) >= 2:
        return f"{name} type {data[0]} code {data[1]}"
    return f"{name}, {len(data)} B visible"


def toeplitz(key: bytes, data: bytes) -> int:
    """The hash by which a card spreads flows: each set bit of the data takes 32 bits of the key."""
    row, width = int.from_bytes(key, "big"), len(key) * 8
    found = 0
    for number in range(len(data) * 8):
        if data[number // 8] << number % 8 & 0x80:
            found ^= row >> width - 32 - number
    return found & 0xffffffff


def summary(data: bytes, kind: int) -> list[str]:
    """Lines about a packet that starts at its network header; kind is its EtherType."""
    if kind == 0x0800:
        lines = [ipv4(data)]
        if len(data) >= 20:
            lines.append(transport(data[9], data[(data[0] & 15) * 4:]))
        return lines
    if kind == 0x86dd:
        lines = [ipv6(data)]
        if len(data) >= 40:
            lines.append(transport(data[6], data[40:]))
        return lines
    if kind == 0x0806:
        return [arp(data)]
    return [f"{bits.ethertype(kind)}, {len(data)} B visible"]


def printable(data: bytes, limit: int = 48) -> str:
    """Bytes as text in quotes, everything unprintable as a dot."""
    shown = "".join(chr(octet) if 32 <= octet < 127 else "." for octet in data[:limit])
    return f'"{shown}"' + (" ..." if len(data) > limit else "")
