# SPDX-License-Identifier: GPL-2.0
"""Trace overflow: a datagram for a socket in which there is no room, and who has counted it."""

from __future__ import annotations

from typing import Any

import gdb

from netstack import percpu, sock, utils
from netstack.driver import Driver
from netstack.trace import Check, Show, Stop, Trace, argument, return_value
from traces.receive import Way, in_context, packet_argument

SCENARIO = "full"
DRIVERS = ("08", "igb")
ABOUT = """A program in the guest has a UDP socket on port 4000 with the smallest receive buffer
there is. It has sent itself datagrams until nothing more fits in, and reads none. The host puts
one more on the cable. Follow it to its end, and then follow a user who looks for it: in
/proc/net/snmp, in /proc/net/udp, with ss, and in the trace point's record."""

NO_MEMORY = -12
MEMINFO_DROPS = 8
COUNTERS = ("RCVBUFERRORS", "INERRORS", "INDATAGRAMS")


class Overflow(Way):
    """What the stops of one run share, besides the datagram."""

    def __init__(self, driver: Driver, payload: str) -> None:
        super().__init__(driver, payload)
        self.sock = 0
        self.before: dict[str, int] = {}
        self.answer = 0

    def arrives(self) -> bool:
        """Is it our datagram? Remember it, its socket, and what the counters say."""
        self.sock = int(argument(0, "struct sock"))
        self.before = {name: counted(name) for name in COUNTERS}
        self.before["drops"] = self.drops()
        return self.remember(packet_argument(1))

    def found(self) -> gdb.Value:
        """The socket."""
        return sock.common(self.sock)

    def drops(self) -> int:
        """How many the socket has dropped."""
        return int(self.found()["sk_drops"]["counter"])

    def moved(self) -> list[str]:
        """Which counters have grown by one."""
        now = {name: counted(name) for name in COUNTERS} | {"drops": self.drops()}
        return [name for name, value in now.items() if value == self.before[name] + 1]

    def full(self) -> bool:
        """Is the socket charged with more than its limit?"""
        return sock.charged(self.found()) > int(self.found()["sk_rcvbuf"])

    def keep_answer(self) -> bool:
        """Is our socket asked for its numbers? Remember where they will stand."""
        self.answer = int(argument(1, "char"))
        return int(argument(0, "struct sock")) == self.sock

    def told(self) -> int:
        """The socket's drops as ss will be told of them."""
        return int.from_bytes(utils.read_bytes(self.answer + 4 * MEMINFO_DROPS, 4), "little")


def counted(name: str) -> int:
    """A counter of UDP: each processor has a part of it."""
    number = int(gdb.parse_and_eval(f"(int)UDP_MIB_{name}"))
    table = utils.variable("init_net")["mib"]["udp_statistics"]
    total = 0
    for cpu in percpu.possible_cpus():
        place = (int(table) + percpu.offset(cpu)) & 0xffffffffffffffff
        total += int(gdb.Value(place).cast(table.type)["mibs"][number])
    return total


def number(register: str) -> int:
    """A register as an int."""
    return int(gdb.parse_and_eval(f"(int)${register}"))


def returned() -> int:
    """What a function that returns an int handed back."""
    value = return_value() & 0xffffffff
    return value - (1 << 32) if value >> 31 else value


def reason() -> int:
    """The reason's number on this kernel."""
    return int(gdb.parse_and_eval("(int)SKB_DROP_REASON_SOCKET_RCVBUFF"))


def function_alone(text: str) -> str:
    """How far into the function is up to the compiler, and where the kernel lies to the reader."""
    return text.split(" + ", maxsplit=1)[0]


def end(way: Overflow) -> list[Stop]:
    """The datagram's end."""
    def place_is_udp() -> bool:
        return utils.symbol_of(argument(2, "char")).startswith("udp_queue_rcv_one_skb")

    return [
        Stop("room", "__udp_enqueue_schedule_skb", "Is there room?",
             """The datagram has found its socket, and its sum is right. The socket is charged for
             what it holds, in truesize and not in bytes of data. As long as the charge is not over
             the limit one more is taken, however large; so a queue may be too long by one. This
             one is over it already.""",
             condition=way.arrives,
             show=[Show("net socket (struct sock *)$rdi"),
                   Show("print ((struct sk_buff *)$rsi)->len")],
             check=[in_context("softirq"),
                    Check("the charge is over the limit", way.full),
                    Check("it would not be without the datagram that was taken last",
                          lambda: sock.charged(way.found())
                          - int(way.found()["sk_receive_queue"]["prev"]["truesize"])
                          <= int(way.found()["sk_rcvbuf"])),
                    Check("nothing was dropped before", lambda: way.drops() == 0)],
             question="The program set SO_RCVBUF to 1. Why is the limit not 1?",
             answer="""What is asked for is doubled, to allow for the sk_buffs themselves, and less
             than SOCK_MIN_RCVBUF is not given: 2048 bytes and a struct sk_buff."""),
        Stop("refused", "__udp_enqueue_schedule_skb", "The first counter: the socket's",
             """Refused with ENOMEM. The function has counted that, in the socket, and nothing
             else: sk_drops. No lock was taken for it, and the datagram was not put anywhere.""",
             at="return",
             show=[Show("print (int)$rax")],
             check=[in_context("softirq"),
                    Check("it returned -ENOMEM", lambda: returned() == NO_MEMORY),
                    Check("sk_drops has grown, and of UDP's counters none has",
                          lambda: way.moved() == ["drops"])],
             question="How can the program itself learn of it?",
             answer="""By SO_RXQ_OVFL: each datagram that it reads carries what sk_drops was when it
             was queued. Or by SO_MEMINFO."""),
        Stop("dropped", "sk_skb_reason_drop", "The second and the third: UDP's",
             """The caller has taken ENOMEM for what it is, a full buffer, and counted RcvbufErrors;
             and InErrors, as for every datagram that is not delivered to its socket. (Another error
             would have been MemErrors.) Now the sk_buff goes, with a reason.""",
             condition=lambda: int(packet_argument(1)) == way.skb,
             show=[Show("print (enum skb_drop_reason)$edx")],
             check=[in_context("softirq"),
                    Check("the reason is SOCKET_RCVBUFF", lambda: number("edx") == reason()),
                    Check("the socket is named", lambda: int(argument(0, "struct sock"))
                          == way.sock),
                    Check("RcvbufErrors and InErrors have grown, InDatagrams has not",
                          lambda: way.moved() == ["RCVBUFERRORS", "INERRORS", "drops"])],
             question="Does the sender get an ICMP message?",
             answer="No. There is somebody who wants the datagram, only not now."),
        Stop("record", "trace_event_raw_event_kfree_skb", "The fourth: the trace point",
             """Somebody has switched on skb:kfree_skb, so a line is written: which packet, from
             where it was freed, and why. The other counters say how many. This one says which.""",
             condition=lambda: int(packet_argument(1)) == way.skb,
             show=[Show("print (enum skb_drop_reason)$ecx"),
                   Show("info symbol $rdx", keep=function_alone)],
             check=[in_context("softirq"),
                    Check("the reason is in it", lambda: number("ecx") == reason()),
                    Check("the place is UDP's", place_is_udp),
                    Check("the socket is in it",
                          lambda: int(argument(4, "struct sock")) == way.sock)],
             question="What does the card's driver say of this datagram, and what `ip -s link`?",
             answer="""That it was received, and all was well. No counter of the device knows what
             happens to a packet in a socket."""),
    ]


def search(way: Overflow) -> list[Stop]:
    """Who looks for it, and where."""
    return [
        Stop("snmp", "snmp_seq_show", "cat /proc/net/snmp",
             """For UDP there are two lines, names and numbers. RcvbufErrors is the sum over all
             sockets of this network namespace, and over all processors, since each counts for
             itself. It says that there is a reader that is too slow, and not which one.""",
             condition=lambda: percpu.task_name() == "cat",
             check=[in_context("process"),
                    Check("the counters are what they were when the datagram was dropped",
                          lambda: way.moved() == ["RCVBUFERRORS", "INERRORS", "drops"])],
             question="The reader's program has ended since. Which of the four is left?",
             answer="""RcvbufErrors and InErrors, and the trace point's line. sk_drops went with the
             socket."""),
        Stop("proc-udp", "udp4_seq_show", "cat /proc/net/udp",
             """A line for each socket. The last column is sk_drops, and rx_queue is what the socket
             is charged with: more than the limit, if one knows that. So this is the one.""",
             condition=lambda: int(argument(1, "struct sock")) == way.sock,
             show=[Show("net socket (struct sock *)$rsi")],
             check=[in_context("process"),
                    Check("the socket says 1", lambda: way.drops() == 1),
                    Check("it is still full", way.full)]),
        Stop("ss", "sk_get_meminfo", "ss -uam",
             """ss has asked by netlink for the memory of each socket. The answer is the same that
             SO_MEMINFO has for a program: nine numbers, which ss prints behind skmem.""",
             condition=way.keep_answer,
             check=[in_context("process"),
                    Check("the task is ss", lambda: percpu.task_name() == "ss")],
             question="Which of skmem's letters is the limit, and which the charge?",
             answer="rb and r. What was dropped is d, the last."),
        Stop("told", "sk_get_meminfo", "The same number once more",
             """The ninth is sk_drops. What ss shows and what /proc/net/udp shows are one counter;
             that of /proc/net/snmp is another.""",
             at="return",
             check=[in_context("process"),
                    Check("the ninth number is 1", lambda: way.told() == 1)],
             question="The d of one socket grows, and RcvbufErrors does not. How can that be?",
             answer="""sk_drops also counts what was dropped for another reason, as a wrong sum or
             by a filter. RcvbufErrors has the full buffer alone."""),
    ]


def trace(config: dict[str, Any]) -> Trace:
    """The trace as the runner asks for it."""
    way = Overflow(Driver(config["driver"]), config["payload"])
    return Trace("overflow", ABOUT, end(way) + search(way), modules=(way.driver.module,),
                 start_at="default_idle")
