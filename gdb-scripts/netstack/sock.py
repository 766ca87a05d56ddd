# SPDX-License-Identifier: GPL-2.0
"""`net socket`: the two objects behind a socket's descriptor, and what waits in them."""

from __future__ import annotations

from collections.abc import Iterator

import gdb

from . import bits, lists, utils

socket = utils.CachedType("struct socket")
sock = utils.CachedType("struct sock")
inet_connection_sock = utils.CachedType("struct inet_connection_sock")
wait_queue_entry = utils.CachedType("struct wait_queue_entry")

INET = (2, 10)
LISTEN = 10
# Those whose struct begins with a struct sock.
KINDS = ("inet_sock", "inet_connection_sock", "tcp_sock", "udp_sock", "raw_sock", "unix_sock",
         "netlink_sock", "packet_sock")


def common(address: int) -> gdb.Value:
    """A struct sock * of an address."""
    return gdb.Value(address).cast(sock.pointer())


def state(sk: gdb.Value) -> str:
    """The protocol's state, by the names that TCP has given it."""
    return bits.pick(bits.TCP_STATES, int(sk["__sk_common"]["skc_state"]))


def port(sk: gdb.Value) -> int:
    """The port that the socket has here, 0 when it has none."""
    return int(sk["__sk_common"]["skc_num"])


def remote_port(sk: gdb.Value) -> int:
    """The port at the other end."""
    number = int(sk["__sk_common"]["skc_dport"])
    return (number & 0xff) << 8 | number >> 8


def charged(sk: gdb.Value) -> int:
    """What received packets cost it, in bytes."""
    return int(sk["sk_backlog"]["rmem_alloc"]["counter"])


def owned(sk: gdb.Value) -> bool:
    """Does a program hold the socket's lock?"""
    return int(sk["sk_lock"]["owned"]) != 0


def backlog(sk: gdb.Value) -> Iterator[gdb.Value]:
    """The packets that wait until whoever owns the socket lets it go."""
    packet, count = sk["sk_backlog"]["head"], 0
    while int(packet) and count < lists.LIMIT:
        yield packet
        packet, count = packet["next"], count + 1


def waiters(sk: gdb.Value) -> list[gdb.Value]:
    """Who waits for something to happen to the socket."""
    queue = sk["sk_wq"]
    if utils.is_null(queue):
        return []
    return list(lists.for_each_entry(queue["wait"]["head"], wait_queue_entry.get(), "entry"))


def listener(sk: gdb.Value) -> tuple[int, int, int]:
    """(SYN queue, accept queue, limit of the accept queue) of a socket that listens."""
    queue = gdb.Value(int(sk)).cast(inet_connection_sock.pointer())["icsk_accept_queue"]
    return (int(queue["qlen"]["counter"]), int(sk["sk_ack_backlog"]),
            int(sk["sk_max_ack_backlog"]))


def pointer(value: gdb.Value) -> str:
    """An address, or NULL."""
    return f"{int(value) & 0xffffffffffffffff:#x}" if int(value) else "NULL"


def describe_socket(found: gdb.Value) -> list[str]:
    """What `net socket` says of a struct socket."""
    ops = found["ops"]
    return [f"(struct socket *) {pointer(found)}",
            f"  {found['state']}, type {bits.SOCKET_TYPES.get(int(found['type']), '?')}, "
            f"ops {utils.symbol_of(ops)}",
            f"  sk   -> {pointer(found['sk'])}",
            f"  file -> {pointer(found['file'])}"]


def describe_sock(sk: gdb.Value) -> list[str]:
    """What `net socket` says of a struct sock."""
    family = int(sk["__sk_common"]["skc_family"])
    ports = f", port {port(sk)}, peer's {remote_port(sk)}" if family in INET else ""
    waiting = [utils.symbol_of(entry["func"]) for entry in waiters(sk)]
    lines = [f"(struct sock *) {pointer(sk)}",
             f"  protocol {utils.string_of(sk['__sk_common']['skc_prot']['name'])}, "
             f"state {state(sk)}{ports}",
             f"  sk_socket -> {pointer(sk['sk_socket'])}",
             f"  receive queue {int(sk['sk_receive_queue']['qlen'])}, "
             f"backlog {sum(1 for _ in backlog(sk))}, {'owned' if owned(sk) else 'not owned'}",
             f"  charged {charged(sk)} of {int(sk['sk_rcvbuf'])}, "
             f"dropped {int(sk['sk_drops']['counter'])}",
             f"  data_ready {utils.symbol_of(sk['sk_data_ready'])}, "
             f"waiting {', '.join(waiting) or 'nobody'}"]
    if family in INET and int(sk["__sk_common"]["skc_state"]) == LISTEN:
        young, done, limit = listener(sk)
        lines.append(f"  SYN queue {young}, accept queue {done} of at most {limit} + 1")
    return lines


def show(argument: str) -> None:
    """Show the struct socket and the struct sock of a socket, and how they point to each other.

Usage: net socket EXPR

EXPR gives a struct socket or a struct sock (or one that begins with it, as struct tcp_sock), or a
pointer to one. The other of the two is shown as well, if there is one.

Example:
  (gdb) net socket sock
  (struct socket *) 0xffff888003b1c300
    SS_UNCONNECTED, type STREAM, ops inet_stream_ops
    sk   -> 0xffff888003a08000
  ..."""
    if not argument:
        raise gdb.GdbError("net socket: which socket? For example: net socket sk")
    value = utils.evaluate(argument, "net socket")
    kind = value.type.strip_typedefs()
    target = kind.target().strip_typedefs() if kind.code == gdb.TYPE_CODE_PTR else kind
    if target.tag in KINDS:
        value = gdb.Value(int(value if kind.code == gdb.TYPE_CODE_PTR else value.address))
        value = value.cast(sock.pointer())
    if target.tag == "socket":
        upper = utils.cast_to_pointer(value, socket, "net socket")
        lower = gdb.Value(int(upper)).cast(socket.pointer())["sk"] if int(upper) else upper
    else:
        lower = utils.cast_to_pointer(value, sock, "net socket")
        upper = lower["sk_socket"] if int(lower) else lower
    if utils.is_null(upper) and utils.is_null(lower):
        raise gdb.GdbError(f"net socket: `{argument}` is NULL")
    lines = describe_socket(upper) if int(upper) else []
    lines += describe_sock(lower) if int(lower) else []
    for line in lines:
        utils.out(line)


def register() -> None:
    """Add the command to gdb."""
    utils.NetCommand("socket", show, gdb.COMPLETE_EXPRESSION)
