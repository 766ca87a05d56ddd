# SPDX-License-Identifier: GPL-2.0
"""`net napi`: the poll functions of every device and the queue of those about to run."""

from __future__ import annotations

from collections.abc import Iterator

import gdb

from . import bits, device, lists, percpu, utils

napi_struct = utils.CachedType("struct napi_struct")


def of_device(dev: gdb.Value) -> Iterator[gdb.Value]:
    """The NAPI instances a driver added to its device."""
    yield from lists.for_each_entry(dev["napi_list"], napi_struct.get(), "dev_list")


def poll_list(cpu: int) -> list[gdb.Value]:
    """What net_rx_action on this CPU will poll next."""
    softnet = percpu.per_cpu("softnet_data", cpu)
    return list(lists.for_each_entry(softnet["poll_list"], napi_struct.get(), "poll_list"))


def state_of(napi: gdb.Value) -> str:
    """State bits as names."""
    return bits.decode_bits(int(napi["state"]), utils.napi_state_bits(), "idle")


def owner_of(napi: gdb.Value) -> str:
    """Name of the device, `backlog` for the per-CPU instance without one."""
    dev = napi["dev"]
    return "backlog" if utils.is_null(dev) else utils.string_of(dev["name"])


def name_of(napi: gdb.Value) -> str:
    """A NAPI instance in few words: device and poll function."""
    return f"{owner_of(napi)} ({utils.symbol_of(napi['poll'])})"


def _device_rows(dev: gdb.Value) -> list[tuple[str, ...]]:
    return [(utils.string_of(dev["name"]), str(int(napi["napi_id"])),
             utils.symbol_of(napi["poll"]), str(int(napi["weight"])), state_of(napi))
            for napi in of_device(dev)]


def _show_cpu(cpu: int) -> None:
    softnet = percpu.per_cpu("softnet_data", cpu)
    waiting = ", ".join(name_of(napi) for napi in poll_list(cpu)) or "empty"
    utils.out(f"CPU {cpu}: poll_list {waiting}")
    poll = softnet["backlog"]["poll"]
    backlog = "not set up yet" if utils.is_null(poll) else \
        f"poll {utils.symbol_of(poll)}, weight {int(softnet['backlog']['weight'])}, " \
        f"state {state_of(softnet['backlog'])}"
    utils.out(f"       backlog {backlog}, input queue {int(softnet['input_pkt_queue']['qlen'])}")


def show(argument: str) -> None:
    """List NAPI instances: owner, poll function, weight, state, and each CPU's poll_list.

Usage: net napi [DEVICE]

State bits carry the kernel's names without NAPI_STATE_: SCHED means that the instance is
on a poll_list or being polled, MISSED that an interrupt came while it was.

Example:
  (gdb) net napi eth0
    device  id    poll      weight  state
    eth0    8193  igb_poll  64      SCHED LISTED
  CPU 0: poll_list eth0 (igb_poll)
         backlog poll process_backlog, weight 64, state idle, input queue 0"""
    devices = [device.resolve(argument, "net napi")] if argument else list(device.every())
    rows: list[tuple[str, ...]] = [("device", "id", "poll", "weight", "state")]
    for dev in devices:
        rows += _device_rows(dev)
    if len(rows) > 1:
        utils.table(rows)
    else:
        utils.out("  no device has a NAPI instance")
    for cpu in percpu.possible_cpus():
        _show_cpu(cpu)


def register() -> None:
    """Add the command to gdb."""
    utils.NetCommand("napi", show, gdb.COMPLETE_EXPRESSION)
