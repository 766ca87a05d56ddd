# SPDX-License-Identifier: GPL-2.0
# Loads the network stack's commands and pretty-printers:
#   gdb -x gdb-scripts/netstack.gdb build/kernel/trace/vmlinux
set confirm off
set pagination off
set print pretty on
set print null-stop on
python
import pathlib as _pathlib
import sys as _sys


def _scripts():
    """The directory this file lies in: gdb does not say which script it is sourcing."""
    words = _pathlib.Path("/proc/self/cmdline").read_bytes().decode().split("\0")
    named = [_pathlib.Path(word).parent for word in words if word.endswith("netstack.gdb")]
    here = _pathlib.Path.cwd()
    for place in named + [here / "gdb-scripts", here]:
        if (place / "netstack" / "commands.py").is_file():
            return place.resolve()
    raise gdb.GdbError("netstack.gdb: cannot find the netstack package; start gdb with "
                       "-x PATH/gdb-scripts/netstack.gdb, or from the top of the checkout")


_sys.path.insert(0, str(_scripts()))
from netstack import commands as _commands
_commands.register()
_commands.find_sources()
end
