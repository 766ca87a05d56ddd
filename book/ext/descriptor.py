# SPDX-License-Identifier: GPL-2.0
"""The ``descriptor`` directive: words and bit fields of a descriptor, drawn from its header.

    .. descriptor:: igbook_rx_desc wb
       :name: fig-rx-wb

       The receive descriptor as the card writes it back.

The layout comes from ``code/driver/igbook_desc.h``: the words from the union's members and their
types, the fields from the GENMASK and BIT definitions below the comment ``/* union NAME,
FORM.WORD */``.  So the figure cannot say anything that the driver does not do.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from . import project
from .drawing import captioned, drawing, svg

HEADER = Path(__file__).resolve().parent.parent.parent / "code/driver/igbook_desc.h"
WIDTH, MARGIN, ROW = 640, 8, 34
STYLE = """
.d-word{fill:[lane];stroke:[arrow]}.d-field{fill:[stop];stroke:[stop-line]}
.d-unused{fill:[lane];stroke:[arrow];stroke-dasharray:3 2}
.d-name{font:600 12px 'DejaVu Sans Mono',monospace;fill:[stop-text]}
.d-part{font:11px 'DejaVu Sans Mono',monospace;fill:[stop-text]}
.d-bits{font:10px 'DejaVu Sans',sans-serif;fill:[soft-text]}
.d-line{fill:none;stroke:[arrow]}
"""


class Malformed(Exception):
    """The header does not have what the directive needs; the text says what."""


@dataclass(frozen=True)
class Field:
    """Some bits of a word."""

    name: str
    high: int
    low: int
    meaning: str


@dataclass(frozen=True)
class Word:
    """One member of the descriptor."""

    name: str
    bits: int
    fields: tuple[Field, ...]


def fields_of(text: str, union: str, place: str) -> tuple[Field, ...]:
    """The fields that the header defines for one word, highest first."""
    match = re.search(rf"/\* union {union}, {re.escape(place)} \*/\n((?:#define.*\n)+)", text)
    if not match:
        return ()
    found = []
    for line in match.group(1).splitlines():
        define = re.match(r"#define\s+(\w+)\s+(?:GENMASK\((\d+), (\d+)\)|BIT\((\d+)\))"
                          r"(?:\s*/\* (.*?) \*/)?", line)
        if define:
            name, high, low, bit, meaning = define.groups()
            found.append(Field(name, int(high or bit), int(low or bit), meaning or ""))
    return tuple(sorted(found, key=lambda field: -field.high))


def words_of(text: str, union: str, form: str) -> list[Word]:
    """The members of one form of a descriptor, in their order in memory."""
    body = re.search(rf"^union {union} {{\n(.*?)^}};", text, re.S | re.M)
    if not body:
        raise Malformed(f"{HEADER.name} has no 'union {union}'")
    part = next((m.group(1) for m in re.finditer(r"\tstruct {\n(.*?)\t} (\w+);", body.group(1),
                                                 re.S) if m.group(2) == form), None)
    if part is None:
        raise Malformed(f"'union {union}' has no form '{form}'")
    return [Word(name, int(bits), fields_of(text, union, f"{form}.{name}"))
            for bits, name in re.findall(r"__le(\d+) (\w+);", part)]


def rows_of(words: list[Word]) -> list[list[Word]]:
    """The words in rows of 64 bits, highest first, as datasheets draw them."""
    rows: list[list[Word]] = [[]]
    for word in words:
        if sum(w.bits for w in rows[-1]) + word.bits > 64:
            rows.append([])
        rows[-1].insert(0, word)
    return rows


def parts_of(word: Word) -> list[tuple[str, int, int]]:
    """Named fields and the gaps between them, highest first: name, high bit, low bit."""
    parts, above = [], word.bits
    for field in word.fields:
        if field.high + 1 < above:
            parts.append(("", above - 1, field.high + 1))
        parts.append((field.name.split("_", 1)[1], field.high, field.low))
        above = field.low
    if above > 0:
        parts.append(("", above - 1, 0))
    return parts


def box(x: float, y: float, width: float, kind: str, text: str) -> str:
    """A rectangle with a name in it, upright where it is too narrow."""
    out = f'<rect class="d-{kind}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW}"/>'
    label = html.escape(text)
    style = "name" if kind == "word" else "part"
    if text and len(text) * 7 + 4 <= width:
        out += (f'<text class="d-{style}" x="{x + width / 2:.1f}" y="{y + 21}" '
                f'text-anchor="middle">{label}</text>')
    return out


def span(high: int, low: int, width: float) -> str:
    """The bits of a field, as much as there is room for."""
    return f"{high} to {low}" if high > low and width > 50 else str(high)


def draw_fields(word: Word, y: int) -> tuple[str, int]:
    """A word's fields, the full width for its bits; names that do not fit stand below."""
    out, below = [], []
    scale = (WIDTH - 2 * MARGIN) / word.bits
    out.append(f'<text class="d-bits" x="{MARGIN}" y="{y + 12}">{html.escape(word.name)}, bits '
               f"{word.bits - 1} to 0:</text>")
    y += 30
    for name, high, low in parts_of(word):
        x = MARGIN + (word.bits - 1 - high) * scale
        width = (high - low + 1) * scale
        out.append(box(x, y, width, "field" if name else "unused", name))
        out.append(f'<text class="d-bits" x="{x + width / 2:.1f}" y="{y - 3}" '
                   f'text-anchor="middle">{span(high, low, width)}</text>')
        if name and len(name) * 7 + 4 > width:
            below.append((x + width / 2, name))
    left = [place for place in reversed(below) if place[0] < WIDTH / 2]
    right = [place for place in below if place[0] >= WIDTH / 2]
    out += [hang(x, y + ROW, depth, 1, name) for depth, (x, name) in enumerate(left)]
    out += [hang(x, y + ROW, depth, -1, name) for depth, (x, name) in enumerate(right)]
    return "\n".join(out), y + ROW + 15 * max(len(left), len(right)) + 14


def hang(x: float, y: int, depth: int, side: int, name: str) -> str:
    """A name below its field, to the right or left (-1) of a line, where no other line runs."""
    line = y + 14 + 15 * depth
    anchor = "start" if side > 0 else "end"
    return (f'<path d="M{x:.1f} {y}V{line - 4}h{5 * side}" class="d-line"/>'
            f'<text class="d-part" x="{x + 8 * side:.1f}" y="{line}" text-anchor="{anchor}">'
            f"{html.escape(name)}</text>")


def draw(words: list[Word], title: str) -> str:
    """The figure as SVG."""
    out, y = [], 4
    unit = (WIDTH - 2 * MARGIN) / 64
    for number, row in enumerate(rows_of(words)):
        x: float = MARGIN
        out.append(f'<text class="d-bits" x="{MARGIN}" y="{y + 10}">bytes {8 * number} to '
                   f"{8 * number + 7}, bits 63 to 0:</text>")
        y += 16
        for word in row:
            out.append(box(x, y, word.bits * unit, "word", word.name))
            x += word.bits * unit
        y += ROW + 8
    for word in words:
        if word.fields:
            part, y = draw_fields(word, y + 6)
            out.append(part)
    return svg(WIDTH, y, title, STYLE, "\n".join(out))


def in_words(words: list[Word]) -> str:
    """The same for those who cannot see the figure."""
    said = []
    for word in words:
        named = "; ".join(f"{f.name} {f'{f.high} to {f.low}' if f.high > f.low else f.low}"
                          for f in word.fields)
        said.append(f"{word.name}, {word.bits} bits" + (f": {named}" if named else ""))
    return ". ".join(said) + "."


class DescriptorDirective(SphinxDirective):
    """Draw one form of a descriptor."""

    has_content = True
    required_arguments = 2
    option_spec = {"name": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        union, form = self.arguments
        self.env.note_dependency(str(HEADER))
        try:
            words = words_of(HEADER.read_text(encoding="utf-8"), union, form)
        except Malformed as problem:
            project.missing(self.env.app, str(problem), self.get_location())
            return [project.hole(f"descriptor {union} {form}")]
        picture = drawing(key=f"descriptor-{union}-{form}", alt=in_words(words),
                          svg=draw(words, f"{union}, {form}"))
        return [captioned(self, picture, "descriptor")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("descriptor", DescriptorDirective)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
