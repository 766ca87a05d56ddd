# SPDX-License-Identifier: GPL-2.0
"""Trace overflow: a datagram for a socket whose receive buffer is full, and who counts it."""

from __future__ import annotations

from typing import Any

import gdb

from netstack import sock
from netstack.driver import Driver
from netstack.trace import Check, Show, Stop, Trace, argument, return_value
from traces.receive import Way, eth0, in_context, packet_argument

SCENARIO = "full-socket"
DRIVERS = ("07",)
ABOUT = """A program has bound UDP port 4000, and then it was stopped: it reads nothing. Its socket
has a small receive buffer, and datagrams have filled it. The host now puts one more on the cable.
Follow it to its end, and see in which counters it is found afterwards."""

NO_MEMORY = -12


class Full:
    """What is known of the socket before."""

    def __init__(self) -> None:
        self.sock = 0
        self.drops = 0
        self.errors = 0
        self.all_errors = 0

    def look(self) -> None:
        """Notes the counters as they are now."""
        self.sock = int(argument(0, "struct sock"))
        self.drops = sock.drops(self.sock)
        self.errors = sock.udp_count("UDP_MIB_RCVBUFERRORS")
        self.all_errors = sock.udp_count("UDP_MIB_INERRORS")


def returned() -> int:
    """An int that was returned."""
    return (return_value() + (1 << 31) & (1 << 32) - 1) - (1 << 31)


def reason() -> int:
    """Why a packet is dropped: the third argument of sk_skb_reason_drop."""
    return int(gdb.parse_and_eval("(unsigned)$edx"))


def limit(full: Full) -> int:
    """Bytes that the socket may be charged with."""
    return int(sock.sock(full.sock)["sk_rcvbuf"])


def stops(way: Way, full: Full) -> list[Stop]:
    """All of it is in the softirq."""
    def came() -> bool:
        if int(packet_argument(1)) != way.skb:
            return False
        full.look()
        return True

    return [
        Stop("gro", "napi_gro_receive", "A good frame",
             """Nothing is wrong with it: the card has verified the sums, and the device counts a
             received packet. What becomes of it above is not the device's to count.""",
             condition=lambda: way.remember(packet_argument(1)),
             check=[in_context("softirq"),
                    Check("it came in through eth0",
                          lambda: int(packet_argument(1)["dev"]) == int(eth0()))]),
        Stop("enqueue", "__udp_enqueue_schedule_skb", "No room",
             """UDP has found the socket. Before a packet is hung into the receive queue its
             truesize is charged to the socket. What is charged already is more than sk_rcvbuf, so
             this one is refused. (What counts is what was charged before: the packet that crosses
             the limit is still taken.)""",
             condition=came,
             show=[Show("print ((struct sock *)$rdi)->sk_rcvbuf"),
                   Show("print ((struct sock *)$rdi)->sk_backlog.rmem_alloc.counter"),
                   Show("print ((struct sock *)$rdi)->sk_receive_queue.qlen"),
                   Show("print ((struct sk_buff *)$rsi)->truesize")],
             check=[in_context("softirq"),
                    Check("more is charged than the socket may have",
                          lambda: sock.charged(full.sock) > limit(full)),
                    Check("without the last one it was not more",
                          lambda: sock.charged(full.sock)
                          - last_size(full) <= limit(full))],
             question="The payload has 38 bytes. What is charged for it?",
             answer="""The truesize: the piece of memory that the frame lies in and the struct
             sk_buff. A socket that is to hold many small datagrams needs a large sk_rcvbuf; that is
             why setsockopt(SO_RCVBUF) doubles what it is given."""),
        Stop("refused", "__udp_enqueue_schedule_skb", "First counter: the socket's own",
             """ENOMEM, for its caller in the kernel: no program sees this error. sk_drops has
             grown by one. It is the last column of /proc/net/udp, and what `ss -m` shows after the
             d; a program that set SO_RXQ_OVFL gets it with the next datagram.""",
             at="return",
             show=[Show("print (int)$rax")],
             check=[in_context("softirq"),
                    Check("the answer is -ENOMEM", lambda: returned() == NO_MEMORY),
                    Check("sk_drops has grown by one",
                          lambda: sock.drops(full.sock) == full.drops + 1),
                    Check("RcvbufErrors has not grown yet",
                          lambda: sock.udp_count("UDP_MIB_RCVBUFERRORS") == full.errors)],
             question="Two programs' sockets are full. Which counter tells whose?",
             answer="sk_drops. All others are of the whole network namespace."),
        Stop("drop", "sk_skb_reason_drop", "Second, third and fourth",
             """RcvbufErrors and InErrors of UDP have grown, which `nstat` shows. Now the packet
             goes, with a reason: the tracepoint skb:kfree_skb says SOCKET_RCVBUFF, with the place
             and the socket. That is the fourth, and the only one that can show the packet
             itself.""",
             condition=lambda: int(packet_argument(1)) == way.skb,
             show=[Show("print (enum skb_drop_reason)$edx")],
             check=[in_context("softirq"),
                    Check("the reason is SOCKET_RCVBUFF",
                          lambda: reason()
                          == int(gdb.parse_and_eval("(int)SKB_DROP_REASON_SOCKET_RCVBUFF"))),
                    Check("the socket is named",
                          lambda: int(argument(0, "struct sock")) == full.sock),
                    Check("RcvbufErrors has grown by one",
                          lambda: sock.udp_count("UDP_MIB_RCVBUFERRORS") == full.errors + 1),
                    Check("InErrors has grown by one",
                          lambda: sock.udp_count("UDP_MIB_INERRORS") == full.all_errors + 1)],
             question="Which counter of `ip -s link` shows the loss?",
             answer="""None. The device has done its part. Who looks for a lost datagram at the card
             alone does not find it."""),
    ]


def last_size(full: Full) -> int:
    """The truesize of the packet last in the queue."""
    last = sock.receive_queue(full.sock)[-1]
    kind = gdb.lookup_type("struct sk_buff").pointer()
    return int(gdb.Value(last).cast(kind)["truesize"])


def trace(config: dict[str, Any]) -> Trace:
    """The trace as the runner asks for it."""
    way = Way(Driver(config["driver"]), config["payload"])
    return Trace("overflow", ABOUT, stops(way, Full()), modules=(way.driver.module,),
                 start_at="default_idle")
