# SPDX-License-Identifier: GPL-2.0
"""Decoding the 82576's advanced descriptors, 16 bytes each. Plain Python, no gdb."""

from __future__ import annotations

STATUS_DONE = 1
STATUS_END = 2
DATA = 3
CONTEXT = 2
# Command byte of a transmit descriptor (bits 31:24 of its third word).
TX_COMMANDS = {0x01: "EOP", 0x02: "IFCS", 0x08: "RS", 0x20: "DEXT", 0x40: "VLE", 0x80: "TSE"}


def _word(raw: bytes, offset: int, size: int) -> int:
    return int.from_bytes(raw[offset:offset + size], "little")


def decode_rx(raw: bytes, with_card: bool) -> str:
    """A receive descriptor: as the driver wrote it, or as the card wrote it back."""
    if len(raw) < 16:
        return "unreadable"
    status = _word(raw, 8, 4)
    if with_card and not status & STATUS_DONE:
        return f"for the card: buffer {_word(raw, 0, 8):#x}"
    if not with_card and not status & STATUS_DONE:
        return "empty"
    end = " EOP" if status & STATUS_END else ""
    return f"written back: length {_word(raw, 12, 2)}, DD{end}, errors {status >> 20:#x}"


def hash_of(raw: bytes) -> tuple[int, int]:
    """The type and the number of the hash in a receive descriptor that the card wrote back."""
    return _word(raw, 0, 4) & 0xf, _word(raw, 4, 4)


def is_given(raw: bytes) -> bool:
    """Was this transmit descriptor filled in, and not written back yet?"""
    return len(raw) == 16 and bool(_word(raw, 8, 4)) and not _word(raw, 12, 4) & STATUS_DONE


def decode_tx(raw: bytes, with_card: bool) -> str:
    """A transmit descriptor; one that was written back keeps nothing but its status."""
    if len(raw) < 16:
        return "unreadable"
    command, status = _word(raw, 8, 4), _word(raw, 12, 4)
    if not with_card:
        return f"free, status {status:#x}" + (" (DD)" if status & STATUS_DONE else "")
    names = " ".join(name for bit, name in TX_COMMANDS.items() if command >> 24 & bit)
    kind = {DATA: "data", CONTEXT: "context"}.get(command >> 20 & 0xf, "unknown type")
    return (f"for the card: {kind}, buffer {_word(raw, 0, 8):#x}, length {command & 0xffff}, "
            f"PAYLEN {status >> 14}, {names or 'no commands'}")
