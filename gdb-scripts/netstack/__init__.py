# SPDX-License-Identifier: GPL-2.0
"""The Linux network stack seen from gdb: commands, pretty-printers, walkers, traces.

Modules that import gdb work inside gdb only; `bits`, `packet`, `picture` and `journey`
are plain Python, so they can be tested without a guest.
"""
