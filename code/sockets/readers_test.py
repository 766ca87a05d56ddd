# SPDX-License-Identifier: GPL-2.0
"""udp_reader and tcp_reader as a user sees them; loopback is all the network they need."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import IO

PROGRAMS = Path()


def free_port(kind: socket.SocketKind) -> int:
    """A port of TCP or UDP that nobody uses at the moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("0.0.0.0", 0))
        port: int = probe.getsockname()[1]
        return port


class Reader(unittest.TestCase):
    """What both do: help, and words on what is wrong."""

    KINDS = {"udp_reader": socket.SOCK_DGRAM, "tcp_reader": socket.SOCK_STREAM}

    def run_each(self, *words: str) -> list[tuple[str, subprocess.CompletedProcess[str]]]:
        """Run both programs to their end."""
        return [(name, subprocess.run([PROGRAMS / name, *words], capture_output=True, text=True,
                                      check=False)) for name in self.KINDS]

    def test_help(self) -> None:
        """--help shows an example."""
        for name, done in self.run_each("--help"):
            self.assertEqual(done.returncode, 0)
            self.assertIn(f"example: {name} 4000", done.stdout)

    def test_refuses_nonsense(self) -> None:
        """Ports and counts that are none."""
        bad: list[list[str]] = [[], ["0"], ["65536"], ["http"], ["4000", "0"], ["1", "2", "3"]]
        for words in bad:
            for name, done in self.run_each(*words):
                with self.subTest(name=name, words=words):
                    self.assertEqual(done.returncode, 2)
                    self.assertIn("usage", done.stderr)

    def test_names_the_port_it_cannot_have(self) -> None:
        """A port in use."""
        for name, kind in self.KINDS.items():
            with socket.socket(socket.AF_INET, kind) as taken:
                taken.bind(("0.0.0.0", 0))
                if kind == socket.SOCK_STREAM:
                    taken.listen()
                port = taken.getsockname()[1]
                done = subprocess.run([PROGRAMS / name, str(port)], capture_output=True,
                                      text=True, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"port {port}: cannot listen", done.stderr)


@contextlib.contextmanager
def listening(test: unittest.TestCase, name: str, *count: str) -> Iterator[tuple[int, IO[str]]]:
    """Run a program until it listens; hand over its port and what it says from then on.

    In the end the program has ended by itself, and well.
    """
    port = free_port(Reader.KINDS[name])
    with subprocess.Popen([PROGRAMS / name, str(port), *count], stdout=subprocess.PIPE,
                          text=True) as reader:
        assert reader.stdout is not None
        test.assertEqual(reader.stdout.readline(), f"listening on {port}\n")
        yield port, reader.stdout
        test.assertEqual(reader.wait(timeout=30), 0)


class UdpReader(unittest.TestCase):
    """Prints each datagram."""

    def test_prints_each_datagram(self) -> None:
        """COUNT datagrams, then it ends."""
        with listening(self, "udp_reader", "2") as (port, said):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"one", ("127.0.0.1", port))
                sender.sendto(b"and two", ("127.0.0.1", port))
            self.assertRegex(said.readline(), r"127\.0\.0\.1:\d+ 3 bytes: one\n")
            self.assertRegex(said.readline(), r"127\.0\.0\.1:\d+ 7 bytes: and two\n")


class TcpReader(unittest.TestCase):
    """Prints what each read brings."""

    def test_prints_each_read(self) -> None:
        """COUNT reads at most; the sender's end ends it, too."""
        with listening(self, "tcp_reader", "9") as (port, said):
            with socket.create_connection(("127.0.0.1", port)) as sender:
                self.assertEqual(said.readline(),
                                 f"connected to 127.0.0.1:{sender.getsockname()[1]}\n")
                sender.sendall(b"one")
                self.assertEqual(said.readline(), "3 bytes: one\n")
                sender.sendall(b"and two")
                self.assertEqual(said.readline(), "7 bytes: and two\n")

    def test_ends_after_count(self) -> None:
        """One read unless told."""
        with contextlib.ExitStack() as stays:
            with listening(self, "tcp_reader") as (port, _):
                sender = stays.enter_context(socket.create_connection(("127.0.0.1", port)))
                sender.sendall(b"one")


if __name__ == "__main__":
    PROGRAMS = Path(sys.argv.pop(1))
    unittest.main()
