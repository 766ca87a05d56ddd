# SPDX-License-Identifier: GPL-2.0
"""Trace handshake: connect() and accept(), seen from inside both ends."""

from __future__ import annotations

from typing import Any

from netstack import percpu, sock
from netstack.trace import Check, Show, Stop, Trace, argument
from traces.receive import in_context

SCENARIO = "listener"
ABOUT = """A server in the guest listens on TCP port 4000 and sleeps in accept. A client in the same
guest now calls connect; both ends are in one kernel, and three segments go through the loopback
device. Follow them, and see which sockets there are at each moment, and in which state."""

CLIENT = "echo_client"
SERVER = "tcp_reader"


class Ends:
    """The sockets, as they come to be."""

    def __init__(self) -> None:
        self.client = 0
        self.listener = 0
        self.request = 0
        self.child = 0


def queued(ends: Ends) -> tuple[int, int]:
    """The listener's connections: begun, and complete but not accepted."""
    return sock.requests(ends.listener), sock.completed(ends.listener)


def opening(ends: Ends) -> list[Stop]:
    """SYN."""
    def connecting() -> bool:
        ends.client = int(argument(0, "struct sock"))
        return percpu.task_name() == CLIENT

    def asked() -> bool:
        ends.listener = int(argument(2, "struct sock"))
        return True

    def request_made() -> bool:
        ends.request = int(argument(1, "struct request_sock"))
        return int(argument(0, "struct sock")) == ends.listener

    return [
        Stop("connect", "tcp_v4_connect", "The client wants a connection",
             """inet_stream_connect has found the socket unconnected and calls its protocol. A route
             will be looked up, a port chosen, and a first sequence number.""",
             condition=connecting,
             show=[Show("print ((struct sock *)$rdi)->__sk_common.skc_state")],
             check=[in_context("process"),
                    Check("the client's socket is closed",
                          lambda: sock.state(ends.client) == sock.CLOSE)],
             question="The client called no bind. Where does its port come from?",
             answer="""From tcp_v4_connect, by inet_hash_connect: one for which this pair of
             addresses and ports is not in use."""),
        Stop("syn", "tcp_conn_request", "A SYN reaches the listener",
             """The segment has gone through IP and the loopback device, and came up in the softirq
             as from any card. It was looked for among the connections and then among the
             listeners. Now the listener decides: are there too many connections already that were
             begun, or too many that nobody accepts?""",
             condition=asked,
             show=[Show("print ((struct sock *)$rdx)->sk_ack_backlog"),
                   Show("print ((struct sock *)$rdx)->sk_max_ack_backlog")],
             check=[in_context("softirq"),
                    Check("the listener listens",
                          lambda: sock.state(ends.listener) == sock.LISTEN),
                    Check("nothing waits in either queue", lambda: queued(ends) == (0, 0)),
                    Check("the client has sent its SYN",
                          lambda: sock.state(ends.client) == sock.SYN_SENT)],
             question="Which counters grow when it has no room?",
             answer="""When the accept queue is full, ListenOverflows, and ListenDrops with it.
             ListenDrops counts whatever a listener drops."""),
        Stop("request", "inet_csk_reqsk_queue_hash_add", "A socket's beginning",
             """There is room. A struct request_sock holds what the SYN said, and little else: a
             connection that may never come is to cost little. Now it goes into the table of all
             connections, where the answer to the SYN-ACK will find it, and the listener counts it.
             This is what is called the SYN queue.""",
             condition=request_made,
             show=[Show("print sizeof(struct tcp_request_sock)"),
                   Show("print sizeof(struct tcp_sock)"),
                   Show("print ((struct request_sock *)$rsi)->__req_common.skc_state")],
             check=[in_context("softirq"),
                    Check("its state is NEW_SYN_RECV",
                          lambda: sock.state(ends.request) == sock.NEW_SYN_RECV),
                    Check("it is not counted yet", lambda: queued(ends) == (0, 0))],
             question="What if the client never answers?",
             answer="""A timer sends the SYN-ACK again, tcp_synack_retries times, and then the
             request is dropped."""),
    ]


def completing(ends: Ends) -> list[Stop]:
    """SYN-ACK and ACK."""
    def child_made() -> bool:
        ends.child = int(argument(1, "struct sock"))
        return int(argument(0, "struct sock")) == ends.listener

    return [
        Stop("backlog", "tcp_add_backlog", "SYN-ACK: the client is busy",
             """The listener's answer has come to the client's socket, in the softirq. But the
             client is still in connect and owns its socket, so nothing in it may be changed. The
             segment goes to the socket's backlog.""",
             condition=lambda: int(argument(0, "struct sock")) == ends.client,
             show=[Show("print ((struct sock *)$rdi)->sk_lock.owned")],
             check=[in_context("softirq"),
                    Check("a program owns the socket",
                          lambda: int(sock.sock(ends.client)["sk_lock"]["owned"]) == 1),
                    Check("the backlog is empty",
                          lambda: int(sock.sock(ends.client)["sk_backlog"]["len"]) == 0),
                    Check("the listener has one connection begun, none complete",
                          lambda: queued(ends) == (1, 0))],
             question="Who decides when the segment is looked at?",
             answer="""The owner: it works the backlog off when it lets the socket go. Until then
             the softirq only adds to it."""),
        Stop("synack", "tcp_finish_connect", "The client is done",
             """Before it sleeps, connect lets its socket go, and works off what lies in the
             backlog. It is the same code that the softirq would have run, called from the system
             call. For the client the connection exists from now on; it will say so with an
             ACK.""",
             condition=lambda: int(argument(0, "struct sock")) == ends.client,
             check=[Check(f"the running task is {CLIENT}", lambda: percpu.task_name() == CLIENT),
                    Check("its state is still SYN_SENT",
                          lambda: sock.state(ends.client) == sock.SYN_SENT)],
             question="Has the server's program anything to do with it so far?",
             answer="Nothing. The kernel answers for it, and it sleeps in accept."),
        Stop("ack", "tcp_check_req", "The ACK finds the request",
             """The third segment. In the table of connections stands the request, and that names
             its listener. Numbers and flags are checked.""",
             condition=lambda: int(argument(2, "struct request_sock")) == ends.request,
             check=[in_context("softirq"),
                    Check("the client's connection is established",
                          lambda: sock.state(ends.client) == sock.ESTABLISHED),
                    Check("the listener has one connection begun, none complete",
                          lambda: queued(ends) == (1, 0))],
             question="And if the accept queue has filled up since the SYN?",
             answer="""Then the ACK is ignored, as if it had been lost (or refused with a reset, if
             tcp_abort_on_overflow is set). The client believes itself connected; the SYN-ACK comes
             again later."""),
        Stop("child", "tcp_child_process", "A whole socket, for nobody yet",
             """A struct tcp_sock has been made after the listener's pattern. It stands in the
             table in the request's place, and at the end of the accept queue. It has no struct
             socket: no program knows it. Now it gets the ACK as its first segment.""",
             condition=child_made,
             show=[Show("print ((struct sock *)$rsi)->__sk_common.skc_state"),
                   Show("print ((struct sock *)$rsi)->sk_socket"),
                   Show("print ((struct sock *)$rdi)->sk_ack_backlog")],
             check=[in_context("softirq"),
                    Check("its state is SYN_RECV", lambda: sock.state(ends.child) == sock.SYN_RECV),
                    Check("no struct socket belongs to it",
                          lambda: int(sock.sock(ends.child)["sk_socket"]) == 0),
                    Check("the listener has none begun, one complete",
                          lambda: queued(ends) == (0, 1))],
             question="Can data come for it now?",
             answer="""Yes. It is in the table, and what comes waits in its receive queue until a
             program has accepted it."""),
        Stop("accept", "__inet_accept", "accept() returns it",
             """The server was woken and took the socket off the queue. Now it is joined to a new
             struct socket, and then it gets a descriptor.""",
             condition=lambda: int(argument(2, "struct sock")) == ends.child,
             show=[Show("print ((struct sock *)$rdx)->__sk_common.skc_state")],
             check=[in_context("process"),
                    Check(f"the running task is {SERVER}", lambda: percpu.task_name() == SERVER),
                    Check("the connection is established",
                          lambda: sock.state(ends.child) == sock.ESTABLISHED),
                    Check("both queues are empty again", lambda: queued(ends) == (0, 0)),
                    Check("the listener listens as before",
                          lambda: sock.state(ends.listener) == sock.LISTEN)],
             question="How many sockets has the server's program now?",
             answer="""Two: the one that listens, and the connection. Their ports are the same;
             what tells them apart is the other end."""),
    ]


def trace(_config: dict[str, Any]) -> Trace:
    """The trace as the runner asks for it."""
    ends = Ends()
    return Trace("handshake", ABOUT, opening(ends) + completing(ends), start_at="default_idle")
