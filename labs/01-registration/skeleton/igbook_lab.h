/* SPDX-License-Identifier: GPL-2.0 */
/*
 * igbook, lab 1: what igbook_main.c needs to know of igbook_lab.c.
 */
#ifndef _IGBOOK_LAB_H_
#define _IGBOOK_LAB_H_

#include <linux/sysfs.h>

extern const struct attribute_group *igbook_lab_groups[];

#endif /* _IGBOOK_LAB_H_ */
