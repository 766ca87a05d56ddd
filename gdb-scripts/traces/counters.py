# SPDX-License-Identifier: GPL-2.0
"""Trace counters: three ways to ask for a device's counters, and what is held in each."""

from __future__ import annotations

from typing import Any

import gdb

from netstack import device, percpu, utils
from netstack.driver import Driver
from netstack.trace import Check, Show, Stop, Trace, argument

SCENARIO = "counters"
DRIVERS = ("06",)
ABOUT = """The interface is up. A user types `ethtool -S eth0`, then `ip -s link show dev
eth0`, then `cat /proc/net/dev`. All three want counters. Follow each to the function of the
driver that answers, and see who holds the lock called RTNL when it does."""

GET_STATS = 0x1d


def eth0() -> gdb.Value:
    """The device."""
    return device.resolve("eth0", "trace counters")


def task_is(name: str) -> bool:
    """Is this the running task?"""
    return percpu.task_name() == name


def rtnl_owner() -> int:
    """The task that owns RTNL, 0 when nobody does. The lowest bits of the owner word are flags."""
    return int(utils.variable("rtnl_mutex")["owner"]["counter"]) & (1 << 64) - 8


def rtnl_is_ours() -> bool:
    """Does the running task own RTNL?"""
    return rtnl_owner() == int(percpu.current_task()) & (1 << 64) - 1


def rtnl_is_not_ours() -> bool:
    """Does the running task not own RTNL?"""
    return not rtnl_is_ours()


def asked_of(number: int) -> bool:
    """Is this argument, a struct net_device *, eth0?"""
    return int(argument(number, "struct net_device")) == int(eth0())


def command() -> int:
    """What ethtool asks for: the first four bytes of its request, which the program owns."""
    return int.from_bytes(utils.read_bytes(int(argument(2, "char")), 4), "little")


def in_process() -> Check:
    """All of it is done for a program, in its own system call."""
    return Check("this is process context", lambda: percpu.context() == "process")


STOPS = [
    Stop("ioctl", "dev_ethtool", "ethtool -S: an ioctl",
         """The program has opened a socket of no importance and called ioctl on it, with the number
         SIOCETHTOOL, the interface's name and the address of a request. The request's first word
         says what is wanted; this one is ETHTOOL_GSTATS. (Requests for the counters' number and
         names came before.) Nothing has been locked yet.""",
         condition=lambda: task_is("ethtool") and command() == GET_STATS,
         show=[Show("print ((struct ifreq *)$rsi)->ifr_ifrn.ifrn_name")],
         check=[in_process(), Check("the task is ethtool", lambda: task_is("ethtool")),
                Check("it does not hold RTNL", rtnl_is_not_ours),
                Check("the request is for eth0", lambda: utils.string_of(
                    argument(1, "struct ifreq")["ifr_ifrn"]["ifrn_name"]) == "eth0")],
         question="Which socket must one have to ask ethtool's questions?",
         answer="""Almost any: one of IPv4, of IPv6, of netlink. It only leads into the network's
         part of the kernel; the device is found by the name in the request. (A few families,
         AF_XDP for one, let no such question through.)"""),
    Stop("ethtool-ops", "igbook_get_ethtool_stats", "The driver answers, under RTNL",
         """dev_ethtool took RTNL, found the device by its name, and looked into its table
         ethtool_ops for the entry that belongs to the request. What the driver writes goes into a
         buffer of the kernel, which is copied to the program afterwards.""",
         condition=lambda: asked_of(0),
         show=[Show("print ((struct net_device *)$rdi)->ethtool_ops->get_ethtool_stats")],
         check=[in_process(), Check("the task is ethtool", lambda: task_is("ethtool")),
                Check("it holds RTNL", rtnl_is_ours)],
         question="May this function sleep?",
         answer="""Yes: RTNL is a mutex, and nothing else is held. But for as long as it sleeps
         nobody can configure any network device."""),
    Stop("netlink", "igbook_get_stats64", "ip -s link: a netlink message",
         """The second program sent a message, RTM_GETLINK. What was found in the driver now is not
         ethtool's table but netdev_ops: these are the counters that every device has. RTNL is
         held, too, this time taken by rtnetlink before it called the function for such
         messages.""",
         condition=lambda: asked_of(0) and task_is("ip"),
         show=[Show("print ((struct net_device *)$rdi)->netdev_ops->ndo_get_stats64")],
         check=[in_process(), Check("the task is ip", lambda: task_is("ip")),
                Check("it holds RTNL", rtnl_is_ours)],
         question="The two tables have counters each. Why?",
         answer="""Those of netdev_ops have one meaning for all devices, and the core adds its
         own to them. Those of ethtool_ops are whatever a driver has to say, under names it
         chooses."""),
    Stop("proc", "igbook_get_stats64", "cat /proc/net/dev: a file",
         """The same function of the driver, called for a third program. Nobody holds RTNL for it:
         the file is read under RCU, which costs nothing, keeps the device from being freed, and
         forbids to sleep. So this entry, unlike that of ethtool_ops, must not sleep, whoever
         calls.""",
         condition=lambda: asked_of(0) and task_is("cat"),
         check=[in_process(), Check("the task is cat", lambda: task_is("cat")),
                Check("it does not hold RTNL", rtnl_is_not_ours)],
         question="""A driver takes a mutex in ndo_get_stats64. Which of the three commands
         shows the mistake?""",
         answer="""Only the last, and, as long as nobody else holds the mutex, only on a kernel that
         checks. ip may sleep where it is, and ethtool -S does not call the function."""),
]


def trace(config: dict[str, Any]) -> Trace:
    """The trace as the runner asks for it."""
    return Trace("counters", ABOUT, STOPS, modules=(Driver(config["driver"]).module,),
                 start_at="default_idle")
