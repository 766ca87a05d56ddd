# SPDX-License-Identifier: GPL-2.0
"""Trace receive-drop: one UDP datagram that nobody wants, from the driver to its drop reason."""

from __future__ import annotations

from typing import Any

import gdb

from netstack import skb
from netstack.driver import Driver
from netstack.trace import Check, Show, Stop, Trace, argument
from traces.receive import PORT, Way, eth0, in_context, packet_argument, packet_behind, verdict

SCENARIO = "no-reader"
DRIVERS = ("07",)
ABOUT = """No program in the guest listens on UDP port 4000. The host puts one datagram for that
port on the cable. Follow it: it climbs as far as one that is wanted, and all that is spent on it is
spent before anybody finds out."""

UNNECESSARY = 1
PORT_UNREACHABLE = (3, 3)


def unreachable() -> bool:
    """Is the ICMP message that is about to be sent "destination unreachable, port"?"""
    return (int(gdb.parse_and_eval("(int)$esi")), int(gdb.parse_and_eval("(int)$edx"))) \
        == PORT_UNREACHABLE


def reason() -> int:
    """Why a packet is dropped: the third argument of sk_skb_reason_drop."""
    return int(gdb.parse_and_eval("(unsigned)$edx"))


def no_socket() -> int:
    """The reason that there is no socket."""
    return int(gdb.parse_and_eval("(int)SKB_DROP_REASON_NO_SOCKET"))


def climb(way: Way) -> list[Stop]:
    """The way up, which is that of any datagram."""
    return [
        Stop("gro", "napi_gro_receive", "The driver knows nothing of ports",
             """The poll has taken a frame out of the ring and says of it what the card has found
             out. ip_summed is UNNECESSARY: the card has added up the datagram. There is a hash, of
             the addresses alone, since UDP's ports are left out of it.""",
             condition=lambda: way.remember(packet_argument(1)),
             show=[Show("net skb (struct sk_buff *)$rsi")],
             check=[in_context("softirq"),
                    Check("it came in through eth0",
                          lambda: int(packet_argument(1)["dev"]) == int(eth0())),
                    Check("the card has verified its checksum",
                          lambda: int(packet_argument(1)["ip_summed"]) == UNNECESSARY),
                    Check("the hash does not cover the ports",
                          lambda: int(packet_argument(1)["l4_hash"]) == 0)],
             question="Which counter in `ip -s link` grows: packets or dropped?",
             answer="""Packets. The device has delivered the frame, and what becomes of it above IP
             is not the device's to count."""),
        Stop("ip", "ip_list_rcv", "Into IP",
             """The type is IPv4, and for that there is a taker. Had there been none, the packet
             would end in the layer below, with the reason UNHANDLED_PROTO.""",
             condition=lambda: way.is_ours(packet_behind(0)),
             check=[in_context("softirq"),
                    Check("it is still the same sk_buff",
                          lambda: int(packet_behind(0)) == way.skb)]),
        Stop("deliver", "ip_local_deliver", "It is for us",
             """The address is ours, so the route says: up. Early demux has looked for a socket that
             is connected to the sender, with both ports, and found none. Whether any socket has
             the port nobody has asked yet.""",
             condition=lambda: int(packet_argument(0)) == way.skb,
             check=[in_context("softirq"),
                    Check("the route's verdict points here",
                          lambda: verdict(packet_argument(0)) == "ip_local_deliver")]),
        Stop("udp", "udp_rcv", "Into UDP",
             """Now the look-up proper. There is no socket for this address and port, nor one for
             the port and any address.""",
             condition=lambda: int(packet_argument(0)) == way.skb,
             check=[in_context("softirq"),
                    Check(f"the destination port is {PORT}",
                          lambda: (skb.udp_ports(packet_argument(0)) or (0, 0))[1] == PORT)],
             question="The sum was wrong and the port unknown. Which counter grows?",
             answer="""InCsumErrors, and InErrors with it. The sum is asked for before the sender
             is answered, and a datagram that is damaged gets no answer: the ports may be what was
             damaged."""),
    ]


def drop(way: Way) -> list[Stop]:
    """The end."""
    return [
        Stop("answer", "__icmp_send", "The sender is told",
             """NoPorts was counted. Then an ICMP message is made, destination unreachable with code
             port, which carries the beginning of the datagram back, so that the sender's kernel can
             find the socket that sent it. How many of these are sent is limited.""",
             condition=lambda: int(packet_argument(0)) == way.skb,
             show=[Show("print $esi"), Show("print $edx")],
             check=[in_context("softirq"), Check("type 3, code 3", unreachable)],
             question="What does a program see that has sent the datagram from a connected socket?",
             answer="ECONNREFUSED from its next call on that socket."),
        Stop("drop", "sk_skb_reason_drop", "Dropped, and why",
             """The last reference goes, with a reason. The trace point skb:kfree_skb shows it, with
             the packet and the place. There is no socket, so the first argument is NULL.""",
             condition=lambda: int(packet_argument(1)) == way.skb,
             show=[Show("print (enum skb_drop_reason)$edx")],
             check=[in_context("softirq"),
                    Check("the reason is NO_SOCKET", lambda: reason() == no_socket()),
                    Check("there is no socket", lambda: int(argument(0, "struct sock")) == 0)],
             question="Where would it have been cheapest to drop this datagram?",
             answer="""Before it was one: in the card, by a filter, or in the ring. From the poll on
             each layer has spent its instructions on it, just as for one that is read."""),
    ]


def trace(config: dict[str, Any]) -> Trace:
    """The trace as the runner asks for it."""
    way = Way(Driver(config["driver"]), config["payload"])
    return Trace("receive-drop", ABOUT, climb(way) + drop(way), modules=(way.driver.module,),
                 start_at="default_idle")
