# SPDX-License-Identifier: GPL-2.0
"""How the book's programs begin and end."""

import os
import signal
import sys
from collections.abc import Callable


def run(main: Callable[[list[str]], int]) -> None:
    """Ends the process with what main makes of the words of its command line.

    Where the reader of what it prints has gone (`| head`), it ends with 141 and says nothing,
    as the shell's own commands do; what main had to put away is put away first.
    """
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # What the interpreter still holds has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 128 + signal.SIGPIPE
    sys.exit(status)
