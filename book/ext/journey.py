# SPDX-License-Identifier: GPL-2.0
"""The ``journey`` directive: a recorded trace as a figure, a list of stops and a player.

    .. journey:: receive
       :name: fig-journey-receive

       One datagram from the interrupt to the woken reader.

The data is ``book/journeys/NAME.json``, written by ``gdb-scripts/trace NAME --json``.  The figure
has one lane for each context the trace saw; time runs downward.  The list below it says the same
in words, so nothing is lost without the picture; the player (``journey.js``) only walks the list.
Paper has no player: there a picture that an earlier stop has shown is not printed again but for
the lines that are new.
"""

from __future__ import annotations

import html
import json
import math
import textwrap
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from . import project
from .drawing import pdf_of
from .kernelref import Unresolved, anchor_of, index_for, kernel_ref, mentions_of, resolve

logger = logging.getLogger(__name__)

LANES = [("hardware", "Hardware"), ("hardirq", "Hard interrupt"), ("softirq", "Softirq"),
         ("process", "Process")]

BOX_HEIGHT = 38
ROW = 50
TOP = 52
GAP = 12  # between a lane's edges and its boxes
LANE_LEAST, LANE_MOST = 128, 300
MOST = 780  # of all lanes together: a page's width, with letters that can be read
MILLIMETRES = 0.207  # on paper, of a pixel: 780 fill the line
SYMBOL, NOTE = 7.3, 6.2  # the width of a letter of a box's two lines

STYLE = """
.lane{fill:#eef1f5}.lane-name{font:600 13px 'DejaVu Sans',sans-serif;fill:#33404d}
.stop rect{fill:#fff;stroke:#2b5f8c;stroke-width:1.5}
.stop .symbol{font:12px 'DejaVu Sans Mono',monospace;fill:#14202b}
.stop .note{font:11px 'DejaVu Sans',sans-serif;fill:#4a5661}
.arrow{fill:none;stroke:#5a6b7b;stroke-width:1.6}.head{fill:#5a6b7b}
.event{fill:#b4542a}.event-name{font:11px 'DejaVu Sans',sans-serif;fill:#33404d}
"""


class journey_figure(nodes.General, nodes.Element):
    """The picture of a journey."""


def lanes_of(stops: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The lanes a journey needs; an interrupt needs hardware that raised it."""
    contexts = {stop["context"] for stop in stops}
    if "hardirq" in contexts:
        contexts.add("hardware")
    return [lane for lane in LANES if lane[0] in contexts]


def shorten(text: str, room: int) -> str:
    """``text`` cut to ``room`` characters with an ellipsis."""
    return text if len(text) <= room else text[:room - 1] + "…"


def note_of(number: int, stop: dict[str, Any]) -> str:
    """The second line of a stop's box."""
    return f"{number}. {stop['title']}"


def lane_widths(stops: list[dict[str, Any]]) -> dict[str, int]:
    """How wide each lane is: as its longest words ask for, as far as the page has room."""
    widths = {context: LANE_LEAST for context, _ in lanes_of(stops)}
    for number, stop in enumerate(stops, 1):
        words = max(SYMBOL * len(stop["symbol"]), NOTE * len(note_of(number, stop)))
        widths[stop["context"]] = max(widths[stop["context"]],
                                      min(LANE_MOST, math.ceil(words) + 2 * GAP + 1))
    while sum(widths.values()) > MOST:
        widths[max(widths, key=lambda context: widths[context])] -= 1
    return widths


def draw(name: str, stops: list[dict[str, Any]], standalone: bool) -> str:
    """The figure as SVG; standalone figures carry their own colours."""
    lanes = lanes_of(stops)
    widths = lane_widths(stops)
    left: dict[str, int] = {}
    width = 0
    for context, _ in lanes:
        left[context] = width
        width += widths[context]
    middle = {context: left[context] + widths[context] // 2 for context in widths}
    interrupt = stops[0]["context"] == "hardirq"
    top = TOP + (ROW // 2 if interrupt else 0)
    height = top + ROW * len(stops)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
           f'role="img" aria-labelledby="journey-{name}-title" class="journey-svg"'
           + (f' width="{width}" height="{height}">' if standalone else
              f' style="min-width:{min(width, 520)}px;max-width:{width}px">'),
           f'<title id="journey-{name}-title">The journey "{name}" in {len(stops)} stops, told '
           "in words in the list below</title>"]
    if standalone:
        out.append(f"<style>{STYLE}</style>")
    out.append(f'<defs><marker id="journey-{name}-head" viewBox="0 0 8 8" refX="7" refY="4" '
               'markerWidth="7" markerHeight="7" orient="auto">'
               '<path class="head" d="M0 0 8 4 0 8z"/></marker></defs>')
    for context, title in lanes:
        out.append(f'<rect class="lane" x="{left[context] + 2}" y="0" '
                   f'width="{widths[context] - 4}" height="{height}" rx="6"/>')
        out.append(f'<text class="lane-name" x="{middle[context]}" y="24" '
                   f'text-anchor="middle">{title}</text>')
    places = [(middle[s["context"]], top + ROW * i) for i, s in enumerate(stops)]
    if interrupt:
        out.append(interrupt_mark(name, middle["hardware"], places[0]))
    for (x1, y1), (x2, y2) in zip(places, places[1:]):
        out.append(arrow(name, x1, y1 + BOX_HEIGHT, x2, y2))
    for number, (stop, (x, y)) in enumerate(zip(stops, places), 1):
        out.append(box(number, stop, widths[stop["context"]] - GAP, x, y))
    out.append("</svg>")
    return "\n".join(out)


def interrupt_mark(name: str, x: int, place: tuple[int, int]) -> str:
    """Where the hardware raises the first interrupt."""
    y = TOP
    return (f'<circle class="event" cx="{x}" cy="{y}" r="6"/>'
            f'<text class="event-name" x="{x}" y="{y + 22}" text-anchor="middle">'
            "the card interrupts</text>" + arrow(name, x + 6, y, place[0], place[1]))


def arrow(name: str, x1: int, y1: int, x2: int, y2: int) -> str:
    """An arrow downward, bent where it changes lanes."""
    middle = (y1 + y2) // 2
    bend = f"L{x2} {y2}" if x1 == x2 else f"V{middle} H{x2} V{y2}"
    if y1 == TOP:
        bend = f"H{x2} V{y2}"
    return f'<path class="arrow" d="M{x1} {y1} {bend}" marker-end="url(#journey-{name}-head)"/>'


def box(number: int, stop: dict[str, Any], width: int, x: int, y: int) -> str:
    """One stop."""
    room = width - GAP
    symbol = html.escape(shorten(stop["symbol"], int(room / SYMBOL)))
    note = html.escape(shorten(note_of(number, stop), int(room / NOTE)))
    return (f'<g class="stop" data-stop="{number}">'
            f'<rect x="{x - width // 2}" y="{y}" width="{width}" height="{BOX_HEIGHT}" '
            'rx="5"/>'
            f'<text class="symbol" x="{x}" y="{y + 16}" text-anchor="middle">{symbol}</text>'
            f'<text class="note" x="{x}" y="{y + 31}" text-anchor="middle">{note}'
            "</text></g>")


class JourneyDirective(SphinxDirective):
    """Show a journey."""

    has_content = True
    required_arguments = 1
    option_spec = {"name": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        app = self.env.app
        file = project.path_of(app, "fwts_journeys") / f"{name}.json"
        self.env.note_dependency(str(file))
        if not file.exists():
            project.missing(app, f"no journey '{name}'; record it with: gdb-scripts/trace {name} "
                                 f"--json book/journeys/{name}.json", self.get_location())
            return [project.hole(f"journey {name}")]
        data = json.loads(file.read_text(encoding="utf-8"))
        stops = data["stops"]
        for stop in stops:
            for check in stop.get("checks", []):
                if not check["ok"]:
                    logger.warning("journey '%s', stop %s: this did not hold: %s", name,
                                   stop["symbol"], check["what"], location=self.get_location(),
                                   type="fwts", subtype="journey")
        figure = nodes.figure(classes=["journey-figure"])
        figure += journey_figure(name=name, stops=stops)
        caption = self.caption(data)
        figure += caption
        self.set_source_info(figure)
        self.add_name(figure)
        box = nodes.container(classes=["journey"], ids=[f"journey-{name}"])
        box += figure
        listing = nodes.enumerated_list(classes=["journey-stops"], enumtype="arabic", suffix=".")
        shown: dict[str, tuple[int, str]] = {}
        printed: list[tuple[int, str, list[str]]] = []
        before: list[str] = []
        for number, stop in enumerate(stops, 1):
            listing += self.stop(stop, self.shows(number, stop, shown),
                                 shows_on_paper(number, stop, printed), before)
            before = [stop["symbol"], *stop.get("backtrace", [])]
        box += listing
        return [box]

    def caption(self, data: dict[str, Any]) -> nodes.caption:
        if self.content:
            holder = nodes.Element()
            self.state.nested_parse(self.content, self.content_offset, holder)
            first = holder.children[0]
            assert isinstance(first, nodes.Element)
            return nodes.caption("", "", *first.children)
        kernel = data.get("kernel", "")
        return nodes.caption("", f"The journey “{data['trace']}”, recorded on Linux {kernel}")

    @staticmethod
    def shows(number: int, stop: dict[str, Any], shown: dict[str, tuple[int, str]]) -> str:
        """What a stop shows; a picture that an earlier stop has shown is not repeated."""
        lines = []
        for show in stop.get("shows", []):
            expression, rendered = show["expression"], show["rendered"]
            earlier, before = shown.get(expression, (0, ""))
            if "\n" in rendered and rendered == before:
                lines.append(f"{expression}: as at stop {earlier}")
            else:
                shown[expression] = number, rendered
                lines.append(f"{expression} = {rendered}")
        return "\n".join(lines)

    def stop(self, stop: dict[str, Any], shows: str, paper: str,
             before: list[str]) -> nodes.list_item:
        item = nodes.list_item()
        title = stop["title"] + ("" if stop["title"].endswith("?") else ".")
        head = nodes.paragraph("", "", nodes.strong("", title + " "))
        head += self.symbol(stop)
        place = [stop.get("file", ""), stop["context"], f"CPU {stop.get('cpu', 0)}"]
        if stop.get("task"):
            place.append(f"task {stop['task']}")
        head += nodes.inline("", " · " + " · ".join(p for p in place if p),
                             classes=["journey-place"])
        item += head
        for paragraph in stop["text"].split("\n\n"):
            item += nodes.paragraph("", paragraph)
        if shows:
            block = nodes.literal_block(shows, shows, classes=["journey-shows"])
            block["language"] = "text"
            block["paper"] = paper
            item += block
        if stop.get("backtrace"):
            chain = " ← ".join(stop["backtrace"])
            callers = nodes.inline("", "", nodes.literal(chain, chain),
                                   classes=["journey-callers"])
            callers["paper"] = " ← ".join(new_callers(stop["backtrace"], before))
            item += nodes.paragraph("", "", nodes.inline("", "Called from "), callers,
                                    classes=["journey-backtrace"])
        return item

    def symbol(self, stop: dict[str, Any]) -> nodes.Node:
        """The stop's symbol, linked like any kernel name where it is one."""
        name = stop["symbol"]
        code = nodes.literal(name, name, classes=["kernel"])
        index = index_for(self.env.app)
        if index is None:
            return code
        try:
            file = stop.get("file", "").split(":")[0]
            symbol = resolve(index, f"{file}:{name}" if file else name)
        except Unresolved:
            return code
        anchor = anchor_of(symbol)
        mentions_of(self.env).setdefault(self.env.docname, {})[symbol.file, anchor] = symbol
        return kernel_ref("", "", code, anchor=anchor, where=symbol.where)


def shows_on_paper(number: int, stop: dict[str, Any],
                   printed: list[tuple[int, str, list[str]]]) -> str:
    """What a stop shows: of a text of several lines those that are new, unless most are.

    It is compared with those that the same command (``net socket``, whatever of) has printed in
    full.  A drawing, with its bars, is always whole."""
    lines: list[str] = []
    for show in stop.get("shows", []):
        expression, text = show["expression"], show["rendered"].splitlines()
        command = " ".join(expression.split()[:2])
        new, then = min(((([line for line in text if line not in was]), where)
                         for where, what, was in printed
                         if what == command and len(was) <= len(text)),
                        key=lambda earlier: len(earlier[0]), default=(text, 0))
        if 2 * len(new) <= len(text) and len(text) > 1 and not any("|" in line for line in text):
            lines += [f"{expression}: as at stop {then}" + (", but" if new else ""), *new]
        else:
            printed.append((number, command, text))
            lines.append(f"{expression} = {show['rendered']}")
    return "\n".join(lines)


def new_callers(chain: list[str], before: list[str]) -> list[str]:
    """A stop's callers up to the first that the stop before has shown, too; of the three functions
    that make a system call's entry the one that the processor's code calls."""
    chain = [name for name in chain if not name.startswith(("__do_sys_", "__se_sys_"))]
    for number, caller in enumerate(chain[:-1], 1):
        if caller in before:
            return chain[:number] + ["…"]
    return chain


def shorten_for_paper(app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """On paper the stops stand below each other: no chain of callers and no picture is printed
    twice, and text and callers go on in the line that says where."""
    if app.builder.format != "latex":
        return
    for block in list(doctree.findall(nodes.literal_block)):
        if "paper" in block:
            short = nodes.literal_block(block["paper"], block["paper"], classes=block["classes"])
            short["language"] = block["language"]
            block.replace_self(short)
    for callers in doctree.findall(nodes.inline):
        if "paper" in callers:
            callers.children = []
            callers += nodes.literal(callers["paper"], callers["paper"])
    for listing in doctree.findall(nodes.enumerated_list):
        if "journey-stops" in listing["classes"]:
            for stop in listing.findall(nodes.list_item):
                head, text = stop.children[:2]
                assert isinstance(head, nodes.paragraph) and isinstance(text, nodes.paragraph)
                head += [nodes.Text(" "), *text.children]
                stop.remove(text)
                for chain in list(stop.findall(nodes.paragraph)):
                    if "journey-backtrace" in chain["classes"]:
                        head += [nodes.Text(" "), *chain.children]
                        stop.remove(chain)


def visit_html(translator: Any, node: journey_figure) -> None:
    """Put the figure into the page."""
    translator.body.append('<div class="journey-scroll" tabindex="0" role="group" '
                           f'aria-label="Figure of the journey {node["name"]}">\n')
    translator.body.append(draw(node["name"], node["stops"], standalone=False))
    translator.body.append("\n</div>\n")
    raise nodes.SkipNode


def visit_latex(translator: Any, node: journey_figure) -> None:
    """Convert the figure for the PDF."""
    name = pdf_of(Path(translator.builder.outdir), f"journey-{node['name']}",
                  draw(node["name"], node["stops"], standalone=True))
    # As wide as the page if it must be, but a narrow one does not swell to fill it.
    size = f"width={MILLIMETRES * sum(lane_widths(node['stops']).values()):.0f}mm"
    translator.body.append(textwrap.dedent(f"""
        \\noindent\\fwtswide[{size},height=0.72\\textheight,keepaspectratio]{{{{{name[:-4]}}}.pdf}}
        """))
    raise nodes.SkipNode


def visit_text(translator: Any, node: journey_figure) -> None:
    """The list says it all."""
    raise nodes.SkipNode


def depart(translator: Any, node: journey_figure) -> None:
    """Never reached."""


def setup(app: Sphinx) -> dict[str, Any]:
    """Register node, directive and player."""
    app.add_node(journey_figure, html=(visit_html, depart), latex=(visit_latex, depart),
                 text=(visit_text, depart))
    app.add_directive("journey", JourneyDirective)
    app.connect("doctree-resolved", shorten_for_paper)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
