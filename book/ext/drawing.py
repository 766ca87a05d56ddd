# SPDX-License-Identifier: GPL-2.0
"""A node for figures that extensions draw as SVG: inline in HTML, converted for the PDF.

A style names its colours ``[lane]``, ``[stop]``, …: variables of ``book.css`` in HTML, which follow
the reader's light or dark ground, and plain colours in the PDF.
"""

from __future__ import annotations

import html
import re
import subprocess
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

COLOURS = {"lane": "#eef1f5", "stop": "#ffffff", "stop-line": "#2b5f8c", "stop-text": "#14202b",
           "soft-text": "#46525d", "arrow": "#5a6b7b", "current": "#fff3c9", "event": "#b4542a"}


class drawing(nodes.General, nodes.Element):
    """A picture: ``key`` names it, ``svg`` is its text with colours in brackets; one that is
    ``wide`` has the whole line on paper."""


def svg(width: int, height: float, title: str, style: str, body: str) -> str:
    """A whole SVG element; ``style`` names colours in brackets."""
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height:.0f}" '
            f'viewBox="0 0 {width} {height:.0f}" role="img"><title>{html.escape(title)}</title>'
            f"<style>{style}</style>\n{body}\n</svg>\n")


def coloured(text: str, standalone: bool) -> str:
    """``text`` with its colours put in."""
    def colour(match: re.Match[str]) -> str:
        name = match.group(1)
        return COLOURS[name] if standalone else f"var(--fwts-{name})"

    return re.sub(r"\[([a-z-]+)\]", lambda m: colour(m) if m.group(1) in COLOURS else m.group(0),
                  text)


def captioned(directive: SphinxDirective, picture: drawing, kind: str) -> nodes.figure:
    """The picture as a figure: the directive's content is the caption, its name the label."""
    directive.assert_has_content()
    holder = nodes.Element()
    directive.state.nested_parse(directive.content, directive.content_offset, holder)
    first = holder.children[0]
    assert isinstance(first, nodes.Element)
    figure = nodes.figure(classes=[kind])
    figure += picture
    figure += nodes.caption("", "", *first.children)
    directive.set_source_info(figure)
    directive.add_name(figure)
    return figure


def pdf_of(folder: Path, name: str, text: str) -> str:
    """Convert an SVG for LaTeX; the file's name."""
    source = folder / f"{name}.svg"
    source.write_text(text, encoding="utf-8")
    target = source.with_suffix(".pdf")
    subprocess.run(["rsvg-convert", "-f", "pdf", "-o", str(target), str(source)], check=True)
    return target.name


def visit_html(translator: Any, node: drawing) -> None:
    """Put the picture into the page."""
    translator.body.append(f'<div class="drawing" tabindex="0" role="group" '
                           f'aria-label="{html.escape(node["alt"], quote=True)}">\n'
                           f'{coloured(node["svg"], standalone=False)}</div>\n')
    raise nodes.SkipNode


def visit_latex(translator: Any, node: drawing) -> None:
    """Convert the picture for the PDF."""
    name = pdf_of(Path(translator.builder.outdir), node["key"],
                  coloured(node["svg"], standalone=True))
    how = ("fwtswide[width=\\linewidth]" if node.get("wide") else
           "sphinxincludegraphics[width=0.92\\linewidth]")
    translator.body.append(f"\n\\noindent\\{how}{{{{{name[:-4]}}}.pdf}}\n")
    raise nodes.SkipNode


def visit_text(translator: Any, node: drawing) -> None:
    """What the picture says, in words."""
    translator.add_text(node["alt"])
    raise nodes.SkipNode


def depart(translator: Any, node: drawing) -> None:
    """Never reached."""


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the node."""
    app.add_node(drawing, html=(visit_html, depart), latex=(visit_latex, depart),
                 text=(visit_text, depart))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
