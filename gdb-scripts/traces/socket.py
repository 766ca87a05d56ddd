# SPDX-License-Identifier: GPL-2.0
"""Trace socket: a program's socket(), from the call to the descriptor, and the two objects."""

from __future__ import annotations

from typing import Any

import gdb

from netstack import lists, percpu, protocols, sock, utils
from netstack.trace import Check, Show, Stop, Trace, argument, return_value
from traces.receive import in_context

SCENARIO = "sockets"
DRIVERS = ("igb", "08")
ABOUT = """A program calls socket(AF_INET, SOCK_STREAM, 0), and then the same with SOCK_DGRAM. No
packet is sent and no card is needed. Follow the first call to its descriptor: on the way two
objects are made, of which one faces the program and one the network. Of the second call only what
is different is shown."""

PROGRAM = "talk"
INET = 2
STREAM, DGRAM = 1, 2


class Made:
    """What the stops of one run share: the two objects of the first call, and its descriptor."""

    def __init__(self) -> None:
        self.upper = 0
        self.lower = 0
        self.descriptor = -1

    def socket(self) -> gdb.Value:
        """The struct socket."""
        return gdb.Value(self.upper).cast(sock.socket.pointer())

    def sock(self) -> gdb.Value:
        """The struct sock."""
        return sock.common(self.lower)

    def keep_socket(self) -> bool:
        """Remember the struct socket, the second argument."""
        self.upper = int(argument(1, "struct socket"))
        return ours()

    def keep_sock(self) -> bool:
        """Is it the first socket's initialisation? Remember its struct sock."""
        self.lower = int(argument(1, "struct sock"))
        return int(argument(0, "struct socket")) == self.upper

    def keep_descriptor(self) -> bool:
        """Is it our socket's file? Remember its number."""
        self.descriptor = number(0)
        return int(argument(1, "struct file")["private_data"]) == self.upper


def number(position: int) -> int:
    """An argument that is an int."""
    return int(gdb.parse_and_eval(f"(int)${('rdi', 'rsi', 'rdx', 'rcx')[position]}"))


def ours() -> bool:
    """Does our program run?"""
    return percpu.task_name() == PROGRAM


def address(name: str) -> int:
    """Where a variable of the kernel is."""
    return int(utils.address_of(name))


def chosen(kind: int, protocol: int) -> gdb.Value:
    """The walk of inetsw: the first entry of the type's list whose protocol fits."""
    for entry in lists.for_each_entry(utils.variable("inetsw")[kind],
                                      protocols.inet_protosw.get(), "list"):
        have = int(entry["protocol"])
        if have == protocol and protocol or have != protocol and not (have and protocol):
            return entry
    raise gdb.GdbError(f"inetsw has nothing for type {kind}, protocol {protocol}")


def object_size(position: int) -> int:
    """Bytes of one object of the struct proto in an argument."""
    return int(argument(position, "struct proto")["obj_size"])


def size_of(name: str) -> int:
    """Bytes of a struct."""
    return int(gdb.lookup_type(f"struct {name}").sizeof)


def call(made: Made) -> list[Stop]:
    """From the system call to the family."""
    return [
        Stop("call", "__sys_socket", "A system call with three numbers",
             """A family, a type and a protocol; the last is 0, which leaves the choice to the
             family. Two flags may be added to the type: SOCK_NONBLOCK is for the file, SOCK_CLOEXEC
             for the descriptor, and both are taken off before the family sees the type.""",
             condition=ours,
             show=[Show("print $edi"), Show("print $esi"), Show("print $edx")],
             check=[in_context("process"),
                    Check("the family is AF_INET", lambda: number(0) == INET),
                    Check("the type is SOCK_STREAM and nothing else",
                          lambda: number(1) == STREAM),
                    Check("no protocol is named", lambda: number(2) == 0)],
             question="Which part of the kernel knows what a SOCK_STREAM of AF_INET is?",
             answer="Only the family. To this function they are indices of tables."),
        Stop("create", "__sock_create", "Whose family is it?",
             """The family is an index of net_families, the table that sock_register fills. If the
             entry is empty, a module called net-pf-2 is asked for and looked for again. Before the
             family is called the first of the two objects is made, the struct socket.""",
             condition=ours,
             show=[Show("net protocols families")],
             check=[in_context("process"),
                    Check("AF_INET has an entry, whose create is inet_create",
                          lambda: utils.symbol_of(utils.variable("net_families")[INET]["create"])
                          == "inet_create"),
                    Check("it is not a socket of the kernel's own",
                          lambda: int(gdb.parse_and_eval("(int)$r9")) == 0)],
             question="What does socket() say if nobody has registered the family?",
             answer="EAFNOSUPPORT, \"address family not supported by protocol\"."),
        Stop("family", "inet_create", "The first object: struct socket",
             """It was allocated as one piece with an inode of the file system sockfs, for a socket
             will be a file. It holds what every socket of every family has: a state, a type, a
             queue for those who wait. Its pointers ops, sk and file are empty. The family will set
             the first two.""",
             condition=made.keep_socket,
             show=[Show("net socket (struct socket *)$rsi"), Show("net protocols sockets")],
             check=[in_context("process"),
                    Check("it has the type that was asked for",
                          lambda: int(made.socket()["type"]) == STREAM),
                    Check("it has no operations, no sock and no file yet",
                          lambda: not any(int(made.socket()[name])
                                          for name in ("ops", "sk", "file"))),
                    Check("an inode lies behind it in the same piece of memory",
                          lambda: utils.offset_of(gdb.lookup_type("struct socket_alloc"),
                                                  "vfs_inode") == size_of("socket"))],
             question="Which entry of inetsw will be chosen for type STREAM and protocol 0?",
             answer="""The first in STREAM's list, which is TCP. Its number is put in the place
             of the 0."""),
    ]


def objects(made: Made) -> list[Stop]:
    """The second object, and how the two are joined."""
    return [
        Stop("chosen", "sk_alloc", "The protocol is chosen",
             """The list of the type was walked until an entry's protocol was the wanted one, or one
             of the two was 0. The entry has two tables: ops, for what programs ask of a socket,
             and prot, for what the protocol does. ops has been put into the struct socket. prot
             comes here, and it says how large the second object is.""",
             condition=lambda: ours() and number(1) == INET,
             show=[Show("print ((struct proto *)$rcx)->name"),
                   Show("print ((struct proto *)$rcx)->obj_size")],
             check=[in_context("process"),
                    Check("it is the prot of the entry that a walk of ours finds",
                          lambda: int(argument(3, "struct proto"))
                          == int(chosen(STREAM, 0)["prot"])),
                    Check("this is tcp_prot",
                          lambda: int(argument(3, "struct proto")) == address("tcp_prot")),
                    Check("an object is a struct tcp_sock",
                          lambda: object_size(3) == size_of("tcp_sock")),
                    Check("the struct socket has inet_stream_ops",
                          lambda: int(made.socket()["ops"]) == address("inet_stream_ops"))],
             question="A struct tcp_sock is asked for. Where in it is the struct sock?",
             answer="""At its beginning, inside a struct inet_sock, which is inside a struct
             inet_connection_sock. One address serves for all four."""),
        Stop("join", "sock_init_data", "Two objects that do not know each other",
             """The struct sock is there, and nearly all of it is zero. This function gives it what
             sockets of all families have: limits, empty queues, functions to call when something
             happens. And it ties the two together.""",
             condition=made.keep_sock,
             show=[Show("net socket (struct socket *)$rdi")],
             check=[in_context("process"),
                    Check("the struct socket does not point to it yet",
                          lambda: int(made.socket()["sk"]) == 0),
                    Check("nor does it point to the struct socket",
                          lambda: int(made.sock()["sk_socket"]) == 0)],
             question="Why are they two objects and not one?",
             answer="""They live for different times. close() frees the struct socket; the struct
             sock may have to send what is left and to wait for the peer. And one that a listening
             socket has made exists before any program has accepted it."""),
        Stop("protocol", "tcp_v4_init_sock", "Each points to the other",
             """socket->sk and sock->sk_socket are set. The struct sock also has a pointer to the
             queue of those who wait, which is a part of the struct socket; and four functions
             for four events. That for data which come is sock_def_readable. Now TCP begins its
             own part.""",
             condition=lambda: int(argument(0, "struct sock")) == made.lower,
             show=[Show("net socket (struct sock *)$rdi")],
             check=[in_context("process"),
                    Check("the struct socket points to the struct sock",
                          lambda: int(made.socket()["sk"]) == made.lower),
                    Check("the struct sock points to the struct socket",
                          lambda: int(made.sock()["sk_socket"]) == made.upper),
                    Check("its waiters' queue is the struct socket's",
                          lambda: int(made.sock()["sk_wq"]) == int(made.socket()["wq"].address)),
                    Check("sock_def_readable is called for data",
                          lambda: utils.symbol_of(made.sock()["sk_data_ready"])
                          == "sock_def_readable"),
                    Check("what waits in the backlog will go to tcp_v4_do_rcv",
                          lambda: utils.symbol_of(made.sock()["sk_backlog_rcv"])
                          == "tcp_v4_do_rcv")],
             question="How large is the receive buffer now, and does it stay so?",
             answer="""It has the default of all protocols, net.core.rmem_default. TCP puts in its
             own in a moment, the middle one of tcp_rmem, and lets it grow with the connection."""),
    ]


def descriptor(made: Made) -> list[Stop]:
    """A file, and a number for it."""
    return [
        Stop("file", "sock_alloc_file", "A file for it",
             """The family has done its part. The socket is in no table: nobody on the network can
             reach it. What is left is the program's side. A number was set aside, and now a struct
             file is made around the inode.""",
             condition=lambda: int(argument(0, "struct socket")) == made.upper,
             check=[in_context("process"),
                    Check("there is no file yet", lambda: int(made.socket()["file"]) == 0),
                    Check("the state is CLOSE", lambda: sock.state(made.sock()) == "CLOSE"),
                    Check("it has no port", lambda: sock.port(made.sock()) == 0)]),
        Stop("install", "fd_install", "A number for the file",
             """The file points to the struct socket, and its operations are socket_file_ops: by
             them read, write and poll find the socket. From the next instruction on the number
             means this file to the program, and to every thread of it.""",
             condition=made.keep_descriptor,
             show=[Show("print $edi"),
                   Show("print ((struct file *)$rsi)->f_op"),
                   Show("net socket (struct socket *)((struct file *)$rsi)->private_data")],
             check=[in_context("process"),
                    Check("the file's operations are those of sockets",
                          lambda: int(argument(1, "struct file")["f_op"])
                          == address("socket_file_ops")),
                    Check("the struct socket points to the file",
                          lambda: int(made.socket()["file"]) == int(argument(1, "struct file")))],
             question="How does sendto(3, ...) find the struct sock?",
             answer="""Number to file by the process's table, file to struct socket by
             private_data, struct socket to struct sock by sk. Three pointers."""),
        Stop("number", "__sys_socket", "What the program gets",
             """The call returns the number. All else stays in the kernel.""",
             at="return",
             show=[Show("print (int)$rax")],
             check=[in_context("process"),
                    Check("it is the number that the file was installed under",
                          lambda: return_value() == made.descriptor)]),
    ]


def datagram() -> list[Stop]:
    """The second call: what is different."""
    return [
        Stop("udp-family", "inet_create", "The same way with SOCK_DGRAM",
             """Another struct socket, and the same function. The type leads to another list of
             inetsw.""",
             condition=ours,
             show=[Show("net socket (struct socket *)$rsi")],
             check=[in_context("process"),
                    Check("the type is SOCK_DGRAM",
                          lambda: int(argument(1, "struct socket")["type"]) == DGRAM)],
             question="DGRAM's list has an entry for ICMP, too. Who gets that?",
             answer="""Who asks for it: socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), as ping does.
             With protocol 0 the first of the list is taken."""),
        Stop("udp-chosen", "sk_alloc", "UDP",
             """The first entry is UDP's. The object is smaller than TCP's: there is no connection
             whose numbers, timers and queues have to be kept.""",
             condition=lambda: ours() and number(1) == INET,
             show=[Show("print ((struct proto *)$rcx)->name"),
                   Show("print ((struct proto *)$rcx)->obj_size")],
             check=[in_context("process"),
                    Check("it is the prot of the entry that a walk of ours finds",
                          lambda: int(argument(3, "struct proto"))
                          == int(chosen(DGRAM, 0)["prot"])),
                    Check("this is udp_prot",
                          lambda: int(argument(3, "struct proto")) == address("udp_prot")),
                    Check("an object is a struct udp_sock",
                          lambda: object_size(3) == size_of("udp_sock")),
                    Check("that is smaller than a struct tcp_sock",
                          lambda: object_size(3) < size_of("tcp_sock"))]),
    ]


def trace(_config: dict[str, Any]) -> Trace:
    """The trace as the runner asks for it."""
    made = Made()
    return Trace("socket", ABOUT, call(made) + objects(made) + descriptor(made) + datagram(),
                 start_at="default_idle")
