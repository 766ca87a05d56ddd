# SPDX-License-Identifier: GPL-2.0
"""Trace socket: a program calls socket(), and two objects come to be behind one descriptor."""

from __future__ import annotations

from typing import Any

import gdb

from netstack import percpu, sock, utils
from netstack.trace import Check, Show, Stop, Trace, argument, return_value
from traces.receive import in_context

SCENARIO = "socket-call"
ABOUT = """A program in the guest is started that calls socket(AF_INET, SOCK_DGRAM, 0). Follow the
call: to the family, through the table of what the family offers, to the two objects that come of
it, and back with a number."""

READER = "udp_reader"
AF_INET = 2
SOCK_DGRAM = 2
UNCONNECTED = 1
IPPROTO_UDP = 17


class Made:
    """What the call makes."""

    def __init__(self) -> None:
        self.socket = 0
        self.sock = 0

    def found(self) -> gdb.Value:
        """The struct socket."""
        return gdb.Value(self.socket).cast(gdb.lookup_type("struct socket").pointer())

    def knows_each_other(self) -> bool:
        """Does each point to the other?"""
        return int(self.found()["sk"]) == self.sock \
            and int(sock.sock(self.sock)["sk_socket"]) == self.socket


def number(register: str) -> int:
    """An int in a register."""
    return int(gdb.parse_and_eval(f"(int)${register}"))


def is_reader() -> bool:
    """Does the program run?"""
    return percpu.task_name() == READER


def first_datagram_entry() -> gdb.Value:
    """The first entry of the family's list for SOCK_DGRAM."""
    kind = gdb.lookup_type("struct inet_protosw")
    return utils.container_of(utils.variable("inetsw")[SOCK_DGRAM]["next"], kind, "list")


def call(made: Made) -> list[Stop]:
    """To the family."""
    def is_our_socket() -> bool:
        made.socket = int(argument(1, "struct socket"))
        return is_reader()

    return [
        Stop("call", "__sys_socket", "A program asks for a socket",
             """Three numbers come from the program: a family, a type, a protocol. 0 as protocol
             means: the one that the family has for this type.""",
             condition=is_reader,
             show=[Show("print $edi"), Show("print $esi"), Show("print $edx")],
             check=[in_context("process"),
                    Check("the family is AF_INET", lambda: number("edi") == AF_INET),
                    Check("the type is SOCK_DGRAM", lambda: number("esi") == SOCK_DGRAM),
                    Check("the protocol is left open", lambda: number("edx") == 0)],
             question="Where do SOCK_NONBLOCK and SOCK_CLOEXEC come in?",
             answer="""They are flags beside the type in the second argument, and are taken off
             here. They end up in the file and in the table of descriptors, not in the socket."""),
        Stop("family", "__sock_create", "Which family is that?",
             """net_families is an array of pointers, with the family's number as index. Each
             family that is there has put a function `create` into it. An empty place would now ask
             for a module with the alias net-pf-2.""",
             condition=is_reader,
             show=[Show("net protocols families"), Show("print net_families[2]->create")],
             check=[in_context("process"),
                    Check("the family's function is inet_create",
                          lambda: utils.symbol_of(
                              utils.variable("net_families")[AF_INET]["create"]) == "inet_create"),
                    Check("it is asked for by a program, not by the kernel",
                          lambda: number("r9d") == 0)],
             question="What does a program see that asks for a family that is not there?",
             answer="EAFNOSUPPORT, after the kernel has tried to load a module for it."),
        Stop("create", "inet_create", "The first object is there, and empty",
             """A struct socket was allocated together with an inode: one can be found from the
             other without a pointer. It has a type and a state, and nothing that knows of
             networks. Now the family looks for an entry of its table inetsw, in the list of this
             type, whose protocol fits.""",
             condition=is_our_socket,
             show=[Show("net protocols sockets"),
                   Show("print ((struct socket *)$rsi)->ops"),
                   Show("print ((struct socket *)$rsi)->sk")],
             check=[in_context("process"),
                    Check("its type is SOCK_DGRAM",
                          lambda: int(made.found()["type"]) == SOCK_DGRAM),
                    Check("it has no operations yet", lambda: utils.is_null(made.found()["ops"])),
                    Check("and no struct sock", lambda: utils.is_null(made.found()["sk"])),
                    Check("the first entry for datagrams is UDP's",
                          lambda: int(first_datagram_entry()["protocol"]) == IPPROTO_UDP
                          and utils.symbol_of(first_datagram_entry()["prot"]) == "udp_prot")],
             question="There are two more entries for SOCK_DGRAM. How does a program get at them?",
             answer="""By naming the protocol: IPPROTO_UDPLITE, or IPPROTO_ICMP for a ping socket.
             With 0 the first entry of the list is taken."""),
    ]


def objects(made: Made) -> list[Stop]:
    """The second object, and the descriptor."""
    def is_our_sock() -> bool:
        made.sock = int(argument(1, "struct sock"))
        return int(argument(0, "struct socket")) == made.socket

    def file_of(register: int) -> gdb.Value:
        return argument(register, "struct file")

    return [
        Stop("data", "sock_init_data", "The second object",
             """The entry has given two things: the operations, for struct socket, and the protocol,
             struct proto, for struct sock. That was allocated with the size that the protocol
             states: for UDP a struct udp_sock, of which a struct sock is the beginning. The two
             objects do not know each other yet.""",
             condition=is_our_sock,
             show=[Show("print ((struct socket *)$rdi)->ops"),
                   Show("print ((struct sock *)$rsi)->__sk_common.skc_prot"),
                   Show("print udp_prot.obj_size")],
             check=[in_context("process"),
                    Check("the operations are inet_dgram_ops",
                          lambda: utils.symbol_of(made.found()["ops"]) == "inet_dgram_ops"),
                    Check("the protocol is udp_prot",
                          lambda: utils.symbol_of(
                              sock.sock(made.sock)["__sk_common"]["skc_prot"]) == "udp_prot"),
                    Check("struct socket does not know of it",
                          lambda: utils.is_null(made.found()["sk"])),
                    Check("the protocol's objects have the size of a struct udp_sock",
                          lambda: int(utils.variable("udp_prot")["obj_size"])
                          == gdb.lookup_type("struct udp_sock").sizeof)],
             question="Why two objects and not one?",
             answer="""They have different lives. A program closes its descriptor and the struct
             socket goes; TCP's struct sock stays for a while to finish the connection. And a struct
             sock for a connection that no program has accepted yet has no struct socket."""),
        Stop("init", "udp_init_sock", "Two objects that know each other",
             """The general part is done: queues, limits from sysctls, the function that is called
             when data come. Each object points to the other. Now the protocol prepares its own
             part.""",
             condition=lambda: int(argument(0, "struct sock")) == made.sock,
             show=[Show("print ((struct sock *)$rdi)->sk_rcvbuf"),
                   Show("print ((struct sock *)$rdi)->sk_data_ready")],
             check=[in_context("process"),
                    Check("each points to the other", made.knows_each_other),
                    Check("its receive buffer is net.core.rmem_default",
                          lambda: int(sock.sock(made.sock)["sk_rcvbuf"])
                          == int(utils.variable("sysctl_rmem_default"))),
                    Check("who has data calls sock_def_readable",
                          lambda: utils.symbol_of(sock.sock(made.sock)["sk_data_ready"])
                          == "sock_def_readable"),
                    Check("its receive queue is empty",
                          lambda: not sock.receive_queue(made.sock))],
             question="Which port does it have now?",
             answer="None. A port comes with bind(), or with the first datagram that is sent."),
        Stop("file", "fd_install", "A number for it",
             """A struct file was made for the inode, with operations that know sockets, and
             private_data leads back to the struct socket. Now it is put into the process's table,
             at the lowest place that is free.""",
             condition=lambda: is_reader() and int(file_of(1)["private_data"]) == made.socket,
             show=[Show("print $edi"), Show("print ((struct file *)$rsi)->f_op")],
             check=[in_context("process"),
                    Check("the file's operations are those of sockets",
                          lambda: int(file_of(1)["f_op"])
                          == int(utils.address_of("socket_file_ops"))),
                    Check("the socket knows its file",
                          lambda: int(made.found()["file"]) == int(file_of(1)))],
             question="What does read() do with such a descriptor?",
             answer="""The file's read_iter is sock_read_iter, and that calls recvmsg of the
             socket's operations: read() is recv() without flags."""),
        Stop("return", "__sys_socket", "Back to the program",
             """The program gets the number. All that it will say of this socket goes by it: number
             to struct file, to struct socket, to struct sock.""",
             at="return",
             show=[Show("print (long)$rax")],
             check=[in_context("process"),
                    Check("it is the first number after the three standard ones",
                          lambda: return_value() == 3),
                    Check("the socket is not connected",
                          lambda: int(made.found()["state"]) == UNCONNECTED
                          and sock.state(made.sock) == sock.CLOSE)],
             question="The struct sock is in state TCP_CLOSE. UDP has no connections; why a state?",
             answer="""The state is of struct sock, whatever the protocol. For UDP it is
             TCP_ESTABLISHED after connect() and TCP_CLOSE otherwise."""),
    ]


def trace(_config: dict[str, Any]) -> Trace:
    """The trace as the runner asks for it."""
    made = Made()
    return Trace("socket", ABOUT, call(made) + objects(made))
