# SPDX-License-Identifier: GPL-2.0
"""The ``snippet`` directive: a piece of the driver, as ``loom weave`` cut it.

    .. snippet:: igbook_probe

    .. snippet:: probe-enable
       :of: igbook_main.c:igbook_probe
       :from: err = pci_enable_device_mem(pdev);
       :to: return err;

The second gives lines a name; loom finds them (``book/tools/index.py`` tells it).
The new lines stand out; the lines around them are grey and are not copied by the copy button;
lines that a stage replaces are shown struck out above the new ones.  A line above the code says
where it goes and links to the whole file at that stage.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.highlighting import PygmentsBridge
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from . import project
from .stages import Stage, read_stages

logger = logging.getLogger(__name__)

# What loom leaves where a named snippet was taken out of a bigger one.
ELIDED = re.compile(r"… ([A-Za-z0-9_.:-]+) …")
ELIDED_LATEX = re.compile(r"… ((?:[A-Za-z0-9.:]|\\PYGZ(?:hy|us)\{\})+) …")

LANGUAGES = {".c": "c", ".h": "c", "Makefile": "make", "Kbuild": "make"}


class snippet(nodes.literal_block):
    """A literal block that knows which of its lines are new."""


def language_of(file: str) -> str:
    """The highlighter's name for a file of the driver."""
    return LANGUAGES.get(Path(file).suffix or file, "text")


_weave: dict[Path, tuple[bytes, dict[str, Any]]] = {}


def read_weave(path: Path) -> dict[str, Any]:
    """The snippets by id, made anew only when the file's content changed."""
    content = path.read_bytes()
    if path not in _weave or _weave[path][0] != content:
        _weave[path] = (content, json.loads(content)["snippets"])
    return _weave[path][1]


def showings(env: BuildEnvironment) -> dict[str, list[str]]:
    """The snippets that each document shows."""
    if not hasattr(env, "fwts_snippets"):
        env.fwts_snippets = {}  # type: ignore[attr-defined]
    return env.fwts_snippets  # type: ignore[attr-defined]


def shown_in(env: BuildEnvironment) -> dict[str, str]:
    """The document that shows each snippet."""
    return {name: docname for docname, names in showings(env).items() for name in names}


def anchor_of(name: str) -> str:
    """The snippet's place on its page."""
    return "snippet-" + nodes.make_id(name)


def locator(piece: dict[str, Any]) -> str:
    """"igbook_main.c, in igbook_probe(), stage 01"."""
    text = str(piece["file"])
    function = piece.get("function")
    if function and piece.get("kind") == "marker":
        call = function.removeprefix("variable ") if " " in function else f"{function}()"
        text += f", in {call}"
    return f"{text}, stage {piece['stage']}"


class SnippetDirective(SphinxDirective):
    """Show a snippet of the driver."""

    required_arguments = 1
    option_spec = {"of": directives.unchanged_required, "from": directives.unchanged_required,
                   "to": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        app = self.env.app
        weave = project.path_of(app, "fwts_weave")
        if not weave.exists():
            project.missing(app, f"snippet '{name}': there is no {weave.name}; build loom and run "
                                 "book/build", self.get_location())
            return [project.hole(f"snippet {name}")]
        self.env.note_dependency(str(weave))
        piece = read_weave(weave).get(name)
        if piece is None:
            project.missing(app, f"loom knows no snippet '{name}'; see: loom weave --json",
                            self.get_location())
            return [project.hole(f"snippet {name}")]
        here = showings(self.env).setdefault(self.env.docname, [])
        if name in here:
            logger.warning("snippet '%s' is shown twice here", name,
                           location=self.get_location(), type="fwts", subtype="twice")
        here.append(name)
        stage = self.check_stage(name, piece)
        lines = piece["lines"]
        node = snippet("\n".join(lines), "\n".join(lines), ids=[anchor_of(name)],
                       classes=["snippet"])
        node["language"] = language_of(piece["file"])
        node["piece"] = piece
        node["locator"] = locator(piece)
        node["page"] = f"stages/{stage.folder}/{piece['file']}" if stage else ""
        self.set_source_info(node)
        return [node]

    def check_stage(self, name: str, piece: dict[str, Any]) -> Stage | None:
        """A stage's code belongs into the chapter of that stage."""
        manifest = project.path_of(self.env.app, "fwts_stages_manifest")
        stages = read_stages(manifest)
        self.env.note_dependency(str(manifest))
        stage = next((s for s in stages if s.number == piece["stage"]), None)
        here = self.env.docname.rpartition("/")[2]
        owners = {s.chapter for s in stages}
        if stage and here in owners and stage.chapter != here:
            logger.warning("snippet '%s' is of stage %s, which is told in %s", name, stage.number,
                           stage.chapter, location=self.get_location(), type="fwts",
                           subtype="stage")
        return stage


def highlighted(bridge: PygmentsBridge, text: str, language: str, location: Any) -> list[str]:
    """The lines of ``text`` as HTML, each with its spans closed."""
    out = bridge.highlight_block(text, language, force=True, location=location, nowrap=True)
    lines = out.removeprefix("<span></span>").rstrip("\n").split("\n")
    want = text.count("\n") + 1
    # Pygments drops blank lines at both ends; put them back so that lines can be counted.
    head = len(text) - len(text.lstrip("\n"))
    lines = [""] * head + lines
    return lines + [""] * (want - len(lines))


def visit_html(translator: Any, node: snippet) -> None:
    """Write the snippet with its line kinds as spans."""
    piece = node["piece"]
    before, after = piece.get("before", []), piece.get("after", [])
    new, old = piece["lines"], piece.get("removed", [])
    bridge = translator.highlighter
    lines = highlighted(bridge, "\n".join([*before, *new, *after]), node["language"], node)
    gone: list[str] = []
    if old:
        gone = highlighted(bridge, "\n".join([*before, *old, *after]), node["language"], node)
        gone = gone[len(before):len(before) + len(old)]
    links = elided_links(translator, node)
    end = len(before) + len(new)
    rows = [f'<span class="ctx">{line}</span>' for line in lines[:len(before)]]
    rows += [f'<del class="old">{line}</del>' for line in gone]
    mark = "ins" if old else "span"
    rows += [f'<{mark} class="new">{links(line)}</{mark}>' for line in lines[len(before):end]]
    rows += [f'<span class="ctx">{line}</span>' for line in lines[end:]]
    where = html.escape(node["locator"])
    if node["page"]:
        builder = translator.builder
        uri = builder.get_relative_uri(builder.current_docname, node["page"])
        where = f'<a href="{uri}#L{piece["first_line"]}">{where}</a>'
    kind = " diff" if old else ""
    translator.body.append(
        f'<div class="snippet{kind}" id="{node["ids"][0]}">\n'
        f'<div class="snippet-locator">{where}</div>\n'
        f'<div class="highlight-{node["language"]} notranslate"><div class="highlight">'
        f'<pre tabindex="0">{chr(10).join(rows)}\n</pre></div></div></div>\n')
    raise nodes.SkipNode


def elided_links(translator: Any, node: snippet) -> Any:
    """A function that links "… NAME …" in a line to the snippet of that name."""
    env = translator.builder.env

    def link(match: re.Match[str]) -> str:
        name = match.group(1)
        docname = shown_in(env).get(name)
        if docname is None:
            return match.group(0)
        builder = translator.builder
        uri = builder.get_relative_uri(builder.current_docname, docname)
        return f'<a href="{uri}#{anchor_of(name)}">… {name} …</a>'

    return lambda line: ELIDED.sub(link, line)


def verbatim_lines(translator: Any, text: str, language: str, location: Any) -> list[str]:
    """The lines of ``text`` as LaTeX for the inside of a sphinxVerbatim."""
    out = translator.highlighter.highlight_block(text, language, force=True, location=location)
    lines = out.rstrip("\n").split("\n")[1:-1]
    head = len(text) - len(text.lstrip("\n"))
    lines = [""] * head + lines
    return lines + [""] * (text.count("\n") + 1 - len(lines))


def elided_latex_links(translator: Any) -> Callable[[str], str]:
    """The same for a line that is LaTeX already."""
    shown = shown_in(translator.builder.env)

    def link(match: re.Match[str]) -> str:
        text = match.group(1)
        name = text.replace(r"\PYGZhy{}", "-").replace(r"\PYGZus{}", "_")
        return rf"… \hyperlink{{{anchor_of(name)}}}{{{text}}} …" if name in shown else match[0]

    return lambda line: ELIDED_LATEX.sub(link, line)


def snippet_before(node: snippet) -> snippet | None:
    """The snippet before it, if nothing that can be read stands between."""
    before = node.previous_sibling()
    while isinstance(before, (nodes.Invisible, addnodes.index)):
        before = before.previous_sibling()
    return before if isinstance(before, snippet) else None


def follows_its_own_kind(node: snippet) -> bool:
    """Whether the snippet before it, with nothing between, is of the same place."""
    before = snippet_before(node)
    return before is not None and before["locator"] == node["locator"]


def comment_lines(lines: list[str]) -> set[int]:
    """Which lines are a function's kernel-doc: on paper they are set smaller than the code."""
    found: set[int] = set()
    inside = False
    for number, line in enumerate(lines):
        inside = inside or line.startswith("/**")
        if inside:
            found.add(number)
        inside = inside and "*/" not in line
    return found


def set_apart(rows: list[str], lead: int, small: set[int]) -> list[tuple[str, str]]:
    """Runs of rows with the LaTeX environment of each; ``lead`` rows stand before line 0."""
    kinds = ("fwtsdoc" if at - lead in small else "fwtscode" for at in range(len(rows)))
    return [(kind, "\n".join(row for _, row in run))
            for kind, run in groupby(zip(kinds, rows), key=lambda pair: pair[0])]


def in_index(translator: Any, piece: dict[str, Any]) -> str:
    """The index entry of a function that is shown as a whole; not inside a macro's argument, where
    LaTeX would write it with other spaces than that of the reference."""
    name = str(piece["id"]).partition("@")[0]
    if piece["kind"] != "symbol" or not any(f"{name}(" in line for line in piece["lines"]):
        return ""
    entry = addnodes.index(entries=[("single", f"{name} (C function)", "", "", None)], inline=True)
    with suppress(nodes.SkipNode):
        translator.visit_index(entry)
    return f"{translator.body.pop()}\\nobreak\n"


def visit_latex(translator: Any, node: snippet) -> None:
    """Write the snippet as a verbatim block whose context lines are grey."""
    piece = node["piece"]

    def block(name: str) -> str:
        return "\n".join(line.expandtabs(8) for line in piece.get(name, []))

    def plain(name: str, macro: str, prefix: str) -> list[str]:
        if not piece.get(name):
            return []
        lines = verbatim_lines(translator, block(name), "text", node)
        return [f"{prefix}{macro}{{{line}}}" if line else prefix.rstrip() for line in lines]

    old = piece.get("removed", [])
    blank, minus, plus = ("  ", r"\fwtsold{- }", r"\fwtsnew{+ }") if old else ("", "", "")
    rows = plain("before", r"\fwtsctx", blank)
    rows += plain("removed", r"\fwtsold", minus)
    link = elided_latex_links(translator)
    rows += [plus + link(line) for line in verbatim_lines(translator, block("lines"),
                                                          node["language"], node)]
    rows += plain("after", r"\fwtsctx", blank)
    anchor = f"\\hypertarget{{{node['ids'][0]}}}{{}}"
    if follows_its_own_kind(node):
        place = f"\\fwtsagain{{{anchor}}}"
    else:
        place = f"\\fwtslocator{{{anchor}{translator.encode(node['locator'])}}}"
    lead = len(rows) - len(piece["lines"]) - len(piece.get("after", []))
    blocks = [f"\\begin{{{kind}}}\n{code}\n\\end{{{kind}}}"
              for kind, code in set_apart(rows, lead, comment_lines(piece["lines"]))]
    code = "\n".join(blocks).replace("\\end{fwtsdoc}\n", "\\end{fwtsdoc}\n\\fwtskeep\n")
    translator.body.append(f"\n{place}\n{in_index(translator, piece)}{code}\n")
    raise nodes.SkipNode


def visit_plain(translator: Any, node: snippet) -> None:
    """Other builders show the new lines only."""
    translator.visit_literal_block(node)


def depart_plain(translator: Any, node: snippet) -> None:
    """The end of :func:`visit_plain`."""
    translator.depart_literal_block(node)


def depart(translator: Any, node: snippet) -> None:
    """Never reached: the visitors write everything."""


def purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget what a document showed before it is read again."""
    showings(env).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: list[str],
          other: BuildEnvironment) -> None:
    """Take over what a parallel reader found."""
    showings(env).update({docname: names for docname, names in showings(other).items()
                          if docname in docnames})


def check_apart(app: Sphinx, doctree: nodes.document) -> None:
    """In a chapter a sentence leads from one snippet to the next; the appendix lists them."""
    chapters = {s.chapter for s in read_stages(project.path_of(app, "fwts_stages_manifest"))}
    if app.env.docname.rpartition("/")[2] not in chapters:
        return
    for node in doctree.findall(snippet):
        if snippet_before(node) is not None:
            logger.warning("no sentence stands between this snippet and the one before",
                           location=node, type="fwts", subtype="apart")


def check_once(app: Sphinx, env: BuildEnvironment) -> None:
    """No two documents show the same snippet; only now it is known what all of them show."""
    first: dict[str, str] = {}
    for docname, names in sorted(showings(env).items()):
        for name in names:
            if first.setdefault(name, docname) != docname:
                logger.warning("snippet '%s' is shown twice, in %s and in %s", name, first[name],
                               docname, location=docname, type="fwts", subtype="twice")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the node and the directive."""
    app.add_node(snippet, html=(visit_html, depart), latex=(visit_latex, depart),
                 text=(visit_plain, depart_plain))
    app.add_directive("snippet", SnippetDirective)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.connect("doctree-read", check_apart)
    app.connect("env-check-consistency", check_once)
    return {"version": "1", "env_version": 2, "parallel_read_safe": True,
            "parallel_write_safe": True}
