# SPDX-License-Identifier: GPL-2.0
"""The small programs beside the book."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from types import ModuleType
from unittest import mock

BOOK = Path(__file__).resolve().parents[2]


def load(path: str) -> ModuleType:
    """A program of the book as a module."""
    name = Path(path).stem
    loader = importlib.machinery.SourceFileLoader(name, str(BOOK / path))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


class ReaderGoneTest(unittest.TestCase):
    """`| head` after a program that people call."""

    def test_a_reader_who_has_gone_is_no_error(self) -> None:
        for words in (["rings/record-ring", "--help"], ["transcripts/record", "--list"],
                      ["transcripts/record", "--help"], ["tools/readme-picture", "--help"]):
            for buffered in ("", "1"):
                end, start = os.pipe()
                os.close(end)
                done = subprocess.run([BOOK / words[0], *words[1:]], stdout=start, check=False,
                                      stderr=subprocess.PIPE, text=True,
                                      env=os.environ | {"PYTHONUNBUFFERED": buffered})
                os.close(start)
                self.assertEqual((done.returncode, done.stderr), (141, ""), words)


class LinksTest(unittest.TestCase):
    """tools/check_links.py"""

    links = load("tools/check_links.py")

    def test_what_is_broken(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "a.html").write_text(
                '<script src="https://example.org/a.js"></script><script src="b.js"></script>'
                '<link rel="stylesheet" href="//example.org/a.css"><img src="data:image/png;,">'
                '<a href="https://example.org/">away</a><a href="a.html#here" id="there">x</a>',
                encoding="utf-8")
            found = self.links.broken(Path(name))
        self.assertEqual(found, ["a.html: //example.org/a.css: a page needs no network",
                                 "a.html: a.html#here: the page has no such anchor",
                                 "a.html: b.js: there is no such file",
                                 "a.html: https://example.org/a.js: a page needs no network"])


class IndexTest(unittest.TestCase):
    """tools/index.py"""

    index = load("tools/index.py")

    def test_labels_and_pieces(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            book = Path(name)
            (book / "chapters").mkdir()
            (book / "appendix").mkdir()
            (book / "chapters/01-one.rst").write_text(
                ".. _cov_c9:\n\nTitle\n=====\n\n"
                ".. snippet:: probe\n   :of: a.c:f\n   :from: x = 1;\n\n"
                ".. figure:: a.svg\n   :from: nowhere\n",
                encoding="utf-8")
            (book / "appendix/rest.rst").write_text("* x\n\n  .. snippet:: Kbuild\n",
                                                    encoding="utf-8")
            found = self.index.read_book(book)
        self.assertEqual(found["labels"], {"cov_c9": "chapters/01-one.html#cov-c9"})
        self.assertEqual(found["chapters"], f"{name}/chapters")
        self.assertEqual([(s["id"], s["document"], s["line"], s["appendix"])
                          for s in found["snippets"]],
                         [("probe", "01-one", 6, False), ("Kbuild", "rest", 3, True)])
        self.assertEqual([(s.get("of"), s.get("from"), s.get("to")) for s in found["snippets"]],
                         [("a.c:f", "x = 1;", None), (None, None, None)])


class RecordTest(unittest.TestCase):
    """transcripts/record"""

    record = load("transcripts/record")

    def test_times_are_taken_out(self) -> None:
        text = "[    1.234567] eth0: up\n64 bytes: time=0.12 ms\n"
        self.assertEqual(self.record.normalise(text, {}), "eth0: up\n64 bytes: time=… ms\n")

    def test_another_stable_release_may_move_lines_and_nothing_else(self) -> None:
        old = self.record.any_release("  panic at kernel/panic.c:407\n", {})
        recipe = {"later": ["^  vpanic at "]}
        new = "  vpanic at kernel/panic.c:409\n  panic at kernel/panic.c:539\n"
        self.assertEqual(self.record.any_release(new, recipe), old)
        self.assertNotEqual(self.record.any_release(new, {}), old)
        self.assertNotEqual(self.record.any_release("  die at kernel/panic.c:407\n", {}), old)

    def test_what_the_kernel_says_of_a_busy_machine_is_left_out(self) -> None:
        """The host let the guest's timer wait."""
        said = ("CE: hpet increased min_delta_ns to 7500 nsec\n"
                "tsc: Refined TSC clocksource calibration: 2596.103 MHz\n"
                "clocksource: Switched to clocksource tsc\n")
        self.assertEqual(self.record.normalise(f"# dmesg\n{said}{said}eth0: link is up\n", {}),
                         "# dmesg\neth0: link is up\n")

    def test_another_debian_prints_the_same_otherwise(self) -> None:
        """Its compiler parts and inlines otherwise, its tools have other columns and words."""
        old = "RX:\t\t256\n __might_resched+0x…\n#2  send (len=..., dma=...) at x.c:1\nMSI 00\n"
        new = ("\nRX:\t\t\t256\n __might_resched.cold+0x…\n#2  send (dma=..., len=...) at x.c:9\n"
               "IntMsgNum 0\n")
        recipe = {"otherwise": [["IntMsgNum 0", "MSI 00"]]}
        self.assertEqual(self.record.any_release(new, recipe).strip(),
                         self.record.any_release(old, recipe).strip())
        self.assertNotEqual(self.record.any_release(new.replace("256", "255"), recipe).strip(),
                            self.record.any_release(old, recipe).strip())

    def test_the_release_recorded_with_is_named(self) -> None:
        self.assertRegex(self.record.RECORDED_WITH.read_text(encoding="utf-8"), r"^6\.12\.\d+\n$")

    def test_builds_of_the_same_kernel_look_alike(self) -> None:
        text = "Linux (none) 6.12.117 #3 SMP PREEMPT_DYNAMIC Sun Nov 22 UTC 2026 x86_64 GNU/Linux\n"
        self.assertEqual(self.record.normalise(text, {}),
                         "Linux (none) 6.12.x #1 SMP PREEMPT_DYNAMIC x86_64 GNU/Linux\n")

    def test_a_failed_recipe_stops_the_others(self) -> None:
        with self.assertRaisesRegex(self.record.Failed, "status 3"):
            self.record.record({"good": {"kind": "host", "run": ["true"]},
                                "bad": {"kind": "host", "run": ["exit 3"]}})

    def test_host_recipes_come_back_in_order(self) -> None:
        texts = self.record.record({n: {"kind": "host", "run": [f"echo {n}"]} for n in "abcd"})
        self.assertEqual(list(texts), list("abcd"))
        self.assertEqual(texts["c"], "$ echo c\nc\n")

    def test_pointers_are_numbered_as_they_appear(self) -> None:
        text = "a ffff888003a1c000 b 0xffffffff81234567 c 0xffff888003a1c000\n"
        self.assertEqual(self.record.normalise(text, {}), "a ffff…01 b 0xffff…02 c 0xffff…01\n")

    def test_ephemeral_ports(self) -> None:
        self.assertEqual(self.record.normalise("192.0.2.2:41234 x\n", {}), "192.0.2.2:40000 x\n")

    def test_recipe_rules_come_last(self) -> None:
        recipe = {"replace": [["[0-9]+ frames", "N frames"]], "drop": ["^noise"]}
        self.assertEqual(self.record.normalise("noise\n12 frames  \n", recipe), "N frames\n")

    def test_recipes_that_cannot_work_are_refused(self) -> None:
        for recipe, words in (({"rnu": ["x"]}, "unknown key 'rnu'"), ({}, "no 'run' list"),
                              ({"run": ["x"], "kind": "magic"}, "kind is 'magic'"),
                              ({"run": ["insmod x", "dmesg | tail -n 1"]}, "grep first")):
            with self.assertRaisesRegex(self.record.Failed, words):
                self.record.validate("name", recipe)

    def test_host_commands_are_run_and_their_status_is_checked(self) -> None:
        self.assertEqual(self.record.run_host({"run": ["echo hello"]}), "$ echo hello\nhello\n")
        with self.assertRaisesRegex(self.record.Failed, "status 3"):
            self.record.run_host({"run": ["exit 3"]})

    def test_guests_of_a_recipe_that_fails_are_stopped(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            sandbox = Path(folder) / "sandbox"
            sandbox.write_text(f"""#!/bin/sh
echo "$FWTS_GUESTS $*" >>{folder}/said
test "$1" = stop || echo "sums  tcg  ready"
""", encoding="utf-8")
            sandbox.chmod(0o755)
            with mock.patch.object(self.record, "SANDBOX", sandbox), \
                    self.assertRaisesRegex(self.record.Failed, "status 3"):
                self.record.run_host({"run": [f"{sandbox} start", "exit 3"]})
            said = [line.split(" ", 1)
                    for line in (Path(folder) / "said").read_text(encoding="utf-8").splitlines()]
        self.assertEqual([words for _, words in said], ["start", "list", "stop sums"])
        self.assertEqual(len({own for own, _ in said}), 1)
        self.assertRegex(said[0][0], r"^fwts-record-\w+$")

    def test_guest_script_quotes_commands(self) -> None:
        script = self.record.guest_script({"n": {"run": ["echo 'a b'; false"]}})
        self.assertIn("""sh -c 'echo '"'"'a b'"'"'; false'""", script)


class LogTest(unittest.TestCase):
    """tools/check_log.py"""

    def test_what_a_reader_would_notice_is_found(self) -> None:
        log = ("Missing character: There is no X in font Y!\n"
               "Overfull \\hbox (25.5pt too wide) in paragraph at lines 1--2\n"
               "Overfull \\hbox (3.0pt too wide) in paragraph at lines 3--4\n"
               "LaTeX Warning: Hyper reference `a:b' on page 2 undefined on input line 5.\n")
        found = load("tools/check_log.py").problems(log)
        self.assertEqual(len(found), 3)
        self.assertIn("25.5 pt too wide", " ".join(found))

    def test_page_that_runs_over_its_foot_is_found(self) -> None:
        over = "Overfull \\vbox ({}pt too high) has occurred while \\output is active []\n"
        log = "[310] [311]\n" + over.format("30.5") + "\n[312]\n" + over.format("1.5")
        found = load("tools/check_log.py").problems(log)
        self.assertEqual(len(found), 1)
        self.assertIn("30.5 pt too high for the page after 311", found[0])


class FilterTest(unittest.TestCase):
    """tools/kerneldoc_filter.py"""

    filter = load("tools/kerneldoc_filter.py")

    def test_function(self) -> None:
        out = self.filter.convert("/**\n * f() - do it\n * @a: with @b\n *\n"
                                  " * Context: process.\n * Return: 0.\n */\nint f(int a);\n")
        for words in (" * @brief do it\n", " * @param a with \\p b\n", "@par Context\n * process.",
                      "@return 0."):
            self.assertIn(words, out)

    def test_members_get_their_words(self) -> None:
        out = self.filter.convert("/**\n * struct s - thing\n * @a: first\n *   of two\n */\n"
                                  "struct s {\n\tint a[4];\n\t/** @b: second */\n\tu8 b : 3;\n};\n")
        self.assertIn("int a[4]; /**< first of two */", out)
        self.assertIn("u8 b : 3; /**< second */", out)
        self.assertIn("@brief thing", out)

    def test_anonymous_union(self) -> None:
        """What is in it belongs to the structure; a union with a name stays."""
        out = self.filter.convert(
            "/**\n * struct s - thing\n * @a: first\n * @b: second\n * @c: last\n */\n"
            "struct s {\n\tunion {\n\t\tint a;\n\t\tstruct {\n\t\t\tint b;\n\t\t};\n\t};\n"
            "\tunion {\n\t\tint x;\n\t} named;\n\tunion {\n\t\tint c;\n\t};\n};\n")
        body = out[out.index("struct s"):]
        self.assertEqual(body.split(), (
            "struct s { int a; /**< first */ int b; /**< second */ union { int x; } named; "
            "int c; /**< last */ };").split())


if __name__ == "__main__":
    unittest.main()
