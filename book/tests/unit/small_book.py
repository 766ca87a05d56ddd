# SPDX-License-Identifier: GPL-2.0
"""A book of a few lines in a temporary folder, to test the extensions as a reader meets them."""

from __future__ import annotations

import io
import json
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

BOOK = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(BOOK))

EXTENSIONS = ["project", "boxes", "snippet", "kernelref", "transcript", "journey", "coverage",
              "listings", "repairs", "drawing", "descriptor", "ring", "frametable", "loadplot",
              "facts", "tidy", "paper"]

WEAVE: dict[str, Any] = {"snippets": {
    "igbook_probe": {
        "id": "igbook_probe", "kind": "symbol", "file": "igbook_main.c", "function": None,
        "stage": "01", "first_line": 10, "last_line": 13, "before": ["/* grey above */"],
        "lines": ["int igbook_probe(void)", "{", "\t/* … probe-enable … */", "}"],
        "after": ["/* grey below */"], "removed": []},
    "probe-enable": {
        "id": "probe-enable", "kind": "marker", "file": "igbook_main.c",
        "function": "igbook_probe", "stage": "01", "first_line": 12, "last_line": 12,
        "before": ["{"], "lines": ["\tnew_call(priv);"], "after": ["}"],
        "removed": ["\told_call(priv);"]},
    "ops-rings": {
        "id": "ops-rings", "kind": "marker", "file": "igbook_ops.c",
        "function": "variable igbook_ops", "stage": "01", "first_line": 4, "last_line": 4,
        "before": [], "lines": ["\t.rings = igbook_rings,"], "after": [], "removed": []},
    "later": {
        "id": "later", "kind": "symbol", "file": "igbook_dma.c", "function": None, "stage": "02",
        "first_line": 1, "last_line": 1, "before": [], "lines": ["int later;"], "after": [],
        "removed": []},
    **{name: {
        "id": name, "kind": "symbol", "file": "igbook_hw.c", "function": None, "stage": "01",
        "first_line": 1, "last_line": 5, "before": [], "after": [], "removed": [],
        "lines": ["/**", f" * {name[-1]}() - nothing", " */", f"void {name[-1]}(void)", "{", "}"]}
       for name in ("one-a", "one-b")},
}}

STAGES = """
[[stage]]
number = "01"
name = "registration"
title = "Registration"
chapter = "index"
[[stage]]
number = "02"
name = "dma"
title = "DMA"
chapter = "02-dma"
"""


class SmallBook(unittest.TestCase):
    """Builds a book from a dictionary of files and keeps its pages and warnings."""

    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.root = Path(holder.name)
        self.warnings = ""
        self.write("weave.json", json.dumps(WEAVE))
        self.write("stages.toml", STAGES)
        self.write("kernel/net/core/dev.c",
                   "static int net_rx_action(int h)\n{\n\treturn h;\n}\nint twice(void)\n{\n}\n")
        self.write("kernel/net/core/sock.c", "int twice(void)\n{\n}\n")
        self.write("kernel/include/linux/skbuff.h",
                   "struct sk_buff {\n\tunsigned int truesize;\n};\n")
        self.write("kernel/Makefile", "")
        self.write("stages/01-registration/igbook_main.c", "int igbook_probe(void);\n")
        self.write("stages/02-dma/igbook_dma.c", "int later;\n")

    def write(self, name: str, text: str) -> Path:
        """A file of the book."""
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def coverage(self, changes: dict[str, str]) -> None:
        """A full coverage.toml in which some lines are changed or, with "", left out."""
        from ext.coverage import all_ids
        lines = ["[topics]"]
        for key in all_ids():
            value = changes.get(key, '{ chapter = "01", title = "x" }')
            if value:
                lines.append(f"{key} = {value}")
        lines += [f"{k} = {v}" for k, v in changes.items() if k not in all_ids()]
        self.write("coverage.toml", "\n".join(lines))

    def build(self, files: dict[str, str], builder: str = "html", fresh: bool = True,
              parallel: int = 0, **settings: Any) -> str:
        """Build; the text of index.html (or of the .tex) is returned."""
        if not (self.root / "coverage.toml").exists():
            self.coverage({})
        for name, text in files.items():
            self.write(name, text)
        if "chapters/01.rst" not in files:
            self.write("chapters/01.rst", ":orphan:\n\nPlanned\n=======\n")
        config: dict[str, Any] = {
            "extensions": [f"ext.{name}" for name in EXTENSIONS], "fwts_weave": "weave.json",
            "fwts_stages_manifest": "stages.toml", "fwts_stages_dir": "stages",
            "fwts_kernel_source": "kernel", "fwts_cache": str(self.root / "cache"),
            "html_theme": "basic", "release": "6.12", "exclude_patterns": ["out"],
            "root_doc": "index", **settings}
        stream = io.StringIO()
        out = self.root / "out" / builder
        with patch_docutils(str(self.root)), docutils_namespace():
            app = Sphinx(str(self.root), None, str(out), str(self.root / "out/trees"), builder,
                         config, None, stream, freshenv=fresh, parallel=parallel)
            app.build(force_all=fresh)
        self.warnings = stream.getvalue()
        page = out / ("index.html" if builder == "html" else "python.tex")
        if builder == "latex":
            page = next(out.glob("*.tex"))
        return page.read_text(encoding="utf-8")

    def page(self, name: str) -> str:
        """Another page of the HTML."""
        return (self.root / "out/html" / name).read_text(encoding="utf-8")
