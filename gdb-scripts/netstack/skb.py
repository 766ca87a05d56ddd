# SPDX-License-Identifier: GPL-2.0
"""`net skb`: a packet's memory as a picture, and what its headers say."""

from __future__ import annotations

from dataclasses import dataclass

import gdb

from . import bits, lists, packet, picture, utils

sk_buff = utils.CachedType("struct sk_buff")
shared_info = utils.CachedType("struct skb_shared_info")

UNSET = 0xffff


@dataclass(frozen=True)
class Layout:
    """Where an sk_buff's pointers stand, as offsets from head, and its lengths in bytes."""

    head: int
    data: int
    tail: int
    end: int
    len: int
    data_len: int
    mac: int
    network: int
    transport: int

    @property
    def linear(self) -> int:
        """Bytes between data and tail."""
        return self.len - self.data_len


def _offset(value: gdb.Value, head: int) -> int:
    """sk_buff_data_t is an offset on 64 bit and a pointer on 32 bit."""
    if value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR:
        return int(value) - head
    return int(value)


def layout(skb: gdb.Value) -> Layout:
    """Read the pointers of an sk_buff."""
    head = int(skb["head"])
    return Layout(head=head, data=int(skb["data"]) - head, tail=_offset(skb["tail"], head),
                  end=_offset(skb["end"], head), len=int(skb["len"]),
                  data_len=int(skb["data_len"]), mac=int(skb["mac_header"]),
                  network=int(skb["network_header"]), transport=int(skb["transport_header"]))


def protocol(skb: gdb.Value) -> int:
    """EtherType in host order."""
    number = int(skb["protocol"])
    return (number & 0xff) << 8 | number >> 8


def _bytes_from(place: Layout, offset: int) -> bytes:
    return utils.read_bytes(place.head + offset, min(place.tail - offset, 256))


def network_offset(skb: gdb.Value, place: Layout) -> int:
    """Offset of the network header; before anybody set it, data is where it will be."""
    if place.mac == place.data and protocol(skb) == 0:
        return place.data + 14
    if place.network not in (0, UNSET) and (place.mac == UNSET or place.network >= place.mac):
        return place.network
    return place.data


def headers(skb: gdb.Value) -> list[str]:
    """Lines about the Ethernet, network and transport header."""
    place = layout(skb)
    lines = []
    kind = protocol(skb)
    if place.mac != UNSET and place.mac + 14 <= place.tail:
        lines.append(packet.ethernet(utils.read_bytes(place.head + place.mac, 14)))
    if kind:
        lines += packet.summary(_bytes_from(place, network_offset(skb, place)), kind)
    return lines


def payload(skb: gdb.Value) -> bytes:
    """What a UDP datagram over IPv4 carries; empty when this is not one or not linear."""
    place = layout(skb)
    start = network_offset(skb, place)
    data = utils.read_bytes(place.head + start, place.tail - start)
    if protocol(skb) != 0x0800 or len(data) < 28 or data[9] != 17:
        return b""
    offset = (data[0] & 15) * 4
    length = int.from_bytes(data[offset + 4:offset + 6], "big")
    return data[offset + 8:offset + length]


def udp_ports(skb: gdb.Value) -> tuple[int, int] | None:
    """(source, destination) of a UDP datagram over IPv4, else None."""
    place = layout(skb)
    data = _bytes_from(place, network_offset(skb, place))
    if protocol(skb) != 0x0800 or len(data) < 28 or data[9] != 17:
        return None
    offset = (data[0] & 15) * 4
    return (int.from_bytes(data[offset:offset + 2], "big"),
            int.from_bytes(data[offset + 2:offset + 4], "big"))


def tcp_segment(skb: gdb.Value) -> tuple[int, int, int] | None:
    """(destination port, sequence number, bytes of data) of TCP over IPv4, else None."""
    place = layout(skb)
    data = _bytes_from(place, network_offset(skb, place))
    if protocol(skb) != 0x0800 or len(data) < 40 or data[9] != 6:
        return None
    offset = (data[0] & 15) * 4
    headers = offset + (data[offset + 12] >> 4) * 4
    return (int.from_bytes(data[offset + 2:offset + 4], "big"),
            int.from_bytes(data[offset + 4:offset + 8], "big"),
            int.from_bytes(data[2:4], "big") - headers)


def _marks(place: Layout) -> list[picture.Mark]:
    found = []
    if place.mac != UNSET:
        found.append(picture.Mark("mac header", place.mac))
    if place.network and place.network != place.mac:
        found.append(picture.Mark("network header", place.network))
    if place.transport not in (UNSET, 0) and place.transport > place.network:
        found.append(picture.Mark("transport header", place.transport))
    return found


def _device_name(skb: gdb.Value) -> str:
    dev = int(skb["dev"])
    if dev == 0:
        return "no device"
    # UDP keeps a cached length where dev was, so only a kernel address is a device.
    if dev >> 47 != 0x1ffff:
        return "dev_scratch in use"
    return utils.string_of(skb["dev"]["name"])


def summary(skb: gdb.Value) -> str:
    """One line: length, device, protocol and the innermost header known."""
    lines = headers(skb)
    last = f", {lines[-1]}" if lines else ""
    kind = protocol(skb)
    name = bits.ethertype(kind) if kind else "protocol not set"
    return f"len {int(skb['len'])}, {_device_name(skb)}, {name}{last}"


def _fragments(skb: gdb.Value, place: Layout) -> list[str]:
    info = gdb.Value(place.head + place.end).cast(shared_info.pointer())
    count = int(info["nr_frags"])
    lines = []
    for index in range(count):
        frag = info["frags"][index]
        size = frag["len"] if utils.has_field(frag.type, "len") else frag["bv_len"]
        offset = frag["offset"] if utils.has_field(frag.type, "offset") else frag["bv_offset"]
        lines.append(f"frag {index}: {int(size)} B at offset {int(offset)} of its page")
    chain, chained = info["frag_list"], 0
    while int(chain) and chained < lists.LIMIT:
        chained += 1
        chain = chain["next"]
    lines.insert(0, f"frags {count}, frag_list {chained}, "
                    f"references to the data {int(info['dataref']['counter']) & 0xffff}"
                    + (f", gso_size {int(info['gso_size'])}" if int(info["gso_size"]) else ""))
    return lines


def _ownership(skb: gdb.Value) -> str:
    cloned = "a clone shares its data" if int(skb["cloned"]) else "not cloned"
    return f"users {int(skb['users']['refs']['counter'])}, {cloned}"


def _place_name(place: Layout, offset: int) -> str:
    # A fresh sk_buff is all zeroes but for mac and transport; no header can be before data
    # with no room for it, so 0 there means that nobody has set it.
    if offset == UNSET or (offset == 0 and place.data > 0):
        return "unset"
    return f"{offset} (data {offset - place.data:+d})"


def describe(skb: gdb.Value) -> list[str]:
    """Everything `net skb` prints below its first line."""
    place = layout(skb)
    kind = protocol(skb)
    lines = picture.draw_buffer(place.data, place.tail, place.end, _marks(place))
    lines += [
        f"len {place.len} = linear {place.linear} + data_len {place.data_len}; "
        f"headroom {place.data}, tailroom {place.end - place.tail if not place.data_len else 0}, "
        f"truesize {int(skb['truesize'])}",
        f"mac {_place_name(place, place.mac)}, network {_place_name(place, place.network)}, "
        f"transport {_place_name(place, place.transport)}",
        f"device {_device_name(skb)}, protocol {bits.ethertype(kind) if kind else 'not set'}, "
        f"packet type {bits.pick(bits.PACKET_TYPES, int(skb['pkt_type']))}, "
        f"checksum {bits.pick(bits.IP_SUMMED, int(skb['ip_summed']))}",
        _ownership(skb),
    ]
    if place.head:
        lines += _fragments(skb, place)
    return lines + headers(skb)


def resolve(argument: str, command: str) -> gdb.Value:
    """A pointer to an sk_buff from an expression."""
    if not argument:
        raise gdb.GdbError(f"{command}: which sk_buff? For example: {command} skb")
    skb = utils.cast_to_pointer(utils.evaluate(argument, command), sk_buff, command)
    if utils.is_null(skb):
        raise gdb.GdbError(f"{command}: `{argument}` is NULL")
    return skb


def show(argument: str) -> None:
    """Draw an sk_buff: head, data, tail and end, its lengths, fragments and headers.

Usage: net skb EXPR

EXPR gives a struct sk_buff or a pointer to one. Numbers at the left of the picture are
offsets from head in bytes.

Example:
  (gdb) net skb skb
  (struct sk_buff *) 0xffff888003b1c300
        0 +------------------------------+ <- head
          |        headroom 78 B         |
       78 +------------------------------+ <- data, network header
  ..."""
    skb = resolve(argument, "net skb")
    utils.out(f"(struct sk_buff *) {int(skb):#x}")
    for line in describe(skb):
        utils.out("  " + line)


def register() -> None:
    """Add the command to gdb."""
    utils.NetCommand("skb", show, gdb.COMPLETE_EXPRESSION)
