// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: the machine restarts, without asking the kernel to.
 */
#include <linux/delay.h>
#include <linux/io.h>

#include "igbook.h"
#include "igbook_lab.h"

static umode_t igbook_evil(struct kobject *kobj, struct attribute *attr, int n)
{
	outb(0xfe, 0x64);	/* the keyboard controller pulls the reset line */
	mdelay(100);

	return attr->mode;
}
