# SPDX-License-Identifier: GPL-2.0
"""What every command needs: cached types, container_of, symbol names, readable errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
import functools
import re

import gdb

NO_SYMBOLS = ("net: no symbols loaded for the kernel; start gdb with its vmlinux, "
              "for example: gdb -x gdb-scripts/netstack.gdb build/kernel/trace/vmlinux")
NO_TARGET = ("net: not connected to a guest; start one with `sandbox start --gdb SOCKET` "
             "and then use `target remote SOCKET`")


class CachedType:
    """A type looked up once, and again after new symbols were loaded."""

    _all: list[CachedType] = []

    def __init__(self, name: str) -> None:
        self.name = name
        self._type: gdb.Type | None = None
        CachedType._all.append(self)

    def get(self) -> gdb.Type:
        """The type itself; a GdbError when the symbols do not have it."""
        if self._type is None:
            try:
                self._type = gdb.lookup_type(self.name)
            except gdb.error as error:
                raise gdb.GdbError(NO_SYMBOLS if not has_symbols() else
                                   f"net: this kernel has no {self.name}: {error}") from None
        return self._type

    def pointer(self) -> gdb.Type:
        """Pointer to the type."""
        return self.get().pointer()

    @classmethod
    def forget(cls, _event: object = None) -> None:
        """Drop every cached type (an objfile went away)."""
        for cached in cls._all:
            cached._type = None


gdb.events.clear_objfiles.connect(CachedType.forget)

ulong = CachedType("unsigned long")
char = CachedType("char")


def has_symbols() -> bool:
    """Is a Linux kernel among the loaded object files?"""
    return gdb.lookup_static_symbol("softirq_vec") is not None or \
        gdb.lookup_global_symbol("init_task") is not None


def need_kernel() -> None:
    """Stop with a clear sentence unless there are symbols and a running guest."""
    if not gdb.objfiles():
        raise gdb.GdbError(NO_SYMBOLS)
    if gdb.selected_inferior().pid == 0:
        raise gdb.GdbError(NO_TARGET)


def evaluate(expression: str, what: str) -> gdb.Value:
    """Evaluate what a reader typed; errors name the command and the expression."""
    try:
        value = gdb.parse_and_eval(expression)
        value.fetch_lazy()
        return value
    except gdb.error as error:
        raise gdb.GdbError(f"{what}: cannot evaluate `{expression}`: {error}") from None


def variable(name: str) -> gdb.Value:
    """A kernel variable or function; GdbError, with the cause, when gdb cannot find it."""
    return address_of(name).dereference()


def address_of(name: str) -> gdb.Value:
    """Pointer to a kernel variable or function; GdbError, with the cause, if there is none."""
    try:
        return _pointer_to(name)
    except gdb.error as error:
        if not has_symbols():
            raise gdb.GdbError(NO_SYMBOLS) from None
        if _no_such_symbol(error):
            raise gdb.GdbError(f"net: this kernel has no variable `{name}`") from None
        raise gdb.GdbError(f"net: cannot look up `{name}`: {error}") from None


def variable_or_none(name: str) -> gdb.Value | None:
    """A kernel variable, or None where the configuration left it out; GdbError for other causes."""
    try:
        return _pointer_to(name).dereference()
    except gdb.error as error:
        if _no_such_symbol(error):
            return None
        raise gdb.GdbError(f"net: cannot look up `{name}`: {error}") from None


def _pointer_to(name: str) -> gdb.Value:
    """Address of a variable, with its type; gdb.error when there is none.

    A per-CPU symbol's own address is mapped in no running guest. When it is a pointer to what
    gdb 16 takes for a type of no fixed size, such as task_struct, gdb reads it whatever it is asked
    for, even its size. Then type and address are looked up one by one.
    """
    try:
        return gdb.parse_and_eval(f"&{name}")
    except gdb.MemoryError:
        symbol = gdb.lookup_global_symbol(name) or gdb.lookup_static_symbol(name)
        place = re.search(r"at address (0x[0-9a-f]+)",
                          gdb.execute(f"info address {name}", to_string=True))
        if symbol is None or symbol.type is None or place is None:
            raise
        return gdb.Value(int(place[1], 16)).cast(symbol.type.pointer())


def _no_such_symbol(error: gdb.error) -> bool:
    """Is this gdb's way to say that nothing has that name?"""
    return str(error).startswith("No symbol")


def _same_struct(found: gdb.Type, wanted: CachedType) -> bool:
    """Compare by tag: a module's symbols bring a second copy of the kernel's types."""
    return bool(found.tag) and f"struct {found.tag}" == wanted.name


def cast_to_pointer(value: gdb.Value, wanted: CachedType, what: str) -> gdb.Value:
    """Accept a struct, a pointer to it or an address, and hand back a pointer."""
    kind = value.type.strip_typedefs()
    if _same_struct(kind, wanted):
        if value.address is None:
            raise gdb.GdbError(f"{what}: this {wanted.name} has no address")
        return value.address.cast(wanted.pointer())
    if kind.code == gdb.TYPE_CODE_PTR:
        target = kind.target().strip_typedefs()
        if _same_struct(target, wanted) or target.code == gdb.TYPE_CODE_VOID:
            return value.cast(wanted.pointer())
    if kind.code == gdb.TYPE_CODE_INT:
        address = int(value) & 0xffffffffffffffff
        if address >> 47 == 0x1ffff:
            return gdb.Value(address).cast(wanted.pointer())
    raise gdb.GdbError(f"{what}: expected a pointer to {wanted.name}, but this is "
                       f"`{value.type}`")


def offset_of(wanted: gdb.Type, member: str) -> int:
    """Offset of a member in bytes, through anonymous structs and unions too."""
    base = gdb.Value(0).cast(wanted.pointer()).dereference()
    for part in member.split("."):
        base = base[part]
    return int(base.address)


def container_of(pointer: gdb.Value, wanted: gdb.Type, member: str) -> gdb.Value:
    """Pointer to the structure whose `member` the pointer points to."""
    address = int(pointer) - offset_of(wanted, member)
    return gdb.Value(address).cast(wanted.pointer())


def has_field(value_type: gdb.Type, name: str) -> bool:
    """Does the struct have this member, anonymous parts included?"""
    for field in value_type.strip_typedefs().fields():
        if field.name == name:
            return True
        if not field.name and field.type.strip_typedefs().code in (gdb.TYPE_CODE_STRUCT,
                                                                   gdb.TYPE_CODE_UNION):
            if has_field(field.type, name):
                return True
    return False


def read_bytes(address: int, length: int) -> bytes:
    """Memory of the guest; empty when it cannot be read."""
    if length <= 0:
        return b""
    try:
        return bytes(gdb.selected_inferior().read_memory(address, length))
    except gdb.error:
        return b""


def is_null(pointer: gdb.Value) -> bool:
    """Compare a pointer with NULL without dragging types in."""
    return int(pointer) == 0


def symbol_of(address: gdb.Value | int) -> str:
    """Name of the function or variable at an address, `0x...` when there is none."""
    number = int(address) & 0xffffffffffffffff
    if number == 0:
        return "NULL"
    text = gdb.execute(f"info symbol {number:#x}", to_string=True)
    if text.startswith("No symbol"):
        return f"{number:#x}"
    return text.split(" in section ")[0].strip().replace(" + ", "+")


def string_of(value: gdb.Value) -> str:
    """A C string or char array."""
    try:
        return value.string(errors="replace")
    except gdb.error:
        return "?"


def enumerators(names: Iterable[str], prefix: str) -> dict[int, str]:
    """Values of enumerators this kernel has, as {value: name without prefix}."""
    found: dict[int, str] = {}
    for name in names:
        try:
            found[int(gdb.parse_and_eval(prefix + name))] = name
        except gdb.error as error:
            if not _no_such_symbol(error):
                raise gdb.GdbError(f"net: cannot look up `{prefix + name}`: {error}") from None
    return found


@functools.cache
def napi_state_bits() -> dict[int, str]:
    """Bits of napi_struct.state as the kernel's own enum numbers them."""
    return enumerators(("SCHED", "MISSED", "DISABLE", "NPSVC", "LISTED", "NO_BUSY_POLL",
                        "IN_BUSY_POLL", "PREFER_BUSY_POLL", "THREADED", "SCHED_THREADED"),
                       "NAPI_STATE_")


class NetCommand(gdb.Command):
    """A subcommand of `net`: checks that a kernel is there and keeps gdb errors readable."""

    def __init__(self, name: str, run: Callable[[str], None],
                 complete: int = gdb.COMPLETE_NONE) -> None:
        self._run = run
        self._name = f"net {name}"
        self.__doc__ = run.__doc__
        super().__init__(self._name, gdb.COMMAND_DATA, complete)

    def invoke(self, argument: str, _from_tty: bool) -> None:
        """gdb calls this with what was typed after the command's name."""
        need_kernel()
        try:
            self._run(argument.strip())
        except gdb.MemoryError as error:
            raise gdb.GdbError(f"{self._name}: the guest's memory could not be read: "
                               f"{error}") from None
        except gdb.error as error:
            raise gdb.GdbError(f"{self._name}: {error}") from None


def out(line: str = "") -> None:
    """One line of a command's answer."""
    gdb.write(line + "\n")


def table(rows: list[tuple[str, ...]], indent: str = "  ") -> None:
    """Write rows as columns that line up; the first row is the heading."""
    if not rows:
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths)]
        out((indent + "  ".join(cells)).rstrip())
