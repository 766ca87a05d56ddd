# SPDX-License-Identifier: GPL-2.0
"""`net ring`: the descriptors that driver and card share, decoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import gdb

from . import descriptor, device, picture, utils

LIMIT = 8
# IGBOOK_TX_DESC in igbook.h; a macro leaves no trace in debug information.
IGBOOK_TX_DESC = 8


@dataclass(frozen=True)
class Ring:
    """What any driver's ring comes down to."""

    direction: str
    index: int
    address: int
    dma: int
    count: int
    next_to_use: int
    next_to_clean: int
    head: int | None = None


def _read_head(registers: gdb.Value, direction: str, index: int) -> int | None:
    """RDH or TDH: where the card is. None when the register cannot be read from outside."""
    offset = {"rx": 0xc010, "tx": 0xe010}[direction] + index * 0x40
    raw = utils.read_bytes(int(registers) + offset, 4) if int(registers) else b""
    value = int.from_bytes(raw, "little")
    return value if len(raw) == 4 and value < 1 << 16 else None


def _from_igb(private: int, direction: str, index: int) -> Ring:
    adapter = gdb.Value(private).cast(gdb.lookup_type("struct igb_adapter").pointer())
    count = int(adapter[f"num_{direction}_queues"])
    if index >= count:
        raise gdb.GdbError(f"net ring: igb has {count} {direction} ring(s), there is no {index}")
    ring = adapter[f"{direction}_ring"][index]
    if utils.is_null(ring) or utils.is_null(ring["desc"]):
        raise gdb.GdbError(f"net ring: {direction} ring {index} has no memory; is the device up?")
    return Ring(direction, index, int(ring["desc"]), int(ring["dma"]), int(ring["count"]),
                int(ring["next_to_use"]), int(ring["next_to_clean"]),
                _read_head(adapter["hw"]["hw_addr"], direction, index))


def _from_igbook(private: int, direction: str, index: int) -> Ring:
    priv = gdb.Value(private).cast(gdb.lookup_type("struct igbook").pointer())
    if utils.has_field(priv.dereference().type, f"{direction}_ring"):
        return _from_igbook_rings(priv, direction, index)
    if not utils.has_field(priv.dereference().type, direction):
        raise gdb.GdbError(f"net ring: this stage of igbook has no {direction} ring yet")
    queue = priv[direction]
    if index != 0:
        raise gdb.GdbError(f"net ring: igbook has one {direction} ring, there is no {index}")
    if utils.is_null(queue["desc"]):
        raise gdb.GdbError("net ring: the ring has no memory; bring the device up first")
    ring = Ring(direction, index, int(queue["desc"]), int(queue["dma"]), IGBOOK_TX_DESC,
                int(queue["next"]), int(queue["next"]))
    return replace(ring, next_to_clean=_oldest_given(ring))


def _from_igbook_rings(priv: gdb.Value, direction: str, index: int) -> Ring:
    """From stage 04 on."""
    count = int(priv["num_queues"])
    if index >= count:
        raise gdb.GdbError(f"net ring: igbook has {count} {direction} ring(s), "
                           f"there is no {index}")
    ring = priv[f"{direction}_ring"][index]
    if utils.is_null(ring["desc"]):
        raise gdb.GdbError("net ring: the ring has no memory; bring the device up first")
    return Ring(direction, index, int(ring["desc"]), int(ring["dma"]), int(ring["count"]),
                int(ring["next_to_use"]), int(ring["next_to_clean"]),
                _read_head(priv["regs"], direction, index))


def _oldest_given(ring: Ring) -> int:
    """igbook's stage 02 keeps no next_to_clean: walk back over what the card has not finished."""
    oldest = ring.next_to_use
    for step in range(1, ring.count):
        number = (ring.next_to_use - step) % ring.count
        if not descriptor.is_given(utils.read_bytes(ring.address + number * 16, 16)):
            break
        oldest = number
    return oldest


DRIVERS: dict[str, tuple[str, Callable[[int, str, int], Ring]]] = {
    "igb": ("struct igb_adapter", _from_igb),
    "igbook": ("struct igbook", _from_igbook),
}


def find_device() -> gdb.Value:
    """The first device whose driver has rings this command knows."""
    for dev in device.every():
        if device.driver_of(dev) in DRIVERS:
            return dev
    raise gdb.GdbError("net ring: no device of igb or igbook; load the driver first")


def read(dev: gdb.Value, direction: str, index: int) -> Ring:
    """The ring of a device, whichever of the known drivers it has."""
    driver = device.driver_of(dev)
    name = utils.string_of(dev["name"])
    if driver not in DRIVERS:
        raise gdb.GdbError(f"net ring: {name} has driver {driver}; known are "
                           f"{', '.join(DRIVERS)}")
    struct, reader = DRIVERS[driver]
    try:
        gdb.lookup_type(struct)
    except gdb.error:
        raise gdb.GdbError(f"net ring: no symbols of {driver}.ko; run `net symbols` "
                           "(or `net symbols DIRECTORY`)") from None
    return reader(device.private_area(dev), direction, index)


def pending(ring: Ring, index: int) -> bool:
    """Is the descriptor the card's at the moment?"""
    return (index - ring.next_to_clean) % ring.count < \
        (ring.next_to_use - ring.next_to_clean) % ring.count


def _arguments(argument: str) -> tuple[str, int, gdb.Value, int]:
    words = argument.split()
    good = 2 <= len(words) <= 4 and words[0] in ("rx", "tx") and words[1].isdigit() \
        and (len(words) < 4 or words[3].isdigit())
    if not good:
        raise gdb.GdbError("net ring: usage: net ring rx|tx NUMBER [DEVICE [COUNT]], "
                           "for example: net ring rx 0 eth0")
    dev = device.resolve(words[2], "net ring") if len(words) > 2 else find_device()
    return words[0], int(words[1]), dev, int(words[3]) if len(words) > 3 else LIMIT


def _note(ring: Ring, index: int) -> str:
    notes = []
    if index == ring.next_to_clean:
        notes.append("next_to_clean")
    if index == ring.next_to_use:
        notes.append("next_to_use")
    return f"  <- {', '.join(notes)}" if notes else ""


def cells(ring: Ring) -> str:
    """A letter for each descriptor."""
    raw = utils.read_bytes(ring.address, ring.count * 16)
    return picture.ring_cells(raw, ring.count, ring.next_to_clean, ring.next_to_use,
                              ring.direction)


def drawing(ring: Ring) -> list[str]:
    """The ring as rows of letters, with what points into it below."""
    marks = {"next_to_clean": ring.next_to_clean, "next_to_use": ring.next_to_use}
    if ring.head is not None:
        marks["head"] = ring.head
    return picture.ring_rows(cells(ring), marks)


def show(argument: str) -> None:
    """Show a descriptor ring: a picture of it, and what some descriptors say.

Usage: net ring rx|tx NUMBER [DEVICE [COUNT]]

In the picture each letter is a descriptor: `o` waits for the card, `D` was written back by the
card (DD) and waits for the driver, `.` belongs to nobody. Descriptors between next_to_clean and
next_to_use were given to the card; head is where the card says it is. COUNT descriptors are
listed (8 when left out), from just before next_to_clean. Known drivers are igb and igbook;
without DEVICE the first device of one of them is taken. igbook's stage 02 has one transmit
ring and sends by hand.

Example:
  (gdb) net ring rx 0 eth0 2
  eth0 rx ring 0: 64 descriptors at 0xffff888003b00000, for the card at 0x3b00000
    next_to_clean 5, next_to_use 4: 63 with the card, 1 of them written back
       0  oooo.Dooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo
              ^ next_to_use
               ^ next_to_clean
                ^ head
       4  empty  <- next_to_use
       5  written back: length 64, DD EOP, errors 0x0  <- next_to_clean"""
    direction, index, dev, limit = _arguments(argument)
    ring = read(dev, direction, index)
    held = (ring.next_to_use - ring.next_to_clean) % ring.count
    done = cells(ring).count("D")
    utils.out(f"{utils.string_of(dev['name'])} {direction} ring {index}: {ring.count} descriptors "
              f"at {ring.address:#x}, for the card at {ring.dma:#x}")
    utils.out(f"  next_to_clean {ring.next_to_clean}, next_to_use {ring.next_to_use}: "
              f"{held} with the card" + (f", {done} of them written back" if done else ""))
    for row in drawing(ring):
        utils.out(row)
    decode = descriptor.decode_rx if direction == "rx" else descriptor.decode_tx
    start = 0 if ring.count <= limit else ring.next_to_clean - 1
    for step in range(min(ring.count, limit)):
        number = (start + step) % ring.count
        raw = utils.read_bytes(ring.address + number * 16, 16)
        text = decode(raw, pending(ring, number))
        utils.out(f"  {number:>4}  {text}{_note(ring, number)}")


def register() -> None:
    """Add the command to gdb."""
    utils.NetCommand("ring", show)
