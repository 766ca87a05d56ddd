# SPDX-License-Identifier: GPL-2.0
"""Pretty-printers: what `print` shows for the structures of the network stack.

`print/r` shows any of them raw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import gdb
import gdb.printing

from . import bits, device, napi, skb, softirqs, utils

Child = tuple[str, object]


class Printer:
    """Base: a heading and a list of (label, text), shown as members."""

    def __init__(self, value: gdb.Value) -> None:
        self.value = value

    def heading(self) -> str:
        """What stands before the braces."""
        raise NotImplementedError

    def members(self) -> list[tuple[str, str]]:
        """What stands inside the braces."""
        return []

    def to_string(self) -> str:
        """gdb asks for the text; a value in unreadable memory must not end the command."""
        try:
            return self.heading()
        except (gdb.error, gdb.GdbError) as error:
            return f"({self.value.type}, unreadable: {error})"

    def children(self) -> Iterator[Child]:
        """gdb asks for the members."""
        try:
            pairs = self.members()
        except (gdb.error, gdb.GdbError):
            pairs = []
        for label, text in pairs:
            yield label, text


class SkBuff(Printer):
    """struct sk_buff"""

    def heading(self) -> str:
        return f"sk_buff: {skb.summary(self.value)}"

    def members(self) -> list[tuple[str, str]]:
        place = skb.layout(self.value)
        return [("head", f"{place.head:#x}"),
                ("offsets", f"data {place.data}, tail {place.tail}, end {place.end}"),
                ("len", f"{place.len} (linear {place.linear}, data_len {place.data_len})"),
                ("truesize", str(int(self.value["truesize"])))]


class NetDevice(Printer):
    """struct net_device"""

    def heading(self) -> str:
        return f"net_device: {device.brief(self.value)}"

    def members(self) -> list[tuple[str, str]]:
        address = self.value.address
        if address is None:
            return []
        return [pair for pair in device.details(address)
                if pair[0] in ("ifindex", "link", "driver", "netdev_ops", "queues", "qdisc")]


class NapiStruct(Printer):
    """struct napi_struct"""

    def heading(self) -> str:
        return f"napi_struct: {napi.name_of(self.value)}"

    def members(self) -> list[tuple[str, str]]:
        return [("state", f"{int(self.value['state']):#x} {napi.state_of(self.value)}"),
                ("weight", str(int(self.value["weight"]))),
                ("napi_id", str(int(self.value["napi_id"]))),
                ("rx_count", str(int(self.value["rx_count"])))]


class PcpuHot(Printer):
    """struct pcpu_hot: the cache line with a CPU's task, preempt count and pending softirqs"""

    def heading(self) -> str:
        task = self.value["current_task"]
        name = "no task yet" if utils.is_null(task) else utils.string_of(task["comm"])
        return f"pcpu_hot: CPU {int(self.value['cpu_number'])}, {name}"

    def members(self) -> list[tuple[str, str]]:
        count = int(self.value["preempt_count"]) & 0x7fffffff
        pending = int(self.value["softirq_pending"])
        return [("preempt_count", f"{count:#x} {bits.describe_preempt_count(count)}"),
                ("softirq_pending", f"{pending:#06x} {softirqs.decode(pending)}")]


PRINTERS: dict[str, Callable[[gdb.Value], Printer]] = {
    "sk_buff": SkBuff,
    "net_device": NetDevice,
    "napi_struct": NapiStruct,
    "pcpu_hot": PcpuHot,
}


def register() -> None:
    """Hand the printers to gdb; asking twice replaces them."""
    collection = gdb.printing.RegexpCollectionPrettyPrinter("netstack")
    for name, printer in PRINTERS.items():
        collection.add_printer(name, f"^{name}$", printer)
    gdb.printing.register_pretty_printer(None, collection, replace=True)
