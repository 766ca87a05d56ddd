# SPDX-License-Identifier: GPL-2.0
"""The ``transcript`` directive: the recorded output of commands.

    .. transcript:: map-net-device
       :lines: 1-12

The text is ``book/transcripts/NAME.txt``, made by ``book/transcripts/record`` from the recipe of
that name in ``transcripts.toml``.  ``:lines:`` shows a part; what is left out is marked.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from . import project


def part_of(lines: list[str], wanted: str) -> list[str]:
    """The lines named by a text like ``1-4,9``, with a mark for each gap."""
    out: list[str] = []
    last = 0
    for piece in wanted.split(","):
        first, _, end = piece.strip().partition("-")
        start, stop = int(first), int(end or first)
        if not 1 <= start <= stop <= len(lines) or start <= last:
            raise ValueError(f"lines {piece.strip()} of {len(lines)}")
        if start > last + 1:
            out.append("[…]")
        out += lines[start - 1:stop]
        last = stop
    if last < len(lines):
        out.append("[…]")
    return out


def recipes(folder: Path) -> dict[str, Any]:
    """The recipes by name."""
    file = folder / "transcripts.toml"
    if not file.exists():
        return {}
    with file.open("rb") as handle:
        return tomllib.load(handle)


class Transcript(SphinxDirective):
    """Show a recorded transcript."""

    required_arguments = 1
    option_spec = {"lines": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        app = self.env.app
        folder = project.path_of(app, "fwts_transcripts")
        file = folder / f"{name}.txt"
        self.env.note_dependency(str(file))
        if name not in recipes(folder):
            return self.lacking(f"transcript '{name}' has no recipe in transcripts.toml")
        if not file.exists():
            return self.lacking(f"transcript '{name}' was never recorded; record it with: "
                                f"book/transcripts/record {name}")
        lines = file.read_text(encoding="utf-8").rstrip("\n").split("\n")
        if "lines" in self.options:
            try:
                lines = part_of(lines, self.options["lines"])
            except ValueError as problem:
                raise self.error(f"transcript {name}: {problem}: no such lines") from problem
        text = "\n".join(lines)
        kind = recipes(folder)[name].get("kind", "guest")
        node = nodes.literal_block(text, text, classes=["transcript", f"transcript-{kind}"])
        node["language"] = "fwts-transcript"
        self.set_source_info(node)
        return [node]

    def lacking(self, message: str) -> list[nodes.Node]:
        project.missing(self.env.app, message, self.get_location())
        return [project.hole(message)]


def make_lexer() -> Any:
    """A lexer that marks prompt and command and leaves output alone."""
    from pygments.lexer import RegexLexer, bygroups
    from pygments.token import Generic, Text

    class TranscriptLexer(RegexLexer):
        """Lines that begin with a prompt are commands; all else is output."""

        name = "Transcript"
        flags = re.MULTILINE
        tokens = {"root": [
            (r"^((?:#|\$|\(gdb\)) )(.*\n?)", bygroups(Generic.Prompt, Generic.Strong)),
            (r".*\n", Text), (r".+", Text)]}

    return TranscriptLexer


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive and its lexer."""
    app.add_directive("transcript", Transcript)
    app.add_lexer("fwts-transcript", make_lexer())
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
