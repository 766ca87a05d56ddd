# SPDX-License-Identifier: GPL-2.0
"""Trace ethtool: a question by ioctl and an order by netlink, down to the driver and back."""

from __future__ import annotations

from typing import Any

import gdb

from netstack.driver import Driver
from netstack.trace import Check, Show, Stop, Trace, argument
from traces.counters import (asked_of, command, in_process, rtnl_is_not_ours, rtnl_is_ours,
                             task_is)

SCENARIO = "ethtool"
DRIVERS = ("10",)
ABOUT = """The finished driver's interface is up, with adaptive-rx off. A user types `ethtool -e
eth0 length 6`, which shows the first bytes of the card's memory, and then `ethtool -C eth0
rx-usecs 100`, which asks for a pause of a tenth of a millisecond after each interrupt. The first
goes by the old door, the second by the new one. Watch where RTNL is taken, and how often the driver
is called for one order."""

GET_EEPROM = 0xb  # ETHTOOL_GEEPROM
USECS = 100


def coalesce() -> gdb.Value:
    """What set_coalesce is given."""
    return argument(1, "struct ethtool_coalesce")


def message() -> int:
    """The command of the netlink message."""
    return int(argument(1, "struct genl_info")["genlhdr"]["cmd"])


def order() -> int:
    """The command that sets the pauses."""
    return int(gdb.parse_and_eval("(int)ETHTOOL_MSG_COALESCE_SET"))


def is_ethtool() -> Check:
    """All of it is done in the program's own system calls."""
    return Check("the task is ethtool", lambda: task_is("ethtool"))


STOPS = [
    Stop("ioctl", "dev_ethtool", "ethtool -e: the old door",
         """The program has asked for the driver's name and the memory's length, and now for the
         bytes themselves. The request is a structure in the program's memory; its first word is
         ETHTOOL_GEEPROM. A long switch will find the function that belongs to this word.""",
         condition=lambda: task_is("ethtool") and command() == GET_EEPROM,
         check=[in_process(), is_ethtool(), Check("it does not hold RTNL", rtnl_is_not_ours)],
         question="An old program meets a new kernel whose structure is longer. What happens?",
         answer="""The kernel would write behind the end of the program's. So a structure that was
         once published hardly ever grows, and what is new gets a command or a message."""),
    Stop("eeprom", "igbook_get_eeprom", "The driver reads the card's memory",
         """RTNL has been taken, the device found by its name, and a page of memory made into which
         the driver reads; what is in it goes to the program afterwards. The driver reads word by
         word, and shares the card's memory with the firmware: there is a semaphore for that.""",
         condition=lambda: asked_of(0),
         show=[Show("print ((struct ethtool_eeprom *)$rsi)->len")],
         check=[in_process(), is_ethtool(), Check("it holds RTNL", rtnl_is_ours)],
         question="The firmware keeps the semaphore for a while. Who waits?",
         answer="""The program, and whoever wants RTNL: nobody can set up any interface of this
         machine meanwhile. Frames go on."""),
    Stop("message", "ethnl_default_set_doit", "ethtool -C: the new door",
         """The program sends a message to the family ethtool. The system call that sends it is not
         over: netlink calls the family's function at once. The form of the message's attributes
         has been checked already.""",
         condition=lambda: task_is("ethtool") and message() == order(),
         show=[Show("print (int)((struct genl_info *)$rsi)->genlhdr->cmd")],
         check=[in_process(), is_ethtool(),
                Check("the message is ETHTOOL_MSG_COALESCE_SET", lambda: message() == order()),
                Check("it does not hold RTNL", rtnl_is_not_ours)],
         question="Which attributes are in this message?",
         answer="""The device's name, and the one number that the user has typed. What a message
         does not name stays as it is."""),
    Stop("before", "igbook_get_coalesce", "The driver is asked first",
         """The driver's function for this order takes a whole structure. So the core asks the
         driver what holds now, and changes the one field that the message names. If it has that
         value already, the order ends here, and nobody is told.""",
         condition=lambda: asked_of(0),
         check=[in_process(), is_ethtool(), Check("it holds RTNL", rtnl_is_ours)],
         question="Two users change two fields at the same moment. Can one be lost?",
         answer="No: from the question to the order RTNL is held."),
    Stop("order", "igbook_set_coalesce", "The order",
         """Now the structure has the user's number and the driver's others. The driver notes it;
         the next poll of each vector writes the pause to the card.""",
         condition=lambda: asked_of(0),
         show=[Show("print ((struct ethtool_coalesce *)$rsi)->rx_coalesce_usecs")],
         check=[in_process(), is_ethtool(), Check("it holds RTNL", rtnl_is_ours),
                Check("the pause is the user's",
                      lambda: int(coalesce()["rx_coalesce_usecs"]) == USECS)],
         question="The driver answers -EINVAL. What else may it say?",
         answer="""A sentence: its last argument, extack, takes one, and ethtool prints it. By the
         old door only the number would have gone back."""),
    Stop("notice", "ethnl_default_notify", "Everybody is told",
         """The driver has agreed, so a notice is made for those who listen (ethtool --monitor).
         It has what holds now, not what was ordered.""",
         condition=lambda: asked_of(0) and task_is("ethtool"),
         check=[in_process(), is_ethtool(), Check("it holds RTNL", rtnl_is_ours)],
         question="Nobody listens. Is the notice made?",
         answer="""Yes, to the end; only when it is to be handed out is it found that nobody is
         there."""),
    Stop("after", "igbook_get_coalesce", "The driver is asked once more",
         """Drivers round: a card may know only multiples of some step. So for the notice the core
         asks again. One order has called the driver three times.""",
         condition=lambda: asked_of(0),
         check=[in_process(), is_ethtool(), Check("it holds RTNL", rtnl_is_ours)],
         question="Where could a driver of a slow device save time here?",
         answer="""In what it answers: it should know its settings and not ask the device. Ours
         keeps them in memory."""),
]


def trace(config: dict[str, Any]) -> Trace:
    """The trace as the runner asks for it."""
    return Trace("ethtool", ABOUT, STOPS, modules=(Driver(config["driver"]).module,),
                 start_at="default_idle")
