# SPDX-License-Identifier: GPL-2.0
"""The list of stages, as ``code/driver/stages.toml`` gives it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple


class Stage(NamedTuple):
    """One stage of the driver."""

    number: str
    name: str
    title: str
    chapter: str

    @property
    def folder(self) -> str:
        """The name of the stage's folder once cut."""
        return f"{self.number}-{self.name}"


def read_stages(manifest: Path) -> list[Stage]:
    """The stages in order; an empty list where there is no manifest."""
    if not manifest.exists():
        return []
    with manifest.open("rb") as file:
        data = tomllib.load(file)
    return [Stage(s["number"], s["name"], s.get("title", s["name"]), s.get("chapter", ""))
            for s in data.get("stage", [])]
