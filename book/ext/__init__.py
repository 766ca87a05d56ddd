# SPDX-License-Identifier: GPL-2.0
"""Sphinx extensions that tie the book to the code, the kernel and recorded runs."""
