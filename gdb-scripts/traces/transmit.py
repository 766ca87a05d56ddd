# SPDX-License-Identifier: GPL-2.0
"""Trace transmit: one datagram of three pieces from a program's call to the end of its sk_buff."""

from __future__ import annotations

from typing import Any

import gdb

from netstack import ring, skb
from netstack.driver import Driver
from netstack.trace import Check, Show, Stop, Trace, argument
from traces.receive import eth0, in_context, packet_argument, ring_now

SCENARIO = "pieces"
DRIVERS = ("08",)
ABOUT = """A program in the guest puts three pieces of 400 bytes, each in a page of its own, into
one UDP datagram and lets it go. Nothing else is being sent. Follow the datagram: through UDP, IP
and the neighbour to the device layer, past the queueing discipline, into the driver's ring, and
back until its memory is free."""

PIECES = 3
SIZE = 400


class Way:
    """What the stops of one run share."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.skb = 0

    def remember(self, packet: gdb.Value) -> bool:
        """Keep the sk_buff's address; is it the datagram of three pieces?"""
        self.skb = int(packet)
        return int(packet["data_len"]) == PIECES * SIZE

    def transmit_ring(self) -> gdb.Value:
        """The driver's transmit ring 0."""
        return self.driver.private(eth0())["tx_ring"][0]

    def waiting(self) -> int:
        """Descriptors of ring 0 that have not been taken back."""
        found = ring.read(eth0(), "tx", 0)
        return (found.next_to_use - found.next_to_clean) % found.count


def charged(packet: gdb.Value) -> int:
    """What the socket is charged for packets under way; one more than that is counted."""
    return int(packet["sk"]["sk_wmem_alloc"]["refs"]["counter"]) - 1


def summed(packet: gdb.Value) -> int:
    """The state of the packet's checksum."""
    return int(packet["ip_summed"])


def pieces(packet: gdb.Value) -> int:
    """How many frags the packet has."""
    end = int(packet["head"]) + skb.layout(packet).end
    kind = gdb.lookup_type("struct skb_shared_info").pointer()
    return int(gdb.Value(end).cast(kind)["nr_frags"])


def is_ours(way: Way, number: int) -> bool:
    """Is this argument our sk_buff?"""
    return int(packet_argument(number)) == way.skb


RING = Show("net ring tx 0 eth0 6", keep=ring_now)
NONE = 0


def protocols(way: Way) -> list[Stop]:
    """UDP, IP and the neighbour: in the program's system call."""
    return [
        Stop("collect", "udp_sendmsg", "The first piece",
             """The program has corked its socket: UDP collects what it is given in one sk_buff,
             until the cork is taken off. This is the first of three calls.""",
             condition=lambda: int(gdb.parse_and_eval("(int)$rdx")) == SIZE,
             show=[Show("print $rdx")],
             check=[in_context("process")],
             question="Where would a program sleep whose socket has sent too much already?",
             answer="""In the allocation of the sk_buff, sock_alloc_send_pskb, until older ones are
             freed."""),
        Stop("down", "ip_send_skb", "The datagram goes down",
             """The cork is off. UDP has written its header. The three pages were not copied: they
             are three frags, and the linear part has headers only. The sum is complete: the core
             does not leave it half done for a datagram that is collected in several calls.""",
             condition=lambda: way.remember(packet_argument(1)),
             show=[Show("net skb (struct sk_buff *)$rsi")],
             check=[in_context("process"),
                    Check("it has three frags", lambda: pieces(packet_argument(1)) == PIECES),
                    Check("nothing is left to do for its sum",
                          lambda: summed(packet_argument(1)) == NONE),
                    Check("the socket is charged for it",
                          lambda: charged(packet_argument(1)) >=
                          int(packet_argument(1)["truesize"]))],
             question="What would stand in the place of the checksum, had it been one call?",
             answer="""The sum of the pseudo-header. The card adds it up with everything else, and
             puts the result there."""),
        Stop("ip", "ip_output", "IP is nearly done",
             """The header is complete, its own sum included, and LOCAL_OUT is passed. The route in
             the packet said: ip_output. Here the packet gets its device.""",
             condition=lambda: is_ours(way, 2),
             check=[in_context("process"),
                    Check("the device is not set yet, or was another's",
                          lambda: int(packet_argument(2)["dev"]) != int(eth0()))],
             question="Why is the packet not cut into fragments here?",
             answer="With 1228 bytes it is not longer than the MTU."),
        Stop("neighbour", "neigh_resolve_output", "Whose MAC address?",
             """The entry is known to be good, but nothing was sent to it before, so no Ethernet
             header has been prepared. It is made now and kept: the next packet gets a copy and
             does not come through this function.""",
             condition=lambda: is_ours(way, 1),
             show=[Show("print ((struct neighbour *)$rdi)->hh.hh_len")],
             check=[in_context("process"),
                    Check("there is no prepared header yet",
                          lambda: int(argument(0, "struct neighbour")["hh"]["hh_len"]) == 0)],
             question="Where would the packet be if nobody knew the address?",
             answer="In this neighbour's arp_queue, and the system call would return."),
    ]


def device_layer(way: Way) -> list[Stop]:
    """From dev_queue_xmit into the ring."""
    return [
        Stop("queue", "__dev_queue_xmit", "The device layer",
             """The frame has its Ethernet header. Bottom halves go off now. The guest has one
             processor, so there is one queue in use and nothing to choose.""",
             condition=lambda: is_ours(way, 0),
             show=[Show("net skb (struct sk_buff *)$rdi")],
             check=[in_context("process"),
                    Check("it leaves by eth0",
                          lambda: int(packet_argument(0)["dev"]) == int(eth0())),
                    Check("data stands at the Ethernet header",
                          lambda: skb.layout(packet_argument(0)).data + 14
                          == skb.layout(packet_argument(0)).network)]),
        Stop("direct", "sch_direct_xmit", "Past the qdisc",
             """The queueing discipline is empty and nobody is at it, so the packet was not put into
             it. It is given to the driver directly, by the program itself.""",
             condition=lambda: is_ours(way, 0),
             show=[Show("print ((struct Qdisc *)$rsi)->ops->id")],
             check=[Check("the program still runs, with bottom halves off",
                          lambda: int(gdb.parse_and_eval("(int)$r9")) == 1)],
             question="Who would send it if another processor were at the qdisc?",
             answer="""That one: the packet would be put to the end of the queue, and it works it
             off."""),
        Stop("driver", "igbook_start_xmit", "Into the driver",
             """What the card cannot do has been done, which here is nothing. The packet comes
             with a linear part and three frags.""",
             condition=lambda: is_ours(way, 0),
             show=[RING],
             check=[Check("the ring is empty", lambda: way.waiting() == 0)],
             question="How many descriptors will it take?",
             answer="""Four: the linear part, and one for each frag. With a sum to be finished there
             would be a context in front."""),
        Stop("in-the-ring", "igbook_start_xmit", "In the ring, and out",
             """Four descriptors are in the ring and the doorbell was rung. The emulated card has
             sent the frame before the write to the tail was over. Only the last descriptor was
             to be reported. The sk_buff still exists, and the socket is still charged.""",
             at="return",
             show=[RING],
             check=[Check("four descriptors are in use", lambda: way.waiting() == 1 + PIECES),
                    Check("it has heard of everything",
                          lambda: int(way.transmit_ring()["rung"])
                          == int(way.transmit_ring()["next_to_use"]))],
             question="The program's call returns in a moment. What does it know of the frame?",
             answer="That it was put into a queue. Nothing tells it more."),
    ]


def back(way: Way) -> list[Stop]:
    """Completion."""
    return [
        Stop("clean", "igbook_tx_clean", "Taken back",
             """The card has interrupted, and the poll begins with what was sent. It looks at the
             descriptor whose number was noted with the first one of the batch.""",
             condition=lambda: way.waiting() > 0
             and int(argument(0, "struct igbook_ring")) == int(way.transmit_ring().address),
             show=[RING],
             check=[in_context("softirq")],
             question="Why is the card's head register not asked?",
             answer="""A read of a register waits for the bus, and the head tells what was fetched,
             not what was sent."""),
        Stop("freed", "sock_wfree", "Free",
             """Four mappings have been ended and the last reference is gone. The packet's
             destructor takes it off the socket's account and wakes the program, if it waits for
             that.""",
             condition=lambda: is_ours(way, 0),
             show=[Show("print ((struct sk_buff *)$rdi)->truesize")],
             check=[in_context("softirq"),
                    Check("the socket is still charged for it",
                          lambda: charged(packet_argument(0)) >=
                          int(packet_argument(0)["truesize"]))],
             question="A datagram of 100 bytes is freed elsewhere. Where, and why?",
             answer="""In igbook_start_xmit. It is copied to memory that stays mapped, so the
             sk_buff has done its duty when the copy is made."""),
    ]


def trace(config: dict[str, Any]) -> Trace:
    """The trace as the runner asks for it."""
    way = Way(Driver(config["driver"]))
    return Trace("transmit", ABOUT, protocols(way) + device_layer(way) + back(way),
                 modules=(way.driver.module,), start_at="default_idle")
