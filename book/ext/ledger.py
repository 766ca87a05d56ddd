# SPDX-License-Identifier: GPL-2.0
"""The ledger of facts: what the book claims of the kernel, the card or C, and where it is seen.

``book/facts/CHAPTER.toml`` has an entry for each fact, the words as a reader sees them and their
evidence.  Here the ledger is read and the evidence looked up; this needs no Sphinx.  Finding the
words in the chapter and marking them is the work of ``facts.py``.
"""

from __future__ import annotations

import functools
import re
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterable, Iterator, NamedTuple

from .ctags import CTAGS_OPTIONS

# Fewer facts than this in a chapter that is complete stop the build.
LEAST: dict[str, int] = {"preface": 10, "the-map": 40, "the-sandbox": 40, "kernel-c": 40,
                         "network-boot": 40, "01-registration": 40, "02-dma": 40, "03-dca": 40,
                         "04-rings": 40, "05-softirq": 40, "06-napi": 40, "07-receive": 40,
                         "08-transmit": 40, "09-sockets": 60, "10-observe": 60,
                         "emulated-card": 12}

# Where the record of a run is kept, seen from the book's folder.
RUNS = {"transcript": "transcripts/{}.txt", "journey": "journeys/{}.json",
        "measurement": "measurements/{}.json", "trace": "../gdb-scripts/traces/{}.py",
        "test": "../{}"}

# The keys of each kind of evidence: those it must have, and those it may have.
KEYS: dict[str, tuple[set[str], set[str]]] = {
    "kernel": ({"file", "pattern"}, {"in"}), "run": ({"pattern"}, set(RUNS)),
    "datasheet": ({"section"}, set()), "paper": ({"reference"}, set())}

# What is not compared: quotation marks are left out, blanks and dashes are one blank.
NOISE = re.compile(r"(?P<blank>(?:\s|[–—…]|--+|\.\.\.)+)|[\"'“”„‘’\0]|(?P<letter>.)", re.S)


class Problem(NamedTuple):
    """What is wrong, and in which line of the ledger."""

    where: str
    text: str


class Evidence(NamedTuple):
    """One place where a fact is seen."""

    kind: str              # "kernel", a key of RUNS, "datasheet" or "paper"
    name: str              # a file, the name of a recorded run, a section, a reference
    within: str = ""       # what in the file; "a|b" where a later stable release has another name
    patterns: tuple[str, ...] = ()

    @property
    def definitions(self) -> list[str]:
        """The names of what may be meant by ``within``."""
        return self.within.split("|") if self.within else []

    def pieces(self) -> list[tuple[str, str]]:
        """In words for the reader, as pairs of a kind ("text" or "code") and a text."""
        if self.kind == "kernel":
            within = [piece for at, name in enumerate(self.definitions)
                      for piece in (("text", " or " if at else ", "), ("code", name))]
            return [("code", self.name), *within]
        if self.kind == "datasheet":
            return [("text", f"Intel 82576 datasheet, “{self.name}”")]
        if self.kind == "paper":
            return [("text", self.name)]
        kind = "our own" if self.kind == "test" else self.kind
        return [("text", f"{kind} "), ("code", self.name)]

    def __str__(self) -> str:
        return "".join(text for _, text in self.pieces())


@dataclass(frozen=True)
class Fact:
    """One entry of the ledger."""

    where: str
    words: str
    evidence: tuple[Evidence, ...]

    def problem(self, text: str) -> Problem:
        """A problem of this fact."""
        return Problem(self.where, f"fact “{self.words}”: {text}")


def as_list(value: Any) -> list[Any]:
    """A list of one may be written without brackets."""
    return value if isinstance(value, list) else [value]


def evidence_of(kind: str, table: Any) -> Evidence:
    """One piece of evidence as it is written; ValueError says what is wrong with it."""
    if not isinstance(table, dict):
        raise ValueError(f"{kind} is not a table")
    must, may = KEYS[kind]
    if unknown := sorted(set(table) - must - may):
        raise ValueError(f"{kind} has an unknown key '{unknown[0]}'")
    if lacking := sorted(must - set(table)):
        raise ValueError(f"{kind} has no '{lacking[0]}'")
    patterns = as_list(table.get("pattern", []))
    texts = patterns + [value for key, value in table.items() if key != "pattern"]
    if not all(isinstance(text, str) and text for text in texts):
        raise ValueError(f"{kind} has a value that is no text")
    for pattern in patterns:
        try:
            re.compile(spread(pattern))
        except re.error as problem:
            raise ValueError(f"{pattern!r} is no regular expression: {problem}") from problem
    if kind == "run":
        named = sorted(set(RUNS) & set(table))
        if len(named) != 1:
            raise ValueError(f"run needs one of {', '.join(RUNS)}")
        return Evidence(named[0], table[named[0]], "", tuple(patterns))
    name = table.get("file") or table.get("section") or table["reference"]
    return Evidence(kind, name, table.get("in", ""), tuple(patterns))


def spread(pattern: str) -> str:
    """The pattern in which a blank stands for any white space."""
    return re.sub(" +", r"\\s+", pattern)


def read(path: Path) -> tuple[list[Fact], list[Problem]]:
    """The facts of one chapter, and what is wrong with how they are written."""
    facts: list[Fact] = []
    problems: list[Problem] = []
    text = path.read_text(encoding="utf-8")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        return [], [Problem(str(path), f"facts: {problem}")]
    entries = as_list(data.get("fact", []))
    lines = [n for n, line in enumerate(text.split("\n"), 1)
             if re.match(r"\s*\[\[\s*fact\s*]]", line)]
    if len(lines) != len(entries) or not all(isinstance(entry, dict) for entry in entries):
        return [], [Problem(str(path), "facts: each entry begins with a line [[fact]]")]
    for key in sorted(set(data) - {"fact"}):
        problems.append(Problem(str(path), f"facts: unknown table '{key}'"))
    for line, entry in zip(lines, entries):
        where = f"{path}:{line}"
        words = entry.get("words")
        if not isinstance(words, str) or not compared(words):
            problems.append(Problem(where, "facts: an entry without words"))
            continue
        evidence = []
        try:
            for key in entry:
                if key not in {"words", *KEYS}:
                    raise ValueError(f"unknown key '{key}'")
            for kind in KEYS:
                evidence += [evidence_of(kind, table) for table in as_list(entry.get(kind, []))]
            if not evidence:
                raise ValueError("no evidence")
        except ValueError as problem:
            problems.append(Fact(where, words, ()).problem(str(problem)))
        facts.append(Fact(where, words, tuple(evidence)))
    return facts, problems


def read_all(folder: Path) -> tuple[dict[str, list[Fact]], list[Problem]]:
    """The facts of every chapter, and what is wrong with how they are written."""
    facts: dict[str, list[Fact]] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.toml")):
        facts[path.stem], found = read(path)
        problems += found
    return facts, problems


class Plain:
    """A text as it is compared with the words of facts."""

    def __init__(self, text: str) -> None:
        out: list[str] = []
        self.ends: list[int] = []  # where in the text each letter of ``self.text`` ends
        for match in NOISE.finditer(text):
            letter = match["letter"] or (" " if match["blank"] else "")
            if letter and not (letter == " " and out[-1:] == [" "]):
                out.append(letter)
                self.ends.append(match.end())
        self.text = "".join(out)

    def find(self, words: str) -> list[int]:
        """Where in the text the words end, each time that they stand there."""
        wanted = compared(words)
        if wanted not in self.text:
            return []
        before = r"(?<!\w)" if wanted[0].isalnum() else ""
        after = r"(?!\w)" if wanted[-1].isalnum() else ""
        return [self.ends[match.end() - 1]
                for match in re.finditer(before + re.escape(wanted) + after, self.text)]


@functools.cache
def compared(words: str) -> str:
    """The words of a fact as they are compared."""
    return Plain(words).text.strip()


class Kernel:
    """The kernel's source: files, and the definitions in them."""

    def __init__(self, source: Path, files: Iterable[str]) -> None:
        self.source = source
        self.text: dict[str, str] = {}
        for file in sorted(set(files)):
            if (source / file).is_file():
                self.text[file] = (source / file).read_text(encoding="utf-8", errors="replace")
        self.spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
        code = [file for file in self.text if file.endswith((".c", ".h"))]
        if code:
            self.parse(code)

    def parse(self, files: list[str]) -> None:
        """Ask ctags once where everything in these files begins and ends."""
        run = subprocess.run(
            ["ctags", "--options=NONE", "-x", "--_xformat=%N\t%F\t%n\t%{end}", "--sort=no",
             "--fields=+e", *CTAGS_OPTIONS, *files],
            cwd=self.source, capture_output=True, text=True, errors="replace", check=True)
        tags = [(name, file, int(line), int(end or 0)) for name, file, line, end in
                (row.split("\t") for row in run.stdout.splitlines())]
        # What is found by its look alone has no end: a system call's is that of its body.
        ends: dict[tuple[str, int], int] = {}
        for _, file, line, end in tags:
            ends[file, line] = max(end, ends.get((file, line), line))
        for name, file, line, _ in tags:
            self.spans.setdefault((file, name), []).append((line, ends[file, line]))

    def definitions(self, file: str, name: str) -> list[str]:
        """The text of each definition of the name in the file."""
        lines = self.text[file].split("\n")
        return ["\n".join(lines[first - 1:last])
                for first, last in self.spans.get((file, name), [])]


def lacking(evidence: Evidence, kernel: Kernel, book: Path) -> str:
    """Why the evidence does not hold; nothing if it does."""
    if evidence.kind in ("datasheet", "paper"):
        return ""
    if evidence.kind == "kernel":
        if evidence.name not in kernel.text:
            return f"the guest's kernel source has no file {evidence.name}"
        text = kernel.text[evidence.name]
        if evidence.within:
            found = [text for name in evidence.definitions
                     for text in kernel.definitions(evidence.name, name)]
            if not found:
                return f"{evidence.name} does not define {evidence.within}"
            text = "\n".join(found)
    else:
        file = book / RUNS[evidence.kind].format(evidence.name)
        if not file.is_file():
            return f"there is no {evidence}"
        text = file.read_text(encoding="utf-8", errors="replace")
    for pattern in evidence.patterns:
        if not re.search(spread(pattern), text):
            return f"{evidence} has nothing that matches {pattern!r}"
    return ""


def check_evidence(facts: Iterable[Fact], source: Path, book: Path) -> Iterator[Problem]:
    """Look up all evidence of these facts."""
    every = [(fact, evidence) for fact in facts for evidence in fact.evidence]
    kernel = Kernel(source, [e.name for _, e in every if e.kind == "kernel"])
    for fact, evidence in every:
        if reason := lacking(evidence, kernel, book):
            yield fact.problem(reason)


def check_counts(facts: dict[str, list[Fact]], folder: Path) -> Iterator[Problem]:
    """Chapters that have fewer facts than was asked for."""
    for chapter, least in LEAST.items():
        have = len(facts.get(chapter, []))
        if have < least:
            yield Problem(str(folder / f"{chapter}.toml"),
                          f"facts: {have} of chapter {chapter}, and there should be {least}")
