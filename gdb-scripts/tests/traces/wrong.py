# SPDX-License-Identifier: GPL-2.0
"""Trace wrong: a check that does not hold, to see that a trace then fails."""

from __future__ import annotations

from typing import Any

from netstack.trace import Check, Show, Stop, Trace

SCENARIO = "from-reset"


def trace(_config: dict[str, Any]) -> Trace:
    """One stop with a good and a bad check."""
    return Trace("wrong", "A wrong claim.", [
        Stop("entry", "softirq_init", "softirq_init", "Half of this is wrong.",
             show=[Show("print 1 + 1")],
             check=[Check("one is one", lambda: True),
                    Check("one is two", lambda: False)])])
