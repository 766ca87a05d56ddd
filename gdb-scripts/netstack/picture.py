# SPDX-License-Identifier: GPL-2.0
"""Drawing an sk_buff's memory with characters. Plain Python, no gdb."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

WIDTH = 30


@dataclass(frozen=True)
class Mark:
    """Something that points into the buffer, `offset` bytes behind head."""

    name: str
    offset: int


def _rows(data: int, tail: int, end: int) -> list[tuple[int, int, str, str]]:
    return [
        (0, data, "headroom", " "),
        (data, tail, "data", "#"),
        (tail, end, "tailroom", " "),
    ]


def _bar(fill: str, label: str) -> str:
    return f"|{label.center(WIDTH, fill)}|"


def _border(offset: int, pointers: list[str], ruler: str = "-") -> str:
    names = ", ".join(pointers)
    return f"{offset:>7} +{ruler * WIDTH}+" + (f" <- {names}" if names else "")


def draw_buffer(data: int, tail: int, end: int, marks: Iterable[Mark] = (),
                shared: str = "skb_shared_info") -> list[str]:
    """Lines that show one linear buffer from head (offset 0) to end.

    All offsets are bytes from head; marks are header offsets inside the buffer. An empty part
    is left out, so `head` and `data` may share a line.
    """
    if not 0 <= data <= tail <= end:
        return [f"pointers out of order: head 0, data {data}, tail {tail}, end {end}"]
    pointers: dict[int, list[str]] = {}
    for name, offset in (("head", 0), ("data", data), ("tail", tail), ("end", end)):
        pointers.setdefault(offset, []).append(name)
    for mark in marks:
        if 0 <= mark.offset <= end:
            pointers.setdefault(mark.offset, []).append(mark.name)
    lines = [_border(0, pointers[0])]
    for start, stop, label, fill in _rows(data, tail, end):
        if start == stop:
            continue
        cuts = sorted(offset for offset in pointers if start < offset < stop) + [stop]
        here = start
        for cut in cuts:
            text = f" {label} {cut - here} B "
            lines.append(" " * 8 + _bar(fill, text))
            lines.append(_border(cut, pointers[cut], "-" if cut == stop else "."))
            here = cut
    lines.append(" " * 8 + _bar(" ", shared))
    lines.append(" " * 8 + "+" + "-" * WIDTH + "+")
    return lines


RING_ROW = 64


def ring_cells(raw: bytes, count: int, clean: int, use: int, direction: str) -> str:
    """A letter for each 16-byte descriptor: o with the card, D written back, . nobody's."""
    letters = []
    for index in range(count):
        given = (index - clean) % count < (use - clean) % count
        # The status word: DD is its lowest bit in either direction's write-back.
        offset = index * 16 + (8 if direction == "rx" else 12)
        done = len(raw) > offset and raw[offset] & 1
        letters.append("?" if len(raw) < (index + 1) * 16 else
                       "." if not given else "D" if done else "o")
    return "".join(letters)


def ring_rows(cells: str, marks: dict[str, int]) -> list[str]:
    """Rows of letters with their first index, and arrows from what points into them.

    A row without arrows that looks like the one before it is left out, with `...` in its place.
    """
    lines: list[str] = []
    before = ""
    for start in range(0, len(cells), RING_ROW):
        row = cells[start:start + RING_ROW]
        here = sorted((place, name) for name, place in marks.items()
                      if start <= place < start + RING_ROW)
        if row == before and not here:
            if lines[-1] != "   ...":
                lines.append("   ...")
            continue
        before = row
        lines.append(f"  {start:>4}  {row}")
        for place in sorted({place for place, _name in here}):
            names = ", ".join(name for where, name in here if where == place)
            lines.append(" " * (8 + place - start) + f"^ {names}")
    return lines
