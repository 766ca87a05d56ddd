# SPDX-License-Identifier: GPL-2.0
"""What paper needs and a screen does not: pages behind references, and an index that has them.

A reference to another chapter or appendix is followed by its page. Each mention of a term, of a
name of the kernel and of a function of the driver is entered in the index; the members of the
driver's structures, which nobody looks up there, are not.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from .kernelref import anchor_of, kernel_ref, mentions_of, name_of

NOT_INDEXED = (" (C var)", " (C member)")


class page_ref(nodes.Inline, nodes.Element):
    """The page of what a reference leads to."""


def within(node: nodes.Node, *kinds: type) -> nodes.Node | None:
    """The nearest node around this one that is of one of these kinds."""
    while node is not None and not isinstance(node, kinds):
        node = node.parent
    return node


def entry(text: str) -> addnodes.index:
    """An index entry for the page on which it stands."""
    return addnodes.index(entries=[("single", text, "", "", None)], inline=True)


class IndexMentions(SphinxPostTransform):
    """Enter what the text mentions, while it is known what the references stand for."""

    default_priority = 4
    formats = ("latex",)

    def run(self, **kwargs: Any) -> None:
        for node in list(self.document.findall(addnodes.index)):
            node["entries"] = [e for e in node["entries"] if not e[1].endswith(NOT_INDEXED)]
            if not isinstance(node.parent, nodes.TextElement):
                # A page may end at the space behind an entry, even when a heading is before it.
                stay = nodes.raw("", "\\nobreak\n", format="latex")
                node.parent.insert(node.parent.index(node) + 1, stay)
        symbols = {anchor_of(symbol): symbol for found in mentions_of(self.env).values()
                   for symbol in found.values()}
        for ref in list(self.document.findall(kernel_ref)):
            symbol = symbols.get(ref["anchor"])
            if symbol is not None and symbol.kind != "file":
                self.enter(ref, name_of(symbol))
        terms = {name.lower(): name for kind, name in self.env.get_domain("std").data["objects"]
                 if kind == "term"}
        for xref in list(self.document.findall(addnodes.pending_xref)):
            target = xref.get("reftarget", "")
            if xref.get("reftype") == "term" and target.lower() in terms:
                self.enter(xref, terms[target.lower()])
            elif xref.get("refdomain") == "c" and xref.get("reftype") == "func":
                self.enter(xref, f"{target.removesuffix('()')} (C function)")

    @staticmethod
    def enter(node: nodes.Element, text: str) -> None:
        """Put the entry in front of the mention; titles and captions are copied elsewhere."""
        if within(node, nodes.title, nodes.caption, nodes.term, nodes.rubric) is None:
            node.parent.insert(node.parent.index(node), entry(text))


def in_parentheses(ref: nodes.Element) -> bool:
    """Whether a parenthesis is open where this stands."""
    before = "".join(node.astext() for node in ref.parent.children[:ref.parent.index(ref)])
    return before.count("(") > before.count(")")


def leads_elsewhere(ref: nodes.reference) -> bool:
    """Whether this is a reference by title into another document."""
    uri = ref.get("refuri", "")
    inner = ref.children[0] if ref.children else None
    named = isinstance(inner, nodes.Element) and {"std-ref", "doc"} & set(inner["classes"])
    if not uri.startswith("%") or not (named or "to-page" in ref["classes"]):
        return False
    here = within(ref, addnodes.start_of_file)
    return not isinstance(here, nodes.Element) or here["docname"] != uri[1:].partition("#")[0]


def add_pages(app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """Put pages behind references, and lists of short lines in columns."""
    if app.builder.format != "latex":
        return
    for ref in list(doctree.findall(nodes.reference)):
        if leads_elsewhere(ref) and within(ref, nodes.title, nodes.caption) is None:
            page = page_ref(refuri=ref["refuri"], comma=in_parentheses(ref))
            ref.parent.insert(ref.parent.index(ref) + 1, page)
    for listing in list(doctree.findall(nodes.definition_list)):
        if "kernel-index" in listing["classes"]:
            listing.replace_self(nodes.container("", listing.deepcopy(), classes=["columns"]))
    for section in doctree.findall(nodes.section):
        if section.children and section.children[0].astext() == "Further reading":
            for listing in list(section.findall(nodes.bullet_list)):
                listing.replace_self(nodes.container("", listing.deepcopy(), classes=["reading"]))


def visit_latex(translator: Any, node: page_ref) -> None:
    """Like Sphinx's own writer names the place."""
    document, _, anchor = node["refuri"][1:].partition("#")
    place = translator.idescape(f"{document}:{anchor}" if anchor else f"{document}::doc")
    translator.body.append(rf"\fwtspage{'in' if node['comma'] else ''}{{{place}}}")
    raise nodes.SkipNode


def depart(translator: Any, node: page_ref) -> None:
    """Never reached."""


def setup(app: Sphinx) -> dict[str, Any]:
    """Register what LaTeX alone gets."""
    app.add_node(page_ref, latex=(visit_latex, depart))
    app.add_post_transform(IndexMentions)
    app.connect("doctree-resolved", add_pages, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
