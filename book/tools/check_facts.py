# SPDX-License-Identifier: GPL-2.0
"""Check the ledger of facts without building the book: ``book/build facts``.

The evidence is looked up exactly as the build does it.  The words are looked for in the chapter's
source with its markup taken out, which is nearly what a reader sees; the build has the last word.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Iterator

BOOK = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(BOOK))

from ext import ledger  # noqa: E402

MARKUP = [
    (r":[a-z:+-]+:`([^`<]*?)\s*<[^`>]*>`", r"\1"), (r":[a-z:+-]+:`~?([^`]*)`", r"\1"),
    (r"``([^`]*)``", r"\1"), (r"`([^`<]*?)\s*<[^`>]*>`_+", r"\1"),
    (r"\*\*([^*]+)\*\*", r"\1"), (r"\*([^*\s][^*]*)\*", r"\1"), (r"\\(.)", r"\1"),
]


def paragraphs(source: str) -> list[str]:
    """The chapter's paragraphs as a reader sees them, or nearly."""
    for markup, text in MARKUP:
        source = re.sub(markup, text, source)
    return re.split(r"\n\s*\n", source)


def check_words(chapter: str, facts: list[ledger.Fact], book: Path) -> Iterator[ledger.Problem]:
    """Facts whose words are not found exactly once in their chapter."""
    places = (book / folder / f"{chapter}.rst" for folder in ("chapters", ".", "appendix"))
    source = next((place for place in places if place.exists()), None)
    if source is None:
        yield ledger.Problem(str(book / f"facts/{chapter}.toml"),
                             f"facts: there is no chapter {chapter}")
        return
    text = [ledger.Plain(part) for part in paragraphs(source.read_text(encoding="utf-8"))]
    for fact in facts:
        times = sum(len(part.find(fact.words)) for part in text)
        if times != 1:
            yield fact.problem(f"the words stand {times} times in {source.name}")


def check(book: Path, kernel: Path) -> tuple[str, list[ledger.Problem]]:
    """How many facts there are, in words, and what is wrong with them."""
    facts, problems = ledger.read_all(book / "facts")
    for chapter, some in facts.items():
        problems += check_words(chapter, some, book)
    every = [fact for some in facts.values() for fact in some]
    problems += ledger.check_evidence(every, kernel, book)
    problems += ledger.check_counts(facts, book / "facts")
    return f"{len(every)} facts in {len(facts)} chapters", problems


def main() -> int:
    """Check the whole ledger."""
    kernel = os.environ.get("FWTS_KERNEL_SOURCE")
    if len(sys.argv) != 1 or not kernel:
        print("usage: book/build facts", file=sys.stderr)
        return 2
    count, problems = check(BOOK, Path(kernel))
    for where, text in problems:
        print(f"{where}: {text}", file=sys.stderr)
    print(f"book: {count}, {len(problems)} problems" if problems else f"book: {count} hold")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
