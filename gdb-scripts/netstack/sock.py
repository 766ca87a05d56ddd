# SPDX-License-Identifier: GPL-2.0
"""Sockets, as traces look at them."""

from __future__ import annotations

import gdb

from . import lists, percpu

# include/net/tcp_states.h
ESTABLISHED, SYN_SENT, SYN_RECV, CLOSE, LISTEN, NEW_SYN_RECV = 1, 2, 3, 7, 10, 12


def sock(address: int) -> gdb.Value:
    """A struct sock *."""
    return gdb.Value(address).cast(gdb.lookup_type("struct sock").pointer())


def state(address: int) -> int:
    """Its state, also of a request, which is a socket's beginning only."""
    return int(sock(address)["__sk_common"]["skc_state"])


def charged(address: int) -> int:
    """Bytes charged to a socket for what it has received."""
    return int(sock(address)["sk_backlog"]["rmem_alloc"]["counter"])


def receive_queue(address: int) -> list[int]:
    """The packets in its receive queue."""
    return [int(entry) for entry in lists.skb_queue(sock(address)["sk_receive_queue"])]


def drops(address: int) -> int:
    """Packets that it did not take."""
    return int(sock(address)["sk_drops"]["counter"])


def requests(listener: int) -> int:
    """Connections of a listening socket that have been begun and not completed."""
    kind = gdb.lookup_type("struct inet_connection_sock").pointer()
    return int(gdb.Value(listener).cast(kind)["icsk_accept_queue"]["qlen"]["counter"])


def completed(listener: int) -> int:
    """Connections of a listening socket that wait for accept()."""
    return int(sock(listener)["sk_ack_backlog"])


def udp_count(name: str) -> int:
    """A counter of UDP, one of enum UDP_MIB_..., of all processors."""
    number = int(gdb.parse_and_eval(name))
    kind = gdb.lookup_type("struct udp_mib").pointer()
    base = int(gdb.parse_and_eval("init_net.mib.udp_statistics"))
    total = 0
    for cpu in percpu.possible_cpus():
        address = base + percpu.offset(cpu) & (1 << 64) - 1
        total += int(gdb.Value(address).cast(kind)["mibs"][number])
    return total
