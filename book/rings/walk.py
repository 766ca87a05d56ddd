# SPDX-License-Identifier: GPL-2.0
"""Runs inside gdb, for book/rings/record-ring: stop the guest in the driver and note the ring.

The variables GUEST (the sandbox's name for the guest), MODULE (the driver's file) and OUT (where
the JSON goes) are set by the caller.

The driver looks at its ring at moments of its own choosing. So that every run gives the same
steps, a look that comes before all frames of a burst are there is sent home: igbook_rx_clean()
returns 0, as if there had been nothing to take. QEMU throws away what waits in front of the card
when gdb stops the guest; so no burst is longer than the ring has room for.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any

import gdb

GUEST: str
MODULE: str
OUT: str
SANDBOX: str

RDH, RDT = 0x0C010, 0x0C018
DD = 1
HEADER = 14
BURSTS = [[60, 1000, 200], [300, 400, 500, 600, 700, 800, 900], [100, 1500]]


class Walk:
    """One run: what has been seen so far."""

    def __init__(self, doorbell: gdb.Breakpoint) -> None:
        self.doorbell = doorbell
        self.steps: list[dict[str, Any]] = []
        self.names: list[str] = []
        self.addresses: list[int] = []
        self.born = 0

    @property
    def ring(self) -> gdb.Value:
        """The receive ring of queue 0, found through the stopped function's argument."""
        return gdb.parse_and_eval("*$walk_ring")

    def register(self, offset: int) -> int:
        """A register of the card."""
        return int(gdb.parse_and_eval(
            f"*(unsigned int *)((char *)$walk_ring->priv->regs + {offset})"))

    def descriptors(self) -> list[gdb.Value]:
        """The ring's descriptors."""
        ring = self.ring
        return [ring["rx_desc"][i] for i in range(int(ring["count"]))]

    def done(self) -> int:
        """How many descriptors the card has finished and the driver has not taken back."""
        ring, found = self.ring, 0
        i, count = int(ring["next_to_clean"]), int(ring["count"])
        while i != int(ring["next_to_use"]):
            if not int(ring["rx_desc"][i]["wb"]["status_error"]) & DD:
                break
            found += 1
            i = (i + 1) % count
        return found

    def rename(self, taken: int | None) -> None:
        """Give each buffer a letter that it keeps; a new one gets the next letter."""
        ring = self.ring
        count = int(ring["count"])
        now = [int(ring["rx_buffer"][i]["dma"]) for i in range(count)]
        if not self.names:
            self.names = [chr(ord("A") + i) for i in range(count - 1)] + [""]
            self.born = count - 1
        elif taken is not None:
            posted = (int(ring["next_to_use"]) - 1) % count
            if now[posted] == self.addresses[taken]:
                self.names[posted] = self.names[taken]
            else:
                self.names[posted] = chr(ord("A") + self.born)
                self.born += 1
            self.names[taken] = ""
        self.addresses = now

    def note(self, title: str, text: str, taken: int | None = None) -> None:
        """Add a step."""
        self.rename(taken)
        ring = self.ring
        count = int(ring["count"])
        use, clean = int(ring["next_to_use"]), int(ring["next_to_clean"])
        head, tail = self.register(RDH), self.register(RDT)
        slots = []
        for i, desc in enumerate(self.descriptors()):
            status = int(desc["wb"]["status_error"])
            given = (i - clean) % count < (use - clean) % count
            shown = given and bool(status & DD)
            slots.append({"buffer": self.names[i], "given": given, "dd": shown,
                          "length": int(desc["wb"]["length"]) if shown else None})
        free = (tail - head) % count
        self.steps.append({"title": title, "text": text, "head": head, "tail": tail,
                           "next_to_use": use, "next_to_clean": clean, "free": free,
                           "slots": slots})


def send(lengths: list[int]) -> None:
    """Put frames on the cable; the guest stands still meanwhile."""
    for length in lengths:
        frame = "525400123456" + "020000000001" + "88b5" + "00" * (length - HEADER)
        subprocess.run([SANDBOX, "send", GUEST, "--hex", frame], check=True, capture_output=True)


def leave() -> None:
    """Execute the instruction that the guest stands at.

    QEMU now and then says that a single step is done before it has begun. gdb, which steps across
    a breakpoint that it stands at, would meet the same one again.
    """
    stands_at = gdb.newest_frame().pc()
    while gdb.newest_frame().pc() == stands_at:
        gdb.execute("stepi", to_string=True)


def go() -> str:
    """Let the guest run to the next breakpoint. Return the function's name."""
    leave()
    gdb.execute("continue", to_string=True)
    return gdb.selected_frame().name()


def look(walk: Walk, wanted: int) -> None:
    """Go on to the first look of the driver that finds this many frames."""
    while True:
        if go() == "igbook_rx_clean" and walk.done() >= wanted:
            return
        gdb.execute("return (int)0", to_string=True)


def take(walk: Walk, lengths: list[int]) -> None:
    """Follow igbook_rx_clean() through its frames to the doorbell."""
    count = int(walk.ring["count"])
    for length in lengths:
        before = int(walk.ring["next_to_clean"])
        where = go()
        assert where == "netif_rx", where
        old = walk.names[before]
        walk.note(f"A frame of {length} bytes goes to the stack", "", taken=before)
        new = walk.names[(int(walk.ring["next_to_use"]) - 1) % count]
        walk.steps[-1]["text"] = (
            f"Copied, since it is short: buffer {old} stays in the ring and is posted again."
            if new == old else
            f"Its buffer {old} goes along; the new buffer {new} is posted in the free descriptor.")
    where = go()
    assert where == "igbook_rx_doorbell", where
    # Whether it is inlined, wholly or in part, is the compiler's choice; its caller ends after it.
    walk.doorbell.enabled = False
    leave()
    gdb.execute("frame function igbook_rx_clean", to_string=True)
    cleaning = gdb.selected_frame()
    while cleaning.is_valid():
        # `finish` steps, too, where its caller has been inlined.
        cleaning.select()
        gdb.execute("finish", to_string=True)
    walk.doorbell.enabled = True


def run() -> None:
    """The whole walk."""
    gdb.execute(f"net symbols {MODULE}", to_string=True)
    for place in ("igbook_rx_clean", "netif_rx"):
        gdb.execute(f"break {place}", to_string=True)
    doorbell = gdb.Breakpoint("igbook_rx_doorbell")
    while go() != "igbook_rx_clean":
        pass
    gdb.execute("set $walk_ring = ring", to_string=True)
    walk = Walk(doorbell)
    walk.note("The ring is ready",
              "Seven buffers are posted, one descriptor stays free. The card has used none.")
    gdb.execute("return (int)0", to_string=True)

    send(BURSTS[0])
    look(walk, len(BURSTS[0]))
    walk.note("The card has received three frames",
              "It wrote each to a buffer, then the descriptor, with DD, over what we had written. "
              "The driver has not looked yet.")
    take(walk, BURSTS[0])
    walk.note("The doorbell",
              "One write to the tail gives all three buffers to the card.")

    send(BURSTS[1])
    look(walk, len(BURSTS[1]))
    walk.note("Seven more frames, and the ring is exhausted",
              "Head and tail are equal: the card has no descriptor left. A further frame waits in "
              "its FIFO, and when that is full, frames are lost.")
    take(walk, BURSTS[1])
    walk.note("The doorbell",
              "The tail moved on by seven, past the end of the ring to its beginning.")

    send(BURSTS[2])
    look(walk, len(BURSTS[2]))
    walk.note("Two more frames",
              "The card is on its second lap, like the driver.")
    take(walk, BURSTS[2])
    walk.note("At rest again",
              "Twelve frames went through a ring of eight. Seven buffers are posted, one "
              "descriptor is free.")
    with open(OUT, "w", encoding="utf-8") as file:
        json.dump({"ring": "rx", "count": int(walk.ring["count"]), "steps": walk.steps}, file,
                  indent=1)
        file.write("\n")


run()
