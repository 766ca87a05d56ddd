# SPDX-License-Identifier: GPL-2.0
"""SVG figures for the PDF, converted by rsvg-convert."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms.images import ImageConverter


class SvgConverter(ImageConverter):
    """Converts ``image/svg+xml`` to PDF."""

    conversion_rules = [("image/svg+xml", "application/pdf")]

    def is_available(self) -> bool:
        """Whether the program is installed; without it LaTeX cannot show the figures."""
        return shutil.which("rsvg-convert") is not None

    def convert(self, _from: Any, _to: Any) -> bool:
        """Convert one file."""
        done = subprocess.run(["rsvg-convert", "-f", "pdf", "-o", str(_to), str(_from)],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise ExtensionError(f"rsvg-convert failed on {_from}: {done.stderr.strip()}")
        return True


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the converter."""
    app.add_post_transform(SvgConverter)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
