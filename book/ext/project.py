# SPDX-License-Identifier: GPL-2.0
"""What the other extensions share: where things lie, and how a missing thing is reported.

Nothing in the book may silently disappear: whatever a directive cannot find is a warning, and
``book/build`` turns warnings into errors.  While chapters are being written, draft mode
(``book/build --draft``) replaces each such warning by a visible hole on the page.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)


def path_of(app: Sphinx, name: str) -> Path:
    """The path in configuration value ``name``, taken relative to the book's folder."""
    return (Path(app.confdir) / str(getattr(app.config, name))).resolve()


def is_draft(app: Sphinx) -> bool:
    """Whether holes are allowed in this build."""
    return bool(app.config.fwts_draft)


def missing(app: Sphinx, message: str, location: Any = None) -> None:
    """Report something the book asks for and the project does not have."""
    if is_draft(app):
        logger.info("draft: %s", message)
    else:
        logger.warning("%s", message, location=location, type="fwts", subtype="missing")


def hole(message: str) -> nodes.Element:
    """A visible mark on the page where something is missing (draft builds only)."""
    box = nodes.admonition(classes=["draft-hole"])
    box += nodes.title("", "Draft: something is missing here")
    box += nodes.paragraph("", message)
    return box


def inline_hole(text: str) -> nodes.Element:
    """The inline form of :func:`hole`."""
    return nodes.literal(text, text, classes=["draft-hole"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Declare the configuration values that name the project's folders."""
    app.add_config_value("fwts_draft", False, "env", [bool, str, int])
    app.add_config_value("fwts_weave", "../build/book/weave.json", "env")
    app.add_config_value("fwts_stages_manifest", "../code/driver/stages.toml", "env")
    app.add_config_value("fwts_stages_dir", "../build/stages", "env")
    app.add_config_value("fwts_kernel_source", "../build/kernel/trace/source", "env")
    app.add_config_value("fwts_cache", "../build/book", "")
    app.add_config_value("fwts_transcripts", "transcripts", "env")
    app.add_config_value("fwts_journeys", "journeys", "env")
    app.add_config_value("fwts_rings", "rings", "env")
    app.add_config_value("fwts_coverage", "coverage.toml", "env")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
