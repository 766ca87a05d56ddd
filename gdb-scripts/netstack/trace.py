# SPDX-License-Identifier: GPL-2.0
"""Running a guided trace inside gdb: arm a stop, let the guest run, look, check, tell.

A trace is a list of Stop. The runner (runner.py) owns the guest; this side owns gdb. The two
talk in JSON lines over a socket whose number is in $FWTS_TRACE_FD.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
import contextlib
import importlib.util
import json
import os
import pathlib
import re
import signal
import socket
import sys
import threading
from typing import Any

import gdb

from . import commands, modules, percpu, utils
from .journey import Checked, Journey, Narrator, Normaliser, Shown, Visit, relative

# Frames of the entry code: below them lies whatever happened to be interrupted.
ENTRY_PREFIXES = ("asm_", "common_interrupt", "sysvec_", "ret_from_fork", "entry_SYSCALL",
                  "x64_sys_call", "do_syscall", "do_softirq_own_stack", "instr_sysvec")
HALT = b"\xf4"
INTERRUPT_FLAG = 0x200
# Seconds between two looks at a guest that runs meanwhile.
MOMENT = 0.5
MESSAGES = {"interrupted": 130, "failed": 1, "error": 2}


@dataclass
class Show:
    """A gdb command whose answer is shown; `keep` says which part is the same in every run."""

    command: str
    keep: Callable[[str], str] | None = None


@dataclass
class Check:
    """A sentence that must be true, and the function that decides it."""

    what: str
    holds: Callable[[], bool]


@dataclass
class Stop:
    """One place on the way.

    symbol: the function; at: "entry", or "return" when an earlier stop had the function on its
    stack; condition: evaluated in gdb at each hit, the guest runs on while it is false.
    """

    id: str
    symbol: str
    title: str
    text: str
    at: str = "entry"
    condition: Callable[[], bool] | None = None
    show: list[Show] = field(default_factory=list)
    check: list[Check] = field(default_factory=list)
    question: str = ""
    answer: str = ""


@dataclass
class Trace:
    """A named list of stops and what the guest needs beforehand.

    modules: names of modules whose symbols the stops need; start_at: a function the guest must
    have come to before the host acts, so that nothing else is under way; gathered: what must have
    arrived before the guest's processor, which sleeps meanwhile, takes an interrupt again.
    """

    name: str
    about: str
    stops: list[Stop]
    modules: tuple[str, ...] = ()
    start_at: str = ""
    gathered: Callable[[], bool] | None = None


class TraceError(Exception):
    """The trace cannot go on; the text says why."""


class Interrupted(Exception):
    """The reader pressed Ctrl-C."""


class Channel:
    """The line to the runner."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._lines = self._socket.makefile("r", encoding="utf-8")

    def ask(self, **message: Any) -> dict[str, Any]:
        """Send one message and wait for its answer."""
        self.tell(**message)
        line = self._lines.readline()
        if not line:
            raise TraceError("the runner went away")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise TraceError(str(answer["error"]))
        return answer

    def tell(self, **message: Any) -> None:
        """Send one message."""
        self._socket.sendall((json.dumps(message) + "\n").encode())


class Place(gdb.Breakpoint):
    """A breakpoint that stops only where the trace wants to."""

    def __init__(self, location: str, condition: Callable[[], bool] | None) -> None:
        super().__init__(location, gdb.BP_BREAKPOINT, internal=True)
        self.silent = True
        self.reached = False
        self.trouble = ""
        self.passed = 0
        self._condition = condition

    def stop(self) -> bool:
        """gdb asks at each hit; an error inside a condition must not be lost."""
        try:
            self.reached = self._condition is None or self._condition()
        except (gdb.error, gdb.GdbError) as error:
            self.trouble = str(error)
            self.reached = True
        self.passed += 0 if self.reached else 1
        return self.reached


def frame_names(limit: int = 12) -> list[str]:
    """Callers of the newest frame, innermost first, down to the entry code.

    A function inlined into itself by way of a helper shows once; `...` says that there are more.
    """
    names: list[str] = []
    frame = gdb.newest_frame().older()
    while frame is not None and frame.is_valid():
        name = frame.name()
        if not name or name.startswith(ENTRY_PREFIXES):
            break
        if len(names) == limit:
            names.append("...")
            break
        if not names or names[-1] != name:
            names.append(name)
        frame = frame.older()
    return names


def until(names: list[str], last: str) -> list[str]:
    """A backtrace as far as one function: whether an interrupt's exit or ksoftirqd called
    handle_softirqs depends on how busy the machine is."""
    return names[:names.index(last) + 1] if last in names else names


def return_value() -> int:
    """What the function that just returned handed back (rax), as a signed 64-bit number."""
    number = int(gdb.parse_and_eval("$rax")) & 0xffffffffffffffff
    return number - (1 << 64) if number >> 63 else number


def argument(number: int, wanted: str) -> gdb.Value:
    """The n-th argument (0 first) at a function's first instruction, as the given type.

    Registers carry them there whatever the optimiser does with them later.
    """
    register = ("rdi", "rsi", "rdx", "rcx", "r8", "r9")[number]
    value = int(gdb.parse_and_eval(f"${register}")) & 0xffffffffffffffff
    return gdb.Value(value).cast(gdb.lookup_type(wanted).pointer())


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Nothing of what gdb says reaches the terminal: it reports each interruption."""
    gdb.flush()
    kept = os.dup(1)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        gdb.flush()
        os.dup2(kept, 1)
        os.close(kept)


def sleeps() -> bool:
    """Does the processor stand behind the instruction hlt, and would an interrupt wake it?"""
    before = utils.read_bytes(int(gdb.parse_and_eval("(unsigned long)$rip")) - 1, 1)
    return before == HALT and bool(int(gdb.parse_and_eval("(int)$eflags")) & INTERRUPT_FLAG)


def take_interrupts(wanted: bool) -> None:
    """Set or clear the processor's interrupt flag, as sti and cli do."""
    flags = int(gdb.parse_and_eval("(int)$eflags")) & ~INTERRUPT_FLAG
    gdb.execute(f"set $eflags = {flags | (INTERRUPT_FLAG if wanted else 0):#x}", to_string=True)


class Session:
    """One run of one trace."""

    def __init__(self, trace: Trace, config: dict[str, Any], channel: Channel) -> None:
        self.trace = trace
        self.config = config
        self.channel = channel
        self.narrator = Narrator(config["width"], config["colour"])
        self.normaliser = Normaliser()
        self.journey = Journey(trace.name, "")
        self.position = 0
        self.returns: dict[str, tuple[int, int]] = {}
        self._place: Place | None = None
        self._timed_out = False

    # -- talking ---------------------------------------------------------------

    def say(self, text: str = "") -> None:
        """A line of the narrative."""
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    # -- one stop --------------------------------------------------------------

    def _location(self, stop: Stop) -> str:
        if stop.at == "entry":
            address = utils.variable(stop.symbol).address
            if address is None:
                raise TraceError(f"{stop.symbol} is not a function of this kernel")
            return f"*{int(address):#x}"
        if stop.symbol not in self.returns:
            raise TraceError(f"stop {stop.id} waits for {stop.symbol} to return, "
                             "but no stop saw it being entered")
        return f"*{self.returns[stop.symbol][0]:#x}"

    def _condition(self, stop: Stop) -> Callable[[], bool] | None:
        if stop.at == "entry":
            return stop.condition
        stack = self.returns[stop.symbol][1]
        return lambda: int(gdb.parse_and_eval("$rsp")) == stack

    def arm(self, stop: Stop | None = None) -> None:
        """Put a breakpoint at a stop, the next one unless told."""
        stop = stop or self.trace.stops[self.position]
        self._place = Place(self._location(stop), self._condition(stop))

    def disarm(self) -> None:
        """Take the breakpoint away again."""
        if self._place is not None and self._place.is_valid():
            self._place.delete()
        self._place = None

    def at_stop(self) -> bool:
        """Does the guest stand at the armed stop?"""
        return self._place is not None and self._place.reached

    def _interrupt(self) -> None:
        self._timed_out = True
        os.kill(os.getpid(), signal.SIGINT)

    def _let_run(self, limit: float) -> None:
        """Let the guest run until a breakpoint, Ctrl-C or the end of the time."""
        self._timed_out = False
        timer = threading.Timer(limit, self._interrupt)
        timer.daemon = True
        timer.start()
        try:
            gdb.execute("continue", to_string=True)
        except KeyboardInterrupt:
            pass
        finally:
            timer.cancel()

    def _returned(self, stop: Stop) -> bool:
        """Has the function that the stop is about just returned, and does the guest stand there?"""
        if stop.at != "return" or stop.symbol not in self.returns:
            return False
        frame = gdb.newest_frame()
        return (int(frame.pc()), int(frame.read_register("rsp"))) == self.returns[stop.symbol]

    def _run_to(self, stop: Stop) -> None:
        """Let the guest run until the stop is reached, the time is up or Ctrl-C."""
        if self._place is None:
            self.arm(stop)
        assert self._place is not None
        if self._place.reached:
            # The reader came here with gdb's own `continue`.
            return
        if self._returned(stop):
            # ... or with `finish`, and a breakpoint is not met where one stands already.
            return
        limit = float(self.config["timeout"])
        try:
            self._let_run(limit)
        except gdb.error as error:
            raise TraceError(f"stop {stop.id} ({stop.symbol}): lost the guest: {error}") from None
        place = self._place
        if place.trouble:
            raise TraceError(f"stop {stop.id} ({stop.symbol}): its condition failed: "
                             f"{place.trouble}")
        if not place.reached and self._timed_out:
            raise TraceError(f"stop {stop.id} ({stop.symbol}) was not reached within "
                             f"{limit:g} s; passed {place.passed} time(s) while its condition was "
                             "false")
        if not place.reached:
            raise Interrupted

    def _remember_returns(self) -> None:
        """Where each function on the stack will return to, and with which stack pointer."""
        frame = gdb.newest_frame()
        for _ in range(12):
            caller = frame.older()
            if caller is None or not frame.name():
                return
            if frame.type() == gdb.NORMAL_FRAME:
                self.returns[frame.name()] = (int(caller.pc()), int(caller.read_register("rsp")))
            frame = caller

    def _visit(self, stop: Stop) -> tuple[Visit, int]:
        frame = gdb.newest_frame()
        # At a return the frame is the caller's; the stop is still about the function.
        symbol = gdb.lookup_static_symbol(stop.symbol) or gdb.lookup_global_symbol(stop.symbol)
        if symbol is not None and symbol.symtab is not None:
            file, line = relative(symbol.symtab.filename), symbol.line
        else:
            where = frame.find_sal()
            file = relative(where.symtab.filename) if where.symtab else "?"
            line = where.line
        context = percpu.context()
        visit = Visit(id=stop.id, symbol=stop.symbol, file=file, function=stop.symbol,
                      context=context, cpu=percpu.current_cpu(), task=percpu.task_name(),
                      title=stop.title, text=" ".join(stop.text.split()))
        visit.backtrace = frame_names()
        if stop.at != "entry" and frame.name():
            visit.backtrace.insert(0, frame.name())
        return visit, line

    def tell_stop(self) -> None:
        """Show the stop the guest stands at, and keep it for the journey."""
        stop = self.trace.stops[self.position]
        self._remember_returns()
        visit, line = self._visit(stop)
        self.say(self.narrator.heading(self.position + 1, len(self.trace.stops), visit, line))
        self.say("\n" + self.narrator.wrap(stop.text) + "\n")
        for show in stop.show:
            rendered = gdb.execute(show.command, to_string=True).rstrip("\n")
            self.say(self.narrator.shown(show.command, rendered))
            stable = show.keep(rendered) if show.keep else rendered
            visit.shows.append(Shown(show.command, self.normaliser.text(stable)))
        for check in stop.check:
            visit.checks.append(self._decide(check))
            self.say(self.narrator.checked(visit.checks[-1]))
        if visit.backtrace:
            self.say(self.narrator.backtrace(visit.backtrace))
        # Which of its workers the kernel takes is chance.
        visit.task = re.sub(r"^kworker/.*", "kworker", visit.task)
        if visit.context != "process":
            # Which task an interrupt hits is chance.
            visit.task = "(interrupted)"
            visit.backtrace = until(visit.backtrace, "handle_softirqs")
        elif stop.symbol == "handle_softirqs" and not visit.task.startswith("ksoftirqd"):
            # Its first instructions still run in the name of the task that was hit.
            visit.task = "(interrupted)"
        self.journey.stops.append(visit)

    def _decide(self, check: Check) -> Checked:
        try:
            return Checked(check.what, bool(check.holds()))
        except (gdb.error, gdb.GdbError) as error:
            return Checked(f"{check.what} (could not be decided: {error})", False)

    # -- the whole way ---------------------------------------------------------

    def connect(self) -> None:
        """Wait for the guest and attach to it."""
        answer = self.channel.ask(event="loaded")
        # QEMU's stub answers slowly while the guest is busy; the default of 2 s is too short.
        gdb.execute("set remotetimeout 30")
        try:
            gdb.execute(f"target remote {answer['socket']}", to_string=True)
        except gdb.error as error:
            raise TraceError(f"cannot attach to the guest: {error}") from None
        if self.trace.modules:
            wanted = set(self.trace.modules)
            places = [pathlib.Path(place) for place in self.config["modules"]]
            done, _missing = modules.load(wanted, places + modules.default_places())
            if len(done) != len(wanted):
                raise TraceError(f"no symbols for the module(s) {', '.join(sorted(wanted))}; "
                                 f"loaded: {', '.join(done) or 'none'}")
        self.journey.kernel = self.config["kernel"]

    def begin(self) -> None:
        """Attach, arm the first stop, set the guest's world in motion."""
        self.connect()
        self.say(self.narrator.paint("place", f"Trace {self.trace.name}: ")
                 + f"{len(self.trace.stops)} stops, kernel {self.journey.kernel}")
        self.say(self.narrator.wrap(self.trace.about, ""))
        if self.trace.start_at:
            self._settle(self.trace.start_at)
        if self.trace.gathered is not None:
            self._run_until(sleeps, "sleep")
            take_interrupts(False)
        self.arm()
        self.channel.ask(event="armed")
        if self.trace.gathered is not None:
            self._run_until(self.trace.gathered, "get what the host has sent")
            take_interrupts(True)

    def _run_until(self, holds: Callable[[], bool], what: str) -> None:
        """Let the guest run for moments until something holds that no breakpoint can see."""
        limit = float(self.config["timeout"])
        while not holds():
            if limit <= 0:
                raise TraceError(f"the guest did not {what} within {self.config['timeout']:g} s")
            limit -= MOMENT
            with silence():
                self._let_run(MOMENT)
            if not self._timed_out:
                raise Interrupted

    def _settle(self, symbol: str) -> None:
        """Run to a quiet place, unless the guest is there already."""
        frame = gdb.newest_frame()
        while frame is not None:
            if frame.name() == symbol:
                return
            frame = frame.older()
        self._run_to(Stop(f"start at {symbol}", symbol, "", ""))
        self.disarm()

    def step(self) -> bool:
        """Go to the next stop and tell about it; False when there is none left."""
        if self.position >= len(self.trace.stops):
            return False
        self._run_to(self.trace.stops[self.position])
        self.disarm()
        self.tell_stop()
        self.channel.tell(event="stopped", id=self.trace.stops[self.position].id)
        self.position += 1
        return True

    def finish(self) -> None:
        """Let the guest go and hand the journey to the runner."""
        self.disarm()
        gdb.execute("detach", to_string=True)
        self.channel.tell(event="done", journey=json.loads(self.journey.as_json()))

    def fail(self, kind: str, text: str) -> None:
        """Report why the trace ends here."""
        self.disarm()
        self.channel.tell(event=kind, text=text)


def read_line(prompt: str) -> str:
    """A line from the reader.

    Without a terminal, byte by byte: gdb reads the same input and must find the rest of it.
    """
    if sys.stdin.isatty():
        return input(prompt)
    sys.stdout.write(prompt)
    sys.stdout.flush()
    line = b""
    while not line.endswith(b"\n"):
        octet = os.read(0, 1)
        if not octet:
            raise EOFError
        line += octet
    return line.decode(errors="replace")


class Guide:
    """Guided mode: a prompt at every stop, and all of gdb behind it."""

    HELP = ("Enter: next stop, a: answer, q: leave, gdb: the full gdb prompt.",
            "Anything else is a gdb command, for example: info locals")

    def __init__(self, session: Session) -> None:
        self.session = session

    def _stop(self) -> Stop:
        return self.session.trace.stops[self.session.position - 1]

    def _invite(self) -> None:
        stop = self._stop()
        if stop.question:
            self.session.say("\n" + self.session.narrator.paint(
                "question", self.session.narrator.wrap("Question: " + stop.question)))
        for line in self.HELP:
            self.session.say("  " + self.session.narrator.paint("dim", line))

    def _obey(self, line: str) -> str:
        """Returns "next", "gdb", "quit" or "" after a gdb command."""
        if line in ("", "c", "cont", "continue", "next-stop", "n"):
            return "next"
        if line in ("gdb", "q", "quit"):
            return "gdb" if line == "gdb" else "quit"
        if line in ("a", "answer"):
            answer = self._stop().answer or "There is no question at this stop."
            self.session.say(self.session.narrator.wrap(answer))
            return ""
        try:
            gdb.execute(line, True)
        except (gdb.error, gdb.GdbError) as error:
            self.session.say(str(error))
        return ""

    def leave_to_gdb(self) -> None:
        """Hand the prompt to gdb; the next stop is armed, so `continue` leads there as well."""
        session = self.session
        session.say("  This is gdb. `next-stop` (or `continue`, then `next-stop`) goes on with "
                    "the trace.")
        if session.position < len(session.trace.stops):
            session.arm()
            gdb.events.stop.connect(self._announce)

    def come_back(self) -> str:
        """What `next-stop` does."""
        try:
            gdb.events.stop.disconnect(self._announce)
        except ValueError:
            pass
        return self.loop()

    def _announce(self, _event: object) -> None:
        if self.session.at_stop():
            self.session.say("  The next stop is reached; `next-stop` tells about it.")

    def loop(self) -> str:
        """From stop to stop; returns "done", "gdb" or "quit"."""
        session = self.session
        while session.step():
            self._invite()
            wish = ""
            while not wish:
                prompt = f"(trace {session.position}/{len(session.trace.stops)}) "
                try:
                    wish = self._obey(read_line(prompt).strip())
                except EOFError:
                    wish = "quit"
            if wish != "next":
                return wish
        return "done"


class NextStop(gdb.Command):
    """Go back from the gdb prompt to the guided trace, at its next stop.

Example:
  (gdb) next-stop"""

    def __init__(self, go_on: Callable[[], None]) -> None:
        super().__init__("next-stop", gdb.COMMAND_RUNNING)
        self._go_on = go_on

    def invoke(self, _argument: str, _from_tty: bool) -> None:
        """gdb calls this."""
        self.dont_repeat()
        self._go_on()


def _straight(session: Session) -> str:
    while session.step():
        pass
    return "done"


def _quit(session: Session, kind: str, text: str) -> None:
    with contextlib.suppress(OSError):
        session.fail(kind, text)
    gdb.execute(f"quit {MESSAGES[kind]}")


def _guarded(session: Session, guide: Guide, go: Callable[[], str]) -> None:
    """Run a part of the trace; every way it can end is reported to the runner."""
    try:
        end = go()
        if end == "gdb":
            guide.leave_to_gdb()
            return
        if end == "quit":
            raise Interrupted
        session.finish()
        gdb.execute("quit 0")
    except TraceError as error:
        _quit(session, "failed", str(error))
    except (Interrupted, KeyboardInterrupt):
        _quit(session, "interrupted", "the trace was left before its last stop")
    except (gdb.error, gdb.GdbError, OSError) as error:
        _quit(session, "error", f"gdb: {error}")


def load_trace(config: dict[str, Any]) -> Trace:
    """The trace a file describes."""
    path = pathlib.Path(config["trace"])
    spec = importlib.util.spec_from_file_location(f"trace_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise TraceError(f"{path} is not a trace")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    trace: Trace = module.trace(config)
    return trace


def main() -> None:
    """Entry point inside gdb: everything it needs is in the environment."""
    config: dict[str, Any] = json.loads(os.environ["FWTS_TRACE_CONFIG"])
    commands.register()
    commands.find_sources()
    channel = Channel(int(os.environ["FWTS_TRACE_FD"]))
    trace = load_trace(config)
    session = Session(trace, config, channel)
    guide = Guide(session)

    def opening() -> str:
        session.begin()
        return guide.loop() if config["guided"] else _straight(session)

    if config["guided"]:
        NextStop(lambda: _guarded(session, guide, guide.come_back))
    _guarded(session, guide, opening)
