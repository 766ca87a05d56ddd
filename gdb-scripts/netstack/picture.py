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
