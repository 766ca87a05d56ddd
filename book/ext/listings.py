# SPDX-License-Identifier: GPL-2.0
"""The source of every stage as pages of the HTML book, and each stage as a tarball.

A page ``stages/01-registration/igbook_main.c`` has an anchor for each line, which snippets link
to.  The tarballs are the same bytes whoever builds them.  In the text, ``:stage:`01``` links to a
stage's files.
"""

from __future__ import annotations

import gzip
import html
import io
import tarfile
from pathlib import Path
from typing import Any, Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxRole

from . import project
from .snippet import highlighted, language_of
from .stages import Stage, read_stages

Page = tuple[str, dict[str, Any], str]


class stage_ref(nodes.Inline, nodes.TextElement):
    """A mention of a stage; becomes a link to its files where there are pages."""


class StageRole(SphinxRole):
    """``:stage:`01```."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        manifest = project.path_of(self.env.app, "fwts_stages_manifest")
        stage = next((s for s in read_stages(manifest) if s.number == self.text), None)
        if stage is None:
            project.missing(self.env.app, f"there is no stage '{self.text}'",
                            self.get_location())
            return [project.inline_hole(self.text)], []
        return [stage_ref("", f"stage {stage.number}", page=f"stages/{stage.folder}/index")], []


class LinkStages(SphinxPostTransform):
    """Link mentions of stages in HTML; leave the words in other formats."""

    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        builder = self.app.builder
        assert builder is not None
        for ref in list(self.document.findall(stage_ref)):
            text = nodes.Text(ref.astext())
            if builder.format != "html":
                ref.replace_self(text)
                continue
            uri = builder.get_relative_uri(self.env.docname, ref["page"])
            ref.replace_self(nodes.reference("", "", text, internal=True, refuri=uri))


def files_of(folder: Path) -> list[Path]:
    """The files of a cut stage that a reader wants, in a fixed order."""
    return sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))


def tarball(stage: Stage, folder: Path) -> bytes:
    """The stage as a .tar.gz that does not depend on when and where it was made."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for file in files_of(folder):
            data = file.read_bytes()
            entry = tarfile.TarInfo(f"{stage.folder}/{file.name}")
            entry.size, entry.mode, entry.mtime = len(data), 0o644, 0
            tar.addfile(entry, io.BytesIO(data))
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", filename="", mtime=0) as out:
        out.write(plain.getvalue())
    return packed.getvalue()


def listing(app: Sphinx, file: Path) -> str:
    """A file as highlighted HTML with an anchor for each line."""
    text = file.read_text(encoding="utf-8").rstrip("\n")
    language = "diff" if file.suffix == ".patch" else language_of(file.name)
    bridge = getattr(app.builder, "highlighter")
    lines = highlighted(bridge, text, language, file.name)
    rows = [f'<span class="row" id="L{n}"><a class="number" href="#L{n}" aria-label="line {n}">'
            f"{n}</a>{line}</span>" for n, line in enumerate(lines, 1)]
    return ('<div class="highlight listing"><pre tabindex="0">'
            + "\n".join(rows) + "\n</pre></div>")


def pages(app: Sphinx) -> Iterator[Page]:
    """Every page about the stages."""
    root = project.path_of(app, "fwts_stages_dir")
    stages = [s for s in read_stages(project.path_of(app, "fwts_stages_manifest"))
              if (root / s.folder).is_dir()]
    if not stages:
        project.missing(app, f"no stages were cut into {root}; run book/build")
        return
    rows = []
    for stage in stages:
        folder = root / stage.folder
        yield from stage_pages(app, stage, folder)
        target = Path(app.outdir) / "stages" / f"{stage.folder}.tar.gz"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(tarball(stage, folder))
        rows.append(f'<li><a href="{stage.folder}/index.html">{stage.number} '
                    f'{html.escape(stage.title)}</a> '
                    f'(<a href="{stage.folder}.tar.gz" download>{stage.folder}.tar.gz</a>)</li>')
    body = ("<h1>The driver, stage by stage</h1><p>Each stage is a complete module, cut from one "
            "source. A tarball builds with a plain <code>make</code> wherever kernel headers are "
            f"installed.</p><ul>{''.join(rows)}</ul>")
    yield "stages/index", {"title": "The driver, stage by stage", "body": body}, "page.html"


def stage_pages(app: Sphinx, stage: Stage, folder: Path) -> Iterator[Page]:
    """The pages of one stage."""
    names = []
    for file in files_of(folder):
        name = html.escape(file.name)
        names.append(f'<li><a href="{name}.html"><code>{name}</code></a></li>')
        title = f"{file.name}, stage {stage.number}"
        body = (f'<h1><code>{name}</code></h1><p>The whole file as it is in '
                f'<a href="index.html">stage {stage.number}, {html.escape(stage.title)}</a>.</p>'
                + listing(app, file))
        yield (f"stages/{stage.folder}/{file.name}", {"title": title, "body": body}, "page.html")
    title = f"Stage {stage.number}: {stage.title}"
    body = (f"<h1>{html.escape(title)}</h1><p>Told in <a href=\"../../chapters/{stage.chapter}"
            f'.html">its chapter</a>. All files as a tarball: <a href="../{stage.folder}.tar.gz" '
            f'download>{stage.folder}.tar.gz</a>.</p><ul class="files">{"".join(names)}</ul>')
    yield f"stages/{stage.folder}/index", {"title": title, "body": body}, "page.html"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the pages and the role."""
    app.add_node(stage_ref)
    app.add_role("stage", StageRole())
    app.add_post_transform(LinkStages)
    app.connect("html-collect-pages", pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
