# SPDX-License-Identifier: GPL-2.0
"""Trace recv: a segment for a socket that nobody holds, and one for a socket that is held."""

from __future__ import annotations

import re
from typing import Any

import gdb

from netstack import lists, percpu, sock, tcp, utils
from netstack.trace import Check, Show, Stop, Trace, argument, return_value
from traces.receive import in_context

SCENARIO = "pair"
DRIVERS = ("igb", "08")
ABOUT = """Two programs of the guest have a connection over loopback. The reader sleeps in
epoll_wait. The sender sends a hundred bytes, and the reader gets them. Then the sender sends as
much as is taken, and the reader reads it in one call; while it does, more comes. Follow a segment
in the first case, and one in the second."""

READER, SENDER = "reader", "sender"
PORT = 4000
LITTLE = 100
ESTABLISHED = 1
EPOLLIN = 1


class Both:
    """What the stops of one run share: the reader's socket, what epoll keeps, the segments."""

    def __init__(self) -> None:
        self.lower = 0
        self.first = 0
        self.item = 0
        self.second = 0
        self.waiting = 0

    def sock(self) -> gdb.Value:
        """The reader's end."""
        return sock.common(self.lower)

    def tcp(self) -> gdb.Value:
        """The same with TCP's part."""
        return gdb.Value(self.lower).cast(gdb.lookup_type("struct tcp_sock").pointer())

    def keep_first(self) -> bool:
        """Is it the segment of a hundred bytes at the reader's end? Remember both."""
        self.lower = int(argument(0, "struct sock"))
        self.first = int(argument(1, "struct sk_buff"))
        named = self.sock()["__sk_common"]
        return (int(named["skc_num"]), int(named["skc_state"]), bytes_of(self.first)) \
            == (PORT, ESTABLISHED, LITTLE)

    def keep_item(self) -> bool:
        """Is it the reader's epoll that hears of it? Remember its item."""
        entry = argument(0, "struct wait_queue_entry")
        self.item = int(poll_entry(entry)["base"])
        return any(int(waiter) == int(entry) for waiter in sock.waiters(self.sock()))

    def keep_second(self) -> bool:
        """Is it a segment with data for the reader's end? Remember it."""
        self.second = int(argument(1, "struct sk_buff"))
        return self.is_ours(0) and bytes_of(self.second) > 0

    def keep_unread(self) -> bool:
        """Does the reader take its socket to read much? Remember how much is there."""
        self.waiting = self.unread()
        return self.is_ours(0) and percpu.task_name() == READER and self.waiting > LITTLE

    def is_ours(self, number: int) -> bool:
        """Is this argument the reader's socket?"""
        return int(argument(number, "struct sock")) == self.lower

    def unread(self) -> int:
        """Bytes that have come and were not read."""
        if not self.lower:
            return 0
        return tcp.distance(int(self.tcp()["rcv_nxt"]), int(self.tcp()["copied_seq"]))

    def queue(self) -> list[int]:
        """The receive queue."""
        return [int(entry) for entry in lists.skb_queue(self.sock()["sk_receive_queue"])]

    def backlog(self) -> list[int]:
        """The backlog."""
        return [int(entry) for entry in sock.backlog(self.sock())]

    def poll(self) -> gdb.Value:
        """The struct eventpoll that watches the socket."""
        kind = gdb.lookup_type("struct epitem").pointer()
        return gdb.Value(self.item).cast(kind)["ep"]

    def is_ready(self) -> bool:
        """Is the socket on the list of those that epoll thinks are ready?"""
        wanted = gdb.lookup_type("struct epitem")
        return self.item in [int(entry) for entry in lists.for_each_entry(
            self.poll()["rdllist"], wanted, "rdllink")]


def bytes_of(address: int) -> int:
    """Bytes of the stream that a segment has, as TCP notes in its sk_buff."""
    packet = gdb.Value(address).cast(gdb.lookup_type("struct sk_buff").pointer())
    noted = packet["cb"].address.cast(gdb.lookup_type("struct tcp_skb_cb").pointer())
    return tcp.distance(int(noted["end_seq"]), int(noted["seq"]))


def poll_entry(entry: gdb.Value) -> gdb.Value:
    """The struct eppoll_entry of an entry in a queue of waiters."""
    return utils.container_of(entry, gdb.lookup_type("struct eppoll_entry"), "wait")


def sleepers(both: Both) -> list[str]:
    """The programs that sleep in epoll_wait."""
    task = gdb.lookup_type("struct task_struct").pointer()
    entries = lists.for_each_entry(both.poll()["wq"]["head"], sock.wait_queue_entry.get(), "entry")
    return [utils.string_of(entry["private"].cast(task)["comm"]) for entry in entries]


def bottom_halves_run() -> bool:
    """May a softirq interrupt here?"""
    return percpu.preempt_count() & 0xff00 == 0


def all_callers() -> list[str]:
    """Every function on the stack, also those below the softirq."""
    names, frame = [], gdb.newest_frame()
    while frame is not None:
        names.append(frame.name() or "")
        frame = frame.older()
    return names


def woken() -> str:
    """The task of the entry that is the first argument."""
    entry = argument(0, "struct wait_queue_entry")
    task = gdb.lookup_type("struct task_struct").pointer()
    return utils.string_of(entry["private"].cast(task)["comm"])


def steady(text: str) -> str:
    """The sender's port, how much memory the segments took, and how often the sender has asked
    whether the window is open again (which is dropped) are up to chance."""
    text = re.sub(r"peer's \d+", "peer's BY-CHANCE", text)
    text = re.sub(r"dropped \d+", "dropped SOME", text)
    return re.sub(r"charged \d+ of \d+", "charged SOME of A-LIMIT",
                  re.sub(r"receive queue [1-9]\d*", "receive queue SOME", text))


def shown(expression: str) -> Show:
    """`net socket` of a struct sock."""
    return Show(f"net socket (struct sock *)${expression}", keep=steady)


def free(both: Both) -> list[Stop]:
    """The socket is nobody's."""
    return [
        Stop("free", "tcp_rcv_established", "Nobody holds the socket",
             """The sender's call has put a segment on loopback, and the softirq has come with it as
             far as the reader's socket. Its spinlock is held: no other processor is at it. The
             field owned is 0: no program is in a system call with it either. So the softirq
             does TCP's work itself.""",
             condition=both.keep_first,
             show=[shown("rdi")],
             check=[in_context("softirq"),
                    Check("no program owns the socket", lambda: not sock.owned(both.sock())),
                    Check("the receive queue and the backlog are empty",
                          lambda: both.queue() == both.backlog() == []),
                    Check("the softirq runs in the sender's time",
                          lambda: percpu.task_name() == SENDER)],
             question="Why two locks, a spinlock and a field?",
             answer="""A program holds its socket for as long as a whole call takes, and may sleep
             and copy meanwhile. Nobody may spin that long. The spinlock is held for moments only,
             and protects the field."""),
        Stop("queue", "tcp_queue_rcv", "Into the receive queue",
             """The header is off. From here on the bytes are the program's, whenever it wants
             them.""",
             condition=lambda: int(argument(1, "struct sk_buff")) == both.first,
             check=[in_context("softirq"),
                    Check("a hundred bytes are left of it",
                          lambda: int(argument(1, "struct sk_buff")["len"]) == LITTLE),
                    Check("the receive queue is empty", lambda: not both.queue())]),
        Stop("readable", "sock_def_readable", "Who waits?",
             """The socket is readable. Its queue of waiters is gone through, and the function of
             each is called. The reader does not sleep in this queue. It sleeps in epoll's, and in
             this one hangs an entry that epoll_ctl has left, with a function of epoll's.""",
             condition=lambda: both.is_ours(0),
             show=[shown("rdi")],
             check=[in_context("softirq"),
                    Check("the segment is in the receive queue",
                          lambda: both.queue() == [both.first]),
                    Check("one entry waits, and its function is ep_poll_callback",
                          lambda: [utils.symbol_of(entry["func"])
                                   for entry in sock.waiters(both.sock())]
                          == ["ep_poll_callback"]),
                    Check("it belongs to no task",
                          lambda: [int(entry["private"]) for entry
                                   in sock.waiters(both.sock())] == [0])],
             question="And if the reader slept in recv?",
             answer="""Then its own entry would hang here, with a function that wakes it, and the
             two steps that follow would be one."""),
    ]


def epoll(both: Both) -> list[Stop]:
    """From the socket's queue of waiters to the program."""
    return [
        Stop("callback", "ep_poll_callback", "epoll makes a note",
             """The entry leads to epoll's item for this descriptor. The item is hung on the list of
             those that are ready, unless it is there. No other socket is looked at and nothing is
             searched: this is why epoll costs the same for ten sockets and for ten thousand.""",
             condition=both.keep_item,
             check=[in_context("softirq"),
                    Check("the socket is not on the list yet", lambda: not both.is_ready()),
                    Check("the reader, and nobody else, sleeps in epoll_wait",
                          lambda: sleepers(both) == [READER])],
             question="What does poll() have to do instead?",
             answer="""Ask every socket at every call, and leave an entry with every one of them
             before it sleeps."""),
        Stop("wake", "ep_autoremove_wake_function", "The reader is woken",
             """This is the second queue of waiters, that of epoll itself, and here the reader
             sleeps. It is made runnable. There is one processor here, so it has to wait until the
             sender gives that up.""",
             condition=lambda: woken() == READER,
             check=[in_context("softirq"),
                    Check("the socket is on the list of those that are ready", both.is_ready),
                    Check("the task that will be woken is the reader",
                          lambda: woken() == READER)]),
        Stop("ask", "tcp_poll", "epoll asks again",
             """The reader runs, still in epoll_wait. That an item is on the list means that
             something has happened, and no more: another thread may have read the bytes since. So
             the socket is asked what is true now.""",
             condition=lambda: percpu.task_name() == READER
             and int(argument(1, "struct socket")["sk"]) == both.lower,
             show=[Show("net socket (struct socket *)$rsi", keep=steady)],
             check=[in_context("process"),
                    Check("the socket is not owned, nor taken for this",
                          lambda: not sock.owned(both.sock())),
                    Check("the segment is still in the queue",
                          lambda: both.queue() == [both.first])],
             question="How long is the socket on the list?",
             answer="""Until it is asked and says no. An item that has an answer is put at the end
             again, so that the next epoll_wait asks, too. With EPOLLET it is not."""),
        Stop("answer", "tcp_poll", "Readable",
             """The answer is a set of bits, of which the reader asked for EPOLLIN. epoll_wait will
             return 1, and recv will find the bytes.""",
             at="return",
             show=[Show("print $eax & 1")],
             check=[in_context("process"),
                    Check("EPOLLIN is set", lambda: return_value() & EPOLLIN == EPOLLIN)]),
    ]


def held(both: Both) -> list[Stop]:
    """The socket is the reader's."""
    return [
        Stop("lock", "lock_sock_nested", "recv takes the socket",
             """The hundred bytes were read. Since then the sender has sent until the reader's
             buffer was full and its own as well, and the reader comes with a buffer for all of it.
             Here it takes the socket: the spinlock for a moment, owned set to 1, the spinlock let
             go, and softirqs may run.""",
             condition=both.keep_unread,
             show=[shown("rdi")],
             check=[in_context("process"),
                    Check("nobody owns it yet", lambda: not sock.owned(both.sock())),
                    Check("the backlog is empty", lambda: not both.backlog()),
                    Check("more is to be read than the first time",
                          lambda: both.waiting > LITTLE)],
             question="What if another thread owned it?",
             answer="This one would sleep until that one calls release_sock."),
        Stop("backlog", "tcp_add_backlog", "A segment comes, and the socket is taken",
             """The reader has copied what was there, and has told the peer that there is room
             again. That was enough: the sender's TCP had data waiting and has sent them, all in
             a softirq that the reader's own segment has set off. Now they are here. The
             reader owns the socket, and it is the one who was interrupted. To wait for it would be
             to wait for ever. The segment goes to the backlog.""",
             condition=both.keep_second,
             show=[shown("rdi")],
             check=[in_context("softirq"),
                    Check("the socket is owned", lambda: sock.owned(both.sock())),
                    Check("its owner is the interrupted task",
                          lambda: percpu.task_name() == READER),
                    Check("it was the reader's recv that has set this off",
                          lambda: "tcp_recvmsg" in all_callers()),
                    Check("the backlog is empty so far", lambda: not both.backlog())],
             question="How long may the backlog become?",
             answer="""Receive queue and backlog together as much as twice the receive buffer, half
             the send buffer and 64 KB. Then the segment is dropped, with the reason SOCKET_BACKLOG,
             and TCPBacklogDrop counts it."""),
        Stop("release", "__release_sock", "The reader lets the socket go",
             """recv is nearly done. release_sock sees that the backlog is not empty, and before the
             socket is free the owner has to do what the softirq could not. The list is taken
             out as a whole, and the spinlock is let go while it is worked off.""",
             condition=lambda: both.is_ours(0) and both.second in both.backlog(),
             show=[shown("rdi")],
             check=[in_context("process"),
                    Check("the task is the reader", lambda: percpu.task_name() == READER),
                    Check("the segment is the first of the backlog",
                          lambda: both.backlog()[0] == both.second),
                    Check("it is in no other queue", lambda: both.second not in both.queue()),
                    Check("the socket is still owned", lambda: sock.owned(both.sock()))],
             question="Packets come faster than the backlog is worked off. Does recv ever return?",
             answer="""Yes. The backlog's length is set to 0 only at the very end, so the limit
             holds for all that comes meanwhile, and the rest is dropped."""),
        Stop("own-time", "tcp_rcv_established", "TCP's work in the reader's time",
             """The same function as at the first stop. There it was a softirq; here it is the
             program, in its own system call, with softirqs allowed. For the segment there is no
             difference, but for the program's account of time there is.""",
             condition=lambda: int(argument(1, "struct sk_buff")) == both.second,
             check=[in_context("process"),
                    Check("the task is the reader", lambda: percpu.task_name() == READER),
                    Check("it is the reader's socket, and still owned",
                          lambda: both.is_ours(0) and sock.owned(both.sock())),
                    Check("softirqs may run", bottom_halves_run)]),
        Stop("late", "tcp_queue_rcv", "Into the receive queue, late",
             """The segment has come where the first one went at once. recv has copied already and
             does not look again. It returns what it had, and leaves the socket readable.""",
             condition=lambda: int(argument(1, "struct sk_buff")) == both.second,
             show=[shown("rdi")],
             check=[in_context("process"),
                    Check("all that was there before has been read", lambda: both.unread() == 0)]),
        Stop("return", "tcp_recvmsg", "recv returns",
             """What was there when recv took the socket, and not what came while it had it.""",
             at="return",
             check=[in_context("process"),
                    Check("all that was there was returned",
                          lambda: return_value() >= both.waiting),
                    Check("there is something to read again", lambda: both.unread() > 0),
                    Check("the backlog is empty", lambda: not both.backlog()),
                    Check("nobody owns the socket", lambda: not sock.owned(both.sock()))],
             question="UDP has no such backlog for what it receives. How can it do without?",
             answer="""Its receive queue has a lock of its own, and nothing else of the socket
             changes when a datagram comes. Neither the softirq nor recvmsg takes the socket."""),
    ]


def trace(_config: dict[str, Any]) -> Trace:
    """The trace as the runner asks for it."""
    both = Both()
    return Trace("recv", ABOUT, free(both) + epoll(both) + held(both), start_at="default_idle")
