# SPDX-License-Identifier: GPL-2.0
"""Facts: their marks, their list, and every way in which one can go stale."""

from __future__ import annotations

import re
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent))
from small_book import BOOK, SmallBook  # noqa: E402
from ext import ledger  # noqa: E402
from tools_test import load  # noqa: E402

INDEX = "Title\n=====\n\n.. toctree::\n\n   chapters/naps\n   list\n   answers\n\n"
LIST = {"list.rst": "Facts\n=====\n\n.. fact-list::\n",
        "answers.rst": "Answers\n=======\n\n.. answers::\n"}
DEV_C = """#define WAIT(x)\t\t\\
\tdo {\t\t\\
\t\tmsleep(20); \\
\t} while (0)
#define OTHER 1
#ifdef CONFIG_SMP
void __init setup(int many)
{
\tfirst(many);
}
EXPORT_SYMBOL(setup);
#else
void setup(int one)
{
\tsecond(one);
}
EXPORT_SYMBOL(setup);
#endif
struct nap {
\tint weight;
};
enum { NAP_SHORT, NAP_LONG = 7 };
enum state {
\tSTATE_ASLEEP,
};
SYSCALL_DEFINE1(doze, int, time)
{
\treturn sleep(
\t\ttime);
}
"""
SEEN = 'kernel = { file = "net/core/nap.c", in = "setup", pattern = "first" }\n'


def entry(words: str, evidence: str = SEEN) -> str:
    """One fact of the ledger."""
    return f'[[fact]]\nwords = """{words}"""\n{evidence}'


class FactTest(SmallBook):
    """Builds of a book with one chapter that has facts."""

    def setUp(self) -> None:
        super().setUp()
        self.write("kernel/net/core/nap.c", DEV_C)

    def naps(self, text: str, *facts: str, builder: str = "html", **settings: Any) -> str:
        """Build with this chapter and these facts; the chapter's page is returned."""
        self.write("facts/naps.toml", "\n".join(facts))
        page = self.build({"index.rst": INDEX, **LIST, "chapters/naps.rst":
                           f"Naps\n====\n\n{text}\n"}, builder, **settings)
        return self.page("chapters/naps.html") if builder == "html" else page

    def marked(self, text: str, *words: str) -> str:
        """The page with [n] for each mark, and without the other tags."""
        page = self.naps(text, *(entry(some) for some in words))
        self.assertEqual(self.warnings, "")
        page = re.sub(r'<sup><a class="fact-mark".*?>(\d+)</a></sup>', r"[\1]", page)
        return re.sub(r"<(?!/?(strong|em|code)\b).*?>", "", page)


class MarkTest(FactTest):
    """Where the marks stand"""

    def test_mark_and_entry_lead_to_each_other(self) -> None:
        page = self.naps("A nap waits for a lock, always.", entry("nap waits for a lock"))
        self.assertEqual(self.warnings, "")
        self.assertIn('lock,<sup><a class="fact-mark" href="../list.html#fact-naps-1" '
                      'id="said-naps-1" title="Fact 1: net/core/nap.c, setup">1</a></sup> always',
                      page)
        listed = self.page("list.html")
        self.assertIn('href="chapters/naps.html#said-naps-1" id="fact-naps-1"', listed)
        self.assertIn("“nap waits for a lock”", listed)
        self.assertIn('href="#facts-naps">Naps</a>: 1', listed)
        self.assertRegex(listed, "net/core/nap.c</span></code>, <code.*setup")

    def test_latex(self) -> None:
        tex = self.naps("A nap waits for a lock.", entry("nap waits for a lock"),
                        builder="latex")
        self.assertEqual(self.warnings, "")
        self.assertIn(r"lock.\fwtsfactmark{said-naps-1}{fact-naps-1}{1}", tex)
        self.assertIn(r"\fwtsfactentry{fact-naps-1}{said-naps-1}{1}", tex)
        self.assertIn(r"\fwtsfactpage{said-naps-1}", tex)

    def test_numbers_follow_the_text(self) -> None:
        self.assertIn("One is so.[1] Two is\nso,[2] and three is so.[3]", self.marked(
            "One is so. Two is\nso, and three is so.", "three is so", "One is so", "Two is so"))

    def test_inside_emphasis_and_at_its_end(self) -> None:
        self.assertRegex(self.marked("**A nap ends late** and *a sleep ends early or never*.",
                                     "nap ends late", "sleep ends early"),
                         r"<strong>A nap ends late</strong>\[1\] and "
                         r"<em>a sleep ends early\[2\] or never</em>\.")

    def test_names_and_links_are_not_taken_apart(self) -> None:
        page = self.marked("It calls ``net_rx_action()``. See :kernel:`the long loop "
                           "<net_rx_action>`, or `a nap <https://x.example>`__!",
                           "It calls net_rx_action", "See the long", "or a nap")
        self.assertIn("net_rx_action()</code>[1]. See the long loop[2], or a nap![3]",
                      re.sub("<code.*?>", "", page).replace(" \n", " "))

    def test_quotes_dashes_and_line_ends_do_not_count(self) -> None:
        self.assertIn("late[1]", self.marked(
            "It doesn't wait -- it\n\"sleeps\" late, at six.", "doesn’t wait – it sleeps late")
            .replace(",[1]", "[1]"))

    def test_a_number_is_not_cut(self) -> None:
        self.assertIn("since 6.[1] Not 6.12", self.marked("So since 6. Not 6.12.", "So since 6"))

    def test_cells_captions_terms_and_answers(self) -> None:
        page = self.marked(
            ".. list-table:: The table of naps\n\n   * - one cell here\n     - other\n\n"
            "a term it is\n   defined\n\n.. exercise:: why\n\n   Ask.\n\n"
            ".. answer:: why\n\n   It is so because.\n",
            "table of naps", "one cell here", "term it is", "It is so")
        for words in ("table of naps[1]", "one cell here[2]", "a term it is[3]"):
            self.assertIn(words, page)
        self.assertIn('id="said-naps-4"', self.page("answers.html"))
        self.assertIn('href="answers.html#said-naps-4"', self.page("list.html"))

    def test_changed_facts_are_read_again(self) -> None:
        self.naps("One is so. Two is so.", entry("One is so"))
        page = self.naps("One is so. Two is so.", entry("Two is so"), fresh=False)
        self.assertRegex(page, r"Two is so\.<sup>")
        self.assertNotRegex(page, r"One is so\.<sup>")

    def test_read_and_written_in_parallel(self) -> None:
        more = {f"more{n}.rst": f":orphan:\n\nMore {n}\n=======\n\nText.\n" for n in range(12)}
        for name, text in more.items():
            self.write(name, text)
        page = self.naps("One is so.", entry("One is so"), parallel=2)
        self.assertEqual(self.warnings, "")
        self.assertIn('id="said-naps-1"', page)
        self.assertIn('id="fact-naps-1"', self.page("list.html"))


class StaleTest(FactTest):
    """What stops a build"""

    def complaint(self, text: str, *facts: str, **settings: Any) -> str:
        self.naps(text, *facts, **settings)
        return self.warnings

    def changed(self, old: str, new: str) -> str:
        """What is said when the evidence has changed."""
        return self.complaint("It is so.", entry("It is so", SEEN.replace(old, new)))

    def test_words_not_found(self) -> None:
        said = self.complaint("One is so.", entry("One is so"), entry("Two is so"))
        self.assertRegex(said, r"facts/naps.toml:5: .*“Two is so”: the words stand in no "
                               r"paragraph, cell or caption of chapters/naps")
        self.assertNotIn("“One", said)

    def test_words_not_found_are_told_by_the_next_build_too(self) -> None:
        self.complaint("One is so.", entry("Two is so"))
        self.assertIn("“Two is so”", self.complaint("One is so.", entry("Two is so"),
                                                    fresh=False))

    def test_words_found_twice(self) -> None:
        self.assertIn("the words stand 2 times", self.complaint("It is so.\n\nIt\nis so, too.",
                                                                entry("It is so")))

    def test_words_over_two_paragraphs(self) -> None:
        self.assertIn("in no paragraph", self.complaint("It\n\nis so.", entry("It is so")))

    def test_part_of_a_word(self) -> None:
        self.assertIn("in no paragraph", self.complaint("It is some.", entry("It is so")))

    def test_pattern_gone(self) -> None:
        self.assertIn("naps.toml:1: WARNING: fact “It is so”: net/core/nap.c, setup has nothing "
                      "that matches 'third'",
                      self.changed("first", "third"))

    def test_no_such_file_or_function(self) -> None:
        self.assertIn("has no file net/core/nop.c", self.changed("nap.c", "nop.c"))
        self.assertIn("net/core/nap.c does not define start", self.changed("setup", "start"))

    def test_draft_does_not_warn(self) -> None:
        self.assertEqual(self.complaint("One.", entry("Two is so"), fwts_draft=True), "")
        self.assertIn("“Two is so”", self.page("list.html"))

    def test_facts_of_no_chapter(self) -> None:
        self.write("facts/dreams.toml", entry("One is so"))
        self.assertIn("there is no chapter dreams",
                      self.complaint("One is so.", entry("One is so")))

    def test_too_few(self) -> None:
        with mock.patch.dict(ledger.LEAST, {"naps": 40, "unwritten": 40}):
            said = self.complaint("One is so.", entry("One is so"))
        self.assertIn("1 of chapter naps, and there should be 40", said)
        self.assertNotIn("unwritten", said)


class LedgerTest(unittest.TestCase):
    """Reading an entry and looking up its evidence"""

    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.root = Path(holder.name)
        (self.root / "nap.c").write_text(DEV_C, encoding="utf-8")

    def problems(self, evidence: str) -> str:
        """What is wrong with a fact of this evidence."""
        path = self.root / "naps.toml"
        path.write_text(entry("It is so", evidence), encoding="utf-8")
        facts, problems = ledger.read(path)
        problems += ledger.check_evidence(facts, self.root, self.root)
        return "\n".join(text.partition(": ")[2] for _, text in problems)

    def seen(self, within: str, pattern: str) -> str:
        return self.problems(f"kernel = {{ file = 'nap.c', in = '{within}', "
                             f"pattern = '{pattern}' }}")

    def test_wrong_keys(self) -> None:
        for evidence, said in (
                ("", "no evidence"), ("colour = 'red'", "unknown key 'colour'"),
                ("kernel = 'nap.c'", "kernel is not a table"),
                ("kernel = { file = 'nap.c' }", "kernel has no 'pattern'"),
                ("kernel = { file = 'nap.c', pattern = '' }", "a value that is no text"),
                ("kernel = { file = 'nap.c', pattern = '(' }", "'(' is no regular expression"),
                ("kernel = { file = 'nap.c', pattern = 'x', line = 3 }", "unknown key 'line'"),
                ("run = { pattern = 'x' }", "run needs one of transcript, journey"),
                ("run = { transcript = 'x' }", "run has no 'pattern'"),
                ("datasheet = { page = 3 }", "datasheet has an unknown key 'page'"),
                ("paper = {}", "paper has no 'reference'")):
            with self.subTest(evidence):
                self.assertIn(said, self.problems(evidence))

    def test_file_that_is_no_ledger(self) -> None:
        path = self.root / "naps.toml"
        for text, said in (("[[fact]\n", "line 1"), ("[[facts]]\n", "unknown table 'facts'"),
                           ("[[fact]]\n", "without words"),
                           ("fact = [{ words = 'x' }]\n", "begins with a line [[fact]]")):
            path.write_text(text, encoding="utf-8")
            self.assertIn(said, ledger.read(path)[1][0].text)

    def test_definitions(self) -> None:
        for within, pattern in (("setup", "first"), ("setup", "second"), ("WAIT", "msleep"),
                                ("nap", "int weight;"), ("NAP_LONG", "= 7"), ("state", "ASLEEP"),
                                ("later_name|setup", "first"),
                                ("sys_doze", "sleep\\( time")):
            self.assertEqual(self.seen(within, pattern), "", within)
        for within, pattern in (("setup", "weight"), ("WAIT", "OTHER"), ("nap", "NAP_SHORT")):
            self.assertIn("nothing that matches", self.seen(within, pattern))

    def test_several_places_must_all_hold(self) -> None:
        place = "{ file = 'nap.c', pattern = %s }"
        one, two = place % "['first', 'second']", place % "['first', 'third']"
        self.assertEqual(self.problems(f"kernel = [ {one} ]"), "")
        self.assertIn("'third'", self.problems(f"kernel = [ {one}, {two} ]"))

    def test_runs(self) -> None:
        (self.root / "transcripts").mkdir()
        (self.root / "transcripts/nap.txt").write_text("12 naps\n", encoding="utf-8")
        self.assertEqual(self.problems("run = { transcript = 'nap', pattern = '12 naps' }"), "")
        self.assertIn("transcript nap has nothing that matches '13 naps'",
                      self.problems("run = { transcript = 'nap', pattern = '13 naps' }"))
        self.assertIn("there is no journey nap",
                      self.problems("run = { journey = 'nap', pattern = 'x' }"))

    def test_datasheet_and_paper_are_believed(self) -> None:
        self.assertEqual(self.problems("datasheet = { section = 'Naps' }\n"
                                       "paper = { reference = 'Mogul' }"), "")

    def test_check_without_sphinx(self) -> None:
        tool = load("tools/check_facts.py")
        for folder in ("chapters", "facts"):
            (self.root / folder).mkdir()
        (self.root / "chapters/naps.rst").write_text(
            "Naps\n====\n\nThe function :kernel:`the setup <setup>` *waits* for\n``first``.\n\n"
            "Again. Again.\n", encoding="utf-8")
        seen = 'kernel = { file = "nap.c", in = "setup", pattern = "first" }\n'
        facts = [entry("the setup waits for first", seen), entry("Again", seen),
                 entry("Never", seen)]
        (self.root / "facts/naps.toml").write_text("\n".join(facts), encoding="utf-8")
        with mock.patch.dict(ledger.LEAST, clear=True):
            count, problems = tool.check(self.root, self.root)
        self.assertEqual(count, "3 facts in 1 chapters")
        self.assertEqual([text for _, text in problems],
                         ["fact “Again”: the words stand 2 times in naps.rst",
                          "fact “Never”: the words stand 0 times in naps.rst"])


class BookTest(unittest.TestCase):
    """The book's own ledger"""

    def test_each_chapter_with_facts_has_forty_unless_less_was_asked_for(self) -> None:
        facts, problems = ledger.read_all(BOOK / "facts")
        self.assertEqual(problems, [])
        for chapter, some in facts.items():
            self.assertGreaterEqual(len(some), ledger.LEAST.get(chapter, 40), chapter)


if __name__ == "__main__":
    unittest.main()
