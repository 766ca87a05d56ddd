# SPDX-License-Identifier: GPL-2.0
"""netstack.gdb without a guest: what a reader sees who forgot a step."""

from __future__ import annotations

import pathlib
import subprocess
import tempfile
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


# A program that gdb takes for a kernel. Without a process nothing can be read at its variables'
# addresses, as at those that the linker gave to a kernel's per-CPU variables.
NOT_MAPPED = """
int init_task;
struct task { int pid; char rest[]; } *ksoftirqd;
enum { NAPI_STATE_SCHED = 5 };
int main(void) { return init_task + (ksoftirqd != 0) + NAPI_STATE_SCHED; }
"""


def python(expression: str) -> str:
    """A command that prints what the package answers."""
    return f"python from netstack import utils; print({expression})"


class Variables(unittest.TestCase):
    """How the package finds the kernel's variables."""

    def setUp(self) -> None:
        self.place = tempfile.TemporaryDirectory()
        self.addCleanup(self.place.cleanup)
        self.program = f"{self.place.name}/program"
        builds: list[tuple[list[str], str]] = [(["-g"], self.program),
                                               ([], f"{self.program}-bare")]
        for options, program in builds:
            subprocess.run(["gcc", *options, "-xc", "-o", program, "-"], input=NOT_MAPPED,
                           text=True, check=True)

    def test_not_mapped(self) -> None:
        """A per-CPU variable is found by its address, whatever is there."""
        said = gdb(f"file {self.program}", python("utils.variable('ksoftirqd').type"),
                   python("utils.variable('ksoftirqd').address"),
                   python("utils.variable_or_none('ksoftirqd').type"))
        self.assertEqual(said.count("struct task *"), 2, said)
        self.assertRegex(said, "0x[0-9a-f]+ <ksoftirqd>")

    def test_enumerators(self) -> None:
        """Those that are there, without the others."""
        said = gdb(f"file {self.program}", python("utils.napi_state_bits()"))
        self.assertIn("{5: 'SCHED'}", said)

    def test_causes(self) -> None:
        """An error names its own cause, not another one."""
        said = gdb(f"file {self.program}", python("utils.variable('nothing')"))
        self.assertIn("net: this kernel has no variable `nothing`", said)
        said = gdb(f"file {self.program}", python("utils.variable_or_none('nothing')"))
        self.assertIn("None", said)
        for function in ("variable", "variable_or_none"):
            said = gdb(f"file {self.program}", python(f"utils.{function}('ksoftirqd->x')"))
            self.assertIn("net: cannot look up `ksoftirqd->x`: There is no member named x", said)
        said = gdb(f"file {self.program}-bare", python("utils.variable('ksoftirqd->pid')"))
        self.assertIn("net: no symbols loaded", said)


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
