# SPDX-License-Identifier: GPL-2.0
"""Trace bring-up: `ip link set eth0 up`, from rtnetlink through our open to the carrier."""

from __future__ import annotations

from typing import Any

import gdb

from netstack import device, napi, percpu, ring, utils
from netstack.driver import Driver
from netstack.trace import Check, Show, Stop, Trace, argument, return_value

SCENARIO = "link-up"
DRIVERS = ("06", "05", "04", "01")
ABOUT = """The driver is loaded, the interface is down. A user types `ip link set eth0 up`. Follow
it from the netlink message to the driver's open, through each thing the driver makes ready, to
the moment half a second later when the link is there and the stack may send."""

START = 1 << 0
NO_CARRIER = 1 << 2
IFF_UP = 1
XOFF = 1
STATUS, RCTL, TCTL, EIMS = 0x8, 0x100, 0x400, 0x1524
RDBAL, RXDCTL, TXDCTL = 0xc000, 0xc028, 0xe028
RAL, RAH = 0x5400, 0x5404
LINK_UP = 1 << 1
ENABLE = 1 << 1
QUEUE_ENABLE = 1 << 25


class Card:
    """eth0 and what the driver keeps about it."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.stage = int(driver.choice)

    def netdev(self) -> gdb.Value:
        """The device."""
        return device.resolve("eth0", "trace bring-up")

    def priv(self) -> gdb.Value:
        """The driver's own structure."""
        return self.driver.private(self.netdev())

    def register(self, offset: int) -> int:
        """A register of the card, read from outside; none of those asked for here minds."""
        return int.from_bytes(utils.read_bytes(int(self.priv()["regs"]) + offset, 4), "little")

    def state(self, bit: int) -> bool:
        """A bit of dev->state."""
        return bool(int(self.netdev()["state"]) & bit)

    def is_up(self) -> bool:
        """IFF_UP, what `ip link` prints."""
        return bool(int(self.netdev()["flags"]) & IFF_UP)

    def queue_stopped(self) -> bool:
        """Has the driver's side of transmit queue 0 said stop?"""
        return bool(int(self.netdev()["_tx"][0]["state"]) & XOFF)

    def qdisc(self, member: str) -> str:
        """Name of a queueing discipline of transmit queue 0: in use, or meant for it."""
        qdisc = self.netdev()["_tx"][0][member]
        return "none" if utils.is_null(qdisc) else utils.string_of(qdisc["ops"]["id"])

    def has_ring(self, direction: str) -> bool:
        """Does ring 0 have memory?"""
        return not utils.is_null(self.priv()[f"{direction}_ring"][0]["desc"])

    def buffers(self) -> int:
        """Receive descriptors that are the card's."""
        now = ring.read(self.netdev(), "rx", 0)
        return (now.next_to_use - now.next_to_clean) % now.count

    def takes_its_address(self) -> bool:
        """Does the card's first receive address hold the device's?"""
        raw = self.register(RAL).to_bytes(4, "little") + self.register(RAH).to_bytes(4, "little")
        return raw[:6] == utils.read_bytes(int(self.netdev()["dev_addr"]), 6)

    def irq(self, index: int) -> int:
        """The kernel's number of a vector, 0 while it is not requested."""
        return int(self.priv()["vector"][index]["irq"])


def task_is_ip() -> bool:
    """Is the running task the ip command?"""
    return percpu.task_name() == "ip"


def rtnl_held() -> bool:
    """Does the running task own RTNL? The lowest bits of the owner word are flags."""
    owner = int(utils.variable("rtnl_mutex")["owner"]["counter"]) & (1 << 64) - 8
    return owner == int(percpu.current_task()) & (1 << 64) - 1


def in_process() -> Check:
    """Everything here may sleep."""
    return Check("this is process context", lambda: percpu.context() == "process")


def asked(card: Card) -> list[Stop]:
    """From the message to the driver."""
    return [
        Stop("message", "do_setlink", "A message from user space",
             """`ip` has sent a netlink message: RTM_NEWLINK, index 2, set IFF_UP. rtnetlink found
             the handler for it and took RTNL, the one lock that serialises changes to network
             devices. All stops but the last three are inside ip's own system call, so
             sleeping is allowed, and the errno of what fails is what ip will print.""",
             condition=task_is_ip,
             show=[Show("net device")],
             check=[in_process(), Check("the task is ip", task_is_ip),
                    Check("RTNL is held by this task", rtnl_held),
                    Check("the interface is down", lambda: not card.is_up()),
                    Check("there is no carrier", lambda: card.state(NO_CARRIER))],
             question="Two programs set two interfaces up at the same moment. Who waits for whom?",
             answer="""The second for the first: RTNL is one lock for all devices of all
             namespaces. A driver whose open takes seconds holds everybody up."""),
        Stop("dev-open", "__dev_open", "The core opens the device",
             """The core sets START in the device's state, lets the driver check its address, and
             calls ndo_open. Only when that succeeds does it set IFF_UP. So the driver's open runs
             with START set and UP not yet.""",
             condition=lambda: int(argument(0, "struct net_device")) == int(card.netdev()),
             show=[Show("print ((struct net_device *)$rdi)->netdev_ops->ndo_open"),
                   Show("print ((struct net_device *)$rdi)->state")],
             check=[Check("START is not set yet", lambda: not card.state(START)),
                    Check("RTNL is held by this task", rtnl_held)],
             question="Which callback of the driver is called before ndo_open?",
             answer="ndo_validate_addr: with an address that is none there is no use in opening."),
        Stop("open", "igbook_open", "The driver's turn",
             """From here on it is our code. The card has been reset and nothing in it runs: """ + (
                 """no interrupt is connected, no ring has memory, receiver and transmitter are off.
             open must make all of it ready, in an order in which nothing can happen before somebody
             is there to deal with it, and leave nothing behind if a step fails."""
                 if card.stage >= 4 else """receiver and transmitter are off. At this stage there is
             little to make ready: the settings, and the link."""),
             show=[Show("net device eth0", keep=lambda text: "\n".join(
                 line for line in text.split("\n") if line.split()[0] in ("flags", "link", "qdisc",
                                                                          "queues")))],
             check=[in_process(), Check("START is set", lambda: card.state(START)),
                    Check("IFF_UP is not", lambda: not card.is_up())]
             + ([Check("the rings have no memory",
                       lambda: not card.has_ring("rx") and not card.has_ring("tx"))]
                if card.stage >= 4 else [])
             + [Check("receiver and transmitter are off",
                      lambda: not card.register(RCTL) & ENABLE
                      and not card.register(TCTL) & ENABLE)],
             question="Why does igbook_open not ask the PCI core for BARs and masks?",
             answer="""probe did that: it is the device's, once. open and stop come and go many
             times and hold only what a working interface needs."""),
    ]


def interrupts(card: Card) -> list[Stop]:
    """Interrupts, from stage 05 on."""
    if card.stage < 5:
        return []
    return [
        Stop("irq", "igbook_irq_start", "First the interrupts",
             """The vectors were allocated by probe. Now a handler is connected to each, and the
             card is told which cause goes to which message. The queues' causes stay masked:
             there is nobody yet who could serve a ring.""",
             check=[Check("no vector is requested yet",
                          lambda: card.irq(0) == 0 and card.irq(1) == 0)],
             question="Why not request them last, when everything is ready?",
             answer="""Requesting can fail, and unwinding is simplest for what comes first. As long
             as the card's mask keeps the queues quiet the order costs nothing."""),
        Stop("irq-done", "igbook_irq_start", "Connected, and masked",
             """Each vector has a number now and a name in /proc/interrupts. Only the vector for
             the link may interrupt.""", at="return",
             check=[Check("it returned 0", lambda: return_value() & 0xffffffff == 0),
                    Check("both vectors are requested",
                          lambda: card.irq(0) > 0 and card.irq(1) > 0),
                    Check("they are called eth0-rxtx-0 and eth0-other", lambda: [
                        utils.string_of(card.priv()["vector"][index]["name"])
                        for index in (0, 1)] == ["eth0-rxtx-0", "eth0-other"]),
                    Check("EIMS lets only the other one through",
                          lambda: card.register(EIMS) & 3 == 2)]),
    ]


def settings(card: Card) -> list[Stop]:
    """What the card must be told again, shown at the stage that does nothing else."""
    if card.stage >= 4:
        return []
    return [
        Stop("settings", "igbook_set_rx_mode", "The card is told all of it anew",
             """Its address has been written again, the largest frame, and now the filters. A
             spinlock keeps others from the filters meanwhile, so nothing here may sleep.""",
             condition=lambda: card.state(START),
             check=[in_process(), Check("RTNL is held by this task", rtnl_held),
                    Check("the card's first receive address is the device's",
                          card.takes_its_address)],
             question="All of this was in the card when the interface went down. Why write it?",
             answer="""Going down ends with a reset, and with a reset the card forgets it."""),
    ]


def rings(card: Card) -> list[Stop]:
    """Memory and the card's view of it."""
    if card.stage < 4:
        return []
    return [
        Stop("rings", "igbook_rings_alloc", "Memory for the rings",
             """Coherent memory for the descriptors of both directions, an array beside each in
             which the driver notes what a descriptor stands for, and for receive a mapped buffer
             for every descriptor but one.""",
             check=[in_process(), Check("there is none yet",
                                        lambda: not card.has_ring("rx"))],
             question="What if the last of 255 buffers cannot be had?",
             answer="""open fails with -ENOMEM and what was allocated is freed again. Nothing of
             it was ever shown to the card."""),
        Stop("rings-done", "igbook_rings_alloc", "The card knows nothing of it yet",
             """The memory is there, full of zeros and buffers. The registers that would tell the
             card still hold what reset left in them.""", at="return",
             show=[Show("net ring rx 0 eth0 2"), Show("net ring tx 0 eth0 2")],
             check=[Check("it returned 0", lambda: return_value() & 0xffffffff == 0),
                    Check("both rings have memory",
                          lambda: card.has_ring("rx") and card.has_ring("tx")),
                    Check("RDBAL does not name it", lambda: card.register(RDBAL)
                          != int(card.priv()["rx_ring"][0]["dma"]) & 0xffffffff)]),
        Stop("enable", "igbook_rings_enable", "Base, length, head, tail, enable",
             """Now the registers: where each ring lies, how long it is, thresholds, the enable bit
             of each queue, and for receive the tail; then transmitter and receiver as a whole.
             From the last write on the card may store frames into our memory. (Bit 25 below is
             the enable bit: queue 0 has it out of reset, which does no harm while receiver and
             transmitter are off.)""",
             show=[Show(f"print /x *(unsigned *)(((struct igbook *)$rdi)->regs + {register:#x})")
                   for register in (RXDCTL, TXDCTL)],
             check=[Check("receiver and transmitter are off",
                          lambda: not (card.register(RCTL) | card.register(TCTL)) & ENABLE)],
             question="There is no link yet. Could a frame arrive?",
             answer="""Not from the cable. But the driver must be right without counting on that:
             the link may come at any moment."""),
        Stop("enable-done", "igbook_rings_enable", "The card may write to memory",
             """The picture shows it: all receive descriptors but one are with the card.""",
             at="return", show=[Show("net ring rx 0 eth0 2")],
             check=[Check("both queues are enabled",
                          lambda: bool(card.register(RXDCTL) & card.register(TXDCTL)
                                       & QUEUE_ENABLE)),
                    Check("receiver and transmitter are on",
                          lambda: bool(card.register(RCTL) & card.register(TCTL) & ENABLE)),
                    Check("RDBAL names our ring", lambda: card.register(RDBAL)
                          == int(card.priv()["rx_ring"][0]["dma"]) & 0xffffffff),
                    Check("255 buffers are the card's", lambda: card.buffers() == 255)]),
    ]


def service(card: Card) -> list[Stop]:
    """Who serves the rings: polling work, a tasklet, NAPI."""
    if card.stage < 4:
        return []
    how = {4: "a work item that looks at the rings every few milliseconds",
           5: "a tasklet for each vector"}.get(card.stage, "a NAPI instance for each vector")
    stops = [Stop("service", "igbook_service_start", "Somebody to serve the rings",
                  f"""Before the card may call, somebody must be there to answer: at this stage
                  {how}.""")]
    if card.stage >= 6:
        stops.append(
            Stop("napi-enable", "napi_enable", "NAPI: off until here",
                 """An instance that was added but not enabled has SCHED set: it looks as if
                 somebody were polling it, so nobody can schedule it. Enabling clears that
                 bit.""",
                 condition=lambda: int(argument(0, "struct napi_struct"))
                 == int(card.driver.napi(card.netdev())),
                 show=[Show("net napi eth0")],
                 check=[Check("SCHED is set and keeps everybody away", lambda: "SCHED" in
                              napi.state_of(card.driver.napi(card.netdev())).split())]))
    if card.stage >= 5:
        stops.append(
            Stop("service-done", "igbook_service_start", "The queues may interrupt",
                 """The mask is opened, vector by vector. A frame that had arrived meanwhile would
                 have left its cause set, and the card would interrupt at this very
                 moment.""", at="return",
                 check=[Check("EIMS lets both vectors through",
                              lambda: card.register(EIMS) & 3 == 3)]))
    return stops


def link(card: Card) -> list[Stop]:
    """Autonegotiation, queues, IFF_UP, and the carrier."""
    return [
        Stop("link", "igbook_link_start", "Ask the PHY to negotiate",
             """A read and a write over MDIO: restart autonegotiation. That takes the PHY a
             while, and nobody waits for it here. The watchdog work is started, and open goes
             on.""",
             check=[in_process(), Check("STATUS.LU is clear",
                                        lambda: not card.register(STATUS) & LINK_UP)],
             question="Why not wait for the link in open?",
             answer="""The cable may be unplugged for days. Up means that the interface is meant
             to work; carrier means that it can."""),
        Stop("opened", "igbook_open", "Open is done", """The transmit queue was started: a flag
             that says that the driver would take a frame. It returns 0.""", at="return",
             show=[Show("net device")],
             check=[Check("it returned 0", lambda: return_value() & 0xffffffff == 0),
                    Check("the driver's queue is not stopped", lambda: not card.queue_stopped()),
                    Check("IFF_UP is still not set", lambda: not card.is_up()),
                    Check("there is no carrier", lambda: card.state(NO_CARRIER))]),
        Stop("activate", "dev_activate", "UP, but nowhere to send to",
             """The core has set IFF_UP and had the driver set its receive filters. Now it
             chooses a queueing discipline, but without a carrier that one is left asleep beside
             the queue, and the one in use stays noop, which drops everything. ip's system call
             returns; `ip link` would say NO-CARRIER,UP.""",
             condition=lambda: int(argument(0, "struct net_device")) == int(card.netdev()),
             show=[Show("net device")],
             check=[Check("the task is ip", task_is_ip), Check("IFF_UP is set", card.is_up),
                    Check("the queue uses noop", lambda: card.qdisc("qdisc") == "noop")]),
        Stop("carrier", "netif_carrier_on", "Half a second later: the link",
             """The PHY is done. """ + (
                 "The card sent an interrupt for it (LSC) on the vector for the rest; "
                 if card.stage >= 5 else "The watchdog has asked for it on its round; ")
             + """the work item read the PHY's status, which could not be done in an interrupt,
             and tells the core.""",
             condition=lambda: int(argument(0, "struct net_device")) == int(card.netdev()),
             check=[in_process(), Check("the card says so: STATUS.LU is set",
                                        lambda: bool(card.register(STATUS) & LINK_UP)),
                    Check("the task is a kworker",
                          lambda: percpu.task_name().startswith("kworker"))],
             question="netif_carrier_on only clears a bit and fires an event. Why?",
             answer="""Drivers call it from anywhere, interrupts included. What follows needs
             RTNL and may sleep, so it is left to another work item, linkwatch."""),
        Stop("linkwatch", "dev_activate", "Now the stack may send",
             """The same function as before, called by linkwatch this time. There is a carrier, so
             the queueing discipline that was chosen is put to use. A frame that is sent from now
             on reaches igbook_start_xmit.""",
             condition=lambda: int(argument(0, "struct net_device")) == int(card.netdev()),
             check=[Check("RTNL is held by this task", rtnl_held),
                    Check("there is a carrier", lambda: not card.state(NO_CARRIER)),
                    Check("the queue still uses noop", lambda: card.qdisc("qdisc") == "noop"),
                    Check("but pfifo_fast is meant for it",
                          lambda: card.qdisc("qdisc_sleeping") == "pfifo_fast")]),
        Stop("done", "dev_activate", "Ready", """`ip link` says LOWER_UP now.""", at="return",
             show=[Show("net device eth0", keep=lambda text: "\n".join(
                 line for line in text.split("\n") if line.split()[0] in ("flags", "link",
                                                                          "qdisc")))],
             check=[Check("the queue uses pfifo_fast",
                          lambda: card.qdisc("qdisc") == "pfifo_fast"),
                    Check("the driver's queue is not stopped", lambda: not card.queue_stopped())]),
    ]


def trace(config: dict[str, Any]) -> Trace:
    """The trace as the runner asks for it."""
    card = Card(Driver(config["driver"]))
    stops = (asked(card) + settings(card) + interrupts(card) + rings(card) + service(card)
             + link(card))
    return Trace("bring-up", ABOUT, stops, modules=("igbook",), start_at="default_idle")
