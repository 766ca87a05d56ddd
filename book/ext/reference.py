# SPDX-License-Identifier: GPL-2.0
"""The ``driver-reference`` directive: every documented symbol of the driver, declared once.

Doxygen's index says which functions and structures there are; Breathe shows each.  Elsewhere in
the book ``:c:func:`` and ``:c:struct:`` link here.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles

from . import project


def symbols(index: Path) -> tuple[list[tuple[str, str]], dict[str, list[str]]]:
    """Structures and unions as (kind, name), and the names of functions by file."""
    root = ElementTree.parse(index).getroot()
    records: list[tuple[str, str]] = []
    functions: dict[str, list[str]] = {}
    seen: set[str] = set()
    compounds = sorted(root.findall("compound"),
                       key=lambda c: (c.findtext("name", "").endswith(".h"),
                                      c.findtext("name", "")))
    for compound in compounds:
        name = compound.findtext("name", "")
        kind = compound.get("kind", "")
        if kind in ("struct", "union") and "." not in name and "::" not in name:
            records.append((kind, name))
        if kind != "file":
            continue
        for member in compound.findall("member"):
            function = member.findtext("name", "")
            if member.get("kind") == "function" and function not in seen:
                seen.add(function)
                functions.setdefault(name, []).append(function)
    return records, functions


def as_text(index: Path) -> list[str]:
    """The reference as reStructuredText."""
    records, functions = symbols(index)
    lines = ["Structures", "----------", "", ".. container:: columns", ""]
    for kind, name in records:
        members = ["      :members:", "      :undoc-members:"] if kind == "struct" else []
        lines += [f"   .. doxygen{kind}:: {name}", *members, ""]
    # In C a function may have a structure's name, in Sphinx nothing may have another's. (Leaving
    # out the link, as Breathe can, does not help: the declaration is entered all the same.)
    taken = {name for _, name in records}
    for file, names in functions.items():
        lines += [file, "-" * len(file), ""]
        for name in names:
            if name in taken:
                lines += [".. c:namespace-push:: function", ""]
            lines += [f".. doxygenfunction:: {name}", ""]
            if name in taken:
                lines += [".. c:namespace-pop::", ""]
    return lines


class DriverReference(SphinxDirective):
    """Where the reference stands."""

    def run(self) -> list[nodes.Node]:
        index = Path(self.config.breathe_projects["driver"]) / "index.xml"
        self.env.note_dependency(str(index))
        if not index.exists():
            project.missing(self.env.app, "the driver's reference was not made: no "
                            f"{index.name}; run book/build", self.get_location())
            return [project.hole("driver reference")]
        holder = nodes.section()
        holder.document = self.state.document
        text = StringList(as_text(index), source=str(index))
        nested_parse_with_titles(self.state, text, holder)
        return list(holder.children)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("driver-reference", DriverReference)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
