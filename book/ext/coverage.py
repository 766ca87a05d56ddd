# SPDX-License-Identifier: GPL-2.0
"""The coverage check: every topic promised to the reader has a place in the book.

``coverage.toml`` names each id once, either with the label of the section that covers it, or with
the chapter that will.  The build warns about an id that is missing or unknown, a label that does
not exist, and a planned chapter that does not exist.  ``.. coverage-table::`` prints the map.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

from . import project

logger = logging.getLogger(__name__)

# How many topics each letter has.
TOPICS = {"A": 9, "B": 7, "C": 11, "D": 4, "E": 4, "F": 5, "G": 5, "H": 6, "I": 5, "J": 6,
          "K": 5, "L": 3, "M": 8}


class coverage_here(nodes.General, nodes.Element):
    """Stands for the table of topics."""


def all_ids() -> list[str]:
    """A1, A2 … M8."""
    return [f"{letter}{n}" for letter, count in TOPICS.items() for n in range(1, count + 1)]


def read(path: Path) -> dict[str, Any]:
    """The ``[topics]`` table: id → {"title", "label" or "chapter"}."""
    with path.open("rb") as file:
        return tomllib.load(file)


def problems(data: dict[str, Any], labels: dict[str, Any], docs: set[str]) -> list[str]:
    """Everything that is wrong with the map, in words."""
    topics = data.get("topics", {})
    out = []
    for key in all_ids():
        if key not in topics:
            out.append(f"coverage: topic {key} is missing from coverage.toml")
    for key, entry in topics.items():
        if key not in all_ids():
            out.append(f"coverage: coverage.toml names an unknown topic {key}")
        elif "label" in entry and "chapter" in entry or not {"label", "chapter"} & set(entry):
            out.append(f"coverage: topic {key} needs either a label or a chapter")
        elif "label" in entry and entry["label"] not in labels:
            out.append(f"coverage: topic {key} says it is covered at '{entry['label']}', "
                       "and no section has that label")
        elif "chapter" in entry and f"chapters/{entry['chapter']}" not in docs:
            out.append(f"coverage: topic {key} is planned for chapter '{entry['chapter']}', "
                       "which does not exist")
    return out


def check(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn about every problem."""
    path = project.path_of(app, "fwts_coverage")
    if not path.exists():
        project.missing(app, f"coverage: there is no {path.name}")
        return
    labels = env.get_domain("std").data["anonlabels"]
    for problem in problems(read(path), labels, set(env.found_docs)):
        project.missing(app, problem, (str(path), None))


class CoverageTable(SphinxDirective):
    """Where the table of topics stands."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(project.path_of(self.env.app, "fwts_coverage")))
        self.env.fwts_coverage_doc = self.env.docname  # type: ignore[attr-defined]
        return [coverage_here()]


class PlaceCoverage(SphinxPostTransform):
    """Fill in the table of topics."""

    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        for here in list(self.document.findall(coverage_here)):
            here.replace_self(self.table())

    def table(self) -> nodes.Node:
        topics = read(project.path_of(self.app, "fwts_coverage")).get("topics", {})
        listing = nodes.bullet_list(classes=["coverage"])
        for key in all_ids():
            entry = topics.get(key, {})
            line = nodes.paragraph("", "", nodes.strong("", key), nodes.Text(" "))
            line += nodes.Text(entry.get("title", ""))
            line += nodes.Text(": ")
            line += self.place(entry)
            listing += nodes.list_item("", line)
        return listing

    def place(self, entry: dict[str, Any]) -> nodes.Node:
        builder = self.app.builder
        assert builder is not None
        std = self.env.get_domain("std").data
        label = entry.get("label", "")
        if label in std["anonlabels"]:
            docname, anchor = std["anonlabels"][label]
            title = std["labels"].get(label, ("", "", label))[2]
            link = make_refnode(builder, self.env.docname, docname, anchor, nodes.Text(title))
            link["classes"].append("to-page")
            return link
        docname = f"chapters/{entry.get('chapter', '')}"
        if docname in self.env.found_docs:
            title = self.env.titles[docname].astext()
            link = make_refnode(builder, self.env.docname, docname, "", nodes.Text(title))
            return nodes.inline("", "", link, nodes.Text(" (planned)"))
        return nodes.Text("nowhere yet")


def merge(app: Sphinx, env: BuildEnvironment, docnames: list[str],
          other: BuildEnvironment) -> None:
    """Take over what a parallel reader found."""
    if hasattr(other, "fwts_coverage_doc"):
        env.fwts_coverage_doc = other.fwts_coverage_doc  # type: ignore[attr-defined]


def rewrite(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """The table depends on every chapter's labels."""
    docname = getattr(env, "fwts_coverage_doc", None)
    return [docname] if docname in env.found_docs else []


def setup(app: Sphinx) -> dict[str, Any]:
    """Register check and table."""
    app.add_directive("coverage-table", CoverageTable)
    app.add_post_transform(PlaceCoverage)
    app.connect("env-check-consistency", check)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", rewrite)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
