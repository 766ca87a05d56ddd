#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Write what others need of the book: where its labels are, which pieces of the driver it shows.

usage: book/tools/index.py [--book DIR] --out FILE

FILE is JSON: "chapters", the directory of the chapters; "documents", the paths of all of them;
"labels", for each its page and section below the book's address; "snippets", what is shown, in
order of document and line, with "of", "from" and "to" if it is named by its lines. loom takes and
checks the last, the grader leads to the labels. It reads text itself, for grading must not wait
until the book has been built.
"""
import argparse
import json
import re
import sys
from pathlib import Path

LABEL = re.compile(r"\.\. _(\S+):$")
SNIPPET = re.compile(r"\s*\.\. snippet::(.*)$")
OPTION = re.compile(r"\s+:(of|from|to): (.*)$")


def read_book(book: Path) -> dict[str, object]:
    """Return what stands in FILE."""
    documents: list[str] = []
    labels: dict[str, str] = {}
    snippets: list[dict[str, object]] = []
    for part in ("chapters", "appendix"):
        for path in sorted((book / part).glob("*.rst")):
            documents.append(str(path))
            shown: dict[str, object] = {}  # the snippet whose options these lines are
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if option := OPTION.match(line):
                    shown[option[1]] = option[2].strip()
                    continue
                if label := LABEL.match(line):
                    # Sphinx turns what HTML would not have in an anchor into hyphens.
                    anchor = re.sub("[_.]", "-", label[1])
                    labels[label[1]] = f"{part}/{path.stem}.html#{anchor}"
                elif snippet := SNIPPET.match(line):
                    shown = {"id": snippet[1].strip(), "document": path.stem,
                             "path": str(path), "line": number, "appendix": part == "appendix"}
                    snippets.append(shown)
                    continue
                shown = {}
    return {"chapters": str(book / "chapters"), "documents": documents, "labels": labels,
            "snippets": snippets}


def main() -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--book", type=Path, default=Path("book"), help="the book's directory")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    words = parser.parse_args()
    if not (words.book / "chapters").is_dir():
        print(f"index.py: no chapters in {words.book}", file=sys.stderr)
        return 1
    text = json.dumps(read_book(words.book), indent=1, sort_keys=True) + "\n"
    words.out.parent.mkdir(parents=True, exist_ok=True)
    words.out.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
