# SPDX-License-Identifier: GPL-2.0
"""Repairs to the furo theme as Debian packages it, each made only where the defect is there.

Debian 12's furo (2022.12) has three: its script holds an ES module ``import`` and so never runs,
its automatic dark mode lost the colours, and its style sheet imports normalize.css from a path
outside the book.  In Debian 13's (2024.08) the script is a module by its type, too, which a browser
does not load from a file, and the colours are missing as well.  A theme without a defect is left
alone.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

NORMALIZE = Path("/usr/share/javascript/normalize.css/normalize.css")
OUTSIDE = re.compile(r"@import url\([\"']?(/javascript/[^)\"']*)[\"']?\);?\n?")
MODULE = re.compile(r"^import (?:\* as )?Gumshoe from [\"']\./gumshoe-patched\.js[\"'];\n", re.M)

AUTOMATIC = re.compile(r"prefers-color-scheme:\s*dark\)\s*\{\s*"
                       r"body:not\(\[data-theme=[\"']?light[\"']?\]\)\s*\{")


def repair_script(script: str, gumshoe: str) -> str:
    """A classic script with the library it imported in front of it."""
    if not MODULE.search(script):
        return script
    return gumshoe.rstrip("\n") + "\n" + MODULE.sub("", script)


def block_at(text: str, start: int) -> str:
    """The brace-delimited block whose first character is at or after ``start``."""
    depth = 0
    for end in range(text.index("{", start), len(text)):
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        if depth == 0:
            return text[start:end + 1]
    raise ValueError("unbalanced braces in furo.css")


def repair_dark(css: str) -> str:
    """Give readers whose system is dark the colours that the dark button gives."""
    if AUTOMATIC.search(css):
        return css
    match = re.search(r"@media not print\s*\{\s*body\[data-theme=\"?dark\"?\]", css)
    if not match:
        return css
    block = block_at(css, match.start())
    inner = block[block.index("{") + 1:-1]
    inner = re.sub(r"body\[data-theme=\"?dark\"?\]", 'body:not([data-theme="light"])', inner)
    return f"{css}\n@media not print {{ @media (prefers-color-scheme: dark) {{{inner}}} }}\n"


def repair_import(css: str, have: bool) -> str:
    """Import normalize.css from the book's own folder, or not at all."""
    return OUTSIDE.sub('@import url("normalize.css");\n' if have else "", css)


def give_levels(app: Sphinx, pagename: str, template: str, context: dict[str, Any],
                doctree: Any) -> None:
    """Sphinx marks captions of the contents as headings without saying of which level."""
    for key in ("body", "furo_navigation_tree"):
        if isinstance(context.get(key), str):
            context[key] = context[key].replace('role="heading">',
                                                'role="heading" aria-level="2">')


def load_from_files(app: Sphinx, pagename: str, template: str, context: dict[str, Any],
                    doctree: Any) -> None:
    """Make the theme's script a classic one, which runs when the page lies in a directory.

    repair_script() gives it the library that a module would have imported.
    """
    for script in context.get("script_files", []):
        attributes = getattr(script, "attributes", {})
        name = str(getattr(script, "filename", script))
        if attributes.get("type") == "module" and "furo.js" in name:
            del attributes["type"]
            attributes["defer"] = "defer"


def write_if_changed(file: Path, old: str, new: str) -> None:
    """Write only a real change, so that a second build touches nothing."""
    if new != old:
        file.write_text(new, encoding="utf-8")


def repair(app: Sphinx, error: Exception | None) -> None:
    """Repair the theme's files in the output folder."""
    if error or app.builder is None or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    script, gumshoe = static / "scripts/furo.js", static / "scripts/gumshoe-patched.js"
    if script.exists() and gumshoe.exists():
        text = script.read_text(encoding="utf-8")
        write_if_changed(script, text,
                         repair_script(text, gumshoe.read_text(encoding="utf-8")))
    style = static / "styles/furo.css"
    if style.exists():
        text = style.read_text(encoding="utf-8")
        have = NORMALIZE.exists()
        if OUTSIDE.search(text) and have:
            shutil.copyfile(NORMALIZE, style.with_name("normalize.css"))
        write_if_changed(style, text, repair_dark(repair_import(text, have)))


def setup(app: Sphinx) -> dict[str, Any]:
    """Run after everything was written."""
    app.connect("html-page-context", give_levels, priority=900)
    app.connect("html-page-context", load_from_files, priority=900)
    app.connect("build-finished", repair)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
