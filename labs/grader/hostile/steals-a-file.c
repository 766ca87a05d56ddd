// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: a file of the host's becomes part of the module.
 */
__asm__(".incbin \"/etc/passwd\"");
