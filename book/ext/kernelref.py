# SPDX-License-Identifier: GPL-2.0
"""The ``:kernel:`` role: names of the kernel, checked against the guest's kernel source.

    :kernel:`net_rx_action`                 a function
    :kernel:`struct sk_buff`                a structure
    :kernel:`sk_buff.truesize`              a member
    :kernel:`net/core/dev.c:net_rx_action`  one of several of that name
    :kernel:`net/core/dev.c`                a file
    :kernel:`the poll loop <net_rx_action>` other words for it

The source is indexed once per kernel by universal-ctags into the user's cache.  A name that is not
in the source, or is in several places, is a warning, so it stops the build.  Every mention links to
the appendix made by ``.. kernel-index::``, which gives file and line.
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Iterator, NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.nodes import make_refnode

from . import project
from .boxes import reading_order
from .ctags import CTAGS_OPTIONS

logger = logging.getLogger(__name__)

# Folders a book about networking quotes from, the likeliest home of a name first.
FOLDERS = ["net", "include", "kernel", "drivers/net/ethernet/intel/igb", "drivers/pci",
           "drivers/net/ethernet/intel/e1000", "drivers/base", "drivers/dca", "drivers/dma/ioat",
           "drivers/net/phy", "drivers/net/loopback.c", "lib", "mm", "init", "fs/debugfs",
           "fs/eventpoll.c", "fs/char_dev.c", "block/genhd.c", "drivers/char/random.c",
           "arch/x86/kernel", "arch/x86/include", "arch/x86/entry"]

# Kinds of a C symbol by ctags' letter, the likeliest meaning of a bare name first.
KINDS = {"f": "function", "s": "struct", "d": "macro", "e": "enumerator", "v": "variable",
         "t": "typedef", "u": "union", "g": "enum", "x": "variable", "m": "member"}

INDEX_VERSION = "5"


class Symbol(NamedTuple):
    """One definition in the kernel source."""

    name: str
    file: str
    line: int
    kind: str
    scope: str

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class KernelIndex:
    """Where each name of the kernel is defined."""

    def __init__(self, source: Path, cache: Path) -> None:
        self.source = source
        key = hashlib.sha256(repr((INDEX_VERSION, FOLDERS, CTAGS_OPTIONS,
                                   str(source.resolve()))).encode()).hexdigest()[:16]
        self.path = cache / f"kernel-symbols-{key}.sqlite"
        if not self.path.exists():
            self.build()
        self.database = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True,
                                        check_same_thread=False)

    def build(self) -> None:
        """Run ctags over the source and keep its answer; whole or not at all."""
        folders = [f for f in FOLDERS if (self.source / f).exists()]
        logger.info("indexing the kernel source for :kernel: (once per kernel) …")
        command = ["ctags", "--options=NONE", "-R", "-x", "--_xformat=%N\t%F\t%n\t%K\t%s",
                   "--sort=no", *CTAGS_OPTIONS, *folders]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.path.parent, suffix=".new")
        os.close(handle)
        try:
            database = sqlite3.connect(name)
            database.execute("CREATE TABLE symbol (name, file, line INTEGER, kind, scope)")
            with subprocess.Popen(command, cwd=self.source, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True,
                                  errors="replace") as ctags:
                assert ctags.stdout is not None
                database.executemany("INSERT INTO symbol VALUES (?, ?, ?, ?, ?)",
                                     self.rows(ctags.stdout))
            if ctags.returncode != 0:
                raise RuntimeError(f"ctags failed on {self.source} ({ctags.returncode})")
            database.execute("CREATE INDEX by_name ON symbol (name)")
            database.commit()
            database.close()
            os.replace(name, self.path)
        finally:
            if os.path.exists(name):
                os.unlink(name)

    @staticmethod
    def rows(lines: Any) -> Iterator[tuple[str, str, int, str, str]]:
        for line in lines:
            fields = line.rstrip("\n").split("\t")
            if len(fields) == 5 and fields[2].isdigit():
                name, file, number, kind, scope = fields
                yield name, file, int(number), kind, scope

    def find(self, name: str) -> list[Symbol]:
        """Every definition of ``name``."""
        found = self.database.execute(
            "SELECT name, file, line, kind, scope FROM symbol WHERE name = ?", (name,))
        return [Symbol(*row) for row in found]


def rank(symbol: Symbol) -> tuple[int, int, int, str, int]:
    """Order of preference among definitions of one name."""
    kinds = list(KINDS.values())
    kind = kinds.index(symbol.kind) if symbol.kind in kinds else len(kinds)
    folder = next((i for i, f in enumerate(FOLDERS) if symbol.file.startswith(f)), len(FOLDERS))
    # A function in a header is often the stub for a kernel configured without the feature.
    header = 1 if symbol.kind == "function" and symbol.file.endswith(".h") else 0
    return (kind, header, folder, symbol.file, symbol.line)


class Unresolved(Exception):
    """A name that cannot be resolved; its text says why and what to write instead."""


def name_of(symbol: Symbol) -> str:
    """What the appendix and the index call it."""
    if symbol.kind == "member":
        return f"{symbol.scope.split('::')[0]}.{symbol.name}"
    return symbol.name


def resolve(index: KernelIndex, text: str) -> Symbol:
    """The one definition that ``text``, as written in a role, stands for."""
    file, _, name = text.rpartition(":")
    if not file and "/" in name:
        if not (index.source / name).exists():
            raise Unresolved(f"the guest's kernel source has no file '{name}'")
        return Symbol(name, name, 0, "file", "")
    wanted = ""
    match = re.match(r"(struct|enum|union)\s+(.*)", name)
    if match:
        wanted, name = match.groups()
    name = re.sub(r"\(\)$", "", name.strip())
    scope, _, member = name.rpartition(".")
    if scope:
        found = [s for s in index.find(member) if s.kind == "member"
                 and s.scope.split("::")[0] == scope]
    else:
        found = [s for s in index.find(name) if s.kind != "member"]
    if wanted:
        found = [s for s in found if s.kind == wanted]
    if file:
        found = [s for s in found if s.file == file]
    if not found:
        place = f" in {file}" if file else ""
        raise Unresolved(f"the guest's kernel source does not define '{name}'{place}")
    found.sort(key=rank)
    best = found[0]
    if best.kind == "function" and best.file.endswith(".c"):
        rivals = sorted({s.file for s in found if s.kind == "function"
                         and s.file.endswith(".c")})
        macros = [s for s in found if s.kind == "macro" and s.file.startswith("include/")]
        if len(rivals) > 1 and macros:
            return macros[0]  # ctags took uses of the macro for definitions
        if len(rivals) > 1:
            raise Unresolved(f"the kernel defines '{name}' in {', '.join(rivals[:4])}: say which "
                             f"with :kernel:`{rivals[0]}:{name}`")
    return best


class kernel_ref(nodes.Inline, nodes.TextElement):
    """A mention of a kernel symbol; becomes a link to the appendix."""


class kernel_index_here(nodes.General, nodes.Element):
    """Stands for the table of all kernel symbols named."""


def mentions_of(env: BuildEnvironment) -> dict[str, dict[tuple[str, str], Symbol]]:
    """Symbols named, by document; a symbol's key is its file and name."""
    if not hasattr(env, "fwts_kernel"):
        env.fwts_kernel = {}  # type: ignore[attr-defined]
    return env.fwts_kernel  # type: ignore[attr-defined]


def anchor_of(symbol: Symbol) -> str:
    """The symbol's place in the appendix."""
    scope = symbol.scope.split("::")[0] + "-" if symbol.kind == "member" else ""
    return "kernel-" + nodes.make_id(f"{symbol.file}-{scope}{symbol.name}")


class KernelRole(SphinxRole):
    """Resolve a name of the kernel, or complain."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        match = re.fullmatch(r"(.*?)\s*<([^<>]+)>", self.text, re.S)
        shown, target = match.groups() if match else ("", self.text)
        app = self.env.app
        index = index_for(app)
        if index is None:
            return [nodes.literal(shown or target, shown or target, classes=["kernel"])], []
        try:
            symbol = resolve(index, target)
        except Unresolved as problem:
            project.missing(app, f":kernel:`{self.text}`: {problem}", self.get_location())
            return [project.inline_hole(shown or target)], []
        mentions = mentions_of(self.env).setdefault(self.env.docname, {})
        mentions[symbol.file, anchor_of(symbol)] = symbol
        if not shown:
            shown = target if symbol.kind == "file" else target.rpartition(":")[2]
            code: nodes.Element = nodes.literal(shown, shown, classes=["kernel"])
        else:
            code = nodes.inline(shown, shown, classes=["kernel"])
        node = kernel_ref("", "", code, anchor=anchor_of(symbol), where=symbol.where)
        return [node], []


_index: dict[str, KernelIndex | None] = {}


def index_for(app: Sphinx) -> KernelIndex | None:
    """The index of the kernel this book is built against; None once its absence was reported."""
    source = project.path_of(app, "fwts_kernel_source")
    key = f"{os.getpid()} {source} {app.config.fwts_cache}"
    if key not in _index:
        if (source / "Makefile").exists() or (source / "net").exists():
            _index[key] = KernelIndex(source, Path(app.config.fwts_cache))
        else:
            project.missing(app, f"no kernel source at {source}: book/build unpacks it, or "
                                 "run qemu/kernel/kernel source")
            _index[key] = None
    return _index[key]


class KernelIndexTable(SphinxDirective):
    """The table of the kernel symbols this book names."""

    def run(self) -> list[nodes.Node]:
        self.env.fwts_kernel_doc = self.env.docname  # type: ignore[attr-defined]
        return [kernel_index_here()]


class LinkMentions(SphinxPostTransform):
    """Make the links to the appendix, and the appendix itself."""

    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        release = self.config.release
        appendix = getattr(self.env, "fwts_kernel_doc", None)
        builder = self.app.builder
        assert builder is not None
        for ref in list(self.document.findall(kernel_ref)):
            children = [child.deepcopy() for child in ref.children]
            if appendix is None:
                ref.replace_self(children)
                continue
            link = make_refnode(builder, self.env.docname, appendix, ref["anchor"], children,
                                f"{ref['where']} ({release})")
            link["classes"].append("kernel-ref")
            ref.replace_self(link)
        for here in list(self.document.findall(kernel_index_here)):
            here.replace_self(self.table())

    def table(self) -> list[nodes.Node]:
        symbols: dict[str, tuple[Symbol, list[str]]] = {}
        for docname in reading_order(self.env):
            for symbol in mentions_of(self.env).get(docname, {}).values():
                entry = symbols.setdefault(anchor_of(symbol), (symbol, []))
                entry[1].append(docname)
        listing = nodes.definition_list(classes=["kernel-index"])
        for anchor, (symbol, docs) in sorted(
                symbols.items(), key=lambda item: (item[1][0].name.lstrip("_").lower(),
                                                   item[1][0].file)):
            listing += self.entry(anchor, symbol, docs)
        return [listing]

    def entry(self, anchor: str, symbol: Symbol, docs: list[str]) -> nodes.Node:
        builder = self.app.builder
        assert builder is not None
        name = name_of(symbol)
        term = nodes.term("", "", nodes.literal(name, name), ids=[anchor])
        if symbol.kind != "file":
            term += nodes.Text(" ")
            term += nodes.inline("", symbol.kind, classes=["kind"])
        body = nodes.paragraph("")
        if symbol.line:
            body += nodes.literal(symbol.where, symbol.where, classes=["file"])
            body += nodes.Text(". ")
        body += nodes.Text("Named in ")
        for count, docname in enumerate(docs):
            if count:
                body += nodes.Text(", ")
            title = self.env.titles[docname].astext()
            body += make_refnode(builder, self.env.docname, docname, "", nodes.Text(title))
        body += nodes.Text(".")
        return nodes.definition_list_item("", term, nodes.definition("", body))


def prepare(app: Sphinx) -> None:
    """Make the index before parallel readers ask for it."""
    if (project.path_of(app, "fwts_kernel_source") / "net").exists():
        index_for(app)


def purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget a document's mentions before it is read again."""
    mentions_of(env).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: list[str],
          other: BuildEnvironment) -> None:
    """Take over what a parallel reader found."""
    mentions_of(env).update({k: v for k, v in mentions_of(other).items() if k in docnames})
    if hasattr(other, "fwts_kernel_doc"):
        env.fwts_kernel_doc = other.fwts_kernel_doc  # type: ignore[attr-defined]


def rewrite(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """The appendix depends on every chapter."""
    docname = getattr(env, "fwts_kernel_doc", None)
    return [docname] if docname in env.found_docs else []


def setup(app: Sphinx) -> dict[str, Any]:
    """Register role, directive and transform."""
    app.add_role("kernel", KernelRole())
    app.add_directive("kernel-index", KernelIndexTable)
    app.add_post_transform(LinkMentions)
    app.connect("builder-inited", prepare)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", rewrite)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
