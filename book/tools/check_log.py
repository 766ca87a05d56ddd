# SPDX-License-Identifier: GPL-2.0
"""Fail on what xelatex only mentions: missing glyphs, lost references, lines far too wide."""

from __future__ import annotations

import re
import sys
from pathlib import Path

TOO_WIDE = 20.0  # points beyond the margin that a reader would notice
OVERFULL = re.compile(r"^Overfull \\hbox \(([0-9.]+)pt too wide\) (.*)$")


def problems(log: str) -> list[str]:
    """What a reader of the PDF would notice, in words."""
    out = []
    for line in log.splitlines():
        if line.startswith("Missing character:"):
            out.append(f"a glyph is missing: {line[len('Missing character: '):]}")
        if line.startswith(("LaTeX Warning: Reference", "LaTeX Warning: Hyper reference")) \
                or "multiply defined" in line:
            out.append(line)
        match = OVERFULL.match(line)
        if match and float(match.group(1)) > TOO_WIDE:
            out.append(f"a line is {match.group(1)} pt too wide {match.group(2)}")
    return sorted(set(out))


def main() -> int:
    """Check the log named on the command line."""
    if len(sys.argv) != 2:
        print("usage: check_log.py build/book/latex/from-wire-to-socket.log", file=sys.stderr)
        return 2
    log = Path(sys.argv[1])
    found = problems(log.read_text(encoding="utf-8", errors="replace"))
    for problem in found:
        print(f"book: PDF: {problem}", file=sys.stderr)
    if found:
        print(f"book: {len(found)} problems in the PDF; the log is {log}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
