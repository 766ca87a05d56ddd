# SPDX-License-Identifier: GPL-2.0
"""Per-CPU variables and what a CPU is doing at the moment."""

from __future__ import annotations

import gdb

from . import bits, utils


def current_cpu() -> int:
    """The CPU gdb is looking at; QEMU shows each CPU as one thread, the first is 1."""
    thread = gdb.selected_thread()
    return thread.num - 1 if thread is not None else 0


def offset(cpu: int) -> int:
    """Distance between a per-CPU symbol and this CPU's copy of it (0 on a kernel without SMP)."""
    table = utils.variable_or_none("__per_cpu_offset")
    return int(table[cpu]) if table is not None else 0


def per_cpu(name: str, cpu: int) -> gdb.Value:
    """This CPU's copy of a per-CPU variable."""
    symbol = utils.address_of(name)
    address = (int(symbol) + offset(cpu)) & 0xffffffffffffffff
    return gdb.Value(address).cast(symbol.type).dereference()


def possible_cpus() -> list[int]:
    """Numbers of the CPUs the kernel set data aside for."""
    mask = utils.variable_or_none("__cpu_possible_mask")
    if mask is None:
        return [0]
    words = mask["bits"]
    first, last = words.type.range()
    found = []
    for index in range(first, last + 1):
        word = int(words[index])
        found += [index * 64 + bit for bit in range(64) if word >> bit & 1]
    return found or [0]


def current_task(cpu: int | None = None) -> gdb.Value:
    """Pointer to the task_struct on a CPU."""
    return per_cpu("pcpu_hot", current_cpu() if cpu is None else cpu)["current_task"]


def task_name(cpu: int | None = None) -> str:
    """Name of the task on a CPU; in interrupt context that is the one interrupted."""
    return utils.string_of(current_task(cpu)["comm"])


def preempt_count(cpu: int | None = None) -> int:
    """preempt_count of a CPU without its inverted need-resched bit."""
    hot = per_cpu("pcpu_hot", current_cpu() if cpu is None else cpu)
    return int(hot["preempt_count"]) & 0x7fffffff


def context(cpu: int | None = None) -> str:
    """hardirq, softirq or process."""
    return bits.context_of(preempt_count(cpu))


def softirq_pending(cpu: int) -> int:
    """The mask in which raise_softirq sets its bit."""
    return int(per_cpu("pcpu_hot", cpu)["softirq_pending"])
