# SPDX-License-Identifier: GPL-2.0
"""Trace interrupt: one MSI-X message, from its arrival to the end of the softirq it asked for."""

from __future__ import annotations

from typing import Any

import gdb

from netstack import device, percpu, ring, utils
from netstack.driver import Driver
from netstack.trace import Check, Show, Stop, Trace, argument

SCENARIO = "flood"
DRIVERS = ("05",)
ABOUT = """The interface is up and the CPU idle. The host puts frames on the cable. Follow the first
of them through everything that an interrupt is: the vector's entry, the handler, the request for
more, the way out, the softirqs. Then see what the kernel does when they do not come to an end."""

TASKLET, NET_RX = 6, 3
EIMS = 0x1524
SOFTIRQ_SHIFT, SOFTIRQ_MASK, HARDIRQ_MASK = 8, 0xff, 0xf0000


class Card:
    """eth0 and its vector 0."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver

    def priv(self) -> gdb.Value:
        """The driver's own structure."""
        return self.driver.private(device.resolve("eth0", "trace interrupt"))

    def vector(self) -> gdb.Value:
        """The one for queue 0."""
        return self.priv()["vector"][0]

    def masked(self) -> bool:
        """Is vector 0's bit clear in EIMS?"""
        raw = utils.read_bytes(int(self.priv()["regs"]) + EIMS, 4)
        return not int.from_bytes(raw, "little") & 1

    def is_called(self) -> bool:
        """Does the entry's vector number, its second argument, lead to our interrupt? And is
        nothing but a task interrupted?"""
        desc = percpu.per_cpu("vector_irq", 0)[int(argument(1, "char")) & 0xff]
        if int(desc) in (0, (1 << 64) - 1, (1 << 64) - 2):
            return False
        return int(desc["irq_data"]["irq"]) == int(self.vector()["irq"]) and not softirqs_off()

    def waits(self) -> bool:
        """Has a frame been written back that the driver has not looked at?"""
        now = ring.read(device.resolve("eth0", "trace interrupt"), "rx", 0)
        raw = utils.read_bytes(now.address + now.next_to_clean * 16, 16)
        return bool(raw[8] & 1)


def softirqs_off() -> int:
    """The part of preempt_count that says that a softirq runs, or that none may."""
    return percpu.preempt_count() >> SOFTIRQ_SHIFT & SOFTIRQ_MASK


def called_by_thread() -> bool:
    """Did ksoftirqd call the function gdb stands in?"""
    caller = gdb.newest_frame().older()
    return caller is not None and caller.name() == "run_ksoftirqd"


def pending(vector: int) -> bool:
    """Is a softirq pending on CPU 0?"""
    return bool(percpu.softirq_pending(0) >> vector & 1)


def backlog() -> int:
    """Frames in CPU 0's backlog: those netif_rx puts in, and those being worked on."""
    softnet = percpu.per_cpu("softnet_data", 0)
    return int(softnet["input_pkt_queue"]["qlen"]) + int(softnet["process_queue"]["qlen"])


def only(vector: int, name: str) -> Any:
    """Other vectors come and go; a journey keeps the one of interest."""
    return lambda _text: f"{name} {'pending' if pending(vector) else 'not pending'}"


def in_context(name: str) -> Check:
    """The CPU is in this context."""
    return Check(f"this is {name} context", lambda: percpu.context() == name)


def top_half(card: Card) -> list[Stop]:
    """Hard interrupt context."""
    return [
        Stop("entry", "__common_interrupt", "A message arrives",
             """The card has written a few bytes to an address that is not memory: an MSI-X message.
             The CPU's interrupt controller took it and the CPU, between two instructions, saved
             where it was and jumped to the entry for the vector, whose number is the second
             argument here. The kernel entered hard interrupt context; interrupts are off.""",
             condition=card.is_called,
             check=[in_context("hardirq"),
                    Check("preempt_count says hard interrupt, and nothing else", lambda:
                          bool(percpu.preempt_count() & HARDIRQ_MASK) and not softirqs_off()),
                    Check("a frame waits in the ring", card.waits)],
             question="With INTx the kernel would have to ask devices whether it was them. Why "
                      "not here?",
             answer="""The message names its vector, and nobody shares that. Nothing is read from
             the card to learn who called."""),
        Stop("handler", "igbook_irq_queues", "The driver's top half",
             """From the vector to a struct irq_desc, through the flow handler for an edge, to the
             function the driver gave to request_irq. Its second argument is what the driver
             gave with it: the vector.""",
             condition=lambda: int(argument(1, "char")) == int(card.vector().address),
             show=[Show("print ((struct igbook_vector *)$rsi)->name"),
                   Show("net ring rx 0 eth0 1", keep=lambda text: text.split("\n")[0])],
             check=[in_context("hardirq"),
                    Check("the vector is eth0-rxtx-0",
                          lambda: utils.string_of(card.vector()["name"]) == "eth0-rxtx-0"),
                    Check("it is not masked in the card yet", lambda: not card.masked())],
             question="What would happen on return if the handler did nothing at all?",
             answer="""The frame would lie there. An edge is told once; the card speaks again only
             for the next frame. With a level, as INTx is, the CPU would come back at once, for
             ever."""),
        Stop("raise", "__tasklet_schedule", "More is wanted, but not here",
             """The handler has masked its vector in the card and asks for its tasklet. That
             appends the tasklet to this CPU's list and raises TASKLET_SOFTIRQ: a bit in the
             pending mask. Nothing is called.""",
             show=[Show("net softirqs pending", keep=only(TASKLET, "TASKLET"))],
             check=[in_context("hardirq"),
                    Check("the vector is masked in the card", card.masked),
                    Check("TASKLET is not pending yet", lambda: not pending(TASKLET))],
             question="Why is the vector masked, although interrupts of this CPU are off anyway?",
             answer="""They are off until the handler returns. The mask in the card holds until the
             bottom half has emptied the ring: that many interrupts less."""),
        Stop("raised", "__tasklet_schedule", "That is all of the top half",
             """One bit. The handler returns IRQ_HANDLED.""", at="return",
             show=[Show("net softirqs pending", keep=only(TASKLET, "TASKLET"))],
             check=[in_context("hardirq"),
                    Check("TASKLET is pending", lambda: pending(TASKLET))]),
    ]


def way_out(card: Card) -> list[Stop]:
    """irq_exit and the softirqs."""
    return [
        Stop("exit", "irq_exit_rcu", "On the way out of the interrupt",
             """The interrupt controller has been told that this interrupt is dealt with. Before
             the interrupted task goes on, one look at the pending mask: there is something, and
             no softirq was interrupted, so it is done now.""",
             condition=lambda: pending(TASKLET),
             show=[Show("net softirqs pending", keep=only(TASKLET, "TASKLET"))],
             check=[in_context("hardirq"),
                    Check("TASKLET is pending", lambda: pending(TASKLET)),
                    Check("no softirq was interrupted", lambda: not softirqs_off())],
             question="What if a softirq had been interrupted?",
             answer="""Then this would be left alone: the one that was interrupted looks at the
             mask again before it ends."""),
        Stop("softirqs", "handle_softirqs", "do_softirq",
             """Not a hard interrupt any more. The function copies the mask, clears it, enables
             interrupts, and calls the handler of each bit, lowest first. New bits that appear
             meanwhile are seen on the next round.""",
             condition=lambda: pending(TASKLET),
             check=[Check("TASKLET is pending", lambda: pending(TASKLET))],
             question="Whose time is this?",
             answer="""That of whoever was interrupted. Its stack was put aside and its time slice
             runs on."""),
        Stop("tasklet", "igbook_tasklet", "The driver's bottom half",
             """Interrupts are on. The mask in the card keeps our own vector quiet, but any other
             may come. The tasklet takes from the ring what is there and gives each frame to
             netif_rx.""",
             check=[in_context("softirq"), Check("the vector is still masked", card.masked),
                    Check("TASKLET is no longer pending", lambda: not pending(TASKLET)),
                    Check("a frame waits in the ring", card.waits)],
             question="Can this function run on two CPUs at once?",
             answer="""Not for one tasklet: a bit in it says that it runs, and another CPU puts it
             back on its list."""),
        Stop("netif-rx", "netif_rx", "Into the backlog",
             """An sk_buff goes onto this CPU's input queue, and NET_RX is raised: a second
             softirq, asked for from within the first. Its number is lower than TASKLET's, so this
             round is past it; it is the next round's.""",
             show=[Show("print ((struct sk_buff *)$rdi)->len"),
                   Show("net softirqs pending", keep=only(NET_RX, "NET_RX"))],
             check=[in_context("softirq"), Check("the backlog is empty", lambda: backlog() == 0),
                    Check("NET_RX is not pending", lambda: not pending(NET_RX))]),
        Stop("queued", "netif_rx", "Asked for once more", """The frame waits for its turn a second
             time, now as an sk_buff.""", at="return",
             show=[Show("net softirqs pending", keep=only(NET_RX, "NET_RX"))],
             check=[Check("there is a frame in the backlog", lambda: backlog() == 1),
                    Check("NET_RX is pending", lambda: pending(NET_RX))]),
        Stop("backlog", "process_backlog", "The backlog is a NAPI instance",
             """The next round. net_rx_action found the CPU's own NAPI instance on the poll list:
             its poll function takes frames from the input queue and gives each to the
             stack.""",
             check=[in_context("softirq"), Check("there is something in the backlog",
                                                 lambda: backlog() > 0)],
             question="How often has this one frame been queued so far?",
             answer="""Twice: in the ring by the card, in the backlog by netif_rx. NAPI drivers
             do away with the second."""),
    ]


def overload() -> list[Stop]:
    """The ksoftirqd case."""
    def is_ksoftirqd() -> bool:
        return percpu.task_name() == "ksoftirqd/0"

    return [
        Stop("ksoftirqd", "run_ksoftirqd", "Too much of it: ksoftirqd",
             """Frames went on arriving, and each round left something pending. After ten rounds,
             two milliseconds counted in ticks, or when a task wants the CPU, handle_softirqs gives
             up: it wakes this thread and returns. What is left competes with programs for time, as
             the work of a thread of ordinary priority. (So that few frames are enough to show it,
             this guest takes one frame a round: net.core.netdev_budget and net.core.dev_weight are
             1.)""",
             show=[Show("print net_hotdata.netdev_budget")],
             condition=lambda: is_ksoftirqd() and pending(NET_RX),
             check=[in_context("process"), Check("the task is ksoftirqd/0", is_ksoftirqd),
                    Check("NET_RX was left pending", lambda: pending(NET_RX))],
             question="A program that never sleeps runs beside it. Who gets how much?",
             answer="""Of what the thread gets to do, about half each. But each interrupt of the
             program, that of the timer too, runs what is pending at its end, before the program
             goes on."""),
        Stop("in-thread", "handle_softirqs", "The same work, in a thread",
             """The very function as before, called by a thread this time. The scheduler may take
             the CPU away from it between two rounds.""",
             # Before the thread has turned interrupts off, one can do the work on its way out.
             condition=lambda: called_by_thread() and pending(NET_RX),
             check=[Check("the task is ksoftirqd/0", is_ksoftirqd),
                    Check("NET_RX is pending", lambda: pending(NET_RX))]),
    ]


def trace(config: dict[str, Any]) -> Trace:
    """The trace as the runner asks for it."""
    card = Card(Driver(config["driver"]))
    return Trace("interrupt", ABOUT, top_half(card) + way_out(card) + overload(),
                 modules=("igbook",), start_at="default_idle")
