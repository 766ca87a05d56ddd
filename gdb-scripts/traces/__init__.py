# SPDX-License-Identifier: GPL-2.0
"""The guided traces, one file each. A trace module has a function trace(config) -> Trace."""
