# SPDX-License-Identifier: GPL-2.0
"""The ``frame-table`` directive: what a frame costs, in a table made from measurements.

    .. frame-table:: frames frames-threaded
       :name: tab-frames

       Instructions for a frame.

Each name is ``book/measurements/NAME.json``, written by ``measure frames --json``. ``:show:
interrupts`` makes a table of interrupts for a frame instead. The caption is followed by how many
runs there were and how far apart. In the text, ``:price:`06 receive-1``` is one of the figures,
``:price:`06+threaded receive-1``` that of rows with a label.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from . import project

Row = dict[str, Any]
#: The rows of measurements by whose they are ("06", "06+threaded") and what was done.
Prices = dict[tuple[str, str], Row]

WORK = {
    "transmit-1": "sent, one by one",
    "transmit-32": "sent, 32 at a time",
    "receive-1": "received, one by one",
    "receive-32": "received, 32 at a time",
    "pktgen-1": "sent endlessly, one by one",
    "pktgen-32": "sent endlessly, 32 at a time",
    "receive-ip-32": "UDP to a deaf socket, 32 at a time",
    "transmit-jumbo-8": "sent, 8 of 9014 bytes",
    "receive-jumbo-8": "received, 8 of 9014 bytes",
    "transmit-32-of-128": "sent, 32 of 128 bytes",
    "transmit-32-of-256": "sent, 32 of 256 bytes",
    "transmit-32-of-512": "sent, 32 of 512 bytes",
    "transmit-32-of-1024": "sent, 32 of 1024 bytes",
    "transmit-32-of-1514": "sent, 32 of 1514 bytes",
    "receive-32-of-128": "received, 32 of 128 bytes",
    "receive-32-of-256": "received, 32 of 256 bytes",
    "receive-32-of-512": "received, 32 of 512 bytes",
    "receive-32-of-1024": "received, 32 of 1024 bytes",
    "receive-32-of-1514": "received, 32 of 1514 bytes",
    "tcp-write": "TCP written, a MiB",
    "tcp-write-plain": "TCP written, a MiB, without offloads",
    "tcp-read": "TCP read, a MiB",
    "tcp-read-plain": "TCP read, a MiB, without offloads",
    "transmit-32-ring-64": "sent, 32 at a time, ring of 64",
    "transmit-32-ring-4096": "sent, 32 at a time, ring of 4096",
    "receive-32-ring-64": "received, 32 at a time, ring of 64",
    "receive-32-ring-4096": "received, 32 at a time, ring of 4096",
    "transmit-1-paused": "sent, one by one, 49 µs between interrupts",
    "receive-1-paused": "received, one by one, 49 µs between interrupts",
}


def whose(row: Row) -> str:
    """The driver of a row, with the row's label if it has one."""
    return row["driver"] + (f"+{row['label']}" if "label" in row else "")


def title_of(who: str) -> str:
    """What a table or a legend calls a driver."""
    driver, _, label = who.partition("+")
    driver = "no driver" if driver == "floor" else driver
    return (f"stage {driver}" if driver.isdigit() else driver) + (f", {label}" if label else "")


def read(path: Path) -> Prices:
    """The rows of one file, in its order."""
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return {(whose(row), row["work"]): row for row in rows}


def spread(rows: Prices) -> float:
    """The largest distance between two runs of a row, as a part of their mean."""
    return max((max(row["runs"]) - min(row["runs"])) * len(row["runs"]) / sum(row["runs"])
               for row in rows.values())


def about_the_runs(rows: Prices) -> str:
    """The sentence that the caption ends with."""
    runs = {len(row["runs"]) for row in rows.values()}
    if max(runs) == 1:
        return "Each figure is from one run."
    return (f"Each figure is the mean of {'–'.join(str(count) for count in sorted(runs))} runs, "
            f"which differ by at most {100 * spread(rows):.2f} %.")


def cell_text(row: Row | None, show: str) -> str:
    """One figure, or a dash where nothing was measured."""
    if row is None:
        return "–"
    return f"{row['instructions']:.0f}" if show == "instructions" else f"{row['interrupts']:.2f}"


class FrameTable(SphinxDirective):
    """Measurements as a table: a row for each kind of work, a column for each driver."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {
        "name": directives.unchanged,
        "show": lambda text: directives.choice(text, ("instructions", "interrupts")),
    }

    def run(self) -> list[nodes.Node]:
        """The table; a measurement that is not there is an error."""
        prices: Prices = {}
        for name in self.arguments[0].split():
            path = Path(self.env.srcdir) / "measurements" / f"{name}.json"
            self.env.note_dependency(str(path))
            if not path.exists():
                project.missing(self.env.app, f"no measurement '{name}'; run the command that "
                                "the chapter names", self.get_location())
                return [project.hole(f"measurement {name}")]
            prices.update(read(path))
        table = self.table_of(prices, self.options.get("show", "instructions"))
        self.add_name(table)
        return [table]

    def table_of(self, prices: Prices, show: str) -> nodes.table:
        """The table's nodes."""
        drivers = list(dict.fromkeys(who for who, _ in prices))
        works = [work for work in WORK if any(work == done for _, done in prices)]
        table = nodes.table(classes=["frame-table", "colwidths-given"])
        table += self.caption(prices)
        group = nodes.tgroup(cols=1 + len(drivers))
        table += group
        for width in [26] + [13] * len(drivers):
            group += nodes.colspec(colwidth=width)
        head, body = nodes.thead(), nodes.tbody()
        group += [head, body]
        head += self.line("a frame", [title_of(who).replace(", ", ",\n") for who in drivers])
        for work in works:
            body += self.line(WORK[work], [cell_text(prices.get((who, work)), show)
                                           for who in drivers])
        return table

    def caption(self, prices: Prices) -> nodes.title:
        """The directive's content, and what is to be said about the runs."""
        caption = nodes.title()
        parsed = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, parsed)
        for paragraph in parsed.findall(nodes.paragraph):
            caption.extend(paragraph.children)
            caption += nodes.Text(" ")
        caption += nodes.Text(about_the_runs(prices))
        return caption

    @staticmethod
    def line(first: str, others: list[str]) -> nodes.row:
        """One line: words, then figures."""
        row = nodes.row()
        for text in [first] + others:
            entry = nodes.entry()
            entry.extend(nodes.paragraph(part, part) for part in text.split("\n"))
            row += entry
        return row


class PriceRole(SphinxRole):
    """One figure in the text."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The figure; an unknown one is an error."""
        who, _, work = self.text.partition(" ")
        paths = (Path(self.env.srcdir) / "measurements").glob("frames*.json")
        for path in sorted(paths, key=lambda path: (path.stem != "frames", path)):
            self.env.note_dependency(str(path))
            if (row := read(path).get((who, work))) is not None:
                text = f"{row['instructions']:.0f}"
                return [nodes.Text(text)], []
        project.missing(self.env.app, f"no measurement of a frame '{self.text}'",
                        self.get_location())
        return [project.inline_hole(self.text)], []


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive and the role."""
    app.add_directive("frame-table", FrameTable)
    app.add_role("price", PriceRole())
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
