# SPDX-License-Identifier: GPL-2.0
"""Trace intx: an interrupt on a line that devices share, and the register that must be read."""

from __future__ import annotations

from typing import Any

import gdb

from netstack import device, percpu, ring, utils
from netstack.driver import Driver
from netstack.trace import Check, Show, Stop, Trace, argument, return_value

SCENARIO = "shared-line"
DRIVERS = ("05",)
ABOUT = """The driver was loaded with irq_mode=intx: the card has no message to send, only a
line that it may share with others. The host puts one frame on the cable. Follow the interrupt
and look for what the MSI-X message of the trace `interrupt` did not need."""

TASKLET = 6
IMS = 0xd0
CAUSE_RECEIVED = 1 << 7
SHARED = 0x80
HANDLED = 1
SOFTIRQ_SHIFT, SOFTIRQ_MASK = 8, 0xff


class Card:
    """eth0 and its one vector."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver

    def netdev(self) -> gdb.Value:
        """The device."""
        return device.resolve("eth0", "trace intx")

    def vector(self) -> gdb.Value:
        """It speaks for everything."""
        return self.driver.private(self.netdev())["vector"][0]

    def let_through(self) -> int:
        """IMS: the causes that may activate the line. (Reading ICR would clear them.)"""
        regs = int(self.driver.private(self.netdev())["regs"])
        return int.from_bytes(utils.read_bytes(regs + IMS, 4), "little")

    def receive_is_masked(self) -> bool:
        """May a received frame activate the line?"""
        return not self.let_through() & CAUSE_RECEIVED

    def is_line(self) -> bool:
        """Is the interrupt whose descriptor is the first argument ours? And is nothing but a task
        interrupted?"""
        number = int(argument(0, "struct irq_desc")["irq_data"]["irq"])
        return number == int(self.vector()["irq"]) and not softirqs_off()

    def waits(self) -> bool:
        """Has a frame been written back that the driver has not looked at?"""
        now = ring.read(self.netdev(), "rx", 0)
        raw = utils.read_bytes(now.address + now.next_to_clean * 16, 16)
        return bool(raw[8] & 1)


def softirqs_off() -> int:
    """The part of preempt_count that says that a softirq runs, or that none may."""
    return percpu.preempt_count() >> SOFTIRQ_SHIFT & SOFTIRQ_MASK


def pending() -> bool:
    """Is TASKLET pending on CPU 0?"""
    return bool(percpu.softirq_pending(0) >> TASKLET & 1)


def tasklet_only(_text: str) -> str:
    """Other vectors come and go."""
    return f"TASKLET {'pending' if pending() else 'not pending'}"


def in_context(name: str) -> Check:
    """The CPU is in this context."""
    return Check(f"this is {name} context", lambda: percpu.context() == name)


def top_half(card: Card) -> list[Stop]:
    """Hard interrupt context."""
    return [
        Stop("line", "handle_fasteoi_irq", "The line is active",
             """The card holds the line because a cause is set that its mask lets through, and will
             hold it until that is no longer so. The interrupt controller has told the CPU which
             of its inputs it was, not which device. This function serves such inputs: it calls
             every handler that was registered for the input, and then tells the controller that
             the interrupt is dealt with. If the line is still active by then, it begins again.""",
             condition=card.is_line,
             show=[Show("print ((struct irq_desc *)$rdi)->action->name"),
                   Show("print /x ((struct irq_desc *)$rdi)->action->flags")],
             check=[in_context("hardirq"),
                    Check("the handler was registered as one that shares the line", lambda: bool(
                        int(argument(0, "struct irq_desc")["action"]["flags"]) & SHARED)),
                    Check("there is one handler on it", lambda: utils.is_null(
                        argument(0, "struct irq_desc")["action"]["next"])),
                    Check("a frame waits in the ring", card.waits)],
             question="What if the handler does not make the card release the line?",
             answer="""The CPU is interrupted again as soon as this function is done, and does
             nothing else from then on. If no handler says that it was his, the kernel gives up
             after 100,000 times and switches the line off; if one does, it never gives up."""),
        Stop("handler", "igbook_irq_intx", "Was it us?",
             """The driver does not know yet whether its card called, or for what. Its first act
             will be to read ICR, over the bus and back, while the CPU waits. The answer also
             says that what the card wrote to memory before it is there.""",
             condition=lambda: int(argument(1, "char")) == int(card.vector().address),
             check=[in_context("hardirq"),
                    Check("received frames are not masked", lambda: not card.receive_is_masked()),
                    Check("TASKLET is not pending", lambda: not pending())],
             question="With MSI-X the handler begins by masking. Why not here?",
             answer="""It may be somebody else's interrupt. A card that did not call must be
             left as it is."""),
        Stop("wake", "__tasklet_schedule", "It was, and for a frame",
             """ICR had the bit that says that this card holds the line, and the cause of a received
             frame. Reading cleared both, so the line is released. Then everything that is
             about queues was masked in the card, with one write to IMC: there is one bottom half
             for all of them.""",
             show=[Show("net softirqs pending", keep=tasklet_only)],
             check=[in_context("hardirq"),
                    Check("received frames are masked", card.receive_is_masked),
                    Check("TASKLET is not pending yet", lambda: not pending())],
             question="How many accesses across the bus has this interrupt cost so far?",
             answer="""Two: the read of ICR, for which the CPU waits, and the write to IMC, for
             which it does not. With MSI-X it was the write alone."""),
        Stop("handled", "igbook_irq_intx", "IRQ_HANDLED",
             """The answer counts. The kernel keeps account of calls that nobody wanted, to find a
             line that is stuck. Had ICR been empty, it would have been IRQ_NONE.""",
             at="return",
             check=[Check("it returned IRQ_HANDLED",
                          lambda: return_value() & 0xffffffff == HANDLED),
                    Check("TASKLET is pending", pending)]),
    ]


def bottom_half(card: Card) -> list[Stop]:
    """The tasklet, and the line that may be active again."""
    return [
        Stop("tasklet", "igbook_tasklet", "The same bottom half",
             """From here on only the unmasking differs from MSI-X: the same function, the same
             rings, the same 64 frames at most.""",
             check=[in_context("softirq"), Check("a frame waits in the ring", card.waits),
                    Check("received frames are masked", card.receive_is_masked)],
             question="May the line become active while this runs?",
             answer="""For a frame, no: that is masked. For the link, yes, and for every other
             device on the line."""),
        Stop("done", "igbook_tasklet", "The line may be active again",
             """The ring is empty and the mask lifted, by one write to IMS. Had a frame come
             meanwhile, its cause would be set and the line active at this moment.""",
             at="return",
             check=[Check("no frame waits in the ring", lambda: not card.waits()),
                    Check("received frames are not masked",
                          lambda: not card.receive_is_masked())]),
    ]


def trace(config: dict[str, Any]) -> Trace:
    """The trace as the runner asks for it."""
    card = Card(Driver(config["driver"]))
    return Trace("intx", ABOUT, top_half(card) + bottom_half(card), modules=("igbook",),
                 start_at="default_idle")
