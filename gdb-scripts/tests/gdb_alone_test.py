# SPDX-License-Identifier: GPL-2.0
"""netstack.gdb without a guest: what a reader sees who forgot a step."""

from __future__ import annotations

import pathlib
import subprocess
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[1]
CHECKOUT = SCRIPTS.parent


def gdb(*commands: str, place: pathlib.Path = CHECKOUT) -> str:
    """Run gdb with our commands and nothing else."""
    words = ["gdb", "-nx", "-q", "-batch", "-x", str(SCRIPTS / "netstack.gdb")]
    for command in commands:
        words += ["-ex", command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=place,
                          timeout=60)
    return done.stdout + done.stderr


class Alone(unittest.TestCase):
    """Clear sentences instead of Python tracebacks."""

    def test_no_symbols(self) -> None:
        """Every command says how to load them."""
        for name in ("softirqs", "protocols", "napi", "skb x", "device", "ring rx 0", "symbols"):
            with self.subTest(name=name):
                said = gdb(f"net {name}")
                self.assertIn("net: no symbols loaded for the kernel; start gdb with its vmlinux",
                              said)
                self.assertNotIn("Traceback", said)

    def test_symbols_but_no_guest(self) -> None:
        """Any program's symbols will do to get past the first check."""
        said = gdb("file /proc/self/exe", "net softirqs")
        self.assertIn("net: not connected to a guest", said)

    def test_help_needs_nothing(self) -> None:
        """Help is there before anything is loaded."""
        said = gdb("help net", "help net skb", "help function softirqs")
        self.assertIn("net softirqs -- List the softirq vectors", said)
        self.assertIn("(gdb) net skb skb", said)

    def test_found_from_anywhere(self) -> None:
        """The package is found whatever the current directory is."""
        self.assertIn("Look at the Linux network stack", gdb("help net", place=pathlib.Path("/")))

    def test_source_from_the_prompt(self) -> None:
        """`source gdb-scripts/netstack.gdb` in a running gdb."""
        done = subprocess.run(["gdb", "-nx", "-q", "-batch", "-ex",
                               "source gdb-scripts/netstack.gdb", "-ex", "help net"],
                              capture_output=True, text=True, check=False, cwd=CHECKOUT,
                              timeout=60)
        self.assertIn("Look at the Linux network stack", done.stdout)


if __name__ == "__main__":
    unittest.main()
