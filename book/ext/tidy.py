# SPDX-License-Identifier: GPL-2.0
"""What docutils lets pass and a reader stumbles over.

A piece of a file that ends before a line leaves the empty lines above that line at its own end.
And an author's initial at the beginning of a list's item, "- R. Braden, ...", is taken for the
number of a list inside it. And Sphinx puts two hyphens between a parameter and its words, for a
dash that the book does not make of two hyphens, since they begin an option (conf.py).
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)


def cut_empty_lines(doctree: nodes.document) -> None:
    """No included piece of a file ends with empty lines."""
    for block in doctree.findall(nodes.literal_block):
        text = block.astext()
        if "source" in block and text.endswith("\n\n"):
            block.rawsource = text.rstrip("\n") + "\n"
            block.children = []
            block += nodes.Text(block.rawsource)


def find_initials(doctree: nodes.document) -> None:
    """A list of letters with one item, inside another list's item, was meant as a name."""
    for listing in doctree.findall(nodes.enumerated_list):
        if (isinstance(listing.parent, nodes.list_item) and len(listing.children) == 1
                and listing["enumtype"] != "arabic"):
            logger.warning("'%s' was read as a numbered list; begin it with a backslash",
                           listing.astext()[:40], location=listing, type="fwts",
                           subtype="initial")


def set_dashes(doctree: nodes.document) -> None:
    """A dash between a parameter and its words."""
    for text in list(doctree.findall(nodes.Text)):
        if text.astext() == " -- " and not isinstance(text.parent, nodes.literal):
            text.parent.replace(text, nodes.Text(" – "))


def tidy(app: Sphinx, doctree: nodes.document) -> None:
    """Look at a document that was just read."""
    cut_empty_lines(doctree)
    find_initials(doctree)
    set_dashes(doctree)


def setup(app: Sphinx) -> dict[str, Any]:
    """Look at every document."""
    app.connect("doctree-read", tidy)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
