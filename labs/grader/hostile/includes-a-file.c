// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: the compiler is to quote a file of the host's.
 */
#include "/etc/passwd"
