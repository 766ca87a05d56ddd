# SPDX-License-Identifier: GPL-2.0
"""Fail on what xelatex only mentions: missing glyphs, lost references, lines far too wide, pages
too full."""

from __future__ import annotations

import re
import sys
from pathlib import Path

TOO_WIDE = 20.0  # points beyond the margin that a reader would notice
TOO_HIGH = 5.0  # below the last line: over the foot of the page
OVERFULL = re.compile(r"^Overfull \\hbox \(([0-9.]+)pt too wide\) (.*)$")
PAGE = re.compile(r"^Overfull \\vbox \(([0-9.]+)pt too high\) has occurred while \\output")
SHIPPED = re.compile(r"\[(\d+)")


def problems(log: str) -> list[str]:
    """What a reader of the PDF would notice, in words."""
    out = []
    page = 0
    for line in log.splitlines():
        if shipped := SHIPPED.findall(line):
            page = int(shipped[-1])
        if line.startswith("Missing character:"):
            out.append(f"a glyph is missing: {line[len('Missing character: '):]}")
        if line.startswith(("LaTeX Warning: Reference", "LaTeX Warning: Hyper reference")) \
                or "multiply defined" in line:
            out.append(line)
        match = OVERFULL.match(line)
        if match and float(match.group(1)) > TOO_WIDE:
            out.append(f"a line is {match.group(1)} pt too wide {match.group(2)}")
        match = PAGE.match(line)
        if match and float(match.group(1)) > TOO_HIGH:
            out.append(f"something is {match.group(1)} pt too high for the page after {page}; "
                       "a table that may be parted has the class longtable")
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
