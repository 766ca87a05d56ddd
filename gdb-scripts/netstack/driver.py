# SPDX-License-Identifier: GPL-2.0
"""What a trace has to know about the driver it walks through: names, and where its NAPI is."""

from __future__ import annotations

from dataclasses import dataclass

import gdb

from . import device


@dataclass(frozen=True)
class Driver:
    """A driver of the card. choice is the word of the command line: igb, or a stage's number."""

    choice: str

    @property
    def own(self) -> bool:
        """Is it the book's?"""
        return self.choice != "igb"

    @property
    def pages(self) -> bool:
        """Does the card write into parts of pages? The book's driver gives it sk_buffs at first."""
        return not self.own or int(self.choice) >= 7

    @property
    def module(self) -> str:
        """Name of the module."""
        return "igbook" if self.own else "igb"

    @property
    def handler(self) -> str:
        """The top half of a queue's MSI-X message."""
        return "igbook_irq_queues" if self.own else "igb_msix_ring"

    @property
    def schedule(self) -> str:
        """What the top half calls; igbook knows that interrupts are off there."""
        return "__napi_schedule_irqoff" if self.own else "__napi_schedule"

    @property
    def poll(self) -> str:
        """What NAPI calls."""
        return f"{self.module}_poll"

    def private(self, dev: gdb.Value) -> gdb.Value:
        """What netdev_priv() returns, with its type."""
        kind = gdb.lookup_type("struct igbook" if self.own else "struct igb_adapter")
        return gdb.Value(device.private_area(dev)).cast(kind.pointer())

    def napi(self, dev: gdb.Value) -> gdb.Value:
        """The NAPI instance that receives on queue 0; igb has another one for transmit."""
        private = self.private(dev)
        if self.own:
            return private["vector"][0]["napi"].address
        return private["rx_ring"][0]["q_vector"]["napi"].address

    @property
    def vector(self) -> str:
        """The type of what the handler's second argument points to; its NAPI instance is in it."""
        return "struct igbook_vector" if self.own else "struct igb_q_vector"
