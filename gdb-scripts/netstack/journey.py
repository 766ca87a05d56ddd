# SPDX-License-Identifier: GPL-2.0
"""What a trace leaves behind: the narrative on the terminal and the journey as JSON.

Plain Python, no gdb. A journey holds nothing that differs between two runs: addresses become
names, and neither times nor process ids are kept.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
import json
import re
import textwrap
from typing import Any

ADDRESS = re.compile(r"0xffff[0-9a-f]{12}\b")
HISTORY = re.compile(r"^\$\d+ = ", re.MULTILINE)
BUS_ADDRESS = re.compile(r"(buffer|for the card at) 0x[0-9a-f]+")


@dataclass
class Shown:
    """A command or expression and what gdb answered."""

    expression: str
    rendered: str


@dataclass
class Checked:
    """Something that must hold at a stop."""

    what: str
    ok: bool


@dataclass
class Visit:
    """A stop that was reached."""

    id: str
    symbol: str
    file: str
    function: str
    context: str
    cpu: int
    task: str
    title: str
    text: str
    shows: list[Shown] = field(default_factory=list)
    checks: list[Checked] = field(default_factory=list)
    backtrace: list[str] = field(default_factory=list)


@dataclass
class Journey:
    """One run of a trace."""

    trace: str
    kernel: str
    stops: list[Visit] = field(default_factory=list)

    def failed(self) -> list[str]:
        """One sentence for each check that did not hold."""
        return [f"{stop.id}: {check.what}" for stop in self.stops for check in stop.checks
                if not check.ok]

    def as_json(self) -> str:
        """The journey's file: stable order, one trailing newline."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


class Normaliser:
    """Replaces addresses by names that are the same in every run.

    The n-th different kernel address of a journey becomes ADDR<n>: a reader still sees that two
    stops look at the same sk_buff.
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def _name(self, match: re.Match[str]) -> str:
        return self._names.setdefault(match.group(0), f"ADDR{len(self._names) + 1}")

    def text(self, text: str) -> str:
        """A text without addresses that depend on the run."""
        text = HISTORY.sub("", BUS_ADDRESS.sub(r"\1 BUS-ADDRESS", text))
        return ADDRESS.sub(self._name, text)


def relative(path: str) -> str:
    """A source file as its tree names it: net/core/dev.c, 02-dma/igbook_dma.c"""
    stage = re.search(r"/build/modules/[^/]+/(.+)", path)
    if stage:
        return stage.group(1)
    parts = path.split("/")
    for index in range(len(parts) - 1, -1, -1):
        if re.fullmatch(r"linux(-source)?-\d[^/]*", parts[index]) or parts[index] == "source":
            return "/".join(parts[index + 1:])
    return path.removeprefix("./")


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What changed between two journeys, one sentence each; the kernel's version may differ."""
    before = {stop["id"]: stop for stop in old["stops"]}
    after = {stop["id"]: stop for stop in new["stops"]}
    found = [f"stop {name} is gone" for name in before if name not in after]
    found += [f"stop {name} is new" for name in after if name not in before]
    if not found and list(before) != list(after):
        found.append("the stops come in another order")
    for name, stop in after.items():
        for key in stop:
            if name in before and before[name].get(key) != stop[key]:
                found.append(f"stop {name}: {key} was {before[name].get(key)!r}, "
                             f"now {stop[key]!r}")
    return found


class Narrator:
    """Writes the narrative: wrapped to a width, coloured only when asked."""

    CODES = {"title": "1;36", "place": "1", "dim": "2", "good": "32", "bad": "1;31",
             "command": "33", "question": "35"}

    def __init__(self, width: int, colour: bool) -> None:
        self.width = max(40, min(width, 100))
        self.colour = colour

    def paint(self, style: str, text: str) -> str:
        """Text in a colour, or as it is."""
        return f"\033[{self.CODES[style]}m{text}\033[0m" if self.colour else text

    def wrap(self, text: str, indent: str = "  ") -> str:
        """A paragraph, or several separated by blank lines."""
        paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
        return "\n\n".join(textwrap.fill(part, self.width, initial_indent=indent,
                                         subsequent_indent=indent) for part in paragraphs)

    def heading(self, number: int, total: int, visit: Visit, line: int) -> str:
        """The rule above a stop: number, title, place, context."""
        where = f"{visit.file}:{line}" if line else visit.file
        left = f"── {number}/{total} {visit.title} "
        rule = left + "─" * max(2, self.width - len(left))
        who = visit.task if visit.context == "process" else f"interrupted {visit.task}"
        context = f"{visit.context}, CPU {visit.cpu}, {who}"
        return (f"\n{self.paint('title', rule)}\n"
                f"  {self.paint('place', visit.function)} {self.paint('dim', where)}\n"
                f"  {self.paint('dim', context)}")

    def shown(self, expression: str, rendered: str) -> str:
        """A command and its answer the way a gdb session looks."""
        body = "\n".join("    " + line for line in rendered.rstrip("\n").split("\n"))
        return f"  {self.paint('command', '(gdb) ' + expression)}\n{body}"

    def checked(self, check: Checked) -> str:
        """A tick or a cross with what was checked."""
        mark = self.paint("good", "ok  ") if check.ok else self.paint("bad", "FAIL")
        return textwrap.fill(check.what, self.width, initial_indent=f"  {mark} ",
                             subsequent_indent="       ")

    def backtrace(self, functions: list[str]) -> str:
        """The callers on as few lines as possible, innermost first."""
        text = " < ".join(functions)
        return self.paint("dim", textwrap.fill(text, self.width, initial_indent="  called by ",
                                               subsequent_indent="    ",
                                               break_long_words=False))
