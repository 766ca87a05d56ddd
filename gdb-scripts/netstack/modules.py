# SPDX-License-Identifier: GPL-2.0
"""`net symbols`: tells gdb where the kernel put a module, so that its functions have names.

The kernel's own lx-symbols does this too. It reads vmlinux again each time, which costs a second
at the start of a trace, and takes the first file with the right name; here each stage has an
igbook.ko, so the build id decides.

A .ko file is not linked: all its sections begin at 0. gdb moves debug information of such a file
by the distance of .text alone, whatever it is told about other sections, so functions of
.init.text and static variables would lie over the functions of .text. What gdb gets to read is
therefore a copy of the file whose section headers hold the addresses.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterator
import os
import pathlib
import shutil
import struct
import tempfile

import gdb

from . import lists, utils

module_type = utils.CachedType("struct module")
SHF_ALLOC = 2
# Where no x86 processor has memory: for sections that are in the file and not in the guest.
NOWHERE, APART = 1 << 48, 1 << 32
copies: dict[pathlib.Path, pathlib.Path] = {}


def loaded() -> Iterator[gdb.Value]:
    """Every module in the kernel, the newest first."""
    yield from lists.for_each_entry(utils.variable("modules"), module_type.get(), "list")


def sections(module: gdb.Value) -> dict[str, int]:
    """Where each section of a module lies (what /sys/module/NAME/sections says)."""
    attributes = module["sect_attrs"]
    if utils.is_null(attributes):
        return {}
    found = {}
    for index in range(int(attributes["nsections"])):
        entry = attributes["attrs"][index]
        found[utils.string_of(entry["battr"]["attr"]["name"])] = int(entry["address"])
    return found


def build_id_note(module: gdb.Value) -> bytes:
    """The note that tells one build of a module from another; empty when it was not loaded."""
    address = sections(module).get(".note.gnu.build-id", 0)
    return utils.read_bytes(address, 36) if address else b""


def kernel_places() -> list[pathlib.Path]:
    """The kernel's directory: where vmlinux lies, or its parent when that is a build tree."""
    places = []
    for objfile in gdb.objfiles():
        if os.path.basename(objfile.filename or "") == "vmlinux":
            parent = pathlib.Path(objfile.filename).parent
            places += [parent, parent.parent]
    return places


def default_places() -> list[pathlib.Path]:
    """Directories to search for .ko files: beside vmlinux, and the checkout's built stages."""
    places = [place / "modules" for place in kernel_places()]
    checkout = pathlib.Path(__file__).resolve().parents[2]
    places.append(checkout / "build" / "modules")
    return [place for place in places if place.is_dir()]


def unstripped(path: pathlib.Path) -> pathlib.Path:
    """The same module in the kernel's build tree: what gets installed has no debug information."""
    _before, found, inside = str(path).partition("/kernel/drivers/")
    if found:
        for place in kernel_places():
            for tree in (place, place / "build"):
                if (tree / "drivers" / inside).is_file():
                    return tree / "drivers" / inside
    return path


def find_file(name: str, places: list[pathlib.Path], note: bytes = b"") -> pathlib.Path | None:
    """The .ko of a module; the kernel writes `_` where a file name may have `-`.

    note is the module's build id note as it lies in the guest: of several files with the name
    (each stage has its igbook.ko) the one that contains it is taken.
    """
    found = None
    for place in places:
        for path in [place] if place.is_file() else sorted(place.rglob("*.ko")):
            if path.stem.replace("-", "_") != name:
                continue
            path = unstripped(path)
            if not note or note in path.read_bytes():
                return path
            found = found or path
    return None if note else found


def kept(module: gdb.Value, addresses: dict[str, int]) -> dict[str, int]:
    """Without the sections the kernel freed after the module's init: others may lie there now."""
    low, high = module["mem"].type.range()
    regions = [(int(module["mem"][index]["base"]), int(module["mem"][index]["size"]))
               for index in range(low, high + 1)]
    return {name: address for name, address in addresses.items()
            if any(base <= address < base + size for base, size in regions)}


def placed(image: bytes, addresses: dict[str, int]) -> bytes:
    """A relocatable ELF file whose section headers say where each section lies."""
    table, = struct.unpack_from("<Q", image, 0x28)
    size, count, names_index = struct.unpack_from("<3H", image, 0x3a)
    names, = struct.unpack_from("<Q", image, table + names_index * size + 0x18)
    out = bytearray(image)
    for index in range(count):
        header = table + index * size
        name_at, = struct.unpack_from("<I", image, header)
        flags, = struct.unpack_from("<Q", image, header + 8)
        begin = names + name_at
        name = image[begin:image.index(b"\0", begin)].decode()
        if flags & SHF_ALLOC:
            struct.pack_into("<Q", out, header + 0x10,
                             addresses.get(name, NOWHERE + index * APART))
    return bytes(out)


def copy_of(path: pathlib.Path) -> pathlib.Path:
    """Where the copy for gdb lies; gone when gdb ends (were it killed, runner.sweep finds it)."""
    if path not in copies:
        place = tempfile.mkdtemp(prefix=f"fwts-trace-{os.getpid()}-")
        atexit.register(shutil.rmtree, place, ignore_errors=True)
        copies[path] = pathlib.Path(place) / path.name
    return copies[path]


def load_one(module: gdb.Value, path: pathlib.Path) -> None:
    """Load a module's symbols at the addresses the kernel gave its sections."""
    copy = copy_of(path)
    if any(objfile.filename == str(copy) for objfile in gdb.objfiles()):
        gdb.execute(f"remove-symbol-file {copy}", to_string=True)
    copy.unlink(missing_ok=True)
    copy.write_bytes(placed(path.read_bytes(), kept(module, sections(module))))
    gdb.execute(f"add-symbol-file {copy}", to_string=True)


def load(names: set[str] | None, places: list[pathlib.Path]) -> tuple[list[str], list[str]]:
    """Load symbols of all (or the named) modules: (loaded, without a file)."""
    done, missing = [], []
    for module in list(loaded()):
        name = utils.string_of(module["name"])
        if names is not None and name not in names:
            continue
        path = find_file(name, places, build_id_note(module))
        if path is None:
            missing.append(name)
        else:
            load_one(module, path.resolve())
            done.append(f"{name} ({path.name})")
    return done, missing


def show(argument: str) -> None:
    """Load the symbols of the modules in the guest.

Usage: net symbols [PATH...]

PATH is a .ko file or a directory to search. Without one, the modules beside vmlinux and the
stages built in build/modules are searched. Repeat it after a module was loaded or reloaded.

Example:
  (gdb) net symbols
  symbols of igb (igb.ko), dca (dca.ko)
  (gdb) net symbols build/modules/trace/02-dma"""
    given = [pathlib.Path(word).expanduser() for word in argument.split()]
    for place in given:
        if not place.exists():
            raise gdb.GdbError(f"net symbols: {place}: no such file or directory")
    done, missing = load(None, given + default_places())
    if done:
        utils.out(f"symbols of {', '.join(done)}")
    if missing:
        utils.out(f"no .ko file of the build in the guest for {', '.join(missing)}; "
                  "try: net symbols DIRECTORY")
    if not done and not missing:
        utils.out("no modules are loaded in the guest")


def register() -> None:
    """Add the command to gdb."""
    utils.NetCommand("symbols", show, gdb.COMPLETE_FILENAME)
