# SPDX-License-Identifier: GPL-2.0
"""edp as a user sees it where there is no such family: what it says."""

from __future__ import annotations

import subprocess
import sys
import unittest

PROGRAM = ""


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """One call."""
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=False)


class Edp(unittest.TestCase):
    """What it does with datagrams is tested in a guest (code/driver/tests/edp_test.cc)."""

    def test_help(self) -> None:
        """--help shows an example."""
        self.assertIn("example: edp send eth0", run("--help").stdout)

    def test_refuses_nonsense(self) -> None:
        """Verbs, ports, stations and counts that are none."""
        bad: list[list[str]] = [
            [], ["list", "all"], ["receive", "lo"], ["receive", "lo", "0"],
            ["receive", "lo", "65536"], ["echo", "lo", "7", "0"],
            ["send", "lo", "00:00:00:00:00:00", "7"], ["send", "lo", "here", "7", "text"],
            ["send", "lo", "00:00:00:00:00:00:00", "7", "text"], ["hear", "lo", "7"]]
        for words in bad:
            with self.subTest(words=words):
                done = run(*words)
                self.assertEqual(done.returncode, 2)
                self.assertIn("usage", done.stderr)

    def test_names_what_is_missing(self) -> None:
        """An interface, and the family."""
        done = run("receive", "no-such-one", "7")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no-such-one: No such device", done.stderr)
        done = run("receive", "lo", "7")
        self.assertEqual(done.returncode, 1)
        self.assertIn("insmod edp.ko", done.stderr)


if __name__ == "__main__":
    PROGRAM = f"{sys.argv.pop(1)}/edp"
    unittest.main()
