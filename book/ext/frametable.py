# SPDX-License-Identifier: GPL-2.0
"""What a frame costs, and where, in tables made from measurements.

    .. frame-table:: frames frames-threaded
       :name: tab-frames

       Instructions for a frame.

Each name is ``book/measurements/NAME.json``, written by ``measure frames --json``. ``:show:
interrupts`` makes a table of interrupts for a frame instead. The caption is followed by how many
runs there were and how far apart. In the text, ``:price:`06 receive-1``` is one of the figures,
``:price:`06+threaded receive-1``` that of rows with a label.

    .. profile-table:: profile-receive-32
       :name: tab-profile

       Where the instructions of a received frame go.

The names are those of ``measure profile --json``; there is a line for each group of functions, and
one for their sum.
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


#: The groups of functions, as ``measure profile`` orders and prints them.
GROUPS = ("core", "skb and buffers", "DMA mapping", "driver", "interrupt and softirq",
          "accounting, moderation", "sum")


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


class MeasuredTable(SphinxDirective):
    """A table with a line of figures for each of some kinds, a column for each driver."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {"name": directives.unchanged}

    def files(self) -> list[Path]:
        """The measurements that are named; one that is not there is an error, and none are used."""
        paths = [Path(self.env.srcdir) / "measurements" / f"{name}.json"
                 for name in self.arguments[0].split()]
        for path in paths:
            self.env.note_dependency(str(path))
            if not path.exists():
                project.missing(self.env.app, f"no measurement '{path.stem}'; run the command "
                                "that the chapter names", self.get_location())
                return []
        return paths

    def run(self) -> list[nodes.Node]:
        """The table."""
        paths = self.files()
        if not paths:
            return [project.hole(f"measurement {self.arguments[0]}")]
        table = self.table_of(paths)
        self.add_name(table)
        return [table]

    def table_of(self, paths: list[Path]) -> nodes.table:
        """The table's nodes."""
        raise NotImplementedError

    def filled(self, about: str, drivers: list[str], lines: list[list[str]]) -> nodes.table:
        """A table with the directive's content and ``about`` above it, and ``lines`` of text."""
        table = nodes.table(classes=["frame-table", "colwidths-given"])
        table += self.caption(about)
        group = nodes.tgroup(cols=1 + len(drivers))
        table += group
        for width in [26] + [13] * len(drivers):
            group += nodes.colspec(colwidth=width)
        head, body = nodes.thead(), nodes.tbody()
        group += [head, body]
        head += self.line(["a frame", *(title_of(who).replace(", ", ",\n") for who in drivers)])
        for texts in lines:
            body += self.line(texts)
        return table

    def caption(self, about: str) -> nodes.title:
        """The directive's content, and what is to be said about the runs."""
        caption = nodes.title()
        parsed = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, parsed)
        for paragraph in parsed.findall(nodes.paragraph):
            caption.extend(paragraph.children)
            caption += nodes.Text(" ")
        caption += nodes.Text(about)
        return caption

    @staticmethod
    def line(texts: list[str]) -> nodes.row:
        """One line: words, then figures."""
        row = nodes.row()
        for text in texts:
            entry = nodes.entry()
            entry.extend(nodes.paragraph(part, part) for part in text.split("\n"))
            row += entry
        return row


class FrameTable(MeasuredTable):
    """A line for each kind of work."""

    option_spec = {
        "name": directives.unchanged,
        "show": lambda text: directives.choice(text, ("instructions", "interrupts")),
    }

    def table_of(self, paths: list[Path]) -> nodes.table:
        """Figures of all files side by side."""
        prices: Prices = {}
        for path in paths:
            prices.update(read(path))
        show = self.options.get("show", "instructions")
        drivers = list(dict.fromkeys(who for who, _ in prices))
        works = [work for work in WORK if any(work == done for _, done in prices)]
        return self.filled(about_the_runs(prices), drivers,
                           [[WORK[work], *(cell_text(prices.get((who, work)), show)
                                           for who in drivers)] for work in works])


class ProfileTable(MeasuredTable):
    """A line for each group of functions."""

    def table_of(self, paths: list[Path]) -> nodes.table:
        """The sums of each group; groups and drivers as ``measure profile`` names them."""
        sums: dict[tuple[str, str], float] = {}
        for path in paths:
            for row in json.loads(path.read_text(encoding="utf-8"))["rows"]:
                for group in (row["group"], "sum"):
                    key = (whose(row), group)
                    sums[key] = sums.get(key, 0) + row["instructions"]
        drivers = list(dict.fromkeys(who for who, _ in sums))
        groups = [name for name in GROUPS if any(name == group for _, group in sums)]
        return self.filled("Each figure is rounded by itself.", drivers,
                           [[group, *(self.cell(sums.get((who, group))) for who in drivers)]
                            for group in groups])

    @staticmethod
    def cell(instructions: float | None) -> str:
        """One figure; what is less than half an instruction is what the subtraction leaves."""
        if instructions is None or abs(instructions) < 0.5:
            return "–"
        return f"{instructions:.0f}".replace("-", "−")


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
    """Register the directives and the role."""
    app.add_directive("frame-table", FrameTable)
    app.add_directive("profile-table", ProfileTable)
    app.add_role("price", PriceRole())
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
