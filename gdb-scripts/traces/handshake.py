# SPDX-License-Identifier: GPL-2.0
"""Trace handshake: bind, listen, connect and accept, seen from inside both ends."""

from __future__ import annotations

import re
from typing import Any

import gdb

from netstack import percpu, skb, sock, utils
from netstack.trace import Check, Show, Stop, Trace, argument
from traces.receive import in_context

SCENARIO = "meeting"
DRIVERS = ("igb", "08")
ABOUT = """Two programs of the guest meet over loopback. The server takes port 4000, listens and
sleeps in accept. Then the client connects. Both ends of the connection are in this kernel, so each
of the three segments is seen where it is sent and where it arrives."""

SERVER, CLIENT = "tcp_reader", "talk"
PORT = 4000
EXCLUSIVE = 1


class Meeting:
    """What the stops of one run share: three sockets, the request, the packets."""

    def __init__(self) -> None:
        self.listener = 0
        self.client = 0
        self.request = 0
        self.child = 0
        self.answer = 0

    def listening(self) -> gdb.Value:
        """The server's socket that listens."""
        return sock.common(self.listener)

    def connecting(self) -> gdb.Value:
        """The client's socket."""
        return sock.common(self.client)

    def born(self) -> gdb.Value:
        """The socket that the listening one has made."""
        return sock.common(self.child)

    def queues(self) -> tuple[int, int]:
        """How many are in the SYN queue, and in the accept queue."""
        return sock.listener(self.listening())[:2]

    def keep_listener(self) -> bool:
        """Does the server bind? Remember its socket."""
        self.listener = int(argument(0, "struct sock"))
        return task_is(SERVER)

    def keep_client(self) -> bool:
        """Does the client connect? Remember its socket."""
        self.client = int(argument(0, "struct sock"))
        return task_is(CLIENT)

    def keep_request(self) -> bool:
        """Is it a request to our listener? Remember it."""
        self.request = int(argument(1, "struct request_sock"))
        return self.is_listener(0)

    def keep_child(self) -> bool:
        """Does our listener get a connection? Remember the new socket."""
        self.child = int(argument(1, "struct sock"))
        return self.is_listener(0)

    def keep_answer(self) -> bool:
        """Does a segment wait for the client to let its socket go? Remember it."""
        self.answer = int(argument(1, "struct sk_buff"))
        return self.is_client(0)

    def is_listener(self, number: int) -> bool:
        """Is this argument the socket that listens?"""
        return int(argument(number, "struct sock")) == self.listener

    def is_client(self, number: int) -> bool:
        """Is this argument the client's socket?"""
        return int(argument(number, "struct sock")) == self.client


def task_is(name: str) -> bool:
    """Is this the running task?"""
    return percpu.task_name() == name


def in_table(sk: gdb.Value) -> bool:
    """Does the socket hang in one of the hash tables by which packets find sockets?"""
    return int(sk["__sk_common"]["skc_node"]["pprev"]) != 0


def request_state(address: int) -> int:
    """The state of a request, which begins with the part that all kinds of sockets share."""
    kind = gdb.lookup_type("struct request_sock").pointer()
    return int(gdb.Value(address).cast(kind)["__req_common"]["skc_state"])


def size_of(name: str) -> int:
    """Bytes of a struct."""
    return int(gdb.lookup_type(f"struct {name}").sizeof)


def flags(packet: gdb.Value) -> int:
    """The flags in the TCP header."""
    place = skb.layout(packet)
    return utils.read_bytes(place.head + place.transport + 13, 1)[0]


def without_chance(text: str) -> str:
    """The client's port is chosen by chance."""
    text = re.sub(r"port (?!4000\b|0\b)\d+", "port BY-CHANCE", text)
    return re.sub(r"peer's (?!4000\b|0\b)\d+", "peer's BY-CHANCE", text)


def shown(expression: str) -> Show:
    """`net socket` of a struct sock."""
    return Show(f"net socket (struct sock *)${expression}", keep=without_chance)


SYN, SYN_ACK, ACK = 0x02, 0x12, 0x10
NEW_SYN_RECV = 12


def server(meeting: Meeting) -> list[Stop]:
    """bind, listen, accept."""
    return [
        Stop("bind", "__inet_bind", "bind: a port",
             """The server's socket has no port yet. The address must be one of this machine, or
             0, which stands for all of them. Then the protocol is asked for the port, and refuses
             if another socket has it and the two do not agree to share.""",
             condition=meeting.keep_listener,
             show=[shown("rdi")],
             check=[in_context("process"),
                    Check("it has no port", lambda: sock.port(meeting.listening()) == 0),
                    Check("no program owns it", lambda: not sock.owned(meeting.listening()))],
             question="What would port 0 mean here?",
             answer="Any: the kernel chooses a free one of ip_local_port_range."),
        Stop("listen", "inet_csk_listen_start", "listen: a socket without a peer",
             """bind has left the port in the socket, and in the table of ports in use. Packets
             would not find the socket: the tables that they are looked up in do not have it. listen
             has noted how many connections may wait for accept, and now empties the queue, sets
             the state, asks for the port once more and hangs the socket into the table of those
             that listen.""",
             condition=lambda: meeting.is_listener(0),
             show=[shown("rdi")],
             check=[in_context("process"),
                    Check("it has the port", lambda: sock.port(meeting.listening()) == PORT),
                    Check("it is in no table in which packets look",
                          lambda: not in_table(meeting.listening())),
                    Check("the state is CLOSE",
                          lambda: sock.state(meeting.listening()) == "CLOSE"),
                    Check("the limit of the accept queue is what the program has asked for",
                          lambda: int(meeting.listening()["sk_max_ack_backlog"]) == 1)],
             question="The program said listen(fd, 1000000). What is the limit?",
             answer="net.core.somaxconn, 4096 unless somebody has changed it."),
        Stop("accept", "inet_csk_accept", "accept: nothing there yet",
             """The socket listens now. Two queues belong to it. The SYN queue is no list but a
             number: who has sent a SYN is in the same table as connections are, and here they are
             only counted. The accept queue is a list of those whose handshake is over. Both are
             empty, so the server will sleep.""",
             condition=lambda: meeting.is_listener(0),
             show=[shown("rdi")],
             check=[in_context("process"),
                    Check("the state is LISTEN",
                          lambda: sock.state(meeting.listening()) == "LISTEN"),
                    Check("it is in the table", lambda: in_table(meeting.listening())),
                    Check("both queues are empty", lambda: meeting.queues() == (0, 0))],
             question="A client connects while nobody is in accept. What does it notice?",
             answer="""Nothing. The kernel does the handshake by itself, and the connection waits
             in the accept queue."""),
    ]


def client(meeting: Meeting) -> list[Stop]:
    """connect, as far as the SYN."""
    return [
        Stop("connect", "tcp_v4_connect", "connect: the other end",
             """The client holds its socket, and will do so for all of connect except when it
             sleeps. The socket has neither port nor address. The route to the destination gives
             the address, and a free port is looked for.""",
             condition=meeting.keep_client,
             show=[shown("rdi")],
             check=[in_context("process"),
                    Check("the client owns its socket",
                          lambda: sock.owned(meeting.connecting())),
                    Check("it has no port", lambda: sock.port(meeting.connecting()) == 0),
                    Check("the state is CLOSE",
                          lambda: sock.state(meeting.connecting()) == "CLOSE")],
             question="May two connections of this machine have the same port here?",
             answer="""Yes, if they differ in anything else, as in the peer's address. Only all four
             numbers together have to be unique."""),
        Stop("syn", "tcp_connect", "Ready for the answer before the question",
             """State, port and place in the table are there, and nothing has been sent: the answer
             must find the socket however fast it is. This function makes the SYN, keeps it in the
             queue of what has to be sent again, and sends it.""",
             condition=lambda: meeting.is_client(0),
             show=[shown("rdi")],
             check=[in_context("process"),
                    Check("the state is SYN_SENT",
                          lambda: sock.state(meeting.connecting()) == "SYN_SENT"),
                    Check("it has a port", lambda: sock.port(meeting.connecting()) != 0),
                    Check("it knows the peer's",
                          lambda: sock.remote_port(meeting.connecting()) == PORT),
                    Check("packets find it", lambda: in_table(meeting.connecting()))],
             question="Nobody answers. When does connect give up?",
             answer="""After as many repetitions as tcp_syn_retries and tcp_syn_linear_timeouts say
             together, 6 and 4 unless changed. The pauses of the latter are a second each, the
             others double: it takes some two minutes."""),
    ]


def syn(meeting: Meeting) -> list[Stop]:
    """The SYN at the server's end."""
    return [
        Stop("request", "tcp_conn_request", "The SYN arrives",
             """Loopback has put the frame into the processor's backlog, and when the client's call
             let softirqs run again, they ran at once. So this is the server's end, in a softirq
             and in the client's time. The server's program knows nothing of it. Two limits are
             looked at first: a full SYN queue makes cookies, and a full accept queue makes the
             kernel drop the SYN.""",
             condition=lambda: meeting.is_listener(2),
             show=[shown("rdx")],
             check=[in_context("softirq"),
                    Check("the task is the client", lambda: task_is(CLIENT)),
                    Check("the segment is a SYN", lambda: flags(argument(3, "struct sk_buff"))
                          & ~0xc0 == SYN),
                    Check("both queues are empty", lambda: meeting.queues() == (0, 0))],
             question="Which counter grows when the accept queue is full?",
             answer="ListenOverflows, and ListenDrops with it. Both are in `nstat`, as TcpExt..."),
        Stop("syn-queue", "inet_csk_reqsk_queue_hash_add", "A request, not yet a socket",
             """For the peer a struct request_sock was made: addresses, ports, numbers, options, a
             timer. It is a fraction of a socket's size, since anybody can send a SYN. It goes
             into the table of connections, where the third segment will find it, and is counted
             in the listener. Only then the SYN ACK is sent.""",
             condition=meeting.keep_request,
             show=[Show("print sizeof(struct tcp_request_sock)"),
                   Show("print sizeof(struct tcp_sock)")],
             check=[in_context("softirq"),
                    Check("the request knows its listener",
                          lambda: int(argument(1, "struct request_sock")["__req_common"]
                                      ["skc_listener"]) == meeting.listener),
                    Check("its state is NEW_SYN_RECV",
                          lambda: request_state(meeting.request) == NEW_SYN_RECV),
                    Check("it is less than a fifth of a struct tcp_sock",
                          lambda: size_of("tcp_request_sock") * 5 < size_of("tcp_sock")),
                    Check("it is not counted yet", lambda: meeting.queues() == (0, 0))],
             question="What is in the SYN queue when a cookie is sent?",
             answer="""Nothing. All that has to be known is in the sequence number, and the peer
             sends it back."""),
    ]


def syn_ack(meeting: Meeting) -> list[Stop]:
    """The SYN ACK at the client's end."""
    return [
        Stop("backlog", "tcp_add_backlog", "The SYN ACK arrives too early",
             """The request is counted: one in the SYN queue. The answer has come back by loopback
             in the same softirq, and the client is still in the middle of sending. It owns its
             socket, so the softirq must not touch it. The segment goes to the socket's backlog.""",
             condition=meeting.keep_answer,
             show=[shown("rdi")],
             check=[in_context("softirq"),
                    Check("the task is the client", lambda: task_is(CLIENT)),
                    Check("it owns the socket", lambda: sock.owned(meeting.connecting())),
                    Check("the segment is a SYN ACK",
                          lambda: flags(argument(1, "struct sk_buff")) & ~0xc0 == SYN_ACK),
                    Check("the state is still SYN_SENT",
                          lambda: sock.state(meeting.connecting()) == "SYN_SENT"),
                    Check("one is in the SYN queue", lambda: meeting.queues() == (1, 0))],
             question="When is the backlog looked at?",
             answer="When the owner calls release_sock, which connect does before it sleeps."),
        Stop("answered", "tcp_rcv_state_process", "The client reads its own answer",
             """connect was about to sleep and has let the socket go. Before that was done the
             backlog had to be emptied, by the client, in process context. What any state but
             ESTABLISHED makes of a segment stands in this function.""",
             condition=lambda: meeting.is_client(0),
             check=[in_context("process"),
                    Check("the task is the client", lambda: task_is(CLIENT)),
                    Check("it is the segment that was in the backlog",
                          lambda: int(argument(1, "struct sk_buff")) == meeting.answer),
                    Check("the socket is still owned",
                          lambda: sock.owned(meeting.connecting()))],
             question="Would it be the same with a peer at the other end of a cable?",
             answer="""No. connect would sleep already, and not own the socket, and the softirq
             would call this function itself."""),
        Stop("established", "tcp_finish_connect", "The client's end is ready",
             """The SYN ACK acknowledges our SYN. In this function the state becomes ESTABLISHED.
             Then connect is woken, which has not even slept, and the third segment is sent. For
             the client the connection exists. At the server's end there is only the request.""",
             condition=lambda: meeting.is_client(0),
             show=[shown("rdi")],
             check=[in_context("process"),
                    Check("the state is SYN_SENT for the last time",
                          lambda: sock.state(meeting.connecting()) == "SYN_SENT"),
                    Check("the server has one in the SYN queue and none to accept",
                          lambda: meeting.queues() == (1, 0))],
             question="The third segment is lost and the client waits for data. What happens?",
             answer="""The server sends its SYN ACK again by the request's timer, and the client
             answers with another ACK."""),
    ]


def third(meeting: Meeting) -> list[Stop]:
    """The ACK at the server's end."""
    return [
        Stop("check", "tcp_check_req", "The third segment finds the request",
             """The look-up by four numbers has led to the request. Its state says that it is none
             of the sockets, and the listener is taken from it. If the segment acknowledges our
             number and is in the window, a socket will be made.""",
             condition=lambda: int(argument(2, "struct request_sock")) == meeting.request,
             check=[in_context("softirq"),
                    Check("the segment is an ACK",
                          lambda: flags(argument(1, "struct sk_buff")) & ~0xc0 == ACK),
                    Check("the client's end is ESTABLISHED",
                          lambda: sock.state(meeting.connecting()) == "ESTABLISHED"),
                    Check("the listener comes with it", lambda: meeting.is_listener(0)),
                    Check("one is in the SYN queue", lambda: meeting.queues() == (1, 0))],
             question="And if the accept queue is full by now?",
             answer="""The ACK is dropped and ListenOverflows counted. The request stays, and the
             client believes that it is connected. With tcp_abort_on_overflow it gets a reset."""),
        Stop("accept-queue", "inet_csk_complete_hashdance", "A socket, for the accept queue",
             """The listening socket was copied, and the copy given the request's addresses and
             numbers. In the table it has taken the request's place. This function counts the
             request out of the SYN queue and hangs it, with a pointer to the new socket, into the
             accept queue. No struct socket belongs to the new one: no program knows it.""",
             condition=meeting.keep_child,
             show=[shown("rsi")],
             check=[in_context("softirq"),
                    Check("it is the same request",
                          lambda: int(argument(2, "struct request_sock")) == meeting.request),
                    Check("the new socket has no struct socket",
                          lambda: int(meeting.born()["sk_socket"]) == 0),
                    Check("its state is SYN_RECV",
                          lambda: sock.state(meeting.born()) == "SYN_RECV"),
                    Check("it has the server's port and the client's",
                          lambda: (sock.port(meeting.born()), sock.remote_port(meeting.born()))
                          == (PORT, sock.port(meeting.connecting()))),
                    Check("it has replaced the request in the table",
                          lambda: in_table(meeting.born())),
                    Check("the SYN queue counts it still",
                          lambda: meeting.queues() == (1, 0))],
             question="May the client's data come before the server has called accept?",
             answer="""Yes. The new socket has a receive queue, and they wait there."""),
        Stop("wake", "sock_def_readable", "The listener is readable",
             """The new socket has been given the segment and is ESTABLISHED. That a connection is
             there is told in the same way as that data are: the listener is readable. Who sleeps in
             accept does so exclusively, so that one connection wakes one.""",
             condition=lambda: meeting.is_listener(0),
             show=[shown("rdi")],
             check=[in_context("softirq"),
                    Check("the new socket is ESTABLISHED",
                          lambda: sock.state(meeting.born()) == "ESTABLISHED"),
                    Check("one is in the accept queue, none in the SYN queue",
                          lambda: meeting.queues() == (0, 1)),
                    Check("one waits, exclusively",
                          lambda: [int(entry["flags"]) & EXCLUSIVE for entry
                                   in sock.waiters(meeting.listening())] == [EXCLUSIVE])],
             question="How does a program that serves thousands learn of a connection?",
             answer="By epoll, on the listening socket, which becomes readable."),
        Stop("graft", "__inet_accept", "A face for the program",
             """The server is awake and has taken the request out of the queue. A new struct socket
             was made, with a file and a number set aside; and here it and the struct sock, which is
             there since the third segment, get to know each other.""",
             condition=lambda: int(argument(2, "struct sock")) == meeting.child,
             show=[Show("net socket (struct socket *)$rsi"), shown("rdx")],
             check=[in_context("process"),
                    Check("the task is the server", lambda: task_is(SERVER)),
                    Check("both queues are empty", lambda: meeting.queues() == (0, 0)),
                    Check("the struct socket has no struct sock",
                          lambda: int(argument(1, "struct socket")["sk"]) == 0),
                    Check("nor the other way round",
                          lambda: int(meeting.born()["sk_socket"]) == 0)],
             question="Which of the two was made first in socket(), and which here?",
             answer="""There the struct socket. Here the struct sock: the network was quicker than
             the program."""),
        Stop("installed", "fd_install", "A number for the program",
             """Both point to each other. What accept returns is the number of a descriptor as
             socket would have made it, and the listener listens on.""",
             condition=lambda: task_is(SERVER)
             and int(meeting.born()["sk_socket"]) == int(argument(1, "struct file")
                                                         ["private_data"]),
             show=[Show("net socket (struct socket *)((struct file *)$rsi)->private_data",
                        keep=without_chance)],
             check=[in_context("process"),
                    Check("the struct sock points to the file's struct socket",
                          lambda: int(meeting.born()["sk_socket"])
                          == int(argument(1, "struct file")["private_data"])),
                    Check("and back",
                          lambda: int(meeting.born()["sk_socket"]["sk"]) == meeting.child),
                    Check("it is not the listener",
                          lambda: meeting.child != meeting.listener),
                    Check("the listener still listens",
                          lambda: sock.state(meeting.listening()) == "LISTEN")]),
    ]


def trace(_config: dict[str, Any]) -> Trace:
    """The trace as the runner asks for it."""
    meeting = Meeting()
    stops = server(meeting) + client(meeting) + syn(meeting) + syn_ack(meeting) + third(meeting)
    return Trace("handshake", ABOUT, stops, start_at="default_idle")
