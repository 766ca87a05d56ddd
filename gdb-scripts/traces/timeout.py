# SPDX-License-Identifier: GPL-2.0
"""Trace timeout: a transmit queue that is stuck, from the stack's watchdog until it goes on."""

from __future__ import annotations

from typing import Any

import gdb

from netstack import percpu, ring, utils
from netstack.driver import Driver
from netstack.trace import Check, Show, Stop, Trace, argument
from traces.receive import eth0, in_context, ring_now

SCENARIO = "held"
DRIVERS = ("08",)
ABOUT = """The card is held: it notes the tail of its transmit queue and sends nothing. A program
has sent twenty frames. The first few are in the ring, the others wait in the queueing discipline,
and nobody will ever wake the queue. Five seconds later the stack's watchdog looks."""

STOPPED = 0x3  # by the driver, by the stack's limit on bytes in flight


class Way:
    """What the stops of one run share."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver

    def waiting(self) -> int:
        """Descriptors of ring 0 that have not been taken back."""
        found = ring.read(eth0(), "tx", 0)
        return (found.next_to_use - found.next_to_clean) % found.count

    def stuck(self) -> int:
        """The driver's note of queues that are stuck."""
        return int(self.driver.private(eth0())["stuck"])


def queue() -> gdb.Value:
    """The stack's transmit queue 0."""
    return eth0()["_tx"][0]


def late() -> bool:
    """Is the queue stopped, and for longer than the watchdog waits?"""
    age = int(utils.variable("jiffies_64")) - int(queue()["trans_start"])
    return bool(int(queue()["state"]) & STOPPED) and age > int(eth0()["watchdog_timeo"])


def in_flight() -> int:
    """Bytes that the card was given and that are not reported as sent."""
    return int(queue()["dql"]["num_queued"]) - int(queue()["dql"]["num_completed"])


RING = Show("net ring tx 0 eth0 4", keep=ring_now)


def stops(way: Way) -> list[Stop]:
    """All of them."""
    return [
        Stop("watchdog", "dev_watchdog", "The stack looks after its queues",
             """A timer of the device. Of each queue that is stopped it looks at the time when it
             was stopped or last given a packet. Here that is more than five seconds ago.""",
             condition=lambda: int(argument(0, "struct timer_list"))
             == int(eth0()["watchdog_timer"].address) and late(),
             show=[RING],
             check=[in_context("softirq"),
                    Check("there are frames in the ring", lambda: way.waiting() > 0),
                    Check("bytes are in flight", lambda: in_flight() > 0)],
             question="A queue holds one frame that is never sent, and is not stopped. What then?",
             answer="Nothing. The watchdog passes over a queue that is not stopped."),
        Stop("timeout", "igbook_tx_timeout", "The driver is told",
             """The log has its line by now, the queue's tx_timeout was counted, and all queues
             are frozen. What has to be done sleeps and wants RTNL, and this is a softirq.""",
             condition=lambda: int(argument(0, "struct net_device")) == int(eth0()),
             show=[Show("print $esi")],
             check=[in_context("softirq"),
                    Check("it is queue 0", lambda: int(gdb.parse_and_eval("(int)$esi")) == 0),
                    Check("nothing is noted yet", lambda: way.stuck() == 0)],
             question="Why does the driver not wait for RTNL here?",
             answer="""RTNL is a mutex. Who waits for it sleeps, and in a softirq nobody can."""),
        Stop("work", "igbook_recover_work", "In a kernel thread",
             """The work runs. It takes RTNL, and then looks whether the interface is still up: it
             may have gone down in between, and then there is nothing to do.""",
             check=[in_context("process"),
                    Check("a kernel thread of the workqueues runs it",
                          lambda: percpu.task_name().startswith("kworker")),
                    Check("queue 0 is noted", lambda: way.stuck() == 1)],
             question="What must nobody do who holds RTNL?",
             answer="""Wait for this work, for instance by cancel_work_sync. Each would wait for
             the other."""),
        Stop("empty", "igbook_tx_empty", "What was in the ring is lost",
             """The queue was stopped under its transmit lock and the card has let go of the ring.
             Now the memory may be freed. What will never be reported as sent is written off.""",
             show=[RING],
             check=[in_context("process"),
                    Check("there are frames to free", lambda: way.waiting() > 0)],
             question="What if the card did not let go?",
             answer="""Then it may still read, and nothing may be freed before it is barred from
             the bus."""),
        Stop("wake", "netif_tx_wake_queue", "The queue goes on",
             """The ring was shown to the card anew, empty and without a context. The queue is
             woken, and NET_TX will run its queueing discipline, with the frames that waited
             there.""",
             condition=lambda: int(argument(0, "struct netdev_queue"))
             == int(queue().address),
             show=[RING],
             check=[in_context("process"),
                    Check("the ring is empty", lambda: way.waiting() == 0),
                    Check("nothing is in flight", lambda: in_flight() == 0)],
             question="Which of the twenty frames are never seen on the cable?",
             answer="Those that were in the ring. The others waited where nothing was lost."),
    ]


def trace(config: dict[str, Any]) -> Trace:
    """The trace as the runner asks for it."""
    way = Way(Driver(config["driver"]))
    return Trace("timeout", ABOUT, stops(way), modules=(way.driver.module,),
                 start_at="default_idle")
