# SPDX-License-Identifier: GPL-2.0
"""The ``load-plot`` directive: offered load against delivered, drawn from measurements.

    .. load-plot:: livelock-05 livelock-06
       :name: fig-livelock

       What a reader gets of what is offered.

Each name is ``book/measurements/NAME.json``, written by ``measure livelock --json``. Nothing is
drawn by hand: a new measurement is a new picture at the next build, with its numbers in words for
those who cannot see it. In the text, ``:load:`livelock-05 400 delivered``` is the point of that
file which is nearest to 400 thousand offered.
"""

from __future__ import annotations

import html
import json
import os
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from . import project
from .frametable import title_of, whose

Row = dict[str, Any]
Series = dict[str, list[Row]]

COLOURS = ["#b3261e", "#2f5f9e", "#2f7a45", "#5e43a8"]
WIDTH, HEIGHT = 680, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 20, 60
FONT = "DejaVu Sans, Noto Sans, sans-serif"


def read(path: Path) -> Series:
    """The rows of one file by driver, in the order of what was offered."""
    series: Series = {}
    for row in json.loads(path.read_text(encoding="utf-8"))["rows"]:
        series.setdefault(whose(row), []).append(row)
    return {driver: sorted(rows, key=lambda row: row["offered"])
            for driver, rows in series.items()}


def in_text(thing: str, value: float) -> str:
    """One value of a point as the text says it."""
    if thing == "busy":
        return f"{100 * value:.0f} %"
    return f"{value / 1000:.0f},000" if value >= 10_000 else f"{value:.0f}"


def step_of(top: float) -> int:
    """A round distance between lines of the grid, for at most seven of them."""
    steps = (first * 10 ** power for power in range(3, 9) for first in (1, 2, 5))
    return next(step for step in steps if top / step <= 7)


def in_words(series: Series) -> str:
    """The points of the plot, for the text that stands for it."""
    return " ".join(
        f"{title_of(driver)}: "
        + ", ".join(f"{row['offered'] / 1000:.0f} offered, {row['delivered'] / 1000:.0f} delivered"
                    for row in rows) + " (thousand frames a second)."
        for driver, rows in series.items())


def apart(places: list[float], least: float = 15) -> list[float]:
    """Heights for labels at these places, moved up so that none covers another."""
    heights = list(places)
    above = None
    for index in sorted(range(len(places)), key=lambda index: -places[index]):
        if above is not None:
            heights[index] = min(heights[index], above - least)
        above = heights[index]
    return heights


def draw(series: Series) -> str:
    """The plot as SVG."""
    top = max(row["offered"] for rows in series.values() for row in rows) * 1.04
    inner_w, inner_h = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(value: float) -> float:
        return LEFT + value / top * inner_w

    def y(value: float) -> float:
        return TOP + inner_h - value / top * inner_h

    def text(px: float, py: float, words: str, anchor: str, more: str = "") -> str:
        return (f'<text x="{px:.1f}" y="{py:.1f}" text-anchor="{anchor}"{more}>'
                f"{html.escape(words)}</text>")

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           f'width="{WIDTH}" height="{HEIGHT}" font-family="{FONT}" font-size="12" '
           'fill="#1f2430">', "<title>Offered and delivered</title>"]
    step = step_of(top)
    for value in range(0, int(top), step):
        out.append(f'<path d="M{LEFT} {y(value):.1f}H{LEFT + inner_w}" stroke="#d4d7dc"/>'
                   f'<path d="M{x(value):.1f} {TOP}V{TOP + inner_h}" stroke="#d4d7dc"/>')
        out.append(text(LEFT - 8, y(value) + 4, f"{value // 1000}", "end"))
        out.append(text(x(value), TOP + inner_h + 18, f"{value // 1000}", "middle"))
    out.append(f'<path d="M{x(0):.1f} {y(0):.1f}L{x(top):.1f} {y(top):.1f}" stroke="#6b6d75" '
               'stroke-dasharray="5 4"/>')
    out.append(text(x(top) + 6, y(top) + 10, "all of them", "start", ' fill="#4a4d55"'))
    heights = apart([y(rows[-1]["delivered"]) + 4 for rows in series.values()])
    for colour, height, (driver, rows) in zip(COLOURS, heights, series.items()):
        points = [(x(row["offered"]), y(row["delivered"])) for row in rows]
        path = "L".join(f"{px:.1f} {py:.1f}" for px, py in points)
        out.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2.4"/>')
        out.extend(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3.6" fill="{colour}"/>'
                   for px, py in points)
        out.append(text(points[-1][0] + 10, height, title_of(driver), "start",
                        f' font-weight="bold" style="fill:{colour}"'))
    out.append(text(LEFT + inner_w / 2, HEIGHT - 16,
                    "offered: thousand frames a second of guest time", "middle"))
    out.append(text(18, TOP + inner_h / 2, "delivered to the program", "middle",
                    f' transform="rotate(-90 18 {TOP + inner_h / 2:.1f})"'))
    out.append("</svg>")
    return "\n".join(out) + "\n"


class LoadPlot(SphinxDirective):
    """Draw measurements of one kind into one plot."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {"name": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """The figure; a measurement that is not there is an error."""
        series: Series = {}
        source = Path(self.env.srcdir)
        for name in self.arguments[0].split():
            path = source / "measurements" / f"{name}.json"
            self.env.note_dependency(str(path))
            if not path.exists():
                project.missing(self.env.app, f"no measurement '{name}'; run the command that "
                                "the chapter names", self.get_location())
                return [project.hole(f"measurement {name}")]
            series.update(read(path))
        plots = Path(self.env.app.outdir).parent / "plots"
        picture = plots / ("-".join(self.arguments[0].split()) + ".svg")
        plots.mkdir(parents=True, exist_ok=True)
        drawing = draw(series)
        if not picture.exists() or picture.read_text(encoding="utf-8") != drawing:
            picture.write_text(drawing, encoding="utf-8")
        figure = nodes.figure()
        uri = "/" + os.path.relpath(picture, source)
        figure += nodes.image(uri=uri, alt=in_words(series))
        caption = nodes.caption()
        self.state.nested_parse(self.content, self.content_offset, caption)
        if caption.children and isinstance(caption[0], nodes.paragraph):
            caption[:] = caption[0].children
        figure += caption
        self.add_name(figure)
        return [figure]


class LoadRole(SphinxRole):
    """One value of one point in the text."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The value; an unknown measurement is an error."""
        name, rate, thing = self.text.split()
        path = Path(self.env.srcdir) / "measurements" / f"{name}.json"
        self.env.note_dependency(str(path))
        if not path.exists():
            project.missing(self.env.app, f"no measurement '{name}'", self.get_location())
            return [project.inline_hole(self.text)], []
        (rows,) = read(path).values()
        row = min(rows, key=lambda row: abs(row["offered"] - 1000 * float(rate)))
        return [nodes.Text(in_text(thing, row[thing]))], []


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive and the role."""
    app.add_directive("load-plot", LoadPlot)
    app.add_role("load", LoadRole())
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
