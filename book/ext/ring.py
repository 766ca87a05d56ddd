# SPDX-License-Identifier: GPL-2.0
"""The ``ring`` directive: a recorded run of a descriptor ring, to be walked step by step.

    .. ring:: receive
       :steps: 1, 2, 3, 7
       :name: fig-ring-receive

       What a ring of eight went through.

The data is ``book/rings/NAME.json``, written by ``book/rings/record-ring`` from a running guest.
The figure shows the chosen steps side by side and the list below it tells all of them, so paper and
a browser without scripts lose nothing; ``ring.js`` only exchanges the figure for one step's.
"""

from __future__ import annotations

import html
import json
import math
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from . import project
from .drawing import captioned, coloured, drawing, svg

WIDTH, HEIGHT, OUTER, INNER = 400, 344, 112, 54
POINTERS = [("head", "head"), ("tail", "tail"), ("next_to_use", "next_to_use"),
            ("next_to_clean", "next_to_clean")]
STYLE = """
.r-card{fill:[lane];stroke:[stop-line];stroke-width:1.5}
.r-done{fill:[current];stroke:[stop-line];stroke-width:1.5}
.r-free{fill:none;stroke:[arrow];stroke-dasharray:4 3}
.r-buffer{font:600 16px 'DejaVu Sans Mono',monospace;fill:[stop-text]}
.r-small{font:12px 'DejaVu Sans',sans-serif;fill:[soft-text]}
.r-pointer{font:12px 'DejaVu Sans Mono',monospace;fill:[stop-text]}
.r-card-pointer{font:600 12px 'DejaVu Sans Mono',monospace;fill:[event]}
.r-title{font:600 13px 'DejaVu Sans',sans-serif;fill:[stop-text]}
"""


def point(angle: float, radius: float, x: float, y: float) -> tuple[float, float]:
    """The place at ``angle``, clockwise from the top, around (x, y)."""
    return x + radius * math.sin(angle), y - radius * math.cos(angle)


def sector(index: int, count: int, x: float, y: float) -> str:
    """The outline of one descriptor."""
    begin, end = 2 * math.pi * index / count, 2 * math.pi * (index + 1) / count
    corners = [point(begin, INNER, x, y), point(begin, OUTER, x, y), point(end, OUTER, x, y),
               point(end, INNER, x, y)]
    a, b, c, d = (f"{px:.1f} {py:.1f}" for px, py in corners)
    return f"M{a}L{b}A{OUTER} {OUTER} 0 0 1 {c}L{d}A{INNER} {INNER} 0 0 0 {a}Z"


def kind_of(slot: dict[str, Any]) -> str:
    """Whose a descriptor is."""
    if not slot["given"]:
        return "free"
    return "done" if slot["dd"] else "card"


def draw_slot(step: dict[str, Any], index: int, x: float, y: float) -> str:
    """One descriptor with its buffer, number and the pointers to it."""
    slot, count = step["slots"][index], len(step["slots"])
    angle = 2 * math.pi * (index + 0.5) / count
    px, py = point(angle, (INNER + OUTER) / 2 + 3, x, y)
    nx, ny = point(angle, INNER - 11, x, y)
    out = [f'<path class="r-{kind_of(slot)}" d="{sector(index, count, x, y)}"/>',
           f'<text class="r-buffer" x="{px:.1f}" y="{py + (0 if slot["dd"] else 5):.1f}" '
           f'text-anchor="middle">{slot["buffer"]}</text>',
           f'<text class="r-small" x="{nx:.1f}" y="{ny + 4:.1f}" text-anchor="middle">{index}'
           "</text>"]
    if slot["dd"]:
        out.append(f'<text class="r-small" x="{px:.1f}" y="{py + 13:.1f}" '
                   f'text-anchor="middle">{slot["length"]} B</text>')
    named = [name for key, name in POINTERS if step[key] == index]
    ox, oy = point(angle, OUTER + 9, x, y)
    anchor = "start" if math.sin(angle) > 0 else "end"
    upward = math.cos(angle) > 0
    for line, name in enumerate(reversed(named) if upward else named):
        ly = oy - 14 * line if upward else oy + 9 + 14 * line
        style = "card-pointer" if name == "head" else "pointer"
        out.append(f'<text class="r-{style}" x="{ox:.1f}" y="{ly:.1f}" '
                   f'text-anchor="{anchor}">{name}</text>')
    return "\n".join(out)


def draw_step(number: int, step: dict[str, Any], left: float, top: float) -> str:
    """One step: its title and the ring."""
    x, y = left + WIDTH / 2, top + 58 + OUTER
    title = html.escape(f"{number}. {step['title']}")
    return "\n".join(
        [f'<text class="r-title" x="{x}" y="{top + 16}" text-anchor="middle">{title}</text>']
        + [draw_slot(step, i, x, y) for i in range(len(step["slots"]))])


def draw(steps: list[tuple[int, dict[str, Any]]]) -> str:
    """Several steps, two in a row, as one picture."""
    columns = min(2, len(steps))
    rows = (len(steps) + 1) // 2
    body = "\n".join(draw_step(number, step, WIDTH * (i % 2), HEIGHT * (i // 2))
                     for i, (number, step) in enumerate(steps))
    return svg(WIDTH * columns, HEIGHT * rows, "A receive ring of eight descriptors", STYLE, body)


def in_words(step: dict[str, Any]) -> str:
    """A step's state as a line of text."""
    slots = " ".join(("·" if not s["given"] else s["buffer"] + ("!" if s["dd"] else ""))
                     for s in step["slots"])
    return (f"{slots}   head {step['head']}, tail {step['tail']}, next_to_use "
            f"{step['next_to_use']}, next_to_clean {step['next_to_clean']}")


class RingDirective(SphinxDirective):
    """Show a recorded ring."""

    has_content = True
    required_arguments = 1
    option_spec = {"name": directives.unchanged_required,
                   "steps": directives.positive_int_list}

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        file = project.path_of(self.env.app, "fwts_rings") / f"{name}.json"
        self.env.note_dependency(str(file))
        if not file.exists():
            project.missing(self.env.app, f"no ring '{name}'; record it: book/rings/record-ring",
                            self.get_location())
            return [project.hole(f"ring {name}")]
        steps = list(enumerate(json.loads(file.read_text(encoding="utf-8"))["steps"], 1))
        chosen = [steps[i - 1] for i in self.options.get("steps", [1])]
        picture = drawing(key=f"ring-{name}", svg=draw(chosen), wide=True,
                          alt="; ".join(f"step {n}: {in_words(s)}" for n, s in chosen))
        box = nodes.container(classes=["ring"], ids=[f"ring-{name}"])
        box += captioned(self, picture, "ring-figure")
        box += self.listing(steps)
        return [box]

    def listing(self, steps: list[tuple[int, dict[str, Any]]]) -> nodes.enumerated_list:
        """All steps in words; for the script also as pictures that no page shows by itself."""
        listing = nodes.enumerated_list(classes=["ring-steps"], enumtype="arabic", suffix=".")
        for number, step in steps:
            item = nodes.list_item()
            item += nodes.paragraph("", "", nodes.strong("", step["title"] + ". "),
                                    nodes.Text(step["text"]))
            state = nodes.literal_block(in_words(step), in_words(step))
            state["language"] = "text"
            item += state
            picture = coloured(draw([(number, step)]), standalone=False)
            item += nodes.raw("", f"<template>{picture}</template>", format="html")
            listing += item
        return listing


def in_a_line(app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """On paper a step's state goes on where its words end: a block for each would fill pages."""
    if app.builder.format != "latex":
        return
    for listing in doctree.findall(nodes.enumerated_list):
        if "ring-steps" in listing["classes"]:
            for step in listing.findall(nodes.list_item):
                words, state = step.children[:2]
                assert isinstance(words, nodes.paragraph)
                slots, _, pointers = state.astext().partition("   ")
                words += [nodes.raw("", r"\newline ", format="latex"), nodes.literal(slots, slots),
                          nodes.raw("", r"\quad ", format="latex"), nodes.Text(pointers)]
                step.remove(state)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("ring", RingDirective)
    app.connect("doctree-resolved", in_a_line)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
