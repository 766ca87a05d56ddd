# SPDX-License-Identifier: GPL-2.0
"""Trace igbook: `net ring` on the book's own driver, stage 02, which sends one frame by hand."""

from __future__ import annotations

from typing import Any

import gdb

from netstack.trace import Check, Show, Stop, Trace

SCENARIO = "hand-send"
DRIVERS = ("02",)
RING = Show("net ring tx 0 eth0")


def ring_says(*parts: str) -> bool:
    """Does the ring's picture contain all of this?"""
    text = gdb.execute(RING.command, to_string=True)
    return all(part in text for part in parts)


def refused(command: str, answer: str) -> bool:
    """Does the command fail with this sentence?"""
    try:
        gdb.execute(command, to_string=True)
    except gdb.error as error:
        return answer in str(error)
    return False


def trace(_config: dict[str, Any]) -> Trace:
    """Before and after."""
    return Trace("igbook", "One frame by hand through one descriptor.", [
        Stop("before", "hand_send_write", "The frame is handed in", "The ring is untouched.",
             show=[RING],
             check=[Check("8 descriptors, none with the card", lambda: ring_says(
                        "eth0 tx ring 0: 8 descriptors", "next_to_use 0: 0 with the card",
                        "   0  free, status 0x0  <- next_to_clean, next_to_use")),
                    Check("there is no receive ring yet",
                          lambda: refused("net ring rx 0", "has no rx ring yet")),
                    Check("and only one transmit ring",
                          lambda: refused("net ring tx 1", "has one tx ring"))]),
        Stop("after", "hand_send_write", "The frame is out", "The card set DD.", at="return",
             show=[RING],
             check=[Check("descriptor 0 was written back, 1 is next", lambda: ring_says(
                        "(DD)", "next_to_use 1: 0 with the card"))]),
    ], modules=("igbook",))
