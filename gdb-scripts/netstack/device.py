# SPDX-License-Identifier: GPL-2.0
"""`net device`: one net_device, its flags, features and the tables behind it."""

from __future__ import annotations

from collections.abc import Iterator
import functools

import gdb

from . import bits, lists, utils

net_device = utils.CachedType("struct net_device")
netdev_queue = utils.CachedType("struct netdev_queue")


def every() -> Iterator[gdb.Value]:
    """The devices of the first network namespace, in the order of `ip link`."""
    head = utils.variable("init_net")["dev_base_head"]
    yield from lists.for_each_entry(head, net_device.get(), "dev_list")


def find(name: str) -> gdb.Value | None:
    """The device of that name, or None."""
    for dev in every():
        if utils.string_of(dev["name"]) == name:
            return dev
    return None


def resolve(argument: str, command: str) -> gdb.Value:
    """A device from its name or from an expression."""
    found = find(argument)
    if found is not None:
        return found
    try:
        value = utils.evaluate(argument, command)
    except gdb.GdbError as error:
        present = ", ".join(utils.string_of(dev["name"]) for dev in every()) or "none"
        raise gdb.GdbError(f"{error}; it is not a device's name either (there are: "
                           f"{present})") from None
    return utils.cast_to_pointer(value, net_device, command)


def address_of(dev: gdb.Value) -> str:
    """The hardware address in use."""
    raw = utils.read_bytes(int(dev["dev_addr"]), int(dev["addr_len"]))
    return bits.mac(raw) or "none"


def broadcast_of(dev: gdb.Value) -> str:
    """The address that means everybody on the link."""
    return bits.mac(utils.read_bytes(int(dev["broadcast"].address), int(dev["addr_len"])))


def flags_of(dev: gdb.Value) -> str:
    """IFF_ flags without their prefix."""
    return bits.decode_bits(int(dev["flags"]), bits.DEVICE_FLAGS)


@functools.cache
def feature_names() -> dict[int, str]:
    """Feature bits under the names `ethtool -k` prints, read from the kernel's own table."""
    table = utils.variable_or_none("netdev_features_strings")
    if table is None:
        return {}
    first, last = table.type.range()
    named = ((index, utils.string_of(table[index])) for index in range(first, last + 1))
    return {index: name for index, name in named if name}


def link_of(dev: gdb.Value) -> str:
    """Carrier and queue state as words."""
    state = int(dev["state"])
    carrier = "no carrier" if state & 4 else "carrier"
    return f"{carrier}, state {bits.decode_bits(state, bits.LINK_STATES)}"


def driver_of(dev: gdb.Value) -> str:
    """Name of the driver bound to the bus device below, or `none` for a software device."""
    parent = dev["dev"]["parent"]
    if utils.is_null(parent) or utils.is_null(parent["driver"]):
        return "none"
    return utils.string_of(parent["driver"]["name"])


def private_area(dev: gdb.Value) -> int:
    """Address of what netdev_priv() returns."""
    if utils.has_field(net_device.get(), "priv"):
        return int(dev["priv"].address)
    size = net_device.get().sizeof
    return int(dev) + ((size + 31) & ~31)


def qdisc_of(dev: gdb.Value) -> str:
    """Name of the root queueing discipline."""
    qdisc = dev["qdisc"]
    if utils.is_null(qdisc):
        return "none"
    return utils.string_of(qdisc["ops"]["id"])


def _queues(dev: gdb.Value) -> str:
    return (f"{int(dev['real_num_tx_queues'])} of {int(dev['num_tx_queues'])} tx, "
            f"{int(dev['real_num_rx_queues'])} of {int(dev['num_rx_queues'])} rx")


def details(dev: gdb.Value) -> list[tuple[str, str]]:
    """(label, text) for each thing worth knowing about a device."""
    features = int(dev["features"])
    operstate = bits.pick(bits.OPERSTATES, int(dev["operstate"]))
    ops, ethtool = dev["netdev_ops"], dev["ethtool_ops"]
    return [
        ("ifindex", str(int(dev["ifindex"]))),
        ("irq", str(int(dev["irq"])) if int(dev["irq"]) else "0 (the driver keeps its own)"),
        ("address", f"{address_of(dev)}, broadcast {broadcast_of(dev)}"),
        ("flags", f"{int(dev['flags']):#x} {flags_of(dev)}"),
        ("asked for", f"promiscuous by {int(dev['promiscuity'])}, "
                      f"all multicast by {int(dev['allmulti'])}"),
        ("link", f"operstate {operstate}, {link_of(dev)}"),
        ("mtu", f"{int(dev['mtu'])} (from {int(dev['min_mtu'])} to {int(dev['max_mtu'])})"),
        ("driver", driver_of(dev)),
        ("netdev_ops", utils.symbol_of(ops)),
        ("ethtool_ops", utils.symbol_of(ethtool)),
        ("queues", _queues(dev)),
        ("qdisc", f"{qdisc_of(dev)}, tx_queue_len {int(dev['tx_queue_len'])}"),
        ("private area", f"{private_area(dev):#x}"),
        ("features", bits.decode_bits(features, feature_names())),
    ]


def _wrapped(label: str, text: str) -> None:
    words, line = text.split(), f"  {label:<14}"
    for word in words:
        if len(line) + len(word) > 96:
            utils.out(line.rstrip())
            line = " " * 16
        line += word + " "
    utils.out(line.rstrip())


def brief(dev: gdb.Value) -> str:
    """One line about a device."""
    return (f"{utils.string_of(dev['name'])}: {flags_of(dev)}; mtu {int(dev['mtu'])}; "
            f"{address_of(dev)}")


def show(argument: str) -> None:
    """Show a network device: flags, features, link, addresses, operations, queues.

Usage: net device [NAME|EXPR]

EXPR gives a struct net_device or a pointer to one. Without an argument the devices of the
first network namespace are listed, one a line.

Example:
  (gdb) net device eth0
  eth0 (struct net_device *) 0xffff888003a40000
    ifindex       2
    flags         0x1003 UP BROADCAST MULTICAST
    link          operstate UP, carrier, state START PRESENT
    driver        igb
  ...
  (gdb) net device skb->dev"""
    if not argument:
        rows: list[tuple[str, ...]] = [("index", "name", "driver", "mtu", "address", "flags")]
        rows += [(str(int(dev["ifindex"])), utils.string_of(dev["name"]), driver_of(dev),
                  str(int(dev["mtu"])), address_of(dev), flags_of(dev)) for dev in every()]
        utils.table(rows)
        if len(rows) == 1:
            utils.out("  no devices yet")
        return
    dev = resolve(argument, "net device")
    if utils.is_null(dev):
        raise gdb.GdbError(f"net device: `{argument}` is NULL")
    utils.out(f"{utils.string_of(dev['name'])} (struct net_device *) {int(dev):#x}")
    for label, text in details(dev):
        _wrapped(label, text)


def register() -> None:
    """Add the command to gdb."""
    utils.NetCommand("device", show, gdb.COMPLETE_EXPRESSION)
