# SPDX-License-Identifier: GPL-2.0
"""The host's half of a trace: starts the guest and gdb, plays the peer on the cable, judges.

Plain Python, no gdb. The other half is trace.py, which runs inside gdb; both talk in JSON
lines over a socket pair.
"""

from __future__ import annotations

import argparse
import ast
from collections.abc import Callable
import ctypes
from dataclasses import dataclass
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
from types import FrameType
from typing import Any, TextIO

from . import tcp
from .journey import Journey, Narrator, Shown, Checked, Visit, differences

SCRIPTS = pathlib.Path(__file__).resolve().parents[1]
CHECKOUT = SCRIPTS.parent
PAYLOAD = "a datagram from the wire to the socket"
PORT = 4000
# LOAD becomes the commands that insert the driver.
PREPARE = f"""
set -e
LOAD
ip addr add 192.0.2.2/24 dev eth0
ip link set eth0 up
udp_reader {PORT} >/run/reader.out 2>&1 &
reader=$!
until grep -q listening /run/reader.out && grep -q 'State:.S' /proc/$reader/status &&
      [ "$(cat /sys/class/net/eth0/carrier)" = 1 ]; do
    sleep 0.05
done
"""
# Up, with an address; nothing of IPv6 is on the cable.
UP = """
set -e
LOAD
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
ip addr add 192.0.2.2/24 dev eth0
ip link set eth0 up
until [ "$(cat /sys/class/net/eth0/carrier)" = 1 ]; do sleep 0.05; done
"""
# Nobody has to ask for the address of whom the guest sends to.
SENDER = UP + "ip neigh replace 192.0.2.1 lladdr 02:00:00:00:00:01 nud permanent dev eth0\n"
# A queue that has sent something and then nothing more.
STUCK = SENDER + "frames send eth0 1\n"
SEND_PIECES = "frames pieces 3 400"
SEND_HELD = "hold 0000:01:00.0 0 && frames send eth0 20"
FRAMES = "build/bin/in-guest/frames:/bin/frames"
HOLD = "build/bin/in-guest/hold:/bin/hold"
TCP_READER = SENDER + f"""
tcp_reader {PORT} >/run/reader.out 2>&1 &
until grep -q listening /run/reader.out; do sleep 0.05; done
"""
TCP_CONNECTED = """
until grep -q connected /run/reader.out &&
      grep -q 'State:.S' "/proc/$(pidof tcp_reader)/status"; do
    sleep 0.05
done
"""
# Four full segments.
BURST = "".join((f"segment {number} of 4, " * tcp.MAXIMUM)[:tcp.MAXIMUM] for number in range(1, 5))
FINISHED = """
until ! pidof udp_reader tcp_reader >/dev/null; do sleep 0.05; done
cat /run/reader.out
"""
HAND_PREPARE = """
set -e
LOAD
ip link set eth0 up
until [ "$(cat /sys/class/net/eth0/carrier)" = 1 ]; do sleep 0.05; done
"""
HAND_SEND = "echo 'a frame sent by hand, in one descriptor' " \
    ">$(find /sys/kernel/debug/igbook -name hand_send)"


# One frame a round, so that a handful is a flood.
FLOOD_PREPARE = """
set -e
LOAD
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
echo 1 >/proc/sys/net/core/netdev_budget
echo 1 >/proc/sys/net/core/dev_weight
ip link set eth0 up
until [ "$(cat /sys/class/net/eth0/carrier)" = 1 ]; do sleep 0.05; done
"""
FLOOD_AT_ONCE = 10
# A broadcast of the EtherType that is set aside for local experiments.
FLOOD_FRAME = (b"\xff" * 6 + bytes.fromhex("02000000000188b5")).ljust(60, b"\0")
# One frame, on a line that devices share.
LINE_PREPARE = """
set -e
LOAD irq_mode=intx
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
ip link set eth0 up
until [ "$(cat /sys/class/net/eth0/carrier)" = 1 ]; do sleep 0.05; done
"""
# Three ways to ask for the same device's counters.
COUNTERS = """
ethtool -S eth0
ip -s link show dev eth0
cat /proc/net/dev
"""
# A question by the old door, and an order by the new one.
NO_PAUSE = HAND_PREPARE + "ethtool -C eth0 adaptive-rx off rx-usecs 0\n"
TWO_DOORS = """
ethtool -e eth0 length 6
ethtool -C eth0 rx-usecs 100
"""
LOADED = "set -e\nLOAD\n"
TALK = "build/bin/in-guest/talk:/bin/talk"
READER = "build/bin/tcp_reader:/bin/tcp_reader"
# Both ends of a connection are in the guest.
MEET = f"""
tcp_reader {PORT} >/run/reader.out 2>&1 &
until grep -q listening /run/reader.out && grep -q 'State:.S' /proc/$!/status; do sleep 0.05; done
talk connect {PORT}
"""
# The sender asks nothing of a full reader while it is watched: the first time after a minute.
PAIR = f"""
set -e
echo 60000000 >/proc/sys/net/ipv4/tcp_rto_min_us
talk reader {PORT} >/run/reader.out 2>&1 &
echo $! >/run/reader.pid
until grep -q listening /run/reader.out; do sleep 0.05; done
talk sender {PORT} >/run/sender.out 2>&1 &
echo $! >/run/sender.pid
until grep -q ready /run/sender.out && grep -q ready /run/reader.out &&
      grep -q 'State:.S' /proc/$(cat /run/reader.pid)/status &&
      grep -q 'State:.S' /proc/$(cat /run/sender.pid)/status; do
    sleep 0.05
done
"""
# A little, which is read at once; as much as is taken; and then it is read.
LITTLE_AND_MUCH = """
kill -USR1 $(cat /run/sender.pid)
until grep -q '100 bytes' /run/reader.out; do sleep 0.05; done
kill -USR1 $(cat /run/sender.pid)
until grep -q full /run/sender.out; do sleep 0.05; done
kill -USR1 $(cat /run/reader.pid)
"""
# A socket in which there is no room left, and a record of what is dropped.
TRACING = "/sys/kernel/debug/tracing"
FULL = UP + f"""
talk full {PORT} >/run/full.out 2>&1 &
until grep -q ready /run/full.out; do sleep 0.05; done
echo 1 >{TRACING}/events/skb/kfree_skb/enable
"""
# Where a user would look.
LOOK = f"""
until grep -q SOCKET_RCVBUFF {TRACING}/trace; do sleep 0.1; done
cat /proc/net/snmp
cat /proc/net/udp
ss -uamn
"""
LINK_UP = "ip link set eth0 up"
LOAD_IGB = "modprobe igb"
# From stage 03 on the driver wants dca; before, it does no harm.
LOAD_IGBOOK = "modprobe dca; insmod /root/igbook.ko"


# What firmware says to a terminal: clear, colours.
TERMINAL = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|c)")


def datagram(payload: str) -> list[str]:
    """What tells `sandbox send` to send one UDP datagram."""
    return ["--udp", f"{PORT}:{payload}"]


class Failure(Exception):
    """The trace could not be run; the text names what, why and what to do."""


@dataclass(frozen=True)
class Scenario:
    """What the guest has to be before the first stop, and what sets things in motion.

    put: files as HOST:GUEST, HOST relative to the checkout; prepare: a script run before gdb
    attaches; send: put the datagram on the cable; connect: open a TCP connection to the reader,
    then run this script, and when all is armed put BURST on the cable, in segments; again: and
    once more every few seconds until the first stop is reached, since it may come at a moment that
    the stop does not show; trigger: a script that the guest begins to run; flood: a frame now and
    then, and from the stop of this name on as many as fit; finish: a script whose output must
    contain what was sent.
    """

    wait_for_gdb: bool = False
    put: tuple[str, ...] = ()
    prepare: str = ""
    send: bool = False
    connect: str = ""
    again: bool = False
    flood: str = ""
    trigger: str = ""
    finish: str = ""

    @property
    def payload(self) -> str:
        """What the host sends."""
        return BURST if self.connect else PAYLOAD


SCENARIOS = {
    "from-reset": Scenario(wait_for_gdb=True),
    "udp-reader": Scenario(put=("build/bin/udp_reader:/bin/udp_reader",), prepare=PREPARE,
                           send=True, finish=FINISHED),
    "no-reader": Scenario(prepare=UP, send=True),
    "pieces": Scenario(put=(FRAMES,), prepare=SENDER, trigger=SEND_PIECES),
    "held": Scenario(put=(FRAMES, HOLD), prepare=STUCK, trigger=SEND_HELD),
    "tcp-reader": Scenario(put=("build/bin/tcp_reader:/bin/tcp_reader",), prepare=TCP_READER,
                           connect=TCP_CONNECTED, finish=FINISHED),
    "sockets": Scenario(put=(TALK,), trigger="talk sockets"),
    "meeting": Scenario(put=(TALK, READER), trigger=MEET),
    "pair": Scenario(put=(TALK,), prepare=PAIR, trigger=LITTLE_AND_MUCH),
    "full": Scenario(put=(TALK,), prepare=FULL, send=True, trigger=LOOK),
    "hand-send": Scenario(prepare=HAND_PREPARE, trigger=HAND_SEND),
    "flood": Scenario(prepare=FLOOD_PREPARE, flood="backlog"),
    "link-up": Scenario(prepare=LOADED, trigger=LINK_UP),
    "shared-line": Scenario(prepare=LINE_PREPARE, again=True),
    "counters": Scenario(prepare=HAND_PREPARE, trigger=COUNTERS),
    "ethtool": Scenario(prepare=NO_PAUSE, trigger=TWO_DOORS),
}


@dataclass
class Options:
    """What the command line asked for."""

    trace: pathlib.Path
    kernel: pathlib.Path
    guided: bool
    json: pathlib.Path | None
    compare: pathlib.Path | None
    timeout: float
    colour: bool
    modules: list[str]
    sandbox: pathlib.Path
    driver: str = "igb"

    def load(self) -> str:
        """Commands that insert the driver in the guest."""
        return LOAD_IGB if self.driver == "igb" else LOAD_IGBOOK

    def put(self, scenario: Scenario) -> list[str]:
        """Files for the guest, as HOST:GUEST."""
        files = [f"{CHECKOUT}/{entry}" for entry in scenario.put]
        if self.driver != "igb":
            files.append(f"{stage_module(self.driver)}:/root/igbook.ko")
        return files


def die_with_parent() -> None:
    """In a child before exec: be killed when this process dies, however it dies."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Guest:
    """A guest started through the sandbox program, and gone when stop() returns."""

    def __init__(self, options: Options, scenario: Scenario, place: pathlib.Path) -> None:
        self.gdb_socket = place / "gdb"
        self._name = f"trace-{os.getpid()}"
        self._sandbox = str(options.sandbox)
        self._log_path = place / "sandbox.log"
        self._timeout = options.timeout
        self._begun: list[subprocess.Popen[bytes]] = []
        command = [self._sandbox, "start", "--name", self._name, "--kernel", str(options.kernel),
                   "--cpus", "1", "--accel", "tcg", "--gdb", str(self.gdb_socket)]
        self._capture = place / "cable.pcapng"
        if scenario.connect:
            command += ["--capture", str(self._capture)]
        if scenario.wait_for_gdb:
            command.append("--wait-gdb")
        for entry in options.put(scenario):
            command += ["--put", entry]
        # A session of its own: Ctrl-C at the terminal is for gdb, we end the guest ourselves.
        with open(self._log_path, "w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                start_new_session=True, preexec_fn=die_with_parent)

    def wait_ready(self) -> None:
        """Until the guest can be used (or, held at reset, until gdb can connect)."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(("ready", "waiting")):
                return
        raise Failure(f"the guest did not start:\n{self.tail()}")

    def tail(self) -> str:
        """The guest's last console lines; of one that is gone, what the sandbox said of its end."""
        try:
            console = subprocess.run([self._sandbox, "console", self._name], capture_output=True,
                                     text=True, check=False, timeout=10).stdout
        except subprocess.TimeoutExpired:
            console = ""
        said = self._log_path.read_text(encoding="utf-8", errors="replace")
        lines = said.splitlines() + TERMINAL.sub("", console).splitlines()
        return "\n".join("  | " + line for line in lines[-15:]) or "  | (no output)"

    def run(self, script: str) -> str:
        """Run a shell script in the guest and hand back what it printed."""
        command = [self._sandbox, "exec", self._name, "--", "sh", "-c", script]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False,
                                  stdin=subprocess.DEVNULL, timeout=self._timeout)
        except subprocess.TimeoutExpired:
            raise Failure(f"the guest did not finish a command within {self._timeout:g} s:\n"
                          f"{self.tail()}") from None
        if done.returncode != 0:
            raise Failure(f"a command failed in the guest (status {done.returncode}): "
                          f"{(done.stderr or done.stdout).strip()}")
        return done.stdout

    def begin(self, script: str) -> None:
        """Let the guest run a shell script, and do not wait: gdb may hold the guest."""
        command = [self._sandbox, "exec", self._name, "--", "sh", "-c", script]
        with open(self._log_path, "a", encoding="utf-8") as log:
            self._begun.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                                stderr=log, preexec_fn=die_with_parent))

    def connect(self) -> tcp.Connection:
        """Open a TCP connection to the reader, as a program on another machine would."""
        connection = tcp.Connection(PORT)
        self.send_frames([connection.open()])
        limit = time.monotonic() + self._timeout
        while not any(map(connection.accepted, tcp.captured(self._capture.read_bytes()))):
            if time.monotonic() > limit:
                raise Failure(f"the guest did not answer a SYN to port {PORT} within "
                              f"{self._timeout:g} s:\n{self.tail()}")
            time.sleep(0.05)
        self.send_frames([connection.confirm()])
        return connection

    def send_frames(self, frames: list[bytes]) -> None:
        """Put frames on the cable, one behind the other."""
        file = self.gdb_socket.parent / "frames.pcap"
        file.write_bytes(pcap(frames))
        self.send("--file", str(file))

    def send(self, *what: str) -> None:
        """Do what `sandbox send` does."""
        done = subprocess.run([self._sandbox, "send", self._name, *what],
                              capture_output=True, text=True, check=False, timeout=30)
        if done.returncode != 0:
            raise Failure(f"the host could not send on the cable: {done.stderr.strip()}")

    def send_again(self, *what: str, pause: str) -> subprocess.Popen[bytes]:
        """Do what `sandbox send` does again and again, in the background, until stop()."""
        # It fails whenever the cable is full, which it is while the guest stands in gdb.
        loop = f'while true; do "$@" >/dev/null 2>&1; sleep {pause}; done'
        self._begun.append(subprocess.Popen(
            ["sh", "-c", loop, "again", self._sandbox, "send", self._name, *what],
            stdin=subprocess.DEVNULL, preexec_fn=die_with_parent))
        return self._begun[-1]

    def flood(self, place: pathlib.Path, count: int, pause: str) -> None:
        """Put so many frames on the cable again and again, in the background, until stop()."""
        file = place / f"flood-{count}.pcap"
        file.write_bytes(pcap([FLOOD_FRAME] * count))
        self.send_again("--file", str(file), pause=pause)

    def stop(self) -> None:
        """End the guest and wait until it is gone."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        for begun in self._begun:
            begun.kill()
            begun.wait()


def pcap(frames: list[bytes]) -> bytes:
    """A capture file of Ethernet frames, all of the same moment."""
    head = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
    return head + b"".join(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame
                           for frame in frames)


class Debugger:
    """gdb with trace.py inside, at the other end of a socket pair."""

    def __init__(self, options: Options, config: dict[str, Any]) -> None:
        ours, theirs = socket.socketpair()
        environment = dict(os.environ, FWTS_TRACE_CONFIG=json.dumps(config),
                           FWTS_TRACE_FD=str(theirs.fileno()))
        # The kernel's own helpers ($lx_per_cpu and others) lie beside vmlinux, for who types there.
        scripts = ("set auto-load no" if not options.guided else
                   f"add-auto-load-safe-path {(options.kernel / 'vmlinux').resolve().parent}")
        command = ["gdb", "-nx", "-q", "-iex", scripts, "-iex", "set confirm off",
                   "-iex", "set pagination off", "-iex", "set style enabled off",
                   "-iex", "set width 0", "-iex", "set suppress-cli-notifications on",
                   "-iex", "set print null-stop on", str(options.kernel / "vmlinux"), "-ex",
                   f"python import sys; sys.path.insert(0, {str(SCRIPTS)!r}); "
                   "from netstack import trace; trace.main()"]
        if not options.guided:
            command.insert(1, "-batch")
        self._process = subprocess.Popen(
            command, pass_fds=(theirs.fileno(),), env=environment, preexec_fn=die_with_parent,
            stdin=None if options.guided else subprocess.DEVNULL)
        theirs.close()
        self._socket = ours
        self._lines: TextIO = ours.makefile("r", encoding="utf-8")

    def messages(self) -> Any:
        """What gdb's side says, until it ends."""
        for line in self._lines:
            yield json.loads(line)

    def answer(self, **message: Any) -> None:
        """Answer a question of gdb's side."""
        self._socket.sendall((json.dumps(message) + "\n").encode())

    def stop(self) -> None:
        """End gdb."""
        self._lines.close()
        self._socket.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def stage_module(stage: str) -> pathlib.Path:
    """The built module of a stage, for the trace kernel."""
    for path in sorted((CHECKOUT / "build" / "modules" / "trace").glob(f"{stage}-*/igbook.ko")):
        return path
    raise Failure(f"stage {stage} is not built; run `code/driver/build-stage --kernel trace "
                  f"{stage}`")


def choose_driver(path: pathlib.Path, wanted: str | None) -> str:
    """Which driver a trace runs on: the one asked for, or the first of its DRIVERS."""
    known = literal(path, "DRIVERS", ("igb",))
    if wanted is not None and wanted not in known:
        raise Failure(f"trace {path.stem} runs on {', '.join(known)}, not on `{wanted}`")
    return str(wanted or known[0])


def literal(path: pathlib.Path, name: str, default: Any = None) -> Any:
    """A constant of a trace file, read without importing it (that needs gdb)."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) \
                and node.targets[0].id == name:
            return ast.literal_eval(node.value)
    if default is not None:
        return default
    raise Failure(f"{path}: a trace file needs a constant {name}")


def known_traces() -> dict[str, pathlib.Path]:
    """The traces that come with the book."""
    return {path.stem: path for path in sorted((SCRIPTS / "traces").glob("*.py"))
            if path.stem != "__init__"}


def find_trace(word: str) -> pathlib.Path:
    """A trace by name, or a file of one's own."""
    known = known_traces()
    if word in known:
        return known[word]
    path = pathlib.Path(word)
    if path.suffix == ".py" and path.is_file():
        return path.resolve()
    raise Failure(f"no trace `{word}`; there are {', '.join(known)}, or give a .py file")


def find_kernel(word: str) -> pathlib.Path:
    """The directory of a built kernel."""
    path = pathlib.Path(word)
    if not path.is_dir():
        path = CHECKOUT / "build" / "kernel" / word
    for needed in ("vmlinux", "release"):
        if not (path / needed).exists():
            raise Failure(f"{path}: there is no {needed}; build the kernel with "
                          "`qemu/kernel/kernel build trace`")
    return path


def built(path: pathlib.Path) -> pathlib.Path:
    """A file of ours that has to be built already."""
    if not path.is_file():
        raise Failure(f"{path}: not built yet; run `make tools modules`")
    return path


def sweep(place: pathlib.Path) -> None:
    """Remove what a run left behind that was killed before it could: its process is gone."""
    for left in place.glob("fwts-trace-*-*"):
        owner = left.name.split("-")[2]
        try:
            found = left.lstat()
        except FileNotFoundError:  # another run sweeps as well, or it was that run's own
            continue
        ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
        if ours and owner.isdigit() and not pathlib.Path("/proc", owner).exists():
            shutil.rmtree(left, ignore_errors=True)


class Run:
    """One run of one trace, from starting the guest to the verdict."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.scenario = SCENARIOS[literal(options.trace, "SCENARIO")]
        self.narrator = Narrator(terminal_width(), options.colour)
        self.journey: dict[str, Any] | None = None
        self.trouble = ""
        self.console = ""
        self.connection: tcp.Connection | None = None
        self.interrupted = False

    def config(self) -> dict[str, Any]:
        """What gdb's side has to know."""
        release = (self.options.kernel / "release").read_text(encoding="utf-8").strip()
        return {"trace": str(self.options.trace), "guided": self.options.guided,
                "width": self.narrator.width, "colour": self.options.colour,
                "timeout": self.options.timeout, "kernel": release,
                "payload": self.scenario.payload,
                "modules": self.options.modules, "driver": self.options.driver}

    def perform(self) -> None:
        """Guest and gdb start side by side; gdb reads symbols while the guest boots."""
        print("starting the guest while gdb reads the kernel's symbols", file=sys.stderr)
        sweep(pathlib.Path(tempfile.gettempdir()))
        with tempfile.TemporaryDirectory(prefix=f"fwts-trace-{os.getpid()}-") as place:
            guest = Guest(self.options, self.scenario, pathlib.Path(place))
            debugger: Debugger | None = None
            try:
                debugger = Debugger(self.options, self.config())
                guest.wait_ready()
                if self.scenario.prepare:
                    guest.run(self.scenario.prepare.replace("LOAD", self.options.load()))
                if self.scenario.connect:
                    self.connection = guest.connect()
                    guest.run(self.scenario.connect)
                self._serve(guest, debugger)
            finally:
                if debugger is not None:
                    debugger.stop()
                guest.stop()

    def _serve(self, guest: Guest, debugger: Debugger) -> None:
        again: subprocess.Popen[bytes] | None = None
        for message in debugger.messages():
            event = message["event"]
            if event == "loaded":
                debugger.answer(socket=str(guest.gdb_socket))
            elif event == "armed":
                if self.scenario.send:
                    guest.send(*datagram(PAYLOAD))
                if self.connection is not None:
                    guest.send_frames(self.connection.segments(BURST.encode()))
                if self.scenario.again:
                    again = guest.send_again(*datagram(PAYLOAD), pause="3")
                if self.scenario.flood:
                    # One may come while a softirq runs, which is not what is to be shown.
                    guest.flood(guest.gdb_socket.parent, 1, "0.5")
                if self.scenario.trigger:
                    guest.begin(self.scenario.trigger)
                debugger.answer()
            elif event == "stopped":
                if again is not None:
                    again.kill()
                if message["id"] == self.scenario.flood:
                    guest.flood(guest.gdb_socket.parent, FLOOD_AT_ONCE, "0")
            elif event == "done":
                self.journey = message["journey"]
                if self.scenario.finish:
                    self._check_reader(guest)
                if restore(message["journey"]).failed():
                    self.console = guest.tail()
                return
            elif event == "interrupted":
                self.interrupted = True
                return
            else:
                self.trouble = f"{message['text']}\n{guest.tail()}"
                return
        if self.options.guided:
            self.interrupted = True
            return
        self.trouble = f"gdb ended in the middle of the trace\n{guest.tail()}"

    def _check_reader(self, guest: Guest) -> None:
        assert self.journey is not None
        said = guest.run(self.scenario.finish)
        what = "burst" if self.scenario.connect else "datagram"
        check = Checked(f"the program printed the {what}", self.scenario.payload in said)
        print(self.narrator.checked(check), flush=True)
        self.journey["stops"][-1]["checks"].append({"what": check.what, "ok": check.ok})

    def verdict(self) -> int:
        """Says how it went, writes the journey, and decides the exit status."""
        name = self.options.trace.stem
        if self.interrupted:
            print(f"\ntrace {name}: left before its last stop")
            return 130
        if self.journey is None:
            print(f"\ntrace {name}: {self.trouble}", file=sys.stderr)
            return 1
        journey = restore(self.journey)
        if self.options.json is not None:
            write_whole(self.options.json, journey.as_json())
        failed = journey.failed()
        for sentence in failed:
            print(f"trace {name}: does not hold: {sentence}", file=sys.stderr)
        if self.console:
            print(f"the guest's last console lines:\n{self.console}", file=sys.stderr)
        checks = sum(len(stop.checks) for stop in journey.stops)
        print(f"\ntrace {name}: {len(journey.stops)} stops, {checks - len(failed)} of {checks} "
              "checks hold")
        return 1 if failed or not self._same() else 0

    def _same(self) -> bool:
        if self.options.compare is None:
            return True
        committed = self.options.compare
        old = json.loads(committed.read_text(encoding="utf-8"))
        changes = differences(old, json.loads(restore(self.journey or {}).as_json()))
        for change in changes:
            print(f"{committed}: {change}", file=sys.stderr)
        if changes:
            print(f"{committed} is not what the trace does now. If that is right, refresh it:\n"
                  f"  gdb-scripts/trace {self.options.trace.stem} --driver "
                  f"{self.options.driver} --json {committed}",
                  file=sys.stderr)
        return not changes


def restore(data: dict[str, Any]) -> Journey:
    """A Journey from what came over the socket."""
    stops = []
    for entry in data["stops"]:
        stop = Visit(**entry)
        stop.shows = [Shown(**show) for show in entry["shows"]]
        stop.checks = [Checked(**check) for check in entry["checks"]]
        stops.append(stop)
    return Journey(data["trace"], data["kernel"], stops)


def write_whole(path: pathlib.Path, text: str) -> None:
    """Write a file so that nobody ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def terminal_width() -> int:
    """Columns of the terminal, 80 in a log."""
    return shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else 80


def list_traces() -> None:
    """What --list prints."""
    for name, path in known_traces().items():
        about = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        print(f"{name:12} {about.splitlines()[0].partition(': ')[2]}")


def parse(words: list[str]) -> Options | None:
    """The command line as Options; None when there is nothing left to do."""
    parser = argparse.ArgumentParser(
        prog="trace", description="Run a guided trace: a guest with gdb standing inside its "
        "kernel, stopping at each place of interest.",
        epilog="example: gdb-scripts/trace receive --guided\n"
        "exit status: 0 all stops reached and all checks hold, 1 not, 2 the trace could not "
        "start, 130 left early", formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trace", nargs="?", help="name of a trace (see --list), or a .py file")
    parser.add_argument("--guided", action="store_true", help="wait at each stop, inside gdb")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the journey")
    parser.add_argument("--compare", type=pathlib.Path, metavar="FILE",
                        help="fail when the journey differs from this one")
    parser.add_argument("--driver", metavar="D", help="igb, or a stage of igbook, as 06 "
                        "(default: what the trace names first)")
    parser.add_argument("--kernel", default="trace", help="variant or directory (default: trace)")
    parser.add_argument("--module", action="append", default=[], metavar="PATH",
                        help="a .ko file or directory to find module symbols in")
    parser.add_argument("--timeout", type=float, default=60, metavar="S",
                        help="seconds to wait for each stop (default: 60)")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    parser.add_argument("--list", action="store_true", help="list the traces")
    chosen = parser.parse_args(words)
    if chosen.list:
        list_traces()
        return None
    if chosen.trace is None:
        parser.error("which trace? `gdb-scripts/trace --list` lists them")
    colour = chosen.color == "always" or (chosen.color == "auto" and sys.stdout.isatty()
                                          and "NO_COLOR" not in os.environ)
    trace, kernel = find_trace(chosen.trace), find_kernel(chosen.kernel)
    for entry in SCENARIOS[literal(trace, "SCENARIO")].put:
        built(CHECKOUT / entry.partition(":")[0])
    driver = choose_driver(trace, chosen.driver)
    if driver != "igb":
        stage_module(driver)
    return Options(trace=trace, kernel=kernel, driver=driver,
                   guided=chosen.guided, json=chosen.json, compare=chosen.compare,
                   timeout=chosen.timeout, colour=colour,
                   modules=[str(pathlib.Path(path).resolve()) for path in chosen.module],
                   sandbox=built(CHECKOUT / "build" / "bin" / "sandbox"))


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main(words: list[str], make_run: Callable[[Options], Run] = Run) -> int:
    """The command. Guest and gdb end with it in every case."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, _leave)
    try:
        status = 0
        options = parse(words)
        if options is not None:
            run = make_run(options)
            if options.guided:
                # Ctrl-C at the terminal is for gdb then, which stops the guest.
                signal.signal(signal.SIGINT, lambda _number, _frame: None)
            run.perform()
            status = run.verdict()
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Whoever read (`| head`) is gone: what the interpreter still holds has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Failure as failure:
        print(f"trace: {failure}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ntrace: interrupted", file=sys.stderr)
        return 130
