# SPDX-License-Identifier: GPL-2.0
"""Sphinx configuration of "From Wire to Socket".  Build with book/build, not by hand."""

import os
import re
import sys
from pathlib import Path

BOOK = Path(__file__).resolve().parent
sys.path.insert(0, str(BOOK))

project = "From Wire to Socket"
author = "The authors of From Wire to Socket"
project_copyright = f"{author}. Text and figures CC BY-SA 4.0, code GPL-2.0"
language = "en"
# book/build says where it is; the directory is called linux-VERSION-HASH.
fwts_kernel_source = os.environ.get("FWTS_KERNEL_SOURCE", "../build/kernel/trace/source")
_version = re.match(r"linux-([0-9.]+)", (BOOK / fwts_kernel_source).resolve().name)
release = f"Linux {_version.group(1) if _version else '6.12'}"

extensions = [
    "breathe",
    "sphinx.ext.graphviz",
    "ext.project",
    "ext.boxes",
    "ext.snippet",
    "ext.kernelref",
    "ext.transcript",
    "ext.journey",
    "ext.drawing",
    "ext.descriptor",
    "ext.ring",
    "ext.frametable",
    "ext.loadplot",
    "ext.coverage",
    "ext.facts",
    "ext.reference",
    "ext.listings",
    "ext.svgpdf",
    "ext.repairs",
    "ext.tidy",
    "ext.paper",
]

# The index of the kernel source is shared by all checkouts of this user. book/build says where.
fwts_cache = os.path.join(os.environ["FWTS_CACHE"], "book")

root_doc = "index"
exclude_patterns = ["README.rst", "tests", "transcripts", "tools", "ext"]
primary_domain = "c"
highlight_language = "c"
numfig = True
nitpicky = True
nitpick_ignore_regex = [
    ("c:identifier", r".*"),
]
c_id_attributes = ["__iomem", "__init", "__exit", "__must_check", "__always_unused",
                   "__maybe_unused"]

graphviz_output_format = "svg"

breathe_projects = {"driver": str(BOOK.parent / "build/book/doxygen/xml")}
breathe_default_project = "driver"
breathe_show_include = False
# Static functions live in .c files only, and the reference is about them.
breathe_implementation_filename_extensions: list[str] = []
breathe_domain_by_extension = {"c": "c", "h": "c"}

# British spelling; code, names of the kernel and literals are not words.
try:
    import sphinxcontrib.spelling  # noqa: F401
    extensions.append("sphinxcontrib.spelling")
except ImportError:
    pass
spelling_lang = "en_GB"
spelling_word_list_filename = "spelling.txt"
spelling_show_suggestions = False
spelling_exclude_patterns = ["appendix/kernel-symbols.rst", "appendix/reference.rst",
                             "appendix/facts.rst"]

# Quotation marks and ellipses; two hyphens are an option's.
smartquotes_action = "qe"

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_js_files = ["player.js", "book.js", "ring.js"]
html_copy_source = False
html_show_sphinx = False
html_baseurl = ""
pygments_style = "default"
pygments_dark_style = "github-dark"

latex_engine = "xelatex"
latex_use_xindy = False
latex_documents = [(root_doc, "from-wire-to-socket.tex", project, author, "manual")]
latex_show_urls = "no"
latex_domain_indices = False
latex_additional_files: list[str] = []
latex_elements = {
    "papersize": "a4paper",
    "pointsize": "10pt",
    "classoptions": ",openany,oneside",
    "geometry": r"\usepackage[a4paper,margin=24mm,top=21mm,bottom=19mm]{geometry}",
    "fncychap": "",
    "fontpkg": r"""
\setmainfont{FreeSerif}[Extension=.otf, BoldFont=*Bold, ItalicFont=*Italic,
  BoldItalicFont=*BoldItalic]
\setsansfont{FreeSans}[Extension=.otf, BoldFont=*Bold, ItalicFont=*Oblique,
  BoldItalicFont=*BoldOblique]
\setmonofont{DejaVuSansMono}[Extension=.ttf, BoldFont=*-Bold, ItalicFont=*-Oblique,
  BoldItalicFont=*-BoldOblique, Scale=0.82, HyphenChar=None]
""",
    "fvset": r"\fvset{fontsize=\fontsize{8.6}{8.8}\selectfont}",
    "sphinxsetup": ("verbatimwithframe=false, VerbatimColor={HTML}{F5F6F8}, "
                    "TitleColor={HTML}{14202B}, InnerLinkColor={HTML}{1B4F86}, "
                    "OuterLinkColor={HTML}{1B4F86}, hmargin=24mm, verbatimsep=4pt"),
    "preamble": (BOOK / "_static/preamble.tex").read_text(),
    "maketitle": rf"\fwtstitlepage{{{project}}}{{{author}}}{{Built on {release}}}",
    "printindex": r"\printindex",
    "releasename": " ",
    "tableofcontents": (r"\setcounter{tocdepth}{1}\renewcommand{\contentsname}{Contents}"
                        r"\sphinxtableofcontents"),
}
