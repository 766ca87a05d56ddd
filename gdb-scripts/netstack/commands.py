# SPDX-License-Identifier: GPL-2.0
"""Everything a reader can type, gathered: importing this and calling register() is enough."""

from __future__ import annotations

import os
import pathlib

import gdb

from . import device, modules, napi, printers, protocols, ring, skb, sock, softirqs


class NetPrefix(gdb.Command):
    """Look at the Linux network stack of the guest.

Example:
  (gdb) net softirqs
  (gdb) net device eth0
  (gdb) net skb skb

`help net COMMAND` tells about one of them."""

    def __init__(self) -> None:
        super().__init__("net", gdb.COMMAND_DATA, gdb.COMPLETE_COMMAND, True)

    def invoke(self, argument: str, _from_tty: bool) -> None:
        """`net` alone, or with a word that is not one of its commands."""
        if argument:
            raise gdb.GdbError(f"net: no command `{argument.split()[0]}`; `help net` lists them")
        gdb.execute("help net")


def register() -> None:
    """Add all commands and pretty-printers to gdb."""
    NetPrefix()
    for topic in (softirqs, protocols, napi, skb, sock, device, ring, modules, printers):
        topic.register()


def find_sources() -> None:
    """Let gdb look for source lines in the tree the kernel was built from."""
    for objfile in gdb.objfiles():
        name = objfile.filename or ""
        source = pathlib.Path(name).parent / "source"
        if os.path.basename(name) == "vmlinux" and source.is_dir():
            gdb.execute(f"directory {source}", to_string=True)
