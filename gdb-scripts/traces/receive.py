# SPDX-License-Identifier: GPL-2.0
"""Trace receive: one UDP datagram from the card's interrupt to the program that reads it."""

from __future__ import annotations

import re
from typing import Any

import gdb

from netstack import descriptor, device, lists, napi, percpu, ring, skb, utils
from netstack.driver import Driver
from netstack.trace import Check, Show, Stop, Trace, argument, return_value

SCENARIO = "udp-reader"
DRIVERS = ("06", "igb", "10")
ABOUT = """A program in the guest has called recvfrom on UDP port 4000 and sleeps. The host now puts
one datagram on the cable. Follow it: from the interrupt, through the softirq, up the layers,
to the bytes in the program's buffer."""

DEVICE = "eth0"
READER = "udp_reader"
PORT = 4000
NET_RX = 3


class Way:
    """What the stops of one run share: driver, the datagram's text, the sk_buff that carries it."""

    def __init__(self, driver: Driver, payload: str) -> None:
        self.driver = driver
        self.payload = payload.encode()
        self.skb = 0

    def driver_says(self, own: str, igb: str, finished: str = "") -> str:
        """A sentence that depends on whose driver it is, and whether ours is finished."""
        if not self.driver.own:
            return igb
        return finished if finished and self.driver.pages else own

    def instance(self) -> gdb.Value:
        """The NAPI instance of the card's receive queue."""
        return self.driver.napi(eth0())

    def interrupts(self) -> bool:
        """Is this the receive queue's vector, with a frame? igb's other has the same handler."""
        interrupted = argument(1, self.driver.vector)["napi"].address
        return int(interrupted) == int(self.instance()) and frame_waits()

    def scheduled(self) -> bool:
        """Is somebody responsible for polling the card?"""
        return "SCHED" in napi.state_of(self.instance()).split()

    def on_poll_list(self) -> bool:
        """Does the card wait on CPU 0's poll list?"""
        return any(int(entry) == int(self.instance()) for entry in napi.poll_list(0))

    def others_on_poll_list(self) -> bool:
        """Has somebody else asked to be polled on CPU 0: igb's other vector, or the backlog?"""
        return any(int(entry) != int(self.instance()) for entry in napi.poll_list(0))

    def is_ours(self, packet: gdb.Value) -> bool:
        """Is this sk_buff the datagram the host sent?"""
        ports = skb.udp_ports(packet)
        return ports is not None and ports[1] == PORT and skb.payload(packet) == self.payload

    def remember(self, packet: gdb.Value) -> bool:
        """Keep the sk_buff's address, to recognise it at later stops."""
        self.skb = int(packet)
        return self.is_ours(packet)


def packet_argument(number: int) -> gdb.Value:
    """An argument that is a struct sk_buff *."""
    return argument(number, "struct sk_buff")


def packet_behind(number: int) -> gdb.Value:
    """The sk_buff an argument's memory points to: a list's first entry, or *pskb."""
    pointer = skb.sk_buff.pointer().pointer()
    return gdb.Value(int(argument(number, "char"))).cast(pointer).dereference()


def eth0() -> gdb.Value:
    """The card's device."""
    return device.resolve(DEVICE, "trace receive")


def pending() -> bool:
    """Is NET_RX pending on CPU 0?"""
    return bool(percpu.softirq_pending(0) >> NET_RX & 1)


def frame_waits() -> bool:
    """Has the card written back the descriptor the driver will look at next?"""
    receive = ring.read(eth0(), "rx", 0)
    raw = utils.read_bytes(receive.address + receive.next_to_clean * 16, 16)
    return bool(raw[8] & descriptor.STATUS_DONE)


def in_context(name: str) -> Check:
    """The CPU is in this context."""
    return Check(f"this is {name} context", lambda: percpu.context() == name)


def only_net_rx(_text: str) -> str:
    """Other vectors come and go; whether NET_RX is pending is what a journey keeps."""
    return "NET_RX pending" if pending() else "NET_RX not pending"


def without_missed(text: str) -> str:
    """An interrupt during the poll sets MISSED; whether one comes is up to the card's timer."""
    return re.sub(r"0x[0-9a-f]+ SCHED", "SCHED", text.replace(" MISSED", ""))


def ring_now(text: str) -> str:
    """The ring without the buffers' addresses, which no two runs share."""
    return re.sub(r"buffer 0x[0-9a-f]+", "a buffer", text)


RING = Show("net ring rx 0 eth0 4", keep=ring_now)
NAPI = Show("net napi eth0", keep=without_missed)


def first_lines(count: int) -> Any:
    """Keeps the beginning of an answer."""
    return lambda text: "\n".join(text.split("\n")[:count])


def receive_queue(sock: gdb.Value) -> int:
    """Packets in a socket's receive queue."""
    return int(sock["sk_receive_queue"]["qlen"])


def verdict(packet: gdb.Value) -> str:
    """The function that the packet's route says is next; the lowest bit is a flag."""
    route = gdb.lookup_type("struct dst_entry").pointer()
    return utils.symbol_of(gdb.Value(int(packet["_skb_refdst"]) & ~1).cast(route)["input"])


def waiting_task() -> str:
    """Name of the task a wait queue entry belongs to."""
    entry = argument(0, "struct wait_queue_entry")
    task = entry["private"].cast(gdb.lookup_type("struct task_struct").pointer())
    return utils.string_of(task["comm"])


def user_registers() -> gdb.Value:
    """The registers the running task entered the kernel with, at the top of its stack."""
    kind = gdb.lookup_type("struct pt_regs")
    top = int(percpu.per_cpu("pcpu_hot", percpu.current_cpu())["top_of_stack"])
    return gdb.Value(top - kind.sizeof).cast(kind.pointer())


def user_buffer(length: int) -> bytes:
    """What lies in the buffer the program gave to recvfrom (its second argument)."""
    return utils.read_bytes(int(user_registers()["si"]), length)


def interrupt(way: Way) -> list[Stop]:
    """The top half: hard interrupt context."""
    return [
        Stop("interrupt", way.driver.handler, "The card interrupts",
             """The card has already done its part alone: it took the next free receive
             descriptor, wrote the frame to the memory the descriptor named, wrote the length
             back and set DD, descriptor done. Then it sent an interrupt. The CPU dropped what
             it was doing and is now in the driver's handler for this queue. Until the
             handler returns nothing else can run on this CPU (but for an NMI), so it must be
             short: it will not even look at the frame.""" + way.driver_says(
                 own=" igbook's masks the vector and wakes its bottom half.",
                 igb=""" (The list below has two NAPI instances: here igb uses one for each
                 direction.)"""),
             condition=way.interrupts,
             show=[RING, NAPI],
             check=[in_context("hardirq"),
                    Check("a descriptor has been written back", frame_waits),
                    Check("nobody is polling the card yet", lambda: not way.scheduled())],
             question="Where in memory is the frame at this moment, and is there an sk_buff?",
             answer=way.driver_says(
                 own="""In a buffer the driver gave to the card long ago. At this stage that buffer
                 belongs to an empty sk_buff, but nothing in it says yet that there is a frame.""",
                 finished="""In a part of a page that the driver gave to the card long ago. There is
                 no sk_buff yet; the driver makes one when it polls.""",
                 igb="""In a page the driver gave to the card long ago. There is no sk_buff yet;
                 the driver makes one around that page when it polls.""")),
        Stop("schedule", way.driver.schedule, "The handler asks to be polled later",
             """napi_schedule_prep has just set SCHED, atomically, in the state of the card's NAPI
             instance. Whoever sets it owns the instance; an interrupt that finds it set
             has nothing left to do. What remains is to queue the instance and to request the
             softirq.""",
             show=[Show("print *(struct napi_struct *)$rdi", keep=without_missed)],
             check=[in_context("hardirq"),
                    Check("SCHED is set", way.scheduled),
                    Check("the argument is eth0's NAPI instance",
                          lambda: int(argument(0, "struct napi_struct")) == int(way.instance())),
                    Check("it is not on the poll list yet", lambda: not way.on_poll_list())],
             question="Why is SCHED set before the instance is queued, and not after?",
             answer="""The bit is the permission to touch the list. Set afterwards, two interrupts
             could both queue the same instance and destroy the list."""),
        Stop("scheduled", way.driver.schedule, "The top half is done",
             """The NAPI instance hangs on this CPU's poll_list and bit NET_RX of the pending mask
             is set. That is all an interrupt does here. The handler returns now, and on the
             way out of the interrupt the kernel looks at the mask.""",
             at="return",
             show=[NAPI, Show("net softirqs pending", keep=only_net_rx)],
             check=[in_context("hardirq"),
                    Check("the card is on CPU 0's poll list", way.on_poll_list),
                    Check("NET_RX is pending", pending)],
             question="What happens if the next frame arrives right now?",
             answer="The card writes it to the next descriptor. " + way.driver_says(
                 own="The vector is masked, so it interrupts nobody; ",
                 igb="An interrupt for it would find SCHED set and queue nothing; ")
             + "the poll that comes anyway will find both frames."),
    ]


def softirq(way: Way) -> list[Stop]:
    """The bottom half up to the protocol layers."""
    return [
        Stop("net-rx-action", "net_rx_action", "The softirq begins",
             """The interrupt is over and interrupts are on again, but the interrupted task has
             to wait a little longer: the pending mask was copied and cleared, and NET_RX's
             handler is called. It takes instances off the poll list and polls each, until the
             list is empty, 300 packets are handled or two jiffies have passed.""",
             condition=way.on_poll_list,
             show=[NAPI, Show("print net_hotdata.netdev_budget")],
             check=[in_context("softirq"),
                    Check("the card still waits on the poll list", way.on_poll_list),
                    # Interrupts are on: another one may have come before the handler.
                    Check("NET_RX is pending only if somebody else has asked since",
                          lambda: not pending() or way.others_on_poll_list())],
             question="The mask was cleared before the handler ran. Why not afterwards?",
             answer="""An interrupt during the handler sets the bit again, and clearing it at the
             end would lose that request."""),
        Stop("poll", way.driver.poll, "The driver is polled",
             """Now the driver works: up to budget packets, here 64, in one go. """
             + way.driver_says(
                 own="It first frees what was sent, then",
                 igb="What was sent the other instance frees; this one")
             + """ walks the receive ring from next_to_clean as long as it finds
             DD. """ + way.driver_says(
                 own="""A long frame keeps the sk_buff it was written to and a fresh one takes its
                 place in the ring; a short one is copied, and its buffer goes back.""",
                 finished="""Around a long frame it makes an sk_buff, and a fresh piece of the pool
                 takes the buffer's place in the ring; a short one is copied, and its buffer goes
                 back.""",
                 igb="""For each frame it makes an sk_buff around the memory the card wrote
                 to."""),
             condition=lambda: int(argument(0, "struct napi_struct")) == int(way.instance()),
             show=[Show("print *(struct napi_struct *)$rdi", keep=without_missed),
                   Show("print $esi"), RING],
             check=[in_context("softirq"),
                    Check("the budget is 64",
                          lambda: int(gdb.parse_and_eval("(int)$esi")) == 64),
                    Check("the frame waits in the ring", frame_waits)],
             question="What does the driver return when it used the whole budget?",
             answer="""The budget. It stays on the list and is polled again; had it returned less,
             it would have called napi_complete_done and switched its interrupt on again."""),
        Stop("gro", "napi_gro_receive", "There is a packet",
             """The driver made an sk_buff. eth_type_trans has read the Ethernet header: protocol
             is IPv4, the packet is for this host, and data was moved 14 bytes on, so that it
             points at the IP header. The Ethernet header is still there, in the headroom. GRO
             would now merge TCP segments of one connection; a lone datagram passes.""",
             condition=lambda: way.remember(packet_argument(1)),
             show=[Show("net skb (struct sk_buff *)$rsi")],
             check=[in_context("softirq"),
                    Check("the sk_buff carries what the host sent",
                          lambda: skb.payload(packet_argument(1)) == way.payload),
                    Check("it came in through eth0",
                          lambda: int(packet_argument(1)["dev"]) == int(eth0())),
                    Check("data stands 14 bytes behind the Ethernet header",
                          lambda: skb.layout(packet_argument(1)).mac + 14
                          == skb.layout(packet_argument(1)).data)],
             question="Nothing was copied to skip the Ethernet header. What was changed instead?",
             answer="""One pointer: data grew by 14 and len shrank by as much. Going up the stack,
             each layer pulls its header off in this way."""),
        Stop("list", "netif_receive_skb_list_internal", "The batch leaves the driver",
             """The ring is empty. napi_complete_done gives the packets that this poll has
             collected to the stack as one list (had they been eight, they would not have waited
             for it), so that each layer's code stays in the CPU's cache while it
             works through them. Our list has one entry. From here on no driver is involved.""",
             condition=lambda: way.is_ours(packet_behind(0)),
             show=[Show("print *(struct sk_buff **)$rdi")],
             check=[in_context("softirq"),
                    Check("the list begins with the same sk_buff",
                          lambda: int(packet_behind(0)) == way.skb),
                    Check("and holds nothing else",
                          lambda: lists.length(argument(0, "struct list_head")) == 1)],
             question="A list_head points at list_heads. Why can it be read as an sk_buff here?",
             answer="""Because the list member is the first thing in struct sk_buff: both have the
             same address."""),
        Stop("core", "__netif_receive_skb_core", "Who wants this packet?",
             """First come the taps, which get every frame: a running tcpdump would be one. Then
             VLAN tags, and a hook for bridges and bonds. Last, ptype_base is searched for a
             handler of this EtherType. Every packet from every driver passes here.""",
             condition=lambda: int(packet_behind(0)) == way.skb,
             show=[Show("net protocols taps packets")],
             check=[in_context("softirq"),
                    Check("it is still the same sk_buff",
                          lambda: int(packet_behind(0)) == way.skb)],
             question="Why would a tcpdump see packets that a firewall rule drops?",
             answer="""Taps sit below the protocols. The netfilter hooks are in IP, above."""),
    ]


def layers(way: Way) -> list[Stop]:
    """IP and UDP."""
    return [
        Stop("ip", "ip_list_rcv", "Into IP",
             """ptype_base had an entry for 0x0800 with two functions: ip_rcv for one packet and
             ip_list_rcv for a batch. It is the batch that NAPI drivers make, so this is the
             door. For each packet ip_rcv_core checks version, length and header checksum.""",
             condition=lambda: way.is_ours(packet_behind(0)),
             show=[Show("net skb *(struct sk_buff **)$rdi")],
             check=[in_context("softirq"),
                    Check("data stands at the network header",
                          lambda: skb.layout(packet_behind(0)).network
                          == skb.layout(packet_behind(0)).data)],
             question="Who verifies the checksum of the UDP datagram?",
             answer=way.driver_says(
                 own="""Software: ip_summed says NONE, since at this stage the driver does not pass
                 on what the card found. From stage 07 on it will.""",
                 finished="""The card: ip_summed says UNNECESSARY. Software need not touch the
                 payload.""",
                 igb="""The card: ip_summed says UNNECESSARY. Software need not touch the
                 payload.""")),
        Stop("deliver", "ip_local_deliver", "Routed: it is for us",
             """The route lookup has found that the destination address is our own, and left its
             verdict in the packet as a function pointer; following it led here. Had it been
             somebody else's address, the pointer would say ip_forward on a router and ip_error
             on any other machine. Fragments would be put
             together now. One netfilter hook, PRE_ROUTING, was passed on the way here; the
             next one, LOCAL_IN, lies just ahead.""",
             condition=lambda: int(packet_argument(0)) == way.skb,
             show=[Show("print ((struct dst_entry *)(((struct sk_buff *)$rdi)->_skb_refdst"
                        " & ~1))->input")],
             check=[in_context("softirq"),
                    Check("the route's verdict points here",
                          lambda: verdict(packet_argument(0)) == "ip_local_deliver"),
                    Check("the transport header is known",
                          lambda: skb.layout(packet_argument(0)).transport
                          == skb.layout(packet_argument(0)).network + 20)],
             question="Why is the route looked up for a packet that has already arrived?",
             answer="""Only the routing table knows which addresses are local. The same lookup
             decides between taking a packet and passing it on."""),
        Stop("udp", "udp_rcv", "Into UDP",
             """inet_protos had udp_rcv under number 17. The IP header has been pulled: data
             stands at the UDP header now. udp_rcv checks the length, and the checksum unless
             the card did (a long datagram's is left to the reader, who touches every byte
             anyway), and looks for a socket by addresses and ports.""",
             condition=lambda: int(packet_argument(0)) == way.skb,
             show=[Show("net skb (struct sk_buff *)$rdi")],
             check=[in_context("softirq"),
                    Check("data stands at the transport header",
                          lambda: skb.layout(packet_argument(0)).transport
                          == skb.layout(packet_argument(0)).data),
                    Check(f"the destination port is {PORT}",
                          lambda: (skb.udp_ports(packet_argument(0)) or (0, 0))[1] == PORT)],
             question="What does the sender learn when no socket has this port?",
             answer="An ICMP message, destination port unreachable."),
    ]


def delivery(way: Way) -> list[Stop]:
    """The socket's queue, the wake-up, and the reader."""
    return [
        Stop("enqueue", "__udp_enqueue_schedule_skb", "Onto the socket's queue",
             """A socket was found. The packet is charged to it with its truesize, which is the
             memory it really takes, not the bytes it carries. If what the socket held before was
             more than sk_rcvbuf already, the packet is dropped here: a counter goes up, and the
             sender is not told.""",
             condition=lambda: int(packet_argument(1)) == way.skb,
             show=[Show("print ((struct sock *)$rdi)->sk_receive_queue.qlen"),
                   Show("print ((struct sock *)$rdi)->sk_rcvbuf"),
                   Show("print ((struct sk_buff *)$rsi)->truesize")],
             check=[in_context("softirq"),
                    Check("the receive queue is empty",
                          lambda: receive_queue(argument(0, "struct sock")) == 0)],
             question="A datagram of one byte arrives. How much of sk_rcvbuf does it use?",
             answer=way.driver_says("As much as", "As much as", "Hardly less than")
             + """ this one: its truesize, which is the sk_buff itself and all the memory its head
             was given. Small datagrams fill a receive buffer much sooner than their length
             suggests."""),
        Stop("readable", "sock_def_readable", "The socket has something to read",
             """The packet is queued. sk_data_ready, which is this function for an ordinary
             socket, finds somebody sleeping on the socket's wait queue.""",
             show=[Show("print ((struct sock *)$rdi)->sk_receive_queue.qlen"),
                   Show("net skb ((struct sock *)$rdi)->sk_receive_queue.next",
                        keep=first_lines(1))],
             condition=lambda: receive_queue(argument(0, "struct sock")) == 1,
             check=[in_context("softirq"),
                    Check("the queue holds exactly our packet",
                          lambda: int(argument(0, "struct sock")["sk_receive_queue"]["next"])
                          == way.skb)],
             question="Does the softirq hand over to the reader now?",
             answer="No. It only makes the task runnable; when it runs is the scheduler's choice."),
        Stop("wake", "receiver_wake_function", "The reader is woken",
             """The wait queue's entry names a function, this one, and a task: the program that
             called recvfrom. It is made runnable. Then everything unwinds: UDP, IP, the list,
             the driver's poll, net_rx_action, the interrupt. The softirq has ended.""",
             condition=lambda: waiting_task() == READER,
             show=[Show("print ((struct task_struct *)((struct wait_queue_entry *)$rdi)"
                        "->private)->comm")],
             check=[in_context("softirq"),
                    Check(f"the task that will be woken is {READER}",
                          lambda: waiting_task() == READER)],
             question="Two threads sleep in recvfrom on one socket. How many are woken?",
             answer="""One. Readers wait exclusively, so the wake-up stops after the first."""),
        Stop("reader", "skb_consume_udp", "The reader runs",
             """A different context: this is the reader's own process, still inside recvfrom,
             which took the packet off the queue and has just copied the payload to the
             program's memory. What is left is to free the packet, in process context, long
             after the driver made it.""",
             condition=lambda: percpu.task_name() == READER,
             show=[Show("print (int)$rdx")],
             check=[in_context("process"),
                    Check(f"the running task is {READER}",
                          lambda: percpu.task_name() == READER),
                    Check("it consumes the very sk_buff the driver made",
                          lambda: int(packet_argument(1)) == way.skb),
                    Check("as many bytes were copied as the host sent",
                          lambda: int(gdb.parse_and_eval("(int)$rdx")) == len(way.payload))],
             question="How often were the payload's bytes copied on their way from the cable?",
             answer=way.driver_says(
                 own="""Twice: the driver copied this short frame out of the ring's buffer, and
                 recvfrom copied the payload. The card put it into memory by DMA, and each layer
                 in between moved a pointer. A long frame would have been copied once.""",
                 igb="""Once, by recvfrom. The card put them into memory by DMA, igb made the
                 sk_buff around that memory, and each layer moved a pointer.""")),
        Stop("return", "udp_recvmsg", "Bytes in the program's buffer",
             """udp_recvmsg returns the number of bytes. Read the program's buffer through its own
             page tables: recvfrom's second argument is still in the registers that the system
             call saved. What the host put on the cable is there.""",
             at="return",
             show=[Show("print (long)$rax")],
             check=[in_context("process"),
                    Check("udp_recvmsg returned the payload's length",
                          lambda: return_value() == len(way.payload)),
                    Check("the program's buffer holds what the host sent",
                          lambda: user_buffer(len(way.payload)) == way.payload)],
             question="Which of the stops on this way ran in the reader's process?",
             answer="Only the last two. Everything before happened on somebody else's time."),
    ]


def trace(config: dict[str, Any]) -> Trace:
    """The trace as the runner asks for it."""
    way = Way(Driver(config["driver"]), config["payload"])
    stops = interrupt(way) + softirq(way) + layers(way) + delivery(way)
    return Trace("receive", ABOUT, stops, modules=(way.driver.module,), start_at="default_idle")
