# SPDX-License-Identifier: GPL-2.0
"""The programs of the chapter on sockets as a user sees them; loopback is all they need."""

from __future__ import annotations

import contextlib
import pathlib
import re
import resource
import socket
import subprocess
import sys
import unittest
from collections.abc import Iterator

PROGRAMS = pathlib.Path()
NAMES = ["echo_server", "echo_client", "time_stamps", "sniffer", "ping_pong", "netlink_listener"]


def free_port() -> int:
    """A port nobody uses at the moment, in TCP and UDP, at any address."""
    while True:
        with socket.socket(socket.AF_INET6) as stream, \
                socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as datagram:
            for one in (stream, datagram):
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            stream.bind(("::", 0))
            port: int = stream.getsockname()[1]
            # What is free in TCP may be somebody's in UDP.
            with contextlib.suppress(OSError):
                datagram.bind(("::", port))
                return port


def run(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A program to its end."""
    return subprocess.run([PROGRAMS / name, *words], capture_output=True, text=True, check=False,
                          timeout=60)


@contextlib.contextmanager
def stamping() -> Iterator[None]:
    """The kernel stamps what comes in: it begins a while after the first socket has asked."""
    so_timestamping, flags = 37, 1 << 3 | 1 << 4  # SOF_TIMESTAMPING_RX_SOFTWARE, _SOFTWARE
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
        datagram.bind(("127.0.0.1", 0))
        datagram.setsockopt(socket.SOL_SOCKET, so_timestamping, flags)
        stamps: list[tuple[int, int, bytes]] = []
        while not stamps:
            datagram.sendto(b"stamped?", datagram.getsockname())
            stamps = datagram.recvmsg(64, 256)[1]
        yield


@contextlib.contextmanager
def listening(name: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A program that has said that it listens; ended afterwards."""
    with subprocess.Popen([PROGRAMS / name, *words], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        try:
            assert program.stdout.readline().startswith("listening")
            yield program
        finally:
            program.terminate()


class Programs(unittest.TestCase):
    """Each does what its help says, and says what is wrong."""

    def test_echo(self) -> None:
        """Many connections at once, one of which does not read its answers, and datagrams."""
        port = free_port()
        with listening("echo_server", str(port)) as server:
            with socket.create_connection(("127.0.0.1", port)) as idle:
                idle.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    while True:
                        idle.send(b"x" * 65536)
                for protocol, size in (("tcp", "60000"), ("udp", "1400"), ("tcp", "1")):
                    done = run("echo_client", protocol, "127.0.0.1", str(port), "20", size)
                    self.assertEqual(done.stdout, f"20 messages of {size} bytes came back\n",
                                     done.stderr)
            server.terminate()
            assert server.stdout is not None
            self.assertRegex(server.stdout.read(), r"^3 connections, \d+ bytes; 20 datagrams\n$")
            self.assertEqual(server.wait(timeout=30), 0)

    def test_server_without_descriptors(self) -> None:
        """Who finds none left waits, and is served when another goes; the server does not spin."""
        port = free_port()
        with listening("echo_server", str(port)) as server, contextlib.ExitStack() as others:
            resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (10, 10))
            clients = [others.enter_context(socket.create_connection(("127.0.0.1", port)))
                       for _ in range(8)]
            clients[0].sendall(b"first")
            self.assertEqual(clients[0].recv(64), b"first")
            clients[7].sendall(b"last")
            clients[7].settimeout(0.5)
            stat = pathlib.Path(f"/proc/{server.pid}/stat")
            before = stat.read_text().split()[13:15]
            self.assertRaises(TimeoutError, clients[7].recv, 64)
            spent = sum(map(int, stat.read_text().split()[13:15])) - sum(map(int, before))
            self.assertLess(spent, 10)
            for client in clients[:7]:
                client.close()
            clients[7].settimeout(30)
            self.assertEqual(clients[7].recv(64), b"last")

    def test_client_says_who_does_not_answer(self) -> None:
        """Nobody is there."""
        done = run("echo_client", "tcp", "127.0.0.1", str(free_port()))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("connect: Connection refused", done.stderr)

    def test_client_waits_no_longer_than_it_says(self) -> None:
        """Somebody is there who does not answer."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            done = run("echo_client", "udp", "127.0.0.1", str(silent.getsockname()[1]))
        self.assertEqual(done.returncode, 1)
        self.assertIn("message 1: Connection timed out", done.stderr)

    def test_stamps_of_both_ends(self) -> None:
        """On loopback there are those of the kernel."""
        with stamping(), \
                listening("time_stamps", "receive", str(port := free_port()), "2") as receiver:
            sent = run("time_stamps", "send", "127.0.0.1", str(port), "2")
            stamp = r" software \d+\.\d{9}\n"
            self.assertRegex(sent.stdout,
                             f"^0 queued{stamp}0 sent{stamp}1 queued{stamp}1 sent{stamp}$")
            assert receiver.stdout is not None
            self.assertRegex(receiver.stdout.read(), f"^(received{stamp}){{2}}$")
            times = [float(time) for time in re.findall(r"software (\S+)", sent.stdout)]
            self.assertEqual(times, sorted(times))

    def test_ping_pong(self) -> None:
        """Without a card there is no NAPI."""
        port = free_port()
        with listening("ping_pong", str(port), "3") as answering:
            done = run("echo_client", "udp", "127.0.0.1", str(port), "3")
            self.assertEqual(done.returncode, 0, done.stderr)
            assert answering.stdout is not None
            self.assertRegex(answering.stdout.read(), r"^3 answered, slept \d+ times; NAPI 0\n$")

    def test_help(self) -> None:
        """--help shows an example."""
        for name in NAMES:
            with self.subTest(name=name):
                self.assertIn(f"example: {name}", run(name, "--help").stdout)

    def test_refuses_nonsense(self) -> None:
        """What cannot be understood."""
        bad: dict[str, list[list[str]]] = {
            "echo_server": [[], ["0"], ["7", "8"]],
            "echo_client": [[], ["sctp", "127.0.0.1", "7"], ["tcp", "host", "7"]],
            "time_stamps": [[], ["receive"], ["send", "host", "7"], ["card", "eth0", "perhaps"]],
            "sniffer": [[], ["lo", "0"]],
            "ping_pong": [[], ["7"], ["7", "1", "0"]],
            "netlink_listener": [["0"], ["1", "2"]],
        }
        for name, lines in bad.items():
            for words in lines:
                with self.subTest(name=name, words=words):
                    done = run(name, *words)
                    self.assertEqual(done.returncode, 2)
                    self.assertIn(f"usage: {name}", done.stderr)

    def test_names_what_it_cannot_have(self) -> None:
        """A port in use, an interface that is not there."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("0.0.0.0", 0))
            port = str(taken.getsockname()[1])
            self.assertIn(f"port {port}: Address already in use", run("echo_server", port).stderr)
        self.assertIn("nothing0:", run("time_stamps", "card", "nothing0", "on").stderr)


if __name__ == "__main__":
    PROGRAMS = pathlib.Path(sys.argv.pop(1))
    unittest.main()
