# SPDX-License-Identifier: GPL-2.0
"""Trace boot: how the network subsystem comes to life, function by function."""

from __future__ import annotations

from typing import Any

import gdb

from netstack import device, lists, percpu, protocols, softirqs, utils
from netstack.trace import Check, Show, Stop, Trace, return_value

SCENARIO = "from-reset"
ABOUT = """Before the first packet can move, four functions fill in the tables that the receive
path will look things up in. You see each of them twice: when it is entered, and when it has
returned."""


def handler(name: str) -> str:
    """Handler of a softirq vector, `-` while it has none."""
    return next(row[2] for row in softirqs.handlers() if row[1] == name)


def handled_by(name: str, wanted: str) -> Check:
    """A vector has this handler."""
    what = f"vector {name} has no handler yet" if wanted == "-" else \
        f"vector {name} is handled by {wanted}"
    return Check(what, lambda: handler(name) == wanted)


def tasklet_lists_empty() -> bool:
    """Each CPU's two tasklet lists end where they begin."""
    for cpu in percpu.possible_cpus():
        for name in ("tasklet_vec", "tasklet_hi_vec"):
            vector = percpu.per_cpu(name, cpu)
            if int(vector["tail"]) != int(vector["head"].address):
                return False
    return True


def ksoftirqd(cpu: int = 0) -> gdb.Value:
    """The thread that serves softirqs on a CPU when interrupts have had their share."""
    return percpu.per_cpu("ksoftirqd", cpu)


def softnet(cpu: int = 0) -> gdb.Value:
    """A CPU's softnet_data."""
    return percpu.per_cpu("softnet_data", cpu)


def inet_family() -> str:
    """Who creates AF_INET sockets, NULL while nobody does."""
    entry = utils.variable("net_families")[2]
    return "NULL" if utils.is_null(entry) else utils.symbol_of(entry["create"])


def handler_of(number: int) -> str:
    """Who takes what IPv4 carries under a protocol number."""
    found = {row[0]: row[2] for row in protocols.ip_protocols("inet_protos")}
    return found.get(str(number), "nobody")


def has_packet_handler(name: str) -> bool:
    """Is a function registered for some EtherType?"""
    return any(row[1] == name for row in protocols.packet_handlers())


SOFTIRQ_INIT = [
    Stop("softirq-init-before", "softirq_init", "softirq_init: before",
         """start_kernel, the kernel's main function, is running with interrupts off. A softirq is
         work that an interrupt handler leaves for a moment later; softirq_vec holds one
         handler for each of ten kinds, the vectors. Timers, the scheduler and RCU have taken
         theirs already, since they were set up earlier. The network's two are still free.""",
         show=[Show("net softirqs")],
         check=[handled_by("HI", "-"), handled_by("TASKLET", "-"), handled_by("NET_RX", "-")],
         question="""The table has fixed places and there is no function to remove a handler.
         What does that tell you about who may own a softirq?""",
         answer="""Only code that is always there, built into the kernel. A module cannot own a
         vector; it gets tasklets, NAPI or a workqueue instead."""),
    Stop("softirq-init-after", "softirq_init", "softirq_init: after",
         """Two vectors were opened, both for tasklets: small one-off jobs that drivers may queue.
         HI is served before everything else, TASKLET after the network. Each CPU also got
         two empty lists to queue them on; an empty list here is one whose tail points at its
         own head.""",
         at="return",
         show=[Show("net softirqs")],
         check=[handled_by("HI", "tasklet_hi_action"), handled_by("TASKLET", "tasklet_action"),
                Check("every CPU's tasklet lists are empty and usable", tasklet_lists_empty)],
         question="Why is each list kept per CPU and not once for the whole machine?",
         answer="""So that queueing needs no lock: switching off this CPU's interrupts is enough
         when nobody else ever touches the list."""),
]

KSOFTIRQD = [
    Stop("spawn-ksoftirqd-before", "spawn_ksoftirqd", "spawn_ksoftirqd: before",
         """The scheduler runs by now, and the first thread works through the initcalls: functions
         that asked to be called at boot, each at a level. This one is at the earliest level.
         Pending softirqs have been served so far on the way out of interrupts, or where softirqs
         were allowed again. If they always were, a flood of packets could keep a CPU there for
         good.""",
         show=[Show("net softirqs pending", keep=lambda text: text.split(", thread")[1])],
         check=[Check("CPU 0 has no ksoftirqd thread", lambda: int(ksoftirqd()) == 0)],
         question="Which softirq work would never end if nobody bounded it?",
         answer="""Receiving: while one batch of packets is handled the next one arrives. After
         ten rounds, or two milliseconds counted in ticks, or when a task wants the CPU, the kernel
         hands what is left to a thread."""),
    Stop("spawn-ksoftirqd-after", "spawn_ksoftirqd", "spawn_ksoftirqd: after",
         """Each CPU that is up has a thread named after it. Being a thread it is scheduled fairly
         against programs, and that is the point: under load, softirq work waits its turn. The
         thread sleeps unless the pending mask of its CPU is not zero, which is all that
         ksoftirqd_should_run looks at.""",
         at="return",
         show=[Show("net softirqs pending", keep=lambda text: text.split(", thread")[1])],
         check=[Check("CPU 0's thread is called ksoftirqd/0",
                      lambda: utils.string_of(ksoftirqd()["comm"]) == "ksoftirqd/0"),
                Check("spawn_ksoftirqd returned 0", lambda: return_value() == 0)],
         question="What would you see in top when a machine drowns in packets?",
         answer="ksoftirqd/N near the top, using most of a CPU: the interrupts' share is used up."),
]

NET_DEV_INIT = [
    Stop("net-dev-init-before", "net_dev_init", "net_dev_init: before",
         """A later initcall level, subsys. The part of the network stack that does not care about
         protocols sets itself up here. There is no device, not even loopback, and the per-CPU
         structure that received packets pass through, softnet_data, has not been touched.""",
         show=[Show("net device"), Show("net napi")],
         check=[handled_by("NET_TX", "-"), handled_by("NET_RX", "-"),
                Check("no network device exists", lambda: not list(device.every())),
                Check("CPU 0's backlog has no poll function",
                      lambda: int(softnet()["backlog"]["poll"]) == 0)],
         question="Why must this run before any driver's own initcall?",
         answer="""A driver that registers a device needs the tables this function initialises.
         Drivers use the device level, two levels later."""),
    Stop("net-dev-init-after", "net_dev_init", "net_dev_init: after",
         """Now there are: a poll list for each CPU, on which drivers will queue themselves; a
         backlog for each CPU, which is a NAPI instance of its own for devices without one
         (loopback is such a device); the handlers of NET_TX and NET_RX; and lo, which is
         always the first device.""",
         at="return",
         show=[Show("net softirqs"), Show("net device"), Show("net napi")],
         check=[handled_by("NET_TX", "net_tx_action"), handled_by("NET_RX", "net_rx_action"),
                Check("CPU 0's backlog is polled by process_backlog",
                      lambda: utils.symbol_of(softnet()["backlog"]["poll"]) == "process_backlog"),
                Check("every CPU's poll list is empty",
                      lambda: all(lists.length(softnet(cpu)["poll_list"]) == 0
                                  for cpu in percpu.possible_cpus())),
                Check("the first device is lo",
                      lambda: [utils.string_of(dev["name"])
                               for dev in device.every()][:1] == ["lo"]),
                Check("net_dev_init returned 0", lambda: return_value() == 0)],
         question="Which number makes transmit completions come before received packets?",
         answer="""The vector's: NET_TX is 2, NET_RX is 3, and the lowest pending vector is served
         first. So memory that was handed to NET_TX is freed before more is taken for new packets.
         (A driver that polls frees what it has sent within NET_RX.)"""),
]

INET_INIT = [
    Stop("inet-init-before", "inet_init", "inet_init: before",
         """The next level, fs. Protocols plug themselves in now. A program that called
         socket(AF_INET, ...) here would be told that the address family is not supported:
         net_families has nothing under number 2. A frame that carried IPv4 would be dropped,
         because no handler is registered for its EtherType.""",
         show=[Show("net protocols families inet sockets packets")],
         check=[Check("nobody creates AF_INET sockets", lambda: inet_family() == "NULL"),
                Check("nobody takes UDP", lambda: handler_of(17) == "nobody"),
                Check("nobody takes IPv4 frames", lambda: not has_packet_handler("ip_rcv"))],
         question="Which families are there already, and why so early?",
         answer="""Only NETLINK. The kernel itself uses it to announce changes, and it needs no
         network protocol below."""),
    Stop("inet-init-after", "inet_init", "inet_init: after",
         """Four tables got entries. A packet on its way up meets two of them: ptype_base sends
         EtherType 0x0800 to ip_rcv, inet_protos sends protocol 17 to udp_rcv. socket() meets
         the other two: net_families sends AF_INET to inet_create, which finds in inetsw that a
         datagram socket without a protocol means UDP. ip_packet_type was added last, when
         everything above it was ready.""",
         at="return",
         show=[Show("net protocols families inet sockets packets")],
         check=[Check("inet_create makes AF_INET sockets",
                      lambda: inet_family() == "inet_create"),
                Check("UDP goes to udp_rcv", lambda: handler_of(17) == "udp_rcv"),
                Check("TCP goes to tcp_v4_rcv", lambda: handler_of(6) == "tcp_v4_rcv"),
                Check("ICMP goes to icmp_rcv", lambda: handler_of(1) == "icmp_rcv"),
                Check("IPv4 frames go to ip_rcv", lambda: has_packet_handler("ip_rcv")),
                Check("ARP frames go to arp_rcv", lambda: has_packet_handler("arp_rcv")),
                Check("inet_init returned 0", lambda: return_value() == 0)],
         question="What could go wrong if ip_packet_type were registered first?",
         answer="""A frame arriving in between would be handed to an IP layer whose tables and
         per-CPU counters did not exist yet."""),
]


def trace(_config: dict[str, Any]) -> Trace:
    """The trace as the runner asks for it."""
    return Trace("boot", ABOUT, SOFTIRQ_INIT + KSOFTIRQD + NET_DEV_INIT + INET_INIT)
