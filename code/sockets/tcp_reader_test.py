# SPDX-License-Identifier: GPL-2.0
"""tcp_reader as a user sees it; loopback is all the network it needs."""

from __future__ import annotations

import socket
import subprocess
import sys
import unittest

PROGRAM = ""


def free_port() -> int:
    """A TCP port nobody uses at the moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class TcpReader(unittest.TestCase):
    """Prints what it gets, and says what is wrong."""

    def test_prints_each_read(self) -> None:
        """COUNT reads at most; the sender's end ends it, too."""
        port = free_port()
        with subprocess.Popen([PROGRAM, str(port), "9"], stdout=subprocess.PIPE,
                              text=True) as reader:
            assert reader.stdout is not None
            self.assertEqual(reader.stdout.readline(), f"listening on {port}\n")
            with socket.create_connection(("127.0.0.1", port)) as sender:
                self.assertEqual(reader.stdout.readline(),
                                 f"connected to 127.0.0.1:{sender.getsockname()[1]}\n")
                sender.sendall(b"one")
                self.assertEqual(reader.stdout.readline(), "3 bytes: one\n")
                sender.sendall(b"and two")
                self.assertEqual(reader.stdout.readline(), "7 bytes: and two\n")
            self.assertEqual(reader.wait(timeout=30), 0)

    def test_ends_after_count(self) -> None:
        """One read unless told."""
        port = free_port()
        with subprocess.Popen([PROGRAM, str(port)], stdout=subprocess.PIPE, text=True) as reader:
            assert reader.stdout is not None
            reader.stdout.readline()
            with socket.create_connection(("127.0.0.1", port)) as sender:
                sender.sendall(b"one")
                self.assertEqual(reader.wait(timeout=30), 0)

    def test_help(self) -> None:
        """--help shows an example."""
        done = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True)
        self.assertIn("example: tcp_reader 4000", done.stdout)

    def test_refuses_nonsense(self) -> None:
        """Ports and counts that are none."""
        bad: list[list[str]] = [[], ["0"], ["65536"], ["http"], ["4000", "0"], ["1", "2", "3"]]
        for words in bad:
            with self.subTest(words=words):
                done = subprocess.run([PROGRAM, *words], capture_output=True, text=True,
                                      check=False)
                self.assertEqual(done.returncode, 2)
                self.assertIn("usage", done.stderr)

    def test_names_the_port_it_cannot_have(self) -> None:
        """A port in use."""
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
            taken.bind(("0.0.0.0", 0))
            taken.listen()
            port = taken.getsockname()[1]
            done = subprocess.run([PROGRAM, str(port)], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"port {port}: cannot listen", done.stderr)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
