# SPDX-License-Identifier: GPL-2.0
"""What a reader and a writer see of each extension."""

from __future__ import annotations

import json
import os
import re
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from small_book import WEAVE, SmallBook  # noqa: E402
from ext import reference  # noqa: E402

TITLE = "Title\n=====\n\n"


class SnippetTest(SmallBook):
    """.. snippet::"""

    def test_locator_names_file_function_and_stage_and_links_to_the_line(self) -> None:
        page = self.build({"index.rst": TITLE + ".. snippet:: probe-enable\n"})
        self.assertIn('href="stages/01-registration/igbook_main.c.html#L12">igbook_main.c, in '
                      "igbook_probe(), stage 01</a>", page)
        self.assertEqual(self.warnings, "")

    def test_locator_calls_no_variable(self) -> None:
        page = self.build({"index.rst": TITLE + ".. snippet:: ops-rings\n"})
        self.assertIn("igbook_ops.c, in igbook_ops, stage 01</a>", page)

    def test_context_lines_are_marked_as_context(self) -> None:
        page = self.build({"index.rst": TITLE + ".. snippet:: igbook_probe\n"})
        context = re.findall(r'<span class="ctx">(.*?)</span>\n', page)
        self.assertEqual(len(context), 2)
        self.assertIn("grey above", context[0])
        self.assertEqual(page.count('<span class="new">'), 4)

    def test_replaced_lines_are_shown_as_a_diff(self) -> None:
        page = self.build({"index.rst": TITLE + ".. snippet:: probe-enable\n"})
        self.assertRegex(page, r'<del class="old">.*old_call.*</del>')
        self.assertRegex(page, r'<ins class="new">.*new_call.*</ins>')

    def test_elided_part_links_to_its_snippet(self) -> None:
        page = self.build({"index.rst": TITLE + ".. snippet:: igbook_probe\n\n"
                                                ".. snippet:: probe-enable\n"})
        self.assertIn('<a href="#snippet-probe-enable">… probe-enable …</a>', page)

    def test_what_is_woven_anew_shows_whatever_the_time_of_the_file(self) -> None:
        text = TITLE + ".. snippet:: probe-enable\n"
        self.assertIn("new_call", self.build({"index.rst": text}))
        weave = self.root / "weave.json"
        before = weave.stat()
        weave.write_text(weave.read_text().replace("new_call", "now_call"))
        os.utime(weave, ns=(before.st_atime_ns, before.st_mtime_ns))
        self.assertIn("now_call", self.build({"index.rst": text}))

    def test_unknown_snippet_is_a_warning(self) -> None:
        self.build({"index.rst": TITLE + ".. snippet:: nowhere\n"})
        self.assertIn("loom knows no snippet 'nowhere'", self.warnings)

    def test_unknown_snippet_is_a_hole_in_a_draft(self) -> None:
        page = self.build({"index.rst": TITLE + ".. snippet:: nowhere\n"}, fwts_draft=True)
        self.assertEqual(self.warnings, "")
        self.assertIn("draft-hole", page)

    def test_snippet_shown_twice_is_a_warning(self) -> None:
        self.build({"index.rst": TITLE + ".. snippet:: probe-enable\n\n"
                                         ".. snippet:: probe-enable\n"})
        self.assertIn("'probe-enable' is shown twice here", self.warnings)

    def test_snippet_shown_in_two_documents_is_a_warning(self) -> None:
        both = ".. snippet:: probe-enable\n"
        self.build({"index.rst": TITLE + ".. toctree::\n\n   rest\n\n" + both,
                    "rest.rst": TITLE + both})
        self.assertIn("'probe-enable' is shown twice, in index and in rest", self.warnings)

    def test_neighbours_in_a_chapter_are_a_warning(self) -> None:
        both = ".. snippet:: one-a\n\n{}.. snippet:: one-b\n"
        for between in ("", ".. index:: a word\n\n", ".. a comment\n\n", ".. _place:\n\n"):
            with self.subTest(between):
                self.build({"index.rst": TITLE + both.format(between)})
                self.assertIn("no sentence stands between this snippet and the one before",
                              self.warnings)

    def test_a_sentence_between_neighbours_is_enough(self) -> None:
        self.build({"index.rst": TITLE + ".. snippet:: one-a\n\nWords.\n\n.. snippet:: one-b\n"})
        self.assertEqual(self.warnings, "")

    def test_neighbours_in_an_appendix_may_stand_together(self) -> None:
        self.build({"index.rst": TITLE + ".. toctree::\n\n   rest\n",
                    "rest.rst": TITLE + ".. snippet:: one-a\n\n.. snippet:: one-b\n"})
        self.assertEqual(self.warnings, "")

    def test_snippet_may_move_to_another_document(self) -> None:
        tree = TITLE + ".. toctree::\n\n   appendix\n\n"
        self.build({"index.rst": tree + ".. snippet:: probe-enable\n", "appendix.rst": TITLE})
        self.build({"index.rst": tree, "appendix.rst": TITLE + ".. snippet:: probe-enable\n"},
                   fresh=False)
        self.assertEqual(self.warnings, "")

    def test_snippet_in_the_chapter_of_another_stage_is_a_warning(self) -> None:
        self.build({"index.rst": TITLE + ".. snippet:: later\n"})
        self.assertIn("is of stage 02, which is told in 02-dma", self.warnings)

    def test_latex_greys_context_and_marks_the_diff(self) -> None:
        tex = self.build({"index.rst": TITLE + ".. snippet:: probe-enable\n"}, "latex")
        self.assertIn("\\fwtslocator{\\hypertarget{snippet-probe-enable}{}"
                      "igbook\\_main.c, in igbook\\_probe(), stage 01}", tex)
        self.assertIn("  \\fwtsctx{", tex)
        self.assertIn("\\fwtsold{- }\\fwtsold{        old\\PYGZus{}call(priv);}", tex)
        self.assertIn("\\fwtsnew{+ }", tex)

    def test_latex_sets_a_function_s_comment_smaller_than_its_code(self) -> None:
        tex = self.build({"index.rst": TITLE + ".. snippet:: one-a\n"}, "latex")
        self.assertRegex(tex, r"(?s)\\begin\{fwtsdoc\}\n[^\n]*/\*\*.*\*/.*\\end\{fwtsdoc\}\n"
                              r"\\fwtskeep\n\\begin\{fwtscode\}\n.*a.*void")

    def test_latex_names_the_file_once_for_neighbours(self) -> None:
        tex = self.build({"index.rst": TITLE + ".. snippet:: one-a\n\n.. snippet:: one-b\n"},
                         "latex")
        self.assertEqual(tex.count("\\fwtslocator{"), 1)
        self.assertIn("\\fwtsagain{\\hypertarget{snippet-one-b}{}}", tex)

    def test_latex_has_whole_functions_in_the_index(self) -> None:
        tex = self.build({"index.rst": TITLE + ".. snippet:: igbook_probe\n\n"
                          ".. snippet:: ops-rings\n"}, "latex")
        self.assertIn("\\index{igbook\\_probe (C function)@", tex)
        self.assertEqual(tex.count("\\index{"), 1)

    def test_latex_links_the_parts_left_out(self) -> None:
        tex = self.build({"index.rst": TITLE + ".. snippet:: igbook_probe\n\n"
                          ".. snippet:: probe-enable\n"}, "latex")
        self.assertIn("… \\hyperlink{snippet-probe-enable}{probe\\PYGZhy{}enable} …", tex)


class KernelTest(SmallBook):
    """:kernel:"""

    def test_symbol_links_to_the_index_with_file_and_line(self) -> None:
        page = self.build({"index.rst": TITLE + ":kernel:`net_rx_action`\n\n.. kernel-index::\n"})
        self.assertIn('title="net/core/dev.c:1 (6.12)"', page)
        self.assertIn('id="kernel-net-core-dev-c-net-rx-action"', page)
        self.assertEqual(self.warnings, "")

    def test_member_structure_and_file_resolve(self) -> None:
        page = self.build({"index.rst": TITLE + ":kernel:`sk_buff.truesize` "
                           ":kernel:`struct sk_buff` :kernel:`net/core/dev.c` "
                           ":kernel:`the loop <net_rx_action>`\n\n.. kernel-index::\n"})
        self.assertEqual(self.warnings, "")
        self.assertIn("include/linux/skbuff.h:2", page)
        self.assertIn("the loop", page)

    def test_unknown_symbol_is_a_warning(self) -> None:
        self.build({"index.rst": TITLE + ":kernel:`no_such_call`\n"})
        self.assertIn("does not define 'no_such_call'", self.warnings)

    def test_ambiguous_symbol_asks_for_the_file(self) -> None:
        self.build({"index.rst": TITLE + ":kernel:`twice`\n"})
        self.assertIn("net/core/dev.c, net/core/sock.c", self.warnings)
        self.build({"index.rst": TITLE + ":kernel:`net/core/sock.c:twice`\n"})
        self.assertEqual(self.warnings, "")

    def test_missing_source_is_a_warning(self) -> None:
        self.build({"index.rst": TITLE + ":kernel:`x`\n"}, fwts_kernel_source="nowhere")
        self.assertIn("no kernel source", self.warnings)


class TranscriptTest(SmallBook):
    """.. transcript::"""

    RECIPE = '[hello]\nrun = ["echo hello"]\n'

    def test_text_is_shown_with_its_command_marked(self) -> None:
        self.write("transcripts/transcripts.toml", self.RECIPE)
        self.write("transcripts/hello.txt", "# echo hello\nhello\n")
        page = self.build({"index.rst": TITLE + ".. transcript:: hello\n"})
        self.assertIn('<span class="gp"># </span><span class="gs">echo hello</span>', page)
        self.assertEqual(self.warnings, "")

    def test_never_recorded_is_a_warning_that_says_how(self) -> None:
        self.write("transcripts/transcripts.toml", self.RECIPE)
        self.build({"index.rst": TITLE + ".. transcript:: hello\n"})
        self.assertIn("book/transcripts/record hello", self.warnings)

    def test_text_without_recipe_is_a_warning(self) -> None:
        self.write("transcripts/hello.txt", "typed by hand\n")
        self.build({"index.rst": TITLE + ".. transcript:: hello\n"})
        self.assertIn("has no recipe", self.warnings)

    def test_part_of_the_lines_marks_the_gap(self) -> None:
        self.write("transcripts/transcripts.toml", self.RECIPE)
        self.write("transcripts/hello.txt", "# c\none\ntwo\nthree\n")
        page = self.build({"index.rst": TITLE + ".. transcript:: hello\n   :lines: 1-2\n"})
        self.assertIn("[…]", page)
        self.assertNotIn("three", page)


class JourneyTest(SmallBook):
    """.. journey::"""

    STOPS: list[dict[str, object]] = [
        {"id": "irq", "symbol": "igb_msix_ring", "file": "igb_main.c", "function": "f",
         "context": "hardirq", "cpu": 0, "task": "swapper", "title": "The interrupt",
         "text": "It came.", "shows": [{"expression": "budget", "rendered": "64"}],
         "checks": [{"what": "masked", "ok": True}], "backtrace": ["handle_irq"]},
        {"id": "poll", "symbol": "net_rx_action", "file": "net/core/dev.c", "function": "f",
         "context": "softirq", "cpu": 0, "task": "swapper", "title": "The <poll>",
         "text": "Again.", "shows": [], "checks": [], "backtrace": []}]

    def journey(self, stops: list[dict[str, object]], builder: str = "html") -> str:
        self.write("journeys/rx.json",
                   json.dumps({"trace": "rx", "kernel": "6.12", "stops": stops}))
        return self.build({"index.rst": TITLE + ".. journey:: rx\n"}, builder)

    def test_lanes_follow_the_contexts_seen(self) -> None:
        page = self.journey(self.STOPS)
        for lane in ("Hardware", "Hard interrupt", "Softirq"):
            self.assertIn(f">{lane}</text>", page)
        self.assertNotIn(">Process</text>", page)

    def test_everything_is_readable_without_the_picture(self) -> None:
        page = re.sub(r"<svg.*?</svg>", "", self.journey(self.STOPS), flags=re.S)
        for words in ("The interrupt", "It came.", "budget", "64", "handle_irq",
                      "The &lt;poll&gt;"):
            self.assertIn(words, page)

    def test_picture_that_has_not_changed_is_not_repeated(self) -> None:
        ring = {"expression": "net ring", "rendered": "eth0\n  empty"}
        full = {"expression": "net ring", "rendered": "eth0\n  full"}
        stops: list[dict[str, object]] = [{**self.STOPS[0], "shows": [show]}
                                          for show in (ring, ring, full, full)]
        page = self.journey(stops)
        for words, times in (("empty", 1), ("net ring: as at stop 1\n", 1), ("full", 1),
                             ("net ring: as at stop 3\n", 1)):
            self.assertEqual(page.count(words), times, words)

    def test_paper_repeats_of_a_picture_only_what_is_new(self) -> None:
        first = "queue\n  lock free\n  length 0\n  limit 9"
        then = first.replace("free", "taken")
        drawing = "skb\n  |inside|\n  end"
        stops: list[dict[str, object]] = [
            {**self.STOPS[0], "shows": [{"expression": name, "rendered": text}]}
            for name, text in (("net queue $rdi", first), ("net queue $rsi", then),
                               ("net queue $rdi", "other\n  of\n  all"), ("net skb $rdi", drawing),
                               ("net skb $rsi", drawing.replace("end", "tail")))]
        tex, page = self.journey(stops, "latex"), self.journey(stops)
        self.assertIn("rsi: as at stop 1, but\n  lock taken\n", tex)
        for words, paper, screen in (("limit 9", 1, 2), ("of\n  all", 1, 1), ("inside", 2, 2)):
            self.assertEqual((tex.count(words), page.count(words)), (paper, screen), words)

    def test_entry_of_a_system_call_is_one_function_on_paper(self) -> None:
        chain = ["sys", "__do_sys_bind", "__se_sys_bind", "__x64_sys_bind"]
        tex = self.journey([{**self.STOPS[0], "backtrace": chain}], "latex")
        self.assertIn(r"\sphinxupquote{sys ← \_\_x64\_sys\_bind}", tex)

    def test_callers_are_printed_once_on_paper(self) -> None:
        chains: dict[str, list[str]] = {
            "low": ["irq", "entry"], "middle": ["low", "irq", "entry"],
            "high": ["glue", "middle", "low", "irq"]}
        stops: list[dict[str, object]] = [
            {**self.STOPS[0], "symbol": name, "backtrace": chain}
            for name, chain in chains.items()]
        page, tex = self.journey(stops), self.journey(stops, "latex")
        for chain, paper in (("irq ← entry", "irq ← entry"),
                             ("low ← irq ← entry", "low ← …"),
                             ("glue ← middle ← low ← irq", "glue ← middle ← …")):
            self.assertIn(f">{chain}<", re.sub(r"</?span[^>]*>", "", page))
            self.assertIn(rf"\sphinxupquote{{{paper}}}", tex)

    def test_titles_are_whole_where_there_is_room(self) -> None:
        long = "The handler asks to be polled later"
        stops: list[dict[str, object]] = [{**self.STOPS[0], "title": long}, self.STOPS[1]]
        self.assertIn(f">1. {long}</text>", self.journey(stops))

    def test_lanes_fit_on_a_page_however_long_the_titles(self) -> None:
        from ext import journey
        stops: list[dict[str, object]] = [{**self.STOPS[0], "context": context, "title": 80 * "x"}
                                          for context in ("hardirq", "softirq", "process")]
        self.assertEqual(sum(journey.lane_widths(stops).values()), journey.MOST)
        self.assertEqual(journey.draw("x", stops, standalone=True).count("x…</text>"), 3)

    def test_check_that_did_not_hold_is_a_warning(self) -> None:
        failed: dict[str, object] = {"checks": [{"what": "masked", "ok": False}]}
        self.journey([{**self.STOPS[0], **failed}])
        self.assertIn("this did not hold: masked", self.warnings)

    def test_missing_journey_is_a_warning(self) -> None:
        self.build({"index.rst": TITLE + ".. journey:: nowhere\n"})
        self.assertIn("no journey 'nowhere'", self.warnings)


class CoverageTest(SmallBook):
    """coverage.toml"""

    PAGE = ".. _top:\n\n" + TITLE + ".. coverage-table::\n"

    def test_complete_map_is_quiet(self) -> None:
        self.coverage({"A1": '{ label = "top", title = "The start" }'})
        page = self.build({"index.rst": self.PAGE})
        self.assertEqual(self.warnings, "")
        self.assertIn("The start", page)

    def test_missing_topic(self) -> None:
        self.coverage({"B3": ""})
        self.build({"index.rst": self.PAGE})
        self.assertIn("topic B3 is missing", self.warnings)

    def test_missing_label(self) -> None:
        self.coverage({"A1": '{ label = "cov-a1" }'})
        self.build({"index.rst": self.PAGE})
        self.assertIn("no section has that label", self.warnings)

    def test_unknown_topic_and_chapter(self) -> None:
        self.coverage({"Z9": '{ label = "top" }', "A2": '{ chapter = "99" }'})
        self.build({"index.rst": self.PAGE})
        self.assertIn("unknown topic Z9", self.warnings)
        self.assertIn("chapter '99', which does not exist", self.warnings)


class BoxesTest(SmallBook):
    """Exercises and answers"""

    def test_answer_moves_to_the_appendix_and_both_link(self) -> None:
        text = TITLE + (".. toctree::\n\n   answers\n\n"
                        ".. exercise:: why\n   :title: Why\n\n   Ask.\n\n"
                        ".. answer:: why\n\n   Because.\n\nSee :exercise:`why`.\n")
        page = self.build({"index.rst": text, "answers.rst": "Answers\n=======\n\n"
                           ".. answers::\n"})
        self.assertNotIn("Because", page)
        self.assertIn("Exercise 1: Why", page)
        self.assertIn('href="answers.html#answer-why"', page)
        self.assertIn("Because", self.page("answers.html"))
        self.assertIn('href="index.html#exercise-why"', self.page("answers.html"))
        self.assertEqual(self.warnings, "")

    def test_latex_has_a_place_for_each_link_to_jump_to(self) -> None:
        tex = self.build({"index.rst": TITLE + ".. toctree::\n\n   one\n   answers\n",
                          "one.rst": "One\n===\n\n.. exercise:: why\n\n   Ask.\n\n"
                          ".. answer:: why\n\n   Because.\n",
                          "answers.rst": "Answers\n=======\n\n.. answers::\n"}, "latex")
        for place in ("one:exercise-why", "answers:answer-why"):
            self.assertIn(rf"\label{{\detokenize{{{place}}}}}", tex)
            self.assertIn(rf"\hyperref[\detokenize{{{place}}}]", tex)
        # On paper an exercise has no box: title, text and link are one paragraph.
        self.assertIn(r"\sphinxstylestrong{Exercise 1.} Ask. "
                      r"{\hyperref[\detokenize{answers:answer-why}]", tex)
        # Nor does an answer's title stand alone.
        self.assertRegex(tex, r"\\sphinxstylestrong\{\{\\hyperref[^\n]*Exercise 1.*\.\} Because\.")

    def test_answer_has_the_quotation_marks_of_the_text_around_it(self) -> None:
        page = self.build({"index.rst": TITLE + ".. exercise:: why\n\n   \"Ask\".\n\n"
                           ".. answer:: why\n\n   \"Because\": ``\"x\"``.\n\n.. answers::\n"})
        for words in ("“Ask”", "“Because”"):
            self.assertIn(words, page)
        self.assertIn('"x"', re.sub("<[^>]*>", "", page).replace("&quot;", '"'))

    def test_box_of_a_kind_says_what_it_is_about(self) -> None:
        page = self.build({"index.rst": TITLE + ".. watch:: the *ring*\n\n   Look.\n"})
        self.assertRegex(page, r'class="[^"]*\bwatch\b')
        self.assertIn("Watch it and tune it: the <em>ring</em>", page)

    def test_reference_to_no_exercise_is_a_warning(self) -> None:
        self.build({"index.rst": TITLE + ":exercise:`nothing`\n"})
        self.assertIn("no exercise has the label 'nothing'", self.warnings)


class ListingsTest(SmallBook):
    """Stage pages and tarballs"""

    def test_listing_has_line_anchors_and_tarball_is_reproducible(self) -> None:
        self.build({"index.rst": TITLE + ":stage:`01`\n"})
        self.assertIn('id="L1"', self.page("stages/01-registration/igbook_main.c.html"))
        tar = self.root / "out/html/stages/01-registration.tar.gz"
        first = tar.read_bytes()
        (self.root / "stages/01-registration/igbook_main.c").touch()
        self.build({"index.rst": TITLE + ":stage:`01`\n"})
        self.assertEqual(first, tar.read_bytes())
        with tarfile.open(tar) as opened:
            self.assertEqual(opened.getnames(), ["01-registration/igbook_main.c"])


class TidyTest(SmallBook):
    """What docutils lets pass"""

    def test_included_piece_does_not_end_with_empty_lines(self) -> None:
        self.write("a.c", "int a;\n\nint b;\n")
        page = self.build({"index.rst": TITLE + ".. literalinclude:: a.c\n   :language: text\n"
                                                "   :end-before: int b\n"})
        self.assertIn("int a;\n</pre>", page)

    def test_parameters_have_dashes_and_options_two_hyphens(self) -> None:
        page = self.build({"index.rst": TITLE + ".. c:function:: int f(int a)\n\n   With --all.\n\n"
                                                "   :param a: first\n"}, smartquotes_action="qe")
        self.assertIn(" – first", re.sub("<[^>]*>", "", page))
        self.assertIn("With --all.", page)

    def test_initial_that_became_a_list_is_a_warning(self) -> None:
        for text, warned in (("- R. Braden, *Sums*.", True), ("- \\R. Braden, *Sums*.", False),
                             ("- first\n\n  a. one\n  b. two", False)):
            self.build({"index.rst": TITLE + text + "\n"})
            self.assertEqual("was read as a numbered list" in self.warnings, warned, text)


class PaperTest(SmallBook):
    """Pages and an index for the PDF"""

    def test_references_elsewhere_have_a_page(self) -> None:
        tex = self.build({"index.rst": TITLE + ".. _here:\n\nHere\n----\n\n:ref:`here`, :doc:`two`"
                          " and (see :ref:`there`).\n\n.. toctree::\n\n   two\n",
                          "two.rst": "Two\n===\n\n.. _there:\n\nThere\n-----\n"}, "latex")
        self.assertRegex(tex, r"Two\}+\\fwtspage\{\\detokenize\{two::doc\}\} and")
        self.assertRegex(tex, r"There\}+\\fwtspagein\{\\detokenize\{two:there\}\}\)")
        self.assertEqual(tex.count("fwtspage"), 2)

    def test_mentions_are_in_the_index(self) -> None:
        tex = self.build({"index.rst": TITLE + ":kernel:`net_rx_action`, :term:`Rings <ring>`, "
                          ":c:func:`igbook_probe`.\n\n.. glossary::\n\n   ring\n      Round.\n\n"
                          ".. c:function:: int igbook_probe(void)\n\n.. c:var:: int igbook_var\n"},
                         "latex")
        for key in (r"net\_rx\_action@", "ring@", r"igbook\_probe (C function)@"):
            self.assertIn(rf"\index{{{key}", tex[:tex.index("Round.")])
        self.assertNotIn("(C var)@", tex)
        # No page ends between a heading and what the entry in front of it stands for.
        self.assertRegex(tex, r"\\spxextra\{C function\}\}\s*\\nobreak\s*\\begin\{fulllineitems\}")


class RepairsTest(unittest.TestCase):
    """Repairs to the theme"""

    def test_each_repair_happens_once_and_only_where_needed(self) -> None:
        from ext import repairs
        script = 'import Gumshoe from "./gumshoe-patched.js";\nstart();\n'
        fixed = repairs.repair_script(script, "library();\n")
        self.assertEqual(fixed, "library();\nstart();\n")
        self.assertEqual(repairs.repair_script(fixed, "library();\n"), fixed)
        self.assertEqual(repairs.repair_script(script.replace("import", "import * as"),
                                               "library();\n"), fixed)
        icons = '@media (prefers-color-scheme: dark) { body[data-theme="auto"] svg { --b: 2 } }\n'
        for before in ("", icons):
            css = before + '@media not print {\n  body[data-theme="dark"] { --a: 1 } }\n'
            dark = repairs.repair_dark(css)
            self.assertIn('body:not([data-theme="light"]) { --a: 1 }', dark)
            self.assertEqual(repairs.repair_dark(dark), dark)
        for good in ('@media(prefers-color-scheme: dark){body:not([data-theme=light]){--a:1}}', ""):
            self.assertEqual(repairs.repair_dark(good), good)
        self.assertEqual(repairs.repair_import("@import url(/javascript/n/n.css);\nx", False), "x")

    def test_the_theme_s_script_runs_from_a_file(self) -> None:
        from ext import repairs

        class Script:
            """As Sphinx has it."""

            def __init__(self, filename: str, kind: str) -> None:
                self.filename = filename
                self.attributes = {"type": kind}
        theme, own = Script("_static/scripts/furo.js", "module"), Script("_static/a.js", "module")
        files = {"script_files": ["b.js", theme, own]}
        repairs.load_from_files(None, "index", "page.html", files, None)
        self.assertEqual(theme.attributes, {"defer": "defer"})
        self.assertEqual(own.attributes, {"type": "module"})


class ReferenceTest(unittest.TestCase):
    """.. driver-reference::"""

    def test_a_function_with_the_name_of_a_structure_is_declared_in_a_namespace_of_its_own(
            self) -> None:
        with tempfile.TemporaryDirectory() as place:
            index = Path(place) / "index.xml"
            index.write_text(
                "<doxygenindex><compound kind='struct'><name>shape</name></compound>"
                "<compound kind='file'><name>resize.c</name>"
                "<member kind='function'><name>shape</name></member>"
                "<member kind='function'><name>other</name></member></compound></doxygenindex>",
                encoding="utf-8")
            text = "\n".join(reference.as_text(index))
        self.assertIn(".. c:namespace-push:: function\n\n.. doxygenfunction:: shape\n\n"
                      ".. c:namespace-pop::\n\n.. doxygenfunction:: other\n", text)


class MeasurementTest(SmallBook):
    """.. frame-table::, .. profile-table::, .. load-plot:: and their roles"""

    def frames(self, name: str, *rows: tuple[str, str, list[float]], **more: str) -> None:
        """A file as ``measure frames --json`` writes it."""
        self.write(f"measurements/{name}.json", json.dumps({"rows": [
            {"driver": driver, **more, "work": work, "instructions": round(sum(runs) / len(runs)),
             "interrupts": 0.0625, "runs": runs} for driver, work, runs in rows]}))

    def profile(self, name: str, *rows: tuple[str, str, float]) -> None:
        """A file as ``measure profile --json`` writes it."""
        self.write(f"measurements/{name}.json", json.dumps({"rows": [
            {"driver": driver, "work": "receive-32", "group": group, "function": f"f{at}",
             "instructions": instructions}
            for at, (driver, group, instructions) in enumerate(rows)]}))

    def loads(self, name: str, *points: tuple[float, float], **more: str) -> None:
        """A file as ``measure livelock --json`` writes it."""
        self.write(f"measurements/{name}.json", json.dumps({"rows": [
            {"driver": "05", **more, "offered": offered, "accepted": offered, "busy": 0.5,
             "delivered": delivered} for offered, delivered in points]}))

    def cells(self, page: str) -> list[list[str]]:
        """The words of the page's table."""
        return [re.findall(r"<t[hd][^>]*><p>(.*?)</p>\n?</t[hd]>", row, re.DOTALL)
                for row in re.findall(r"<tr.*?</tr>", page, re.DOTALL)]

    def test_table_has_a_row_for_each_work_and_a_column_for_each_driver(self) -> None:
        self.frames("frames", ("igb", "receive-1", [1999.0, 2001.0]),
                    ("igb", "pktgen-1", [10.0, 10.0]), ("04", "receive-1", [900.0, 900.0]))
        self.frames("more", ("06", "receive-1", [5000.0, 5000.0]), label="threaded")
        page = self.build({"index.rst": TITLE + ".. frame-table:: frames more\n   :name: tab-x\n\n"
                                                "   Price of a *frame*.\n"})
        self.assertEqual(self.cells(page), [
            ["a frame", "igb", "stage 04", "stage 06,</p>\n<p>threaded"],
            ["received, one by one", "2000", "900", "5000"],
            ["sent endlessly, one by one", "10", "–", "–"]])
        self.assertIn("Price of a <em>frame</em>. Each figure is the mean of 2 runs, which differ "
                      "by at most 0.10 %.", page)
        self.assertIn('id="tab-x"', page)
        self.assertEqual(self.warnings, "")

    def test_table_can_show_interrupts(self) -> None:
        self.frames("frames", ("igb", "receive-1", [2000.0]))
        page = self.build({"index.rst": TITLE + ".. frame-table:: frames\n   :show: interrupts\n"})
        self.assertEqual(self.cells(page)[1], ["received, one by one", "0.06"])
        self.assertIn("Each figure is from one run.", page)

    def test_profile_has_a_row_for_each_group_and_a_sum(self) -> None:
        self.profile("profile-a", ("floor", "skb and buffers", 20.25), ("floor", "core", 446.4),
                     ("floor", "interrupt and softirq", -1.0), ("floor", "driver", 0.3),
                     ("igb", "core", 300.0), ("igb", "core", 62.6), ("igb", "driver", 229.0))
        page = self.build({"index.rst": TITLE + ".. profile-table:: profile-a\n"
                           "   :name: tab-p\n\n   Where they go.\n"})
        self.assertEqual(self.cells(page), [
            ["a frame", "no driver", "igb"], ["core", "446", "363"], ["skb and buffers", "20", "–"],
            ["driver", "–", "229"], ["interrupt and softirq", "−1", "–"], ["sum", "466", "592"]])
        self.assertIn("Where they go. Each figure is rounded by itself.", page)
        self.assertIn('id="tab-p"', page)
        self.assertEqual(self.warnings, "")

    def test_figures_in_the_text_come_from_the_measurements(self) -> None:
        self.frames("frames", ("06", "receive-1", [2241.0]))
        self.frames("frames-more", ("06", "receive-1", [5466.0]), label="threaded")
        self.loads("livelock", (100_000, 99_400), (400_000, 359))
        page = self.build({"index.rst": TITLE + "From :price:`06 receive-1` to :price:`06+threaded "
                           "receive-1`; :load:`livelock 100 delivered`, :load:`livelock 390 "
                           "delivered`, :load:`livelock 100 busy`.\n"})
        self.assertIn("From 2241 to 5466; 99,000, 359, 50 %.", page)
        self.assertEqual(self.warnings, "")

    def test_plot_has_every_point_and_says_them_in_words(self) -> None:
        self.loads("a", (100_000, 99_000), (400_000, 1_000))
        self.loads("b", (100_000, 100_000), label="threaded")
        page = self.build({"index.rst": TITLE + ".. load-plot:: a b\n\n   Caption.\n"})
        self.assertIn("stage 05: 100 offered, 99 delivered, 400 offered, 1 delivered (thousand "
                      "frames a second). stage 05, threaded: 100 offered, 100 delivered", page)
        drawing = next(self.root.glob("**/a-b.svg")).read_text(encoding="utf-8")
        self.assertEqual(drawing.count("<circle"), 3)
        self.assertIn(">stage 05, threaded</text>", drawing)

    def test_labels_of_the_plot_do_not_cover_each_other(self) -> None:
        from ext.loadplot import apart
        self.assertEqual(apart([300.0, 100.0, 301.0]), [286.0, 100.0, 301.0])
        self.assertEqual(apart([50.0, 50.0, 50.0]), [50.0, 35.0, 20.0])

    def test_what_was_not_measured_is_a_warning(self) -> None:
        self.build({"index.rst": TITLE + ".. frame-table:: no\n\n.. load-plot:: neither\n\n"
                    ".. profile-table:: nor\n\n"
                    ":price:`06 nothing` :load:`none 100 delivered`\n"})
        for complaint in ("no measurement 'no'", "no measurement 'neither'", "no measurement "
                          "'nor'", "no measurement 'none'",
                          "no measurement of a frame '06 nothing'"):
            self.assertIn(complaint, self.warnings)


class FixtureTest(unittest.TestCase):
    """The fixture has the fields that loom writes."""

    def test_fields(self) -> None:
        for piece in WEAVE["snippets"].values():
            self.assertLessEqual({"id", "kind", "file", "function", "stage", "first_line",
                                  "last_line", "before", "lines", "after", "removed"},
                                 set(piece))


if __name__ == "__main__":
    unittest.main()
