# SPDX-License-Identifier: GPL-2.0
"""Turning numbers into the names people use for them. Plain Python, no gdb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# include/uapi/linux/if.h, enum net_device_flags: part of the user-space ABI, so it cannot move.
DEVICE_FLAGS = {
    0: "UP", 1: "BROADCAST", 2: "DEBUG", 3: "LOOPBACK", 4: "POINTOPOINT", 5: "NOTRAILERS",
    6: "RUNNING", 7: "NOARP", 8: "PROMISC", 9: "ALLMULTI", 10: "MASTER", 11: "SLAVE",
    12: "MULTICAST", 13: "PORTSEL", 14: "AUTOMEDIA", 15: "DYNAMIC", 16: "LOWER_UP",
    17: "DORMANT", 18: "ECHO",
}

# include/uapi/linux/if.h, RFC 2863 operational states.
OPERSTATES = ("UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP")

# enum netdev_state_t (include/linux/netdevice.h): bits of net_device.state.
LINK_STATES = {0: "START", 1: "PRESENT", 2: "NOCARRIER", 3: "LINKWATCH_PENDING", 4: "DORMANT",
               5: "TESTING"}

# IANA numbers of the protocols that sit on top of IP.
IP_PROTOCOLS = {
    0: "HOPOPTS", 1: "ICMP", 2: "IGMP", 4: "IPIP", 6: "TCP", 17: "UDP", 41: "IPV6", 43: "ROUTING",
    44: "FRAGMENT", 46: "RSVP", 47: "GRE", 50: "ESP", 51: "AH", 58: "ICMPV6", 59: "NONE",
    60: "DSTOPTS", 89: "OSPF", 103: "PIM", 108: "IPCOMP", 115: "L2TP", 132: "SCTP",
    136: "UDPLITE", 137: "MPLS",
}

# EtherTypes a reader meets here; ETH_P_ALL is Linux's own "every frame".
ETHERTYPES = {
    0x0003: "ALL", 0x0800: "IPv4", 0x0806: "ARP", 0x8100: "VLAN", 0x86dd: "IPv6",
    0x88a8: "QinQ", 0x88cc: "LLDP", 0x88f7: "PTP",
}

SOCKET_TYPES = {0: "ANY", 1: "STREAM", 2: "DGRAM", 3: "RAW", 4: "RDM", 5: "SEQPACKET", 6: "DCCP",
                10: "PACKET"}

# include/net/tcp_states.h; other protocols use CLOSE and ESTABLISHED of them.
TCP_STATES = ("0", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT",
              "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV",
              "BOUND_INACTIVE")

IP_SUMMED = ("NONE", "UNNECESSARY", "COMPLETE", "PARTIAL")
PACKET_TYPES = ("HOST", "BROADCAST", "MULTICAST", "OTHERHOST", "OUTGOING", "LOOPBACK", "USER",
                "KERNEL")

# Vectors in the order in which the kernel serves them; used when the kernel's own table of
# names cannot be read.
SOFTIRQS = ("HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED",
            "HRTIMER", "RCU")

# preempt_count on 6.12 (include/linux/preempt.h).
PREEMPT_MASK = 0x000000ff
SOFTIRQ_OFFSET = 0x00000100
SOFTIRQ_MASK = 0x0000ff00
HARDIRQ_MASK = 0x000f0000
NMI_MASK = 0x00f00000


def decode_bits(value: int, names: Mapping[int, str] | Sequence[str], empty: str = "none") -> str:
    """Names of the bits set in value, lowest first; a bit without a name shows as bitN."""
    table = names if isinstance(names, Mapping) else dict(enumerate(names))
    found = [table.get(bit, f"bit{bit}") for bit in range(value.bit_length()) if value >> bit & 1]
    return " ".join(found) if found else empty


def pick(names: Sequence[str], index: int) -> str:
    """names[index], or the number itself where the table ends."""
    return names[index] if 0 <= index < len(names) else str(index)


def context_of(preempt_count: int) -> str:
    """Which of the kernel's contexts this preempt_count belongs to.

    Bottom halves that are merely switched off count in steps of two, so only an odd softirq
    count means that a softirq handler is running.
    """
    if preempt_count & NMI_MASK:
        return "nmi"
    if preempt_count & HARDIRQ_MASK:
        return "hardirq"
    if preempt_count & SOFTIRQ_OFFSET:
        return "softirq"
    return "process"


def describe_preempt_count(preempt_count: int) -> str:
    """One line: the context and what else is held off."""
    parts = [context_of(preempt_count)]
    bh_off = (preempt_count & SOFTIRQ_MASK) >> 9
    if bh_off:
        parts.append(f"bottom halves off x{bh_off}")
    if preempt_count & PREEMPT_MASK:
        parts.append(f"preemption off x{preempt_count & PREEMPT_MASK}")
    return ", ".join(parts)


def mac(address: bytes) -> str:
    """52:54:00:12:34:56"""
    return ":".join(f"{octet:02x}" for octet in address)


def ethertype(number: int) -> str:
    """IPv4 (0x0800)"""
    name = ETHERTYPES.get(number)
    return f"{name} (0x{number:04x})" if name else f"0x{number:04x}"


def kib(size: int) -> str:
    """A size in bytes as people say it."""
    return f"{size // 1024} KiB" if size >= 1024 and size % 1024 == 0 else f"{size} B"
