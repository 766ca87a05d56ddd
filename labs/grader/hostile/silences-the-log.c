// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: the serial port is turned to talk to itself.
 */
#include <linux/io.h>

#include "igbook.h"
#include "igbook_lab.h"

static umode_t igbook_evil(struct kobject *kobj, struct attribute *attr, int n)
{
	pr_emerg("nothing to see here\n");
	outb(0x10, 0x3fc);	/* loopback */

	return attr->mode;
}
