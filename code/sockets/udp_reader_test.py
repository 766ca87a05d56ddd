# SPDX-License-Identifier: GPL-2.0
"""udp_reader as a user sees it; loopback is all the network it needs."""

from __future__ import annotations

import socket
import subprocess
import sys
import unittest

PROGRAM = ""


def free_port() -> int:
    """A UDP port nobody uses at the moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class UdpReader(unittest.TestCase):
    """Prints what it gets, and says what is wrong."""

    def test_prints_each_datagram(self) -> None:
        """COUNT datagrams, then it ends."""
        port = free_port()
        with subprocess.Popen([PROGRAM, str(port), "2"], stdout=subprocess.PIPE,
                              text=True) as reader:
            assert reader.stdout is not None
            self.assertEqual(reader.stdout.readline(), f"listening on {port}\n")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"one", ("127.0.0.1", port))
                sender.sendto(b"and two", ("127.0.0.1", port))
            self.assertRegex(reader.stdout.readline(), r"127\.0\.0\.1:\d+ 3 bytes: one\n")
            self.assertRegex(reader.stdout.readline(), r"127\.0\.0\.1:\d+ 7 bytes: and two\n")
            self.assertEqual(reader.wait(timeout=30), 0)

    def test_help(self) -> None:
        """--help shows an example."""
        done = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True)
        self.assertIn("example: udp_reader 4000", done.stdout)

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
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("0.0.0.0", 0))
            port = taken.getsockname()[1]
            done = subprocess.run([PROGRAM, str(port)], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"port {port}: cannot listen", done.stderr)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
