# SPDX-License-Identifier: GPL-2.0
"""Trace receive-tcp: four TCP segments in one burst, joined by GRO, up to the program."""

from __future__ import annotations

import re
from typing import Any

import gdb

from netstack import descriptor, lists, packet, percpu, ring, skb, tcp, utils
from netstack.driver import Driver
from netstack.trace import Check, Show, Stop, Trace, argument, return_value
from traces.receive import PORT, eth0, in_context, packet_argument, packet_behind, ring_now, \
    user_buffer, waiting_task

SCENARIO = "tcp-reader"
DRIVERS = ("07",)
ABOUT = """A program in the guest has accepted a TCP connection on port 4000 and sleeps in recv. The
host now puts four full segments on the cable, one behind the other. They shall be handled in one
poll, so gdb has told the processor to take no interrupts (as the instruction cli does) until all
four lie in the ring. Follow them: four frames, one packet, one read."""

READER = "tcp_reader"
COUNT = 4
SIZE = tcp.MAXIMUM
HEADERS = 40
FIRST = tcp.FIRST + 1
ESTABLISHED = 1
TCP_IPV4 = 1
UNNECESSARY = 1
PARTIAL = 3
STOLEN_HEAD = 2
BUCKETS = 8
# The flag that header prediction leaves out, in the header's word as the processor reads it.
PUSH = 0x0800


class Burst:
    """What the stops of one run share."""

    def __init__(self, driver: Driver, payload: str) -> None:
        self.driver = driver
        self.payload = payload.encode()
        self.first = 0
        self.second = 0
        self.sock = 0
        self.segments_before = 0

    def instance(self) -> gdb.Value:
        """The NAPI instance of the card's receive queue."""
        return self.driver.napi(eth0())

    def held(self) -> list[int]:
        """The packets that GRO holds in the bucket of our flow."""
        bucket = int(self.packet()["hash"]) & BUCKETS - 1
        return [int(entry) for entry in lists.for_each_entry(
            self.instance()["gro_hash"][bucket]["list"], skb.sk_buff.get(), "list")]

    def packet(self) -> gdb.Value:
        """The first segment's sk_buff, with whatever has been joined to it."""
        return gdb.Value(self.first).cast(skb.sk_buff.pointer())

    def is_segment(self, candidate: gdb.Value, number: int) -> bool:
        """Is this the sk_buff of this segment of the burst, counted from 0?"""
        return skb.tcp_segment(candidate) == (PORT, FIRST + number * SIZE, SIZE)

    def is_first(self, candidate: gdb.Value) -> bool:
        """The first segment? Remembered, to recognise it at later stops."""
        self.first = int(candidate)
        return self.is_segment(candidate, 0)

    def is_second(self, candidate: gdb.Value) -> bool:
        """The second segment? Remembered, too."""
        self.second = int(candidate)
        return self.is_segment(candidate, 1)

    def is_ours(self, candidate: gdb.Value) -> bool:
        """Is this the sk_buff into which all were joined?"""
        return int(candidate) == self.first

    def socket(self) -> gdb.Value:
        """The connection's struct tcp_sock."""
        return gdb.Value(self.sock).cast(gdb.lookup_type("struct tcp_sock").pointer())

    def piece(self) -> int:
        """Bytes that the driver sets aside for one frame."""
        return int(self.driver.private(eth0())["rx_ring"][0]["piece_size"])

    def receive_queue(self) -> list[int]:
        """The packets in the socket's receive queue."""
        return [int(entry) for entry in lists.skb_queue(common(self.sock)["sk_receive_queue"])]


def common(sock: int) -> gdb.Value:
    """A socket as struct sock."""
    return gdb.Value(sock).cast(gdb.lookup_type("struct sock").pointer())


def gro(packet_: gdb.Value) -> gdb.Value:
    """What GRO notes in an sk_buff's cb."""
    return packet_["cb"].address.cast(gdb.lookup_type("struct napi_gro_cb").pointer())


def shared(packet_: gdb.Value) -> gdb.Value:
    """The struct skb_shared_info behind an sk_buff's data."""
    place = skb.layout(packet_)
    return gdb.Value(place.head + place.end).cast(skb.shared_info.pointer())


def descriptors() -> list[bytes]:
    """The descriptors the driver will look at next, as many as there are segments."""
    receive = ring.read(eth0(), "rx", 0)
    return [utils.read_bytes(
        receive.address + (receive.next_to_clean + number) % receive.count * 16, 16)
        for number in range(COUNT)]


def written_back() -> int:
    """How many of them the card has written back."""
    return sum(raw[8] & descriptor.STATUS_DONE for raw in descriptors())


def all_arrived() -> bool:
    """Does the whole burst lie in the ring?"""
    return written_back() == COUNT


def ip_length(packet_: gdb.Value) -> int:
    """What the IP header says of the packet's length."""
    place = skb.layout(packet_)
    return int.from_bytes(utils.read_bytes(place.head + place.network + 2, 2), "big")


def tcp_sum(packet_: gdb.Value) -> int:
    """The sum in the TCP header."""
    place = skb.layout(packet_)
    return int.from_bytes(utils.read_bytes(place.head + place.transport + 16, 2), "big")


def pseudo_sum(length: int) -> int:
    """The sum of addresses, protocol and length, for somebody else to complete."""
    return ~tcp.checksum(tcp.HOST + tcp.GUEST + b"\0\6" + length.to_bytes(2, "big")) & 0xffff


def aligned(size: int) -> int:
    """A size rounded up to whole cache lines, as the kernel counts it."""
    return size + 63 & ~63


def header_word(packet_: gdb.Value) -> int:
    """The TCP header's word with the flags and the window, as the kernel compares it."""
    place = skb.layout(packet_)
    return int.from_bytes(utils.read_bytes(place.head + place.transport + 12, 4), "little")


def number_of(packet_: gdb.Value) -> int:
    """The sequence number that TCP notes in an sk_buff's cb."""
    kind = gdb.lookup_type("struct tcp_skb_cb").pointer()
    return int(packet_["cb"].address.cast(kind)["seq"])


def acknowledged(text: str) -> str:
    """The guest chose its first number by chance, so what the host acknowledges is chance, too."""
    return re.sub(r"\back \d+", "ack NUMBER", text)


def packet_shown(register: str) -> Show:
    """`net skb` of what a register points to."""
    return Show(f"net skb (struct sk_buff *)${register}", keep=acknowledged)


def count_shown(register: str) -> Show:
    """How many segments GRO says an sk_buff has."""
    return Show(f"print ((struct napi_gro_cb *)((struct sk_buff *)${register})->cb)->count")


def card(burst: Burst) -> list[Stop]:
    """What the card has found out, and where the driver writes it."""
    def hash_is_right() -> bool:
        private = burst.driver.private(eth0())["rss"]
        key = utils.read_bytes(int(private["key"].address), private["key"].type.sizeof)
        data = tcp.HOST + tcp.GUEST + tcp.OWN_PORT.to_bytes(2, "big") + PORT.to_bytes(2, "big")
        return {descriptor.hash_of(raw) for raw in descriptors()} \
            == {(TCP_IPV4, packet.toeplitz(key, data))}

    def queue_is_right() -> bool:
        table = burst.driver.private(eth0())["rss"]["table"]
        return all(int(table[descriptor.hash_of(raw)[1] & 127]) == 0 for raw in descriptors())

    return [
        Stop("interrupt", burst.driver.handler, "One interrupt, four frames",
             """The card has written four frames into four buffers, and four descriptors back. Each
             descriptor holds a hash of addresses and ports. It is the same in all four, for they
             are of one connection. Its lowest seven bits chose an entry of the card's table, and
             that the queue. (With one processor there is one queue.)""",
             condition=all_arrived,
             show=[Show("net ring rx 0 eth0 6", keep=ring_now)],
             check=[in_context("hardirq"),
                    Check("four descriptors have been written back", all_arrived),
                    Check("the hash is Toeplitz of the driver's key, both addresses and both ports",
                          hash_is_right),
                    Check("the table's entry for this hash is queue 0", queue_is_right)],
             question="Why must a flow's frames not be spread over several queues?",
             answer="""Each queue has a processor of its own, so they would overtake each other.
             TCP would take the gaps for losses, and GRO could join nothing."""),
        Stop("first", "napi_gro_receive", "The first segment comes to GRO",
             """The poll has made an sk_buff around the first buffer, and has noted in it what the
             descriptor says: the sum of TCP is right, the hash covers the ports, and the frame
             came by queue 0. (queue_mapping is one more, for 0 means that nobody has noted a
             queue.) GRO holds nothing at the moment.""",
             condition=lambda: burst.is_first(packet_argument(1)),
             show=[packet_shown("rsi"),
                   Show("print ((struct sk_buff *)$rsi)->queue_mapping"),
                   Show("print ((struct napi_struct *)$rdi)->gro_bitmask")],
             check=[in_context("softirq"),
                    Check("the instance is the card's",
                          lambda: int(argument(0, "struct napi_struct")) == int(burst.instance())),
                    Check("the card has verified the sum",
                          lambda: int(packet_argument(1)["ip_summed"]) == UNNECESSARY),
                    Check("the hash covers the ports",
                          lambda: int(packet_argument(1)["l4_hash"]) == 1),
                    Check("it is the one in the descriptor",
                          lambda: int(packet_argument(1)["hash"])
                          == descriptor.hash_of(descriptors()[0])[1]),
                    Check("queue 0 is noted",
                          lambda: int(packet_argument(1)["queue_mapping"]) == 1),
                    Check("GRO holds nothing",
                          lambda: int(burst.instance()["gro_bitmask"]) == 0)],
             question="Who will free the buffer's page, and where does it go?",
             answer="""Whoever frees the sk_buff, or the one that has taken the page over. The bit
             pp_recycle says that it goes back to the ring's page_pool, still mapped."""),
    ]


def joining(burst: Burst) -> list[Stop]:
    """GRO."""
    return [
        Stop("second", "napi_gro_receive", "The first is held, the second comes",
             """The first segment has not gone up. It hangs in one of the eight buckets of the NAPI
             instance, the one that the hash's lowest three bits name, and counts one segment. Its
             length without headers was noted as gso_size: no segment that is longer can be
             joined.""",
             condition=lambda: burst.is_second(packet_argument(1)),
             check=[in_context("softirq"),
                    Check("the bucket of this hash holds the first segment and nothing else",
                          lambda: burst.held() == [burst.first]),
                    Check("no other bucket holds anything",
                          lambda: int(burst.instance()["gro_bitmask"])
                          == 1 << (int(burst.packet()["hash"]) & BUCKETS - 1)),
                    Check("it counts one segment",
                          lambda: int(gro(burst.packet())["count"]) == 1),
                    Check("its data's length is noted",
                          lambda: int(shared(burst.packet())["gso_size"]) == SIZE),
                    Check("both have the same hash",
                          lambda: int(packet_argument(1)["hash"]) == int(burst.packet()["hash"]))],
             question="What would a driver lose that passes no hash on?",
             answer="""All flows would be in bucket 0, which holds eight packets. With nine flows
             that come in turn nothing would be joined."""),
        Stop("may-join", "tcp_gro_receive", "May it be joined?",
             """dev_gro_receive has compared hash, device and Ethernet header, IPv4 its addresses.
             Now TCP: the ports must be equal, and then the acknowledged byte, the flags (but for
             PSH and FIN) and the options. The data must begin where the held ones end.""",
             condition=lambda: int(packet_argument(1)) == burst.second,
             show=[Show("print ((struct tcphdr *)$rdx)->doff"), count_shown("rsi")],
             check=[in_context("softirq"),
                    Check("the held packet may still be of the same flow",
                          lambda: int(gro(burst.packet())["same_flow"]) == 1),
                    Check("the second begins where the first ends",
                          lambda: burst.is_segment(burst.packet(), 0)
                          and burst.is_segment(packet_argument(1), 1)),
                    Check("both lie in memory of a page_pool",
                          lambda: int(packet_argument(1)["pp_recycle"]) == 1
                          and int(burst.packet()["pp_recycle"]) == 1),
                    Check("both are pieces of pages, headers and data together",
                          lambda: int(packet_argument(1)["head_frag"]) == 1
                          and skb.layout(packet_argument(1)).data_len == 0)],
             question="The second segment acknowledges one byte more than the first. And then?",
             answer="""A joined packet has one header and can acknowledge but once. The first goes
             up, and the second is held in its place."""),
        Stop("joined", "tcp_gro_receive", "Joined",
             """Nothing was copied. The piece of a page in which the second segment lies has become
             a frag of the first, beginning behind the headers. The struct sk_buff that stood for
             it has nothing left and will be freed. The first counts two segments. NULL is
             returned: nothing has to go up yet.""",
             at="return",
             show=[Show("print (long)$rax")],
             check=[in_context("softirq"),
                    Check("nothing is to be flushed", lambda: return_value() == 0),
                    Check("the first counts two segments",
                          lambda: int(gro(burst.packet())["count"]) == 2),
                    Check("its length has grown by the second's data",
                          lambda: int(burst.packet()["len"]) == HEADERS + 2 * SIZE),
                    Check("these are in one frag",
                          lambda: int(shared(burst.packet())["nr_frags"]) == 1
                          and int(burst.packet()["data_len"]) == SIZE),
                    Check("the second sk_buff's head was taken over",
                          lambda: int(gro(gdb.Value(burst.second).cast(
                              skb.sk_buff.pointer()))["free"]) == STOLEN_HEAD),
                    Check("the IP header does not know of it yet",
                          lambda: ip_length(burst.packet()) == HEADERS + SIZE)],
             question="The second segment has PSH. What is different?",
             answer="""It is joined all the same, and then the packet is returned instead of NULL
             and goes up: the sender has nothing more to say for the moment."""),
        Stop("flush", "napi_gro_flush", "The poll ends",
             """The third and the fourth were joined in the same way. The ring is empty now, and
             the driver has called napi_complete_done. Whatever is held must go up, for nobody
             knows when the next poll comes. (gro_flush_timeout would let it wait for one by a
             timer.)""",
             condition=lambda: int(argument(0, "struct napi_struct")) == int(burst.instance())
             and int(burst.instance()["gro_bitmask"]) != 0,
             show=[Show("print $sil"),
                   Show("print ((struct napi_struct *)$rdi)->rx_count")],
             check=[in_context("softirq"),
                    Check("nothing is left in the ring", lambda: written_back() == 0),
                    Check("one packet is held", lambda: burst.held() == [burst.first]),
                    Check("it counts four segments",
                          lambda: int(gro(burst.packet())["count"]) == COUNT),
                    Check("three of them are frags",
                          lambda: int(shared(burst.packet())["nr_frags"]) == COUNT - 1),
                    Check("old and new packets are flushed",
                          lambda: int(gdb.parse_and_eval("(int)$esi")) & 0xff == 0)],
             question="Full segments come without a pause for a second. When does a packet go up?",
             answer="""After 44, for one more would make it 64 KB; and at the end of a poll, which
             is after 64 frames at the latest. (There, with HZ at 1000, only what was held since an
             earlier tick goes up, and the rest may grow on in the next poll.)"""),
        Stop("complete", "tcp_gro_complete", "Headers for all four",
             """The IP header has got its new length and sum. Now TCP's part: the packet will look
             as if this machine were about to send it and left the sum to the card. ip_summed
             becomes PARTIAL, with the place of the sum, and gso_segs the number of segments. So it
             can be forwarded and cut again.""",
             condition=lambda: burst.is_ours(packet_argument(0)),
             show=[count_shown("rdi")],
             check=[in_context("softirq"),
                    Check("the IP header has the length of all",
                          lambda: ip_length(packet_argument(0)) == HEADERS + COUNT * SIZE),
                    Check("ip_summed is still what the card said",
                          lambda: int(packet_argument(0)["ip_summed"]) == UNNECESSARY),
                    Check("TCP's sum is that of the pseudo header",
                          lambda: tcp_sum(packet_argument(0))
                          == pseudo_sum(ip_length(packet_argument(0)) - 20))],
             question="Is the sum in the TCP header right now, if one adds everything up?",
             answer="""No. It holds the sum of the pseudo header alone, as with any packet whose
             sum a card will complete. Up here nobody looks: PARTIAL counts as verified."""),
    ]


def climb(burst: Burst) -> list[Stop]:
    """Up to TCP."""
    def socket_found() -> bool:
        burst.sock = int(packet_argument(0)["sk"])
        if not burst.sock:
            return False
        burst.segments_before = int(burst.socket()["segs_in"])
        named = common(burst.sock)["__sk_common"]
        return int(named["skc_state"]) == ESTABLISHED and int(named["skc_num"]) == PORT

    return [
        Stop("list", "netif_receive_skb_list_internal", "One packet leaves the driver",
             """Where four frames came in, a list of one packet goes up. Everything above runs once
             instead of four times: taps, netfilter, the route, the socket. That is what GRO is
             for.""",
             condition=lambda: burst.is_ours(packet_behind(0)),
             show=[Show("net skb *(struct sk_buff **)$rdi", keep=acknowledged)],
             check=[in_context("softirq"),
                    Check("the list holds nothing else",
                          lambda: lists.length(argument(0, "struct list_head")) == 1),
                    Check("it stands for four segments",
                          lambda: int(shared(packet_behind(0))["gso_segs"]) == COUNT),
                    Check("ip_summed is PARTIAL",
                          lambda: int(packet_behind(0)["ip_summed"]) == PARTIAL)],
             question="What does tcpdump show in this guest: four packets or one?",
             answer="""One, of 5840 bytes of data. Taps are above GRO. On the cable no frame had
             more than 1514 bytes."""),
        Stop("ip", "ip_list_rcv", "Into IP",
             """For IP this is one packet, longer than any that the MTU lets through, and otherwise
             like all others. InReceives grows by one; InNoECTPkts, which counts segments, by
             four.""",
             condition=lambda: burst.is_ours(packet_behind(0)),
             check=[in_context("softirq"),
                    Check("it is still the same sk_buff",
                          lambda: int(packet_behind(0)) == burst.first),
                    Check("it is longer than the MTU",
                          lambda: int(packet_behind(0)["len"]) > int(eth0()["mtu"]))],
             question="Must a packet of this length be fragmented when it is forwarded?",
             answer="""No. A router looks at gso_size. The packet is cut into its segments again,
             by software or by the card that sends them, and each of them fits."""),
        Stop("tcp", "tcp_v4_rcv", "Into TCP, with a socket",
             """Before the route was looked up, early demux has searched the table of established
             connections by addresses and ports, and has left the socket in the sk_buff. So it is
             known already.""",
             condition=lambda: burst.is_ours(packet_argument(0)),
             show=[Show("print ((struct sk_buff *)$rdi)->destructor"),
                   Show("print ((struct sk_buff *)$rdi)->sk->__sk_common.skc_num")],
             check=[in_context("softirq"),
                    Check("the sk_buff has an established socket with our port", socket_found),
                    Check("data stands at the transport header",
                          lambda: skb.layout(packet_argument(0)).transport
                          == skb.layout(packet_argument(0)).data),
                    Check("gso_segs says how many were joined",
                          lambda: int(shared(packet_argument(0))["gso_segs"]) == COUNT)],
             question="What if no connection has these addresses and ports?",
             answer="""Then the route is looked up in the FIB, and the sockets that listen are
             tried here. The answer is a reset in either case: who listens wants to see a SYN."""),
        Stop("established", "tcp_rcv_established", "A segment of an established connection",
             """The socket counts four segments. The reader sleeps and does not own the socket, so
             the softirq may work on it. This is the ordinary case: the word with flags and window
             is the predicted one, and the sequence number the expected one. Nevertheless the
             packet takes the long way. The socket has not yet reserved as much memory as its
             truesize, and on the short one nothing is reserved.""",
             condition=lambda: burst.is_ours(packet_argument(1)),
             show=[Show("print ((struct sk_buff *)$rsi)->truesize"),
                   Show("print ((struct sock *)$rdi)->sk_forward_alloc")],
             check=[in_context("softirq"),
                    Check("it is the socket that early demux has found",
                          lambda: int(argument(0, "struct sock")) == burst.sock),
                    Check("it counts four segments more",
                          lambda: int(burst.socket()["segs_in"])
                          == burst.segments_before + COUNT),
                    Check("no program owns it",
                          lambda: int(common(burst.sock)["sk_lock"]["owned"]) == 0),
                    Check("flags and window are predicted",
                          lambda: header_word(packet_argument(1)) & ~PUSH
                          == int(burst.socket()["pred_flags"])),
                    Check("the data are the next ones",
                          lambda: number_of(packet_argument(1))
                          == int(burst.socket()["rcv_nxt"]) == FIRST),
                    Check("more memory is needed than was reserved",
                          lambda: int(packet_argument(1)["truesize"])
                          > int(common(burst.sock)["sk_forward_alloc"]))],
             question="What happens to a segment that comes while the program owns the socket?",
             answer="""It goes to the socket's backlog, which the program works off in its own
             time, when it lets the socket go."""),
    ]


def delivery(burst: Burst) -> list[Stop]:
    """The socket's queue and the reader."""
    return [
        Stop("queue", "tcp_queue_rcv", "Onto the receive queue",
             """The TCP header is off, and memory is reserved. If the packet last in the queue were
             still there, these data might be joined with it. The queue is empty, so the sk_buff is
             hung there as it is, and what is expected next moves on by its 5840 bytes.""",
             condition=lambda: burst.is_ours(packet_argument(1)),
             show=[Show("print ((struct sock *)$rdi)->sk_receive_queue.qlen"),
                   packet_shown("rsi")],
             check=[in_context("softirq"),
                    Check("nothing but data is left",
                          lambda: int(packet_argument(1)["len"]) == len(burst.payload)),
                    Check("the queue is empty", lambda: not burst.receive_queue()),
                    Check("memory is reserved",
                          lambda: int(packet_argument(1)["truesize"])
                          <= int(common(burst.sock)["sk_forward_alloc"])),
                    Check("its truesize is four of the ring's pieces and one struct sk_buff",
                          lambda: int(packet_argument(1)["truesize"]) == COUNT * burst.piece()
                          + aligned(skb.sk_buff.get().sizeof))],
             question="Which is charged to the socket: 5840 bytes, or more?",
             answer="""The truesize: four pieces of 2048 bytes, and the struct sk_buff. Joined by
             GRO they cost three struct sk_buff less."""),
        Stop("readable", "sock_def_readable", "There is something to read",
             """tcp_data_ready has seen that there are as many bytes as SO_RCVLOWAT asks for, which
             is one. One acknowledgement will answer all four segments.""",
             condition=lambda: int(argument(0, "struct sock")) == burst.sock,
             show=[Show("print ((struct sock *)$rdi)->sk_receive_queue.qlen"),
                   Show("print ((struct tcp_sock *)$rdi)->rcv_nxt")],
             check=[in_context("softirq"),
                    Check("the queue holds our packet and nothing else",
                          lambda: burst.receive_queue() == [burst.first]),
                    Check("the byte after the burst is expected next",
                          lambda: int(burst.socket()["rcv_nxt"]) == FIRST + len(burst.payload)),
                    Check("the socket is charged with the packet's truesize",
                          lambda: int(common(burst.sock)["sk_backlog"]["rmem_alloc"]["counter"])
                          == int(burst.packet()["truesize"]))],
             question="How often would a reader have been woken without GRO?",
             answer="""This function would be called four times. Here the reader would run once all
             the same, since it must wait for the softirq to end; on another processor it might
             have run at once, found little and gone to sleep again."""),
        Stop("wake", "woken_wake_function", "The reader is woken",
             """UDP's readers wait exclusively, so that one datagram wakes one of them. TCP's do
             not, for a stream has one reader as a rule; and the entry's function is another one,
             which notes in the entry that it was woken.""",
             condition=lambda: waiting_task() == READER,
             show=[Show("print ((struct task_struct *)((struct wait_queue_entry *)$rdi)"
                        "->private)->comm")],
             check=[in_context("softirq"),
                    Check(f"the task that will be woken is {READER}",
                          lambda: waiting_task() == READER)],
             question="Two threads sleep in recv on one TCP socket. How many are woken?",
             answer="Both. One gets the bytes, and the other finds nothing and sleeps again."),
        Stop("copy", "skb_copy_datagram_iter", "The reader copies",
             """The reader's own process again, in tcp_recvmsg, which owns the socket now. It has
             found the packet in which the next byte lies, and copies as much as there is and as
             the program has asked for: the linear part first, then frag by frag. The packet stays
             in the queue until its last byte has been read.""",
             condition=lambda: percpu.task_name() == READER and burst.is_ours(packet_argument(0)),
             show=[Show("print (int)$rsi"), Show("print (int)$rcx")],
             check=[in_context("process"),
                    Check(f"the running task is {READER}", lambda: percpu.task_name() == READER),
                    Check("the program owns the socket",
                          lambda: int(common(burst.sock)["sk_lock"]["owned"]) == 1),
                    Check("it copies from the first byte on",
                          lambda: int(gdb.parse_and_eval("(int)$rsi")) == 0),
                    Check("all four segments' data in one call",
                          lambda: int(gdb.parse_and_eval("(int)$rcx")) == len(burst.payload)),
                    Check("the packet is still in the queue",
                          lambda: burst.receive_queue() == [burst.first])],
             question="The program asks for 2000 bytes only. What happens to the rest?",
             answer="""It stays. copied_seq says how far the program has read, and the next recv
             begins in the middle of the second segment."""),
        Stop("return", "tcp_recvmsg", "Bytes in the program's buffer",
             """tcp_recvmsg returns 5840. The packet has been freed: on the processor that made it,
             at once; on another it would have been sent back there. Nothing in the program's
             buffer says where a segment began. TCP is a stream.""",
             at="return",
             show=[Show("print (long)$rax")],
             check=[in_context("process"),
                    Check("tcp_recvmsg returned the length of the burst",
                          lambda: return_value() == len(burst.payload)),
                    Check("all of it was read",
                          lambda: int(burst.socket()["copied_seq"])
                          == int(burst.socket()["rcv_nxt"])),
                    Check("the queue is empty", lambda: not burst.receive_queue()),
                    Check("the program's buffer holds what the host sent",
                          lambda: user_buffer(len(burst.payload)) == burst.payload)],
             question="How often was each byte copied on its way from the card to the program?",
             answer="""Once, here. GRO moved pieces of pages, and no layer below looked at the
             data."""),
    ]


def trace(config: dict[str, Any]) -> Trace:
    """The trace as the runner asks for it."""
    burst = Burst(Driver(config["driver"]), config["payload"])
    stops = card(burst) + joining(burst) + climb(burst) + delivery(burst)
    return Trace("receive-tcp", ABOUT, stops, modules=(burst.driver.module,),
                 gathered=all_arrived)
