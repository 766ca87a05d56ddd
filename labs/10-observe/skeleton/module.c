// SPDX-License-Identifier: GPL-2.0
/*
 * A module that does nothing: what holds the answers is compiled like any other.
 */
#include <linux/module.h>

MODULE_DESCRIPTION("Answers: what eight drivers have");
MODULE_LICENSE("GPL");
