# SPDX-License-Identifier: GPL-2.0
"""Trace never: a stop the guest does not come to, to see that a trace then gives up."""

from __future__ import annotations

from typing import Any

from netstack.trace import Stop, Trace

SCENARIO = "from-reset"


def trace(_config: dict[str, Any]) -> Trace:
    """softirq_init is called, but never under this condition."""
    return Trace("never", "A stop out of reach.", [
        Stop("nowhere", "softirq_init", "softirq_init", "Not reached.",
             condition=lambda: False)])
