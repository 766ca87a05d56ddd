# SPDX-License-Identifier: GPL-2.0
"""`net protocols`: the tables through which families and protocols plug into the stack."""

from __future__ import annotations

from collections.abc import Iterator

import gdb

from . import bits, lists, utils

inet_protosw = utils.CachedType("struct inet_protosw")
packet_type = utils.CachedType("struct packet_type")

Rows = list[tuple[str, ...]]


def _filled(table: gdb.Value) -> Iterator[tuple[int, gdb.Value]]:
    first, last = table.type.range()
    for number in range(first, last + 1):
        entry = table[number]
        if int(entry):
            yield number, entry


def families() -> Rows:
    """Registered socket families: what socket() looks up first."""
    known = utils.variable_or_none("pf_family_names")
    rows: Rows = []
    for number, entry in _filled(utils.variable("net_families")):
        name = utils.string_of(known[number]) if known is not None else f"family {number}"
        rows.append((str(number), name, utils.symbol_of(entry["create"])))
    return rows


def ip_protocols(table_name: str) -> Rows:
    """Handlers for what IP carries, by protocol number."""
    table = utils.variable_or_none(table_name)
    if table is None:
        return []
    return [(str(number), bits.IP_PROTOCOLS.get(number, "?"), utils.symbol_of(entry["handler"]))
            for number, entry in _filled(table)]


def socket_types(table_name: str) -> Rows:
    """The socket side: which struct proto a socket of a type and protocol gets."""
    table = utils.variable_or_none(table_name)
    if table is None:
        return []
    rows: Rows = []
    first, last = table.type.range()
    for number in range(first, last + 1):
        for entry in lists.for_each_entry(table[number], inet_protosw.get(), "list"):
            protocol = int(entry["protocol"])
            rows.append((bits.SOCKET_TYPES.get(number, str(number)),
                         bits.IP_PROTOCOLS.get(protocol, str(protocol)) if protocol else "any",
                         utils.string_of(entry["prot"]["name"]), utils.symbol_of(entry["ops"])))
    return rows


def _packet_row(entry: gdb.Value) -> tuple[str, ...]:
    number = int(entry["type"])
    kind = (number & 0xff) << 8 | number >> 8
    listed = entry["list_func"]
    device = "any" if utils.is_null(entry["dev"]) else utils.string_of(entry["dev"]["name"])
    return (bits.ethertype(kind), utils.symbol_of(entry["func"]),
            "-" if utils.is_null(listed) else utils.symbol_of(listed), device)


def packet_handlers() -> Rows:
    """Who gets a frame of which EtherType."""
    buckets = utils.variable("ptype_base")
    first, last = buckets.type.range()
    rows = [_packet_row(entry) for number in range(first, last + 1)
            for entry in lists.for_each_entry(buckets[number], packet_type.get(), "list")]
    return sorted(rows)


def taps() -> Rows:
    """Who gets every frame (a running tcpdump, for instance)."""
    hot = utils.variable_or_none("net_hotdata")
    if hot is not None and utils.has_field(hot.type, "ptype_all"):
        head = hot["ptype_all"]
    else:
        head = utils.variable("ptype_all")
    return [_packet_row(entry) for entry in lists.for_each_entry(head, packet_type.get(), "list")]


def _section(title: str, heading: tuple[str, ...], rows: Rows) -> None:
    utils.out(title)
    if rows:
        utils.table([heading] + rows)
    else:
        utils.out("  nothing registered")


SECTIONS = {
    "families": lambda: _section("socket families (net_families)",
                                 ("nr", "family", "create"), families()),
    "inet": lambda: _section("carried by IPv4 (inet_protos)",
                             ("nr", "protocol", "handler"), ip_protocols("inet_protos")),
    "inet6": lambda: _section("carried by IPv6 (inet6_protos)",
                              ("nr", "protocol", "handler"), ip_protocols("inet6_protos")),
    "sockets": lambda: _section("IPv4 sockets (inetsw)", ("type", "protocol", "proto", "ops"),
                                socket_types("inetsw")),
    "sockets6": lambda: _section("IPv6 sockets (inetsw6)", ("type", "protocol", "proto", "ops"),
                                 socket_types("inetsw6")),
    "packets": lambda: _section("by EtherType (ptype_base)",
                                ("type", "handler", "list handler", "device"),
                                packet_handlers()),
    "taps": lambda: _section("every frame (ptype_all)",
                             ("type", "handler", "list handler", "device"), taps()),
}


def show(argument: str) -> None:
    """List what is registered at each layer of the stack.

Usage: net protocols [TABLE...]

TABLE is one of families, inet, inet6, sockets, sockets6, packets, taps; without one, all of
them are shown. `families` is what socket() looks up; `sockets` picks the struct proto;
`packets` hands a received frame to its network protocol by EtherType; `inet` hands what an
IPv4 packet carries to its transport protocol.

Example:
  (gdb) net protocols inet
  carried by IPv4 (inet_protos)
    nr  protocol  handler
    1   ICMP      icmp_rcv
    6   TCP       tcp_v4_rcv
    17  UDP       udp_rcv"""
    wanted = argument.split() or list(SECTIONS)
    for name in wanted:
        if name not in SECTIONS:
            raise gdb.GdbError(f"net protocols: no table `{name}`; choose from "
                               f"{', '.join(SECTIONS)}")
        SECTIONS[name]()


def register() -> None:
    """Add the command to gdb."""
    utils.NetCommand("protocols", show)
