# SPDX-License-Identifier: GPL-2.0
"""Trace recv: from UDP's receive queue through epoll to a program that never sleeps in recv."""

from __future__ import annotations

from typing import Any

import gdb

from netstack import lists, percpu, skb, sock, utils
from netstack.driver import Driver
from netstack.trace import Check, Show, Stop, Trace, argument, return_value
from traces.receive import Way, in_context, packet_argument, user_registers

SCENARIO = "event-loop"
DRIVERS = ("07",)
ABOUT = """A server in the guest has a UDP and a TCP socket on port 4000, both of them in one epoll,
and sleeps in epoll_wait. The host puts one datagram on the cable. Follow it from UDP to the server,
which is told that there is something before it fetches it."""

SERVER = "echo_server"
DONT_WAIT = 0x40


class Ready:
    """What the stops of one run share."""

    def __init__(self) -> None:
        self.sock = 0
        self.item = 0
        self.loop = 0

    def item_found(self) -> gdb.Value:
        """The epoll's item for our socket."""
        return gdb.Value(self.item).cast(gdb.lookup_type("struct epitem").pointer())

    def loop_found(self) -> gdb.Value:
        """The epoll."""
        return gdb.Value(self.loop).cast(gdb.lookup_type("struct eventpoll").pointer())

    def ready(self) -> int:
        """How many items wait to be told to the program."""
        return lists.length(self.loop_found()["rdllist"].address)

    def look(self) -> bool:
        """From the wait queue entry to the item and its epoll. Is it for our socket?"""
        entry = utils.container_of(argument(0, "struct wait_queue_entry"),
                                   gdb.lookup_type("struct eppoll_entry"), "wait")
        self.item = int(entry["base"])
        self.loop = int(self.item_found()["ep"])
        kind = gdb.lookup_type("struct socket").pointer()
        of_file = self.item_found()["ffd"]["file"]["private_data"].cast(kind)
        return int(of_file["sk"]) == self.sock


def wait_function(sock_address: int) -> str:
    """What stands first in the socket's wait queue."""
    queue = sock.sock(sock_address)["sk_wq"]["wait"]["head"]
    entry = utils.container_of(queue["next"], gdb.lookup_type("struct wait_queue_entry"), "entry")
    return utils.symbol_of(entry["func"])


def delivery(way: Way, ready: Ready) -> list[Stop]:
    """In the softirq."""
    def ours(number: int) -> bool:
        return int(packet_argument(number)) == way.skb

    def queued() -> bool:
        ready.sock = int(argument(0, "struct sock"))
        return ours(1)

    return [
        Stop("gro", "napi_gro_receive", "A datagram",
             "The poll has taken a frame out of the ring.",
             condition=lambda: way.remember(packet_argument(1)),
             check=[in_context("softirq")]),
        Stop("enqueue", "__udp_enqueue_schedule_skb", "Room in the queue",
             """UDP has found the socket, by address and port. Nothing is charged to it, so there is
             room. The packet's truesize is charged, and the packet is hung into the receive queue
             as it is: nothing is copied yet. No lock of the socket is taken for that, only the
             queue's own.""",
             condition=queued,
             show=[Show("print ((struct sock *)$rdi)->sk_rcvbuf"),
                   Show("print ((struct sock *)$rdi)->sk_backlog.rmem_alloc.counter")],
             check=[in_context("softirq"),
                    Check("the queue is empty", lambda: not sock.receive_queue(ready.sock)),
                    Check("nothing is charged", lambda: sock.charged(ready.sock) == 0)],
             question="Why has UDP no backlog, as TCP has?",
             answer="""A datagram changes nothing but the queue, and that has a spinlock. A segment
             of TCP changes the connection, and a program that is in the middle of a call owns
             that."""),
        Stop("readable", "sock_def_readable", "There is something to read",
             """The queue holds the packet. The socket's owner is not asked whether it wants it:
             whoever waits at the socket is woken, by the function in its entry of the wait queue.
             It is not a task that waits here, but an epoll.""",
             condition=lambda: int(argument(0, "struct sock")) == ready.sock,
             show=[Show("print ((struct sock *)$rdi)->sk_receive_queue.qlen"),
                   Show("print ((struct sock *)$rdi)->sk_backlog.rmem_alloc.counter")],
             check=[in_context("softirq"),
                    Check("the queue holds our packet and nothing else",
                          lambda: sock.receive_queue(ready.sock) == [way.skb]),
                    Check("its truesize is charged",
                          lambda: sock.charged(ready.sock)
                          == int(gdb.Value(way.skb).cast(skb.sk_buff.pointer())["truesize"])),
                    Check("the first to be woken is an epoll",
                          lambda: wait_function(ready.sock) == "ep_poll_callback")],
             question="What would stand there if the program slept in recvfrom?",
             answer="receiver_wake_function, and the task that sleeps."),
        Stop("callback", "ep_poll_callback", "The epoll hears of it",
             """From the entry the epoll finds its item for this file, and with it what the program
             wants to know: whether there is something to read. The list of what is ready is
             empty.""",
             condition=ready.look,
             show=[Show("print ((struct eppoll_entry *)((char *)$rdi - "
                        "(long)&((struct eppoll_entry *)0)->wait))->base->ffd.fd")],
             check=[in_context("softirq"),
                    Check("nothing is ready yet", lambda: ready.ready() == 0),
                    Check("the program asked for EPOLLIN",
                          lambda: int(ready.item_found()["event"]["events"]) & 1 == 1)],
             question="A thousand sockets are in this epoll. How many are looked at now?",
             answer="""One. That is the difference to poll() and select(), which ask each of them
             at each call."""),
        Stop("listed", "ep_poll_callback", "On the list of what is ready",
             """The item has been hung into the ready list, and whoever sleeps in epoll_wait was
             woken. That is all that happens in the softirq. Which data there are, and how much,
             the epoll does not know.""",
             at="return",
             check=[in_context("softirq"),
                    Check("one item is ready", lambda: ready.ready() == 1)],
             question="A second datagram comes before the program runs. Is the item listed twice?",
             answer="""No: it is in the list already. The program gets one event and reads until
             there is nothing left (or is told again, being level triggered)."""),
    ]


def fetching(way: Way, ready: Ready) -> list[Stop]:
    """In the program's calls."""
    def flags() -> int:
        return int(gdb.parse_and_eval("(int)$ecx"))

    def returned(text: bytes) -> bool:
        return utils.read_bytes(int(user_registers()["si"]), len(text)) == text

    return [
        Stop("fetch", "udpv6_recvmsg", "The program fetches it",
             """epoll_wait has returned with one event, and the program calls recvfrom. (It has an
             IPv6 socket that takes IPv4 as well, so it is IPv6's function.) The socket does not
             block, so the call carries MSG_DONTWAIT: were the queue empty, the answer would be
             EAGAIN.""",
             condition=lambda: int(argument(0, "struct sock")) == ready.sock
             and percpu.task_name() == SERVER,
             show=[Show("print ((struct sock *)$rdi)->sk_receive_queue.qlen"),
                   Show("print (int)$ecx")],
             check=[in_context("process"),
                    Check("it will not wait", lambda: flags() & DONT_WAIT == DONT_WAIT),
                    Check("the packet still waits",
                          lambda: sock.receive_queue(ready.sock) == [way.skb])],
             question="Another process reads the same socket and was quicker. And then?",
             answer="""EAGAIN. An event says that there was something to read, not that there still
             is; that is why sockets in an epoll do not block."""),
        Stop("read", "udpv6_recvmsg", "Read, and no longer charged",
             """The bytes are in the program's buffer. The packet was taken out of the queue first,
             and what was charged for it was given back at once, since nothing else waits.""",
             at="return",
             show=[Show("print (long)$rax")],
             check=[in_context("process"),
                    Check("the whole datagram", lambda: return_value() == len(way.payload)),
                    Check("the queue is empty", lambda: not sock.receive_queue(ready.sock)),
                    Check("nothing is charged", lambda: sock.charged(ready.sock) == 0),
                    Check("the program's buffer holds what the host sent",
                          lambda: returned(way.payload))],
             question="How long is the event good?",
             answer="""With level triggering epoll_wait asks the socket again at the next call,
             finds the queue empty and takes the item off its list."""),
    ]


def trace(config: dict[str, Any]) -> Trace:
    """The trace as the runner asks for it."""
    way = Way(Driver(config["driver"]), config["payload"])
    ready = Ready()
    return Trace("recv", ABOUT, delivery(way, ready) + fetching(way, ready),
                 modules=(way.driver.module,), start_at="default_idle")
