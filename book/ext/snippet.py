# SPDX-License-Identifier: GPL-2.0
"""Placeholder while the snippet directive is being written."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from . import project


class Pending(SphinxDirective):
    required_arguments = 1
    has_content = False

    def run(self) -> list[nodes.Node]:
        message = f"{self.name} {self.arguments[0]}"
        project.missing(self.env.app, message, self.get_location())
        return [project.hole(message)]


class Kernel(SphinxRole):
    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        return [nodes.literal(self.text, self.text, classes=["kernel"])], []


def setup(app: Sphinx) -> dict[str, Any]:
    for name in ("snippet", "transcript", "journey"):
        app.add_directive(name, Pending)
    app.add_role("kernel", Kernel())
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
