# SPDX-License-Identifier: GPL-2.0
"""Turn kernel-doc comments into Doxygen's, on the way into Doxygen.

The driver is commented the way the kernel is ("name() - what it does", "@arg: …", "Context: …");
Doxygen reads "@brief", "@param" and "@par".  Members of structures are documented in the comment
above the structure; Doxygen wants each at its own line.  Members of an anonymous union are members
of the structure around it, and become that, since Breathe makes a declaration without a name of the
union, which C does not have.  Prototypes in headers are dropped, since
the reference declares each function once, where it is defined.

example:
  python3 kerneldoc_filter.py build/stages/02-dma/igbook_main.c
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

COMMENT = re.compile(r"/\*\*\n(.*?)\*/\n", re.S)
HEAD = re.compile(r"^ \* (?:(struct|union|enum)\s+)?(\w+)(?:\(\))?\s*-\s*(.*)$")
ITEM = re.compile(r"^ \* @([\w.]+|\.\.\.):\s*(.*)$")
SECTION = re.compile(r"^ \* (Context|Source|Errors|Locks?|Note):\s*(.*)$")
MENTION = re.compile(r"(?<=[\s(])@(\w+)\b(?!:)")
INLINE = re.compile(r"^\s*/\*\* @(\w+):\s*(.*?)\s*\*/$")
MEMBER = re.compile(r"^(\s*[^/*\s].*?\b(\w+)(?:\[[^\]]*\])*(?:\s*:\s*\d+)?[;,])")
PROTOTYPE = re.compile(r"^(?!static|#|typedef)(?:\w+[ \t*]+)+\w+\([^;{}]*\);\n", re.M)
ANONYMOUS = re.compile(r"^[ \t]+(?:union|struct) \{\n([^{}]*)^[ \t]+\};(?:\n|\Z)", re.M)
RETURN = re.compile(r"^ \* Returns?:\s*(.*)$")


def function_comment(lines: list[str]) -> str:
    """The comment of a function."""
    out = []
    for line in lines:
        line = MENTION.sub(r"\\p \1", line)
        if match := HEAD.match(line):
            line = f" * @brief {match.group(3)}"
        elif match := ITEM.match(line):
            line = f" * @param {match.group(1)} {match.group(2)}"
        elif match := SECTION.match(line):
            line = f" * @par {match.group(1)}\n * {match.group(2)}"
        elif match := RETURN.match(line):
            line = f" * @return {match.group(1)}"
        out.append(line)
    return "/**\n" + "\n".join(out) + "\n */\n"


def members_of(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    """The members a structure's comment describes, and the comment without them."""
    members: dict[str, str] = {}
    rest: list[str] = []
    current = ""
    for line in lines:
        if match := ITEM.match(line):
            current = match.group(1)
            members[current] = match.group(2)
        elif current and line.strip() != "*" and not SECTION.match(line):
            members[current] += " " + line.strip(" *\t")
        else:
            current = ""
            rest.append(line)
    return members, rest


def without_anonymous(body: str) -> str:
    """A structure whose anonymous parts are gone, innermost first; their members are its own."""
    before = ""
    while before != body:
        before, body = body, ANONYMOUS.sub(r"\1", body)
    return body


def document_members(body: str, members: dict[str, str]) -> str:
    """Put each member's words at its line."""
    words = {name.rpartition(".")[2]: text for name, text in members.items()}
    out = []
    for line in body.split("\n"):
        if inline := INLINE.match(line):
            words[inline.group(1)] = inline.group(2)
            continue
        member = MEMBER.match(line)
        if member and member.group(2) in words:
            text = MENTION.sub(r"\1", words.pop(member.group(2)))
            line = f"{member.group(1)} /**< {text} */"
        out.append(line)
    return "\n".join(out)


def convert(source: str) -> str:
    """The whole file."""
    out: list[str] = []
    at = 0
    for match in COMMENT.finditer(source):
        if match.start() < at:
            continue
        lines = match.group(1).rstrip("\n ").split("\n")
        out.append(source[at:match.start()])
        at = match.end()
        head = HEAD.match(lines[0])
        if not head or not head.group(1):
            out.append(function_comment(lines))
            continue
        members, rest = members_of(lines)
        out.append(function_comment(rest))
        end = source.find("\n}", at)
        if end > 0:
            body = without_anonymous(source[at:end])
            out.append(document_members(body, members))
            at = end
    out.append(source[at:])
    return "".join(out)


def main() -> int:
    """Write the converted file to standard output."""
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        return 0 if len(sys.argv) == 2 else 2
    source = Path(sys.argv[1]).read_text(encoding="utf-8")
    if sys.argv[1].endswith(".h"):
        source = PROTOTYPE.sub("", source)
    sys.stdout.write(convert(source))
    return 0


if __name__ == "__main__":
    sys.exit(main())
