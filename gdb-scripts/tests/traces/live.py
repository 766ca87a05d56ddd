# SPDX-License-Identifier: GPL-2.0
"""Trace live: every netstack command and printer against the running guest.

The guest is stopped where a packet has just become an sk_buff; each test types a command the
way a reader would and looks at what gdb answers.
"""

from __future__ import annotations

import re
import sys
from typing import Any
import unittest

import gdb

from netstack import modules, skb
from netstack.trace import Check, Stop, Trace, argument

SCENARIO = "udp-reader"
DRIVERS = ("igb",)
NAMES = ("softirqs", "protocols", "napi", "skb", "socket", "device", "ring", "symbols")


def ask(command: str) -> str:
    """What gdb answers."""
    return gdb.execute(command, to_string=True)


def address_of(name: str) -> int:
    """Where a function is, by gdb."""
    return int(gdb.parse_and_eval(f"(unsigned long)&{name}")) % (1 << 64)


class Softirqs(unittest.TestCase):
    """net softirqs and $softirqs()"""

    def test_vectors_and_mask(self) -> None:
        """All ten vectors with their handlers, and the CPU's line."""
        text = ask("net softirqs")
        self.assertRegex(text, r"3 +NET_RX +net_rx_action")
        self.assertRegex(text, r"9 +RCU +rcu_core_si")
        self.assertRegex(text, r"4 +BLOCK +-")
        self.assertRegex(text, r"CPU 0: pending 0x[0-9a-f]{4} \(.*\), thread ksoftirqd/0")

    def test_pending_only(self) -> None:
        """The short form."""
        self.assertEqual(ask("net softirqs pending").count("\n"), 1)

    def test_function(self) -> None:
        """A mask typed by hand."""
        self.assertIn('"NET_TX NET_RX"', ask("print $softirqs(0xc)"))

    def test_bad_word(self) -> None:
        """Named, with the usage."""
        with self.assertRaisesRegex(gdb.error, "unknown word `now`; usage"):
            ask("net softirqs now")


class Protocols(unittest.TestCase):
    """net protocols"""

    def test_every_table(self) -> None:
        """One line of each."""
        text = ask("net protocols")
        for line in (r"2 +PF_INET +inet_create", r"17 +UDP +udp_rcv", r"58 +ICMPV6 +icmpv6_rcv",
                     r"DGRAM +UDP +UDP +inet_dgram_ops", r"STREAM +TCP +TCPv6 +inet6_stream_ops",
                     r"IPv4 \(0x0800\) +ip_rcv +ip_list_rcv +any", r"every frame \(ptype_all\)"):
            self.assertRegex(text, line)

    def test_one_table(self) -> None:
        """Only what was asked for."""
        text = ask("net protocols inet")
        self.assertIn("tcp_v4_rcv", text)
        self.assertNotIn("net_families", text)

    def test_unknown_table(self) -> None:
        """The choices are listed."""
        with self.assertRaisesRegex(gdb.error, "no table `ipx`; choose from families, inet"):
            ask("net protocols ipx")


class Napi(unittest.TestCase):
    """net napi"""

    def test_being_polled(self) -> None:
        """igb's receive instance is scheduled: we stand in its poll."""
        text = ask("net napi eth0")
        self.assertRegex(text, r"eth0 +\d+ +igb_poll +64 +SCHED")
        self.assertIn("backlog poll process_backlog, weight 64", text)

    def test_unknown_device(self) -> None:
        """The devices there are get listed."""
        with self.assertRaisesRegex(gdb.error, r"eth7.*there are: lo, eth0"):
            ask("net napi eth7")


class Device(unittest.TestCase):
    """net device"""

    def test_list(self) -> None:
        """Without an argument."""
        text = ask("net device")
        self.assertRegex(text, r"1 +lo +none +65536")
        self.assertRegex(text, r"2 +eth0 +igb +1500 +52:54:00:12:34:56 +UP BROADCAST MULTICAST")

    def test_details(self) -> None:
        """By name."""
        text = ask("net device eth0")
        for part in (r"driver +igb", r"netdev_ops +igb_netdev_ops", r"ethtool_ops +igb_ethtool_ops",
                     r"operstate UP, carrier", r"1 of 8 tx, 1 of 8 rx", r"qdisc +mq",
                     r"broadcast ff:ff:ff:ff:ff:ff", r"promiscuous by 0",
                     r"tx-checksum-ip-generic", r"rx-gro"):
            self.assertRegex(text, part)

    def test_expression(self) -> None:
        """By pointer and by struct; both are the same device."""
        by_pointer = ask("net device ((struct sk_buff *)$rsi)->dev")
        self.assertEqual(by_pointer, ask("net device *((struct sk_buff *)$rsi)->dev"))
        self.assertEqual(by_pointer, ask("net device eth0"))

    def test_wrong_type(self) -> None:
        """Says what it got."""
        with self.assertRaisesRegex(gdb.error, "expected a pointer to struct net_device, but "
                                    "this is `struct task_struct`"):
            ask("net device init_task")


class Skb(unittest.TestCase):
    """net skb"""

    def test_picture(self) -> None:
        """Pointers, lengths, headers."""
        text = ask("net skb (struct sk_buff *)$rsi")
        for part in ("<- head", "<- data", "<- tail", "<- end", "<- mac header",
                     "len 66 = linear 66 + data_len 0", "truesize", "users 1, not cloned",
                     "checksum UNNECESSARY", "192.0.2.1 > 192.0.2.2, UDP",
                     "UDP 40000 > 4000, length 46"):
            self.assertIn(part, text)

    def test_struct_and_address(self) -> None:
        """A struct, a pointer and a bare number lead to the same picture."""
        pointer = ask("net skb (struct sk_buff *)$rsi")
        self.assertEqual(pointer, ask("net skb *(struct sk_buff *)$rsi"))
        self.assertEqual(pointer, ask("net skb $rsi"))

    def test_errors(self) -> None:
        """No argument, nonsense, NULL, another type, unreadable memory."""
        for words, answer in (("", "which sk_buff"), ("no_such_thing", "cannot evaluate"),
                              ("(struct sk_buff *)0", "is NULL"),
                              ("&init_net", "expected a pointer to struct sk_buff"),
                              ("(struct sk_buff *)0xdead000000000100", "memory")):
            with self.subTest(words=words), self.assertRaisesRegex(gdb.error, answer):
                ask(f"net skb {words}")


class Ring(unittest.TestCase):
    """net ring"""

    def test_receive(self) -> None:
        """The descriptor of our packet was written back."""
        text = ask("net ring rx 0 eth0 4")
        self.assertIn("eth0 rx ring 0: 256 descriptors", text)
        self.assertRegex(text, r"0  written back: length 80, DD EOP, errors 0x0")
        self.assertEqual(len(re.findall(r"^ +\d+  (for the card|written back|empty)", text,
                                        re.MULTILINE)), 4)

    def test_picture(self) -> None:
        """Descriptor 0 was just taken back, the others wait; the card stands at the next one."""
        text = ask("net ring rx 0 eth0 1")
        self.assertRegex(text, r"(?m)^ +0  \.o{63}$")
        self.assertRegex(text, r"(?m)^ {9}\^ head, next_to_clean$")
        self.assertRegex(text, r"(?m)^ +192  o{63}\.$")

    def test_transmit(self) -> None:
        """Finds the device by itself."""
        self.assertIn("eth0 tx ring 0: 256 descriptors", ask("net ring tx 0"))

    def test_errors(self) -> None:
        """Usage, ring number, device without rings."""
        for words, answer in (("", "usage: net ring"), ("up 0", "usage"), ("rx one", "usage"),
                              ("rx 5", r"igb has 1 rx ring\(s\), there is no 5"),
                              ("rx 0 lo", "lo has driver none; known are igb, igbook")):
            with self.subTest(words=words), self.assertRaisesRegex(gdb.error, answer):
                ask(f"net ring {words}")


class Symbols(unittest.TestCase):
    """net symbols"""

    def test_module_functions_have_names(self) -> None:
        """igb's code is known by name and line, also after loading twice."""
        self.assertIn("igb (igb.ko)", ask("net symbols"))
        self.assertIn("igb_poll", ask("info symbol igb_poll"))
        self.assertIn("igb_main.c", ask("info line igb_poll"))

    def test_only_text_lies_in_text(self) -> None:
        """Freed init code is nowhere; exit code and variables are in their places."""
        ask("net symbols")
        igb = next(module for module in modules.loaded()
                   if module["name"].string() == "igb")
        there = modules.sections(igb)
        self.assertEqual(address_of("igb_exit_module"), there[".exit.text"])
        self.assertGreater(address_of("igb_init_module"), 0)
        self.assertEqual(modules.kept(igb, {"init": address_of("igb_init_module")}), {})
        self.assertIn("igb_driver in section .data", ask("info symbol &igb_driver"))
        first = ask(f"info symbol {there['.text']:#x}").split()[0]
        self.assertEqual(address_of(first), there[".text"])
        self.assertIn(f"<{first}>", ask(f"print (void (*)(void)){there['.text']:#x}"))

    def test_freed_memory_of_one_is_not_taken_from_another(self) -> None:
        """The kernel loads the next module where the init code of the last one was."""
        ask("net symbols")
        for module in modules.loaded():
            text = modules.sections(module)[".text"]
            self.assertRegex(ask(f"info symbol {text:#x}"),
                             f"in section .text of .*/{module['name'].string()}.ko")

    def test_no_such_place(self) -> None:
        """Named."""
        with self.assertRaisesRegex(gdb.error, "/nowhere: no such file or directory"):
            ask("net symbols /nowhere")


class Socket(unittest.TestCase):
    """net socket"""

    def test_either_of_the_two(self) -> None:
        """A socket of the kernel's own, by its struct sock and by its struct socket."""
        text = ask("net socket init_net.rtnl")
        self.assertEqual(text, ask("net socket init_net.rtnl->sk_socket"))
        self.assertEqual(text, ask("net socket *init_net.rtnl"))
        upper, lower = re.findall(r"^\(struct sock(?:et)? \*\) (0x[0-9a-f]+)$", text, re.MULTILINE)
        self.assertIn(f"sk   -> {lower}\n", text)
        self.assertIn(f"sk_socket -> {upper}\n", text)
        for part in ("type DGRAM, ops netlink_ops", "file -> NULL", "protocol NETLINK",
                     "receive queue 0, backlog 0, not owned"):
            self.assertIn(part, text)

    def test_larger_ones(self) -> None:
        """A struct that begins with a struct sock."""
        self.assertEqual(ask("net socket (struct netlink_sock *)init_net.rtnl"),
                         ask("net socket init_net.rtnl"))

    def test_errors(self) -> None:
        """No argument, NULL, another type."""
        for words, answer in (("", "which socket"), ("(struct sock *)0", "is NULL"),
                              ("(struct socket *)0", "is NULL"),
                              ("init_task", "expected a pointer to struct sock")):
            with self.assertRaisesRegex(gdb.error, answer):
                ask(f"net socket {words}".strip())


class Printers(unittest.TestCase):
    """What print shows"""

    def test_sk_buff(self) -> None:
        """A line with the packet's meaning; /r shows it raw."""
        self.assertRegex(ask("print *(struct sk_buff *)$rsi"),
                         r"sk_buff: len 66, eth0, IPv4 \(0x0800\), UDP 40000 > 4000")
        self.assertIn("pkt_type", ask("print /r *(struct sk_buff *)$rsi"))

    def test_net_device(self) -> None:
        """Name, flags, address."""
        self.assertRegex(ask("print *((struct sk_buff *)$rsi)->dev"),
                         r"net_device: eth0: UP BROADCAST MULTICAST; mtu 1500; 52:54")

    def test_napi_struct(self) -> None:
        """Owner, poll function and state."""
        text = ask("print *(struct napi_struct *)$rdi")
        self.assertRegex(text, r"napi_struct: eth0 \(igb_poll\)")
        self.assertRegex(text, r"state = 0x[0-9a-f]+ SCHED.*LISTED")

    def test_pending_mask(self) -> None:
        """The per-CPU line: task, context, softirqs."""
        text = ask("python print(__import__('netstack.percpu').percpu.per_cpu('pcpu_hot', 0))")
        self.assertIn("pcpu_hot: CPU 0", text)
        self.assertRegex(text, r"preempt_count = 0x[0-9a-f]+ softirq")
        self.assertRegex(text, r"softirq_pending = 0x[0-9a-f]{4} ")

    def test_unreadable(self) -> None:
        """A bad pointer does not end the command with a Python traceback."""
        with self.assertRaisesRegex(gdb.error, "Cannot access memory"):
            ask("print ((struct sk_buff *)0xdead000000000100)->len")


class Help(unittest.TestCase):
    """help net ..."""

    def test_each_command(self) -> None:
        """Usage and an example."""
        for name in NAMES:
            with self.subTest(name=name):
                text = ask(f"help net {name}")
                self.assertIn(f"Usage: net {name}", text)
                self.assertIn("Example:", text)
                self.assertIn(f"(gdb) net {name}", text)

    def test_list(self) -> None:
        """`net` alone and a wrong word."""
        for name in NAMES:
            self.assertIn(f"net {name} -- ", ask("net"))
        with self.assertRaisesRegex(gdb.error, "no command `frobnicate`"):
            ask("net frobnicate")


def run_tests() -> bool:
    """All of the above; the details go to the terminal."""
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    return result.wasSuccessful() and result.testsRun >= 20


def trace(_config: dict[str, Any]) -> Trace:
    """One stop, where a packet is at hand."""
    def ours() -> bool:
        ports = skb.udp_ports(argument(1, "struct sk_buff"))
        return ports is not None and ports[1] == 4000

    return Trace("live", "Every command against the live guest.", [
        Stop("packet", "napi_gro_receive", "a packet at hand", "All commands are tried here.",
             condition=ours, check=[Check("every test of live.py passes", run_tests)])],
        modules=("igb",), start_at="default_idle")
