// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: the compiler is to read a terminal on which nobody
 * types, for ever.
 */
#include "/dev/ptmx"
