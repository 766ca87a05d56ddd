# SPDX-License-Identifier: GPL-2.0
"""Marks the book's facts in the text and lists them in the appendix.

``book/facts/CHAPTER.toml`` says which words of a chapter state a fact and where it is seen (see
``ledger.py``).  The words must stand in the chapter exactly once, within one paragraph, cell or
caption; right behind them comes a small number that leads to the entry in the list made by
``.. fact-list::``, and back.  Words that are not found and evidence that is not there stop the
build.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

from . import ledger, project
from .boxes import answers_of, reading_order

# A mark stands behind the punctuation that follows the words.
CLOSING = re.compile(r"(?:[.,;:!?)”’\"']+(?=\s|\Z))?")


class fact_link(nodes.Inline, nodes.Element):
    """A small link with a name of its own: ``own`` (here), ``to`` in document ``doc``, ``label``.

    ``doc`` is "facts" for the appendix; ``kind`` is "mark" in the text and "entry" in the appendix.
    """


class facts_here(nodes.General, nodes.Element):
    """Stands for the list of facts."""


@dataclass
class Chapter:
    """The facts of one document in the order in which they stand there."""

    name: str
    digest: str
    facts: list[tuple[ledger.Fact, str]] = field(default_factory=list)  # "text", "answer" or ""
    problems: list[ledger.Problem] = field(default_factory=list)


def chapters_of(env: BuildEnvironment) -> dict[str, Chapter]:
    """The chapters that have facts, by document."""
    if not hasattr(env, "fwts_facts"):
        env.fwts_facts = {}  # type: ignore[attr-defined]
    return env.fwts_facts  # type: ignore[attr-defined]


def file_of(app: Sphinx, docname: str) -> Path:
    """The file with the facts of a document, whether there is one or not."""
    return project.path_of(app, "fwts_facts") / f"{Path(docname).name}.toml"


def digest_of(path: Path) -> str:
    """Says whether the facts of a document have changed."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def blocks(root: nodes.Element) -> Iterator[nodes.Element]:
    """Everything that a fact can stand in."""
    for node in root.findall(nodes.TextElement):
        if isinstance(node, (nodes.paragraph, nodes.caption, nodes.term, nodes.line)) or (
                isinstance(node, nodes.title) and isinstance(node.parent, nodes.table)):
            yield node


class Block:
    """A paragraph and the marks that come into it."""

    def __init__(self, node: nodes.Element, kind: str) -> None:
        self.node = node
        self.kind = kind
        self.texts = list(node.findall(nodes.Text))
        self.raw = "".join(str(text) for text in self.texts)
        self.plain = ledger.Plain(self.raw)

    def put(self, marks: list[tuple[int, fact_link]]) -> None:
        """Put each mark behind the letter before its place."""
        splits: dict[int, list[tuple[int, fact_link]]] = {}
        behind: list[tuple[nodes.Node, fact_link]] = []
        for end, mark in marks:
            end = CLOSING.match(self.raw, end).end()  # type: ignore[union-attr]
            start = 0
            for number, text in enumerate(self.texts):
                if start < end <= start + len(text):
                    break
                start += len(text)
            outer = self.atom(text) or self.closed(text, end - start)
            if outer is None:
                splits.setdefault(number, []).append((end - start, mark))
            else:
                behind.append((outer, mark))
        for node, mark in reversed(behind):
            node.parent.insert(node.parent.index(node) + 1, mark)
        for number, places in splits.items():
            self.split(self.texts[number], places)

    def path(self, text: nodes.Node) -> list[nodes.Node]:
        """The elements around a text, the innermost first."""
        out = []
        node = text.parent
        while node is not self.node:
            out.append(node)
            node = node.parent
        return out

    def atom(self, text: nodes.Node) -> nodes.Node | None:
        """The outermost thing around the text that is not to be taken apart: a link, a name."""
        found = [node for node in self.path(text)
                 if not isinstance(node, (nodes.strong, nodes.emphasis))]
        return found[-1] if found else None

    def closed(self, text: nodes.Node, offset: int) -> nodes.Node | None:
        """The outermost emphasis that ends where the words end."""
        out: nodes.Node | None = None
        inner = text
        if offset == len(str(text)):
            for node in self.path(text):
                if node.children[-1] is not inner:
                    break
                out = inner = node
        return out

    @staticmethod
    def split(text: nodes.Text, places: list[tuple[int, fact_link]]) -> None:
        """Put marks into a text."""
        out: list[nodes.Node] = []
        last = 0
        for offset, mark in places:
            if offset > last:
                out.append(nodes.Text(str(text)[last:offset]))
            out.append(mark)
            last = offset
        if last < len(text):
            out.append(nodes.Text(str(text)[last:]))
        text.parent.replace(text, out)


def mark_facts(app: Sphinx, doctree: nodes.document) -> None:
    """Find the facts of a document that was just read, and mark them."""
    env = app.env
    path = file_of(app, env.docname)
    if not path.exists():
        return
    facts, _ = ledger.read(path)
    chapter = chapters_of(env)[env.docname] = Chapter(path.stem, digest_of(path))
    places = [Block(node, "text") for node in blocks(doctree)]
    for answer in answers_of(env).values():
        if answer["docname"] == env.docname:
            places += [Block(node, "answer") for node in blocks(answer["body"])]
    found: list[tuple[int, int, ledger.Fact]] = []
    lost: list[ledger.Fact] = []
    for fact in facts:
        hits = [(number, end) for number, block in enumerate(places)
                for end in block.plain.find(fact.words)]
        if len(hits) == 1:
            found.append((*hits[0], fact))
            continue
        lost.append(fact)
        times = f"{len(hits)} times" if hits else "in no paragraph, cell or caption"
        chapter.problems.append(fact.problem(f"the words stand {times} of {env.docname}"))
    found.sort(key=lambda hit: hit[:2])
    marks: dict[int, list[tuple[int, fact_link]]] = {}
    for count, (number, end, fact) in enumerate(found, 1):
        name = f"{chapter.name}-{count}"
        seen = "; ".join(str(evidence) for evidence in fact.evidence)
        mark = fact_link(own=f"said-{name}", to=f"fact-{name}", doc="facts", label=str(count),
                         hint=f"Fact {count}: {seen}", kind="mark")
        marks.setdefault(number, []).append((end, mark))
        chapter.facts.append((fact, places[number].kind))
    chapter.facts += [(fact, "") for fact in lost]
    for number, some in marks.items():
        places[number].put(some)


class FactList(SphinxDirective):
    """Where the list of all facts stands."""

    def run(self) -> list[nodes.Node]:
        self.env.fwts_facts_doc = self.env.docname  # type: ignore[attr-defined]
        return [facts_here()]


class PlaceFacts(SphinxPostTransform):
    """Fill in the list of all facts."""

    default_priority = 6

    def run(self, **kwargs: Any) -> None:
        for here in list(self.document.findall(facts_here)):
            here.replace_self(list(self.everything()))

    def everything(self) -> Iterator[nodes.Node]:
        known = chapters_of(self.env)
        order = [docname for docname in reading_order(self.env) if docname in known]
        count = nodes.bullet_list(classes=["fact-counts"])
        for docname in order:
            chapter = known[docname]
            line = nodes.paragraph("", "", fact_link(
                own="", to=f"facts-{chapter.name}", doc="facts", kind="plain", hint="",
                label=self.env.titles[docname].astext()))
            line += nodes.Text(f": {len(chapter.facts)}")
            count += nodes.list_item("", line)
        yield count if order else nodes.paragraph("", "There are no facts yet.")
        for docname in order:
            yield from self.chapter(docname, known[docname])

    def chapter(self, docname: str, chapter: Chapter) -> Iterator[nodes.Node]:
        builder = self.app.builder
        assert builder is not None
        title = nodes.rubric("", "", fact_link(own=f"facts-{chapter.name}", to="", doc="", label="",
                                               hint="", kind="plain"))
        title += make_refnode(builder, self.env.docname, docname, "",
                              nodes.Text(self.env.titles[docname].astext()))
        yield title
        listing = nodes.container(classes=["facts"])
        for number, (fact, kind) in enumerate(chapter.facts, 1):
            listing += self.entry(f"{chapter.name}-{number}", str(number), fact, kind, docname)
        yield listing

    def entry(self, name: str, number: str, fact: ledger.Fact, kind: str,
              docname: str) -> nodes.Node:
        if kind == "answer":
            docname = getattr(self.env, "fwts_answers_doc", docname)
        line = nodes.paragraph("", "", classes=["fact-entry"])
        line += fact_link(own=f"fact-{name}", to=f"said-{name}" if kind else "", doc=docname,
                          label=number, hint="Where the book says so", kind="entry")
        line += nodes.Text(f" “{fact.words}” ")
        seen = nodes.inline("", "", classes=["fact-evidence"])
        for count, evidence in enumerate(fact.evidence):
            if count:
                seen += nodes.Text("; ")
            for what, text in evidence.pieces():
                seen += nodes.literal(text, text) if what == "code" else nodes.Text(text)
        line += seen
        if kind:
            line += nodes.raw("", f"\\fwtsfactpage{{said-{name}}}", format="latex")
        return line


def visit_html(self: Any, node: fact_link) -> None:
    """A superscript in the text, a number in the appendix."""
    attributes: dict[str, Any] = {"ids": [node["own"]] if node["own"] else []}
    if node["hint"]:
        attributes["title"] = node["hint"]
    env = self.builder.env
    doc = getattr(env, "fwts_facts_doc", "") if node["doc"] == "facts" else node["doc"]
    tag = "span"
    if doc and node["to"]:
        tag = "a"
        uri = self.builder.get_relative_uri(self.builder.current_docname, doc)
        attributes["href"] = f"{uri}#{node['to']}"
    text = self.starttag(nodes.inline(), tag, "", CLASS=f"fact-{node['kind']}", **attributes)
    text += f"{self.encode(node['label'])}</{tag}>"
    self.body.append(f"<sup>{text}</sup>" if node["kind"] == "mark" else text)
    raise nodes.SkipNode


def visit_latex(self: Any, node: fact_link) -> None:
    r"""``\fwtsfactKIND{own name}{name of the other end}{label}``"""
    self.body.append(f"\\fwtsfact{node['kind']}{{{node['own']}}}{{{node['to']}}}"
                     f"{{{self.encode(node['label'])}}}")
    raise nodes.SkipNode


def skip(self: Any, node: fact_link) -> None:
    """Other formats have no marks."""
    raise nodes.SkipNode


def outdated(app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str],
             removed: set[str]) -> list[str]:
    """Documents whose facts have changed since they were read."""
    known = chapters_of(env)
    return [docname for docname in env.found_docs if digest_of(file_of(app, docname))
            != (known[docname].digest if docname in known else "")]


def check(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Warn about everything that does not hold, and write the list again."""
    folder = project.path_of(app, "fwts_facts")
    facts, problems = ledger.read_all(folder)
    documents = {Path(docname).name for docname in env.found_docs}
    for chapter in facts:
        if chapter not in documents:
            problems.append(ledger.Problem(str(folder / f"{chapter}.toml"),
                                           f"facts: there is no chapter {chapter}"))
    for known in chapters_of(env).values():
        problems += known.problems
    if folder.exists():
        problems += ledger.check_evidence([fact for some in facts.values() for fact in some],
                                          project.path_of(app, "fwts_kernel_source"),
                                          Path(app.confdir))
        problems += [problem for problem in ledger.check_counts(facts, folder)
                     if Path(problem.where).stem in documents]
    for problem in problems:
        project.missing(app, problem.text, problem.where)
    docname = getattr(env, "fwts_facts_doc", None)
    return [docname] if docname in env.found_docs else []


def purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget a document's facts before it is read again."""
    chapters_of(env).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: list[str],
          other: BuildEnvironment) -> None:
    """Take over what a parallel reader found."""
    chapters_of(env).update({k: v for k, v in chapters_of(other).items() if k in docnames})
    if hasattr(other, "fwts_facts_doc"):
        env.fwts_facts_doc = other.fwts_facts_doc  # type: ignore[attr-defined]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register marks, list and check."""
    app.add_config_value("fwts_facts", "facts", "env")
    app.add_node(fact_link, html=(visit_html, None), latex=(visit_latex, None),
                 text=(skip, None), man=(skip, None), texinfo=(skip, None))
    app.add_directive("fact-list", FactList)
    app.add_post_transform(PlaceFacts)
    app.connect("env-get-outdated", outdated)
    app.connect("doctree-read", mark_facts)
    app.connect("env-updated", check)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
