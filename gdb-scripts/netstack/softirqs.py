# SPDX-License-Identifier: GPL-2.0
"""`net softirqs`: the vectors, their handlers, and what waits on each CPU."""

from __future__ import annotations

import gdb

from . import bits, percpu, utils


def names() -> list[str]:
    """Names of the vectors, from the kernel's own table where it can be read."""
    table = utils.variable_or_none("softirq_to_name")
    if table is None:
        return list(bits.SOFTIRQS)
    first, last = table.type.range()
    return [utils.string_of(table[index]) for index in range(first, last + 1)]


def decode(mask: int) -> str:
    """A pending mask as names."""
    return bits.decode_bits(mask, names(), "nothing")


def handlers() -> list[tuple[int, str, str]]:
    """(vector, name, handler) for each vector; a handler nobody opened yet is `-`."""
    vectors = utils.variable("softirq_vec")
    rows = []
    for number, name in enumerate(names()):
        action = vectors[number]["action"]
        rows.append((number, name, "-" if utils.is_null(action) else utils.symbol_of(action)))
    return rows


def ksoftirqd(cpu: int) -> str:
    """Name of a CPU's ksoftirqd thread, or why there is none."""
    thread = percpu.per_cpu("ksoftirqd", cpu)
    return "not started yet" if utils.is_null(thread) else utils.string_of(thread["comm"])


def show(argument: str) -> None:
    """List the softirq vectors: number, name, handler, and what is pending on each CPU.

Usage: net softirqs [pending]

With `pending` only the lines about the CPUs are shown.

A vector without a handler shows `-`. The kernel serves pending vectors from the lowest
number up, either on the way out of an interrupt or in the CPU's ksoftirqd thread.

Example:
  (gdb) net softirqs
    nr  name    handler
    0   HI      tasklet_hi_action
    3   NET_RX  net_rx_action
  CPU 0: pending 0x0008 (NET_RX), thread ksoftirqd/0"""
    if argument not in ("", "pending"):
        raise gdb.GdbError(f"net softirqs: unknown word `{argument}`; "
                           "usage: net softirqs [pending]")
    if not argument:
        rows: list[tuple[str, ...]] = [("nr", "name", "handler")]
        rows += [(str(number), name, handler) for number, name, handler in handlers()]
        utils.table(rows)
    for cpu in percpu.possible_cpus():
        mask = percpu.softirq_pending(cpu)
        utils.out(f"CPU {cpu}: pending {mask:#06x} ({decode(mask)}), thread {ksoftirqd(cpu)}")


class DecodeMask(gdb.Function):
    """Decode a softirq pending mask: $softirqs(MASK) returns the names of its bits.

Example:
  (gdb) print $softirqs(0x8)
  $1 = "NET_RX" """

    def __init__(self) -> None:
        super().__init__("softirqs")

    def invoke(self, mask: gdb.Value) -> str:
        """gdb calls this to evaluate $softirqs(MASK)."""
        return decode(int(mask))


def register() -> None:
    """Add the command and the function to gdb."""
    utils.NetCommand("softirqs", show)
    DecodeMask()
