# SPDX-License-Identifier: GPL-2.0
"""Walking the kernel's linked lists."""

from __future__ import annotations

from collections.abc import Iterator

import gdb

from . import utils

LIMIT = 10000


def _bounded(name: str, count: int) -> None:
    if count >= LIMIT:
        raise gdb.GdbError(f"net: list at {name} has more than {LIMIT} entries; is it corrupt?")


def for_each(head: gdb.Value) -> Iterator[gdb.Value]:
    """Nodes of a circular list; head is a list_head or a pointer to one.

    A head that nobody has initialised yet (all zero, early in boot) counts as empty.
    """
    if head.type.strip_typedefs().code == gdb.TYPE_CODE_PTR:
        head = head.dereference()
    start = int(head.address)
    node = head["next"]
    count = 0
    while int(node) not in (0, start):
        following = node.dereference()["next"]
        yield node
        node = following
        count += 1
        _bounded(f"{start:#x}", count)


def for_each_entry(head: gdb.Value, wanted: gdb.Type, member: str) -> Iterator[gdb.Value]:
    """Pointers to the structures that hang on a list by `member`."""
    for node in for_each(head):
        yield utils.container_of(node, wanted, member)


def hlist_for_each_entry(head: gdb.Value, wanted: gdb.Type, member: str) -> Iterator[gdb.Value]:
    """Pointers to the structures on a hash chain."""
    if head.type.strip_typedefs().code == gdb.TYPE_CODE_PTR:
        head = head.dereference()
    node = head["first"]
    count = 0
    while int(node):
        yield utils.container_of(node, wanted, member)
        node = node.dereference()["next"]
        count += 1
        _bounded(f"{int(head.address):#x}", count)


def skb_queue(queue: gdb.Value) -> Iterator[gdb.Value]:
    """Pointers to the sk_buffs in an sk_buff_head."""
    start = int(queue.address)
    skb = queue["next"]
    count = 0
    while int(skb) not in (0, start):
        yield skb
        skb = skb.dereference()["next"]
        count += 1
        _bounded(f"{start:#x}", count)


def length(head: gdb.Value) -> int:
    """How many nodes a circular list has."""
    return sum(1 for _ in for_each(head))
