# SPDX-License-Identifier: GPL-2.0
"""Follow every link inside the built HTML: the file and the anchor must exist.

What a page is made of, its scripts, style sheets and pictures, lies in the book: it is read
without a network, too.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The anchors and the links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.parts: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            if name in ("href", "src") and value:
                self.links.add(value)
                if name == "src" or tag == "link":
                    self.parts.add(value)


def broken(root: Path) -> list[str]:
    """Every link that leads nowhere, with the page it is on."""
    pages: dict[Path, Page] = {}
    for file in sorted(root.rglob("*.html")):
        page = pages[file.resolve()] = Page()
        page.feed(file.read_text(encoding="utf-8"))
    out = []
    for file, page in pages.items():
        for link in sorted(page.links):
            parts = urlsplit(link)
            where = file.relative_to(root.resolve())
            if parts.scheme or parts.netloc:
                if parts.netloc and link in page.parts:
                    out.append(f"{where}: {link}: a page needs no network")
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            if not target.exists():
                out.append(f"{where}: {link}: there is no such file")
            elif parts.fragment and target in pages:
                if unquote(parts.fragment) not in pages[target].anchors:
                    out.append(f"{where}: {link}: the page has no such anchor")
    return out


def main() -> int:
    """Check the folder named on the command line."""
    if len(sys.argv) != 2:
        print("usage: check_links.py build/book/html", file=sys.stderr)
        return 2
    found = broken(Path(sys.argv[1]))
    for problem in found:
        print(f"book: {problem}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
