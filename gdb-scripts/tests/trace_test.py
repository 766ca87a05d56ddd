# SPDX-License-Identifier: GPL-2.0
"""`gdb-scripts/trace` as a reader runs it, with a real guest: trace_test.py CASE."""

from __future__ import annotations

import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[1]
CHECKOUT = SCRIPTS.parent
TRACE = str(SCRIPTS / "trace")
TRACES = SCRIPTS / "tests" / "traces"
PATIENCE = 240


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a trace to its end."""
    done = subprocess.run([TRACE, *words], capture_output=True, text=True, check=False,
                          timeout=PATIENCE, stdin=subprocess.DEVNULL)
    sys.stdout.write(done.stdout[-3000:] + done.stderr)
    return done


def build(stage: str) -> None:
    """Compile a stage for the trace kernel, unless that was done."""
    subprocess.run([CHECKOUT / "code" / "driver" / "build-stage", "--kernel", "trace", stage],
                   check=True, timeout=PATIENCE)


def descendants(root: int) -> set[int]:
    """Processes started by a process, however deep."""
    parents: dict[int, int] = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found = {root}
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in found}
        grown = not more <= found
        found |= more
    return found - {root}


def running(pid: int) -> bool:
    """Is the process there and not a zombie?"""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_until_gone(pids: set[int], seconds: float) -> set[int]:
    """Those that are still there after a while."""
    end = time.monotonic() + seconds
    left = {pid for pid in pids if running(pid)}
    while left and time.monotonic() < end:
        select.select([], [], [], 0.05)
        left = {pid for pid in left if running(pid)}
    return left


class Twice(unittest.TestCase):
    """Two runs leave the same bytes, which are the committed ones."""

    def both(self, name: str, stage: str = "", journey: str = "") -> None:
        """Run a trace twice, on a stage of our driver or on igb."""
        committed = CHECKOUT / "book" / "journeys" / f"{journey or name}.json"
        if stage:
            build(stage)
        with tempfile.TemporaryDirectory() as place:
            files = [pathlib.Path(place) / f"{number}.json" for number in (1, 2)]
            for file in files:
                done = run(name, "--driver", stage or "igb", "--json", str(file),
                           "--compare", str(committed))
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertRegex(done.stdout, rf"trace {name}: \d+ stops, (\d+) of \1 checks hold")
                self.assertNotIn("\033", done.stdout)
            self.assertEqual(files[0].read_bytes(), files[1].read_bytes())
            stops = json.loads(files[0].read_text(encoding="utf-8"))["stops"]
            self.assertTrue(all(stop["file"].endswith((".c", ".h")) for stop in stops))

    def test_boot(self) -> None:
        """From reset to inet_init."""
        self.both("boot")

    def test_receive(self) -> None:
        """From the interrupt to the reader, through our own poll."""
        self.both("receive", "06")

    def test_receive_igb(self) -> None:
        """The same way through in-tree igb."""
        self.both("receive", journey="receive-igb")

    def test_receive_finished(self) -> None:
        """And through the finished driver, whose walk no chapter prints."""
        build("10")
        done = run("receive", "--driver", "10")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"trace receive: 16 stops, (\d+) of \1 checks hold")

    def test_bring_up(self) -> None:
        """From ip link set to the carrier."""
        self.both("bring-up", "06")

    def test_bring_up_first(self) -> None:
        """The same command on the driver of the first chapter."""
        self.both("bring-up", "01", "bring-up-01")

    def test_counters(self) -> None:
        """Three ways to ask for counters, and who holds RTNL."""
        self.both("counters", "06")

    def test_ethtool(self) -> None:
        """A question and an order, by the two doors."""
        self.both("ethtool", "10")

    def test_receive_drop(self) -> None:
        """A datagram that nobody wants, up to its drop reason."""
        self.both("receive-drop", "07")

    def test_receive_tcp(self) -> None:
        """Four segments that GRO joins, up to the reader."""
        self.both("receive-tcp", "07")

    def test_transmit(self) -> None:
        """A datagram in three pieces, from the program's call to the end of its skb."""
        self.both("transmit", "08")

    def test_timeout(self) -> None:
        """A queue that is stuck until it goes on."""
        self.both("timeout", "08")

    def test_socket(self) -> None:
        """socket(), and the two objects behind its descriptor."""
        self.both("socket")

    def test_handshake(self) -> None:
        """Three segments, each at both of its ends."""
        self.both("handshake")

    def test_recv(self) -> None:
        """A segment for a socket that nobody holds, and for one that its reader holds."""
        self.both("recv")

    def test_overflow(self) -> None:
        """A datagram for which there is no room, and who counts it."""
        self.both("overflow", "08")

    def test_intx(self) -> None:
        """A line that devices share, from its handler to the unmasking."""
        self.both("intx", "05")

    def test_interrupt(self) -> None:
        """From the message to ksoftirqd."""
        self.both("interrupt", "05")


class Drivers(unittest.TestCase):
    """--driver"""

    def test_bring_up_of_earlier_stages(self) -> None:
        """Without NAPI and without interrupts, the checks of the rest hold."""
        for stage in ("04", "05"):
            build(stage)
            self.assertEqual(run("bring-up", "--driver", stage).returncode, 0)

    def test_unknown(self) -> None:
        """Named, with the choices."""
        done = run("receive", "--driver", "e1000")
        self.assertEqual(done.returncode, 2)
        self.assertIn("trace receive runs on 06, igb, 10, not on `e1000`", done.stderr)


class Commands(unittest.TestCase):
    """tests/traces/live.py holds the cases; they run inside gdb."""

    def test_commands(self) -> None:
        """Every command against the live guest."""
        self.assertEqual(run(str(TRACES / "live.py")).returncode, 0)

    def test_own_driver(self) -> None:
        """igbook's ring of transmit descriptors, before and after a frame sent by hand."""
        build("02")
        self.assertEqual(run(str(TRACES / "igbook.py")).returncode, 0)


class Failing(unittest.TestCase):
    """A trace that is wrong says so."""

    def test_wrong_check(self) -> None:
        """Named, and the exit status is 1."""
        done = run(str(TRACES / "wrong.py"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("does not hold: entry: one is two", done.stderr)
        self.assertIn("1 of 2 checks hold", done.stdout)
        self.assertIn("the guest's last console lines:\n  | SeaBIOS", done.stderr)

    def test_stop_never_reached(self) -> None:
        """Given up after --timeout, with the stop's name; nothing is left behind."""
        with subprocess.Popen([TRACE, str(TRACES / "never.py"), "--timeout", "8"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as trace:
            assert trace.stdout is not None
            self.assertIn("Trace never", trace.stdout.readline())
            family = descendants(trace.pid)
            self.assertGreaterEqual(len(family), 2)
            _out, err = trace.communicate(timeout=PATIENCE)
        self.assertEqual(trace.returncode, 1)
        self.assertIn("stop nowhere (softirq_init) was not reached within 8 s", err)
        self.assertIn("\n  | Booting from ROM", err)
        self.assertEqual(wait_until_gone(family, 20), set())

    def test_changed_journey(self) -> None:
        """--compare names the stop and how to refresh the file."""
        committed = CHECKOUT / "book" / "journeys" / "boot.json"
        with tempfile.TemporaryDirectory() as place:
            changed = pathlib.Path(place) / "boot.json"
            changed.write_text(committed.read_text(encoding="utf-8").replace(
                "softirq_init: before", "something else"), encoding="utf-8")
            done = run("boot", "--compare", str(changed))
        self.assertEqual(done.returncode, 1)
        self.assertIn("stop softirq-init-before: title was 'something else'", done.stderr)
        self.assertIn(f"gdb-scripts/trace boot --driver igb --json {changed}", done.stderr)


class Killed(unittest.TestCase):
    """Whatever ends the runner ends gdb and the guest."""

    def kill_with(self, number: signal.Signals) -> int:
        """Kill the runner at its first stop; returns its status."""
        with subprocess.Popen([TRACE, str(TRACES / "never.py"), "--timeout", "120"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True) as trace:
            assert trace.stdout is not None
            self.assertIn("Trace never", trace.stdout.readline())
            family = descendants(trace.pid)
            self.assertGreaterEqual(len(family), 2)
            trace.send_signal(number)
            status = trace.wait(timeout=60)
            self.assertEqual(wait_until_gone(family, 30), set())
        return status

    def test_sigkill(self) -> None:
        """Even SIGKILL."""
        self.assertEqual(self.kill_with(signal.SIGKILL), -signal.SIGKILL)

    def test_sigterm(self) -> None:
        """A polite end."""
        self.assertEqual(self.kill_with(signal.SIGTERM), 128 + signal.SIGTERM)


class ReaderGone(unittest.TestCase):
    """`trace boot | head -2`: a quiet end, as of any program in a pipe."""

    def left_after(self, line: str, *words: str) -> None:
        """Reads one line and leaves."""
        with subprocess.Popen([TRACE, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as trace:
            assert trace.stdout is not None and trace.stderr is not None
            self.assertIn(line, trace.stdout.readline())
            family = descendants(trace.pid)
            trace.stdout.close()
            said = trace.stderr.read()
            self.assertEqual(trace.wait(timeout=PATIENCE), 128 + signal.SIGPIPE, said)
            self.assertNotIn("Traceback", said)
            self.assertEqual(wait_until_gone(family, 30), set())

    def test_in_a_trace(self) -> None:
        """Guest and gdb end, too."""
        self.left_after("Trace boot", "boot")


class Terminal:
    """A reader at a terminal: types when a prompt shows."""

    def __init__(self, *words: str) -> None:
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.chdir(CHECKOUT)
            os.execvp(words[0], words)
        self.seen = ""

    def expect(self, pattern: str) -> str:
        """Wait for output that matches; returns everything up to it."""
        end = time.monotonic() + PATIENCE
        while True:
            match = re.search(pattern, self.seen)
            if match:
                before, self.seen = self.seen[:match.end()], self.seen[match.end():]
                return before
            ready, _, _ = select.select([self._terminal], [], [], end - time.monotonic())
            if not ready:
                raise AssertionError(f"no {pattern!r} in:\n{self.seen}")
            try:
                self.seen += os.read(self._terminal, 4096).decode(errors="replace")
            except OSError:
                raise AssertionError(f"ended without {pattern!r}:\n{self.seen}") from None

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._terminal, text.encode())

    def status(self) -> int:
        """Exit status, once the program has ended."""
        try:
            while os.read(self._terminal, 4096):
                pass
        except OSError:
            pass
        _pid, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)


class Guided(unittest.TestCase):
    """Guided mode at a terminal."""

    def test_walk(self) -> None:
        """Enter, answer, gdb's commands, its own prompt and back, and leaving; through make."""
        reader = Terminal("make", "trace", "T=boot", "GUIDED=1")
        first = reader.expect(r"\(trace 1/8\) ")
        self.assertIn("\033[", first)
        self.assertIn("Question:", first)
        reader.type("a\n")
        self.assertIn("built into the kernel", reader.expect(r"\(trace 1/8\) "))
        reader.type("net softirqs pending\n")
        self.assertIn("CPU 0: pending", reader.expect(r"\(trace 1/8\) "))
        reader.type("net nonsense\n")
        self.assertIn("no command `nonsense`", reader.expect(r"\(trace 1/8\) "))
        reader.type("print $lx_per_cpu(softnet_data)\n")
        self.assertIn("poll_list", reader.expect(r"\(trace 1/8\) "))
        # ... which leads to the very place of the next stop.
        reader.type("finish\n")
        self.assertIn("Run till exit", reader.expect(r"\(trace 1/8\) "))
        reader.type("\n")
        reader.expect(r"\(trace 2/8\) ")
        reader.type("gdb\n")
        reader.expect(r"\(gdb\) ")
        reader.type("print 40 + 2\n")
        reader.expect(r"= 42\s")
        reader.expect(r"\(gdb\) ")
        reader.type("continue\n")
        reader.expect("next stop is reached")
        reader.type("next-stop\n")
        self.assertIn("spawn_ksoftirqd: before", reader.expect(r"\(trace 3/8\) "))
        family = descendants(reader.pid)
        reader.type("q\n")
        reader.expect("left before its last stop")
        self.assertEqual(reader.status(), 0)
        self.assertEqual(wait_until_gone(family, 20), set())


class FirstStop(unittest.TestCase):
    """From the command to the first stop of the receive trace."""

    def test_within_ten_seconds(self) -> None:
        """10 s on two idle cores; CPU time, which load does not stretch, is what is held to."""
        build("06")
        start = time.monotonic()
        with subprocess.Popen([TRACE, "receive"], stdout=subprocess.PIPE, text=True) as trace:
            assert trace.stdout is not None
            for line in trace.stdout:
                if line.startswith("── 1/"):
                    break
            wall = time.monotonic() - start
            ticks = sum(self.cpu_ticks(pid) for pid in descendants(trace.pid) | {trace.pid})
            seconds = ticks / os.sysconf("SC_CLK_TCK")
            for line in trace.stdout:
                pass
        print(f"first stop after {wall:.1f} s, {seconds:.1f} s of CPU time")
        self.assertLess(seconds, 60)

    def cpu_ticks(self, pid: int) -> int:
        """User and system time of a process, its ended children included."""
        try:
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        except OSError:
            return 0
        return sum(int(word) for word in stat.rpartition(")")[2].split()[11:15])


if __name__ == "__main__":
    unittest.main()
