// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: the kernel's own words for a function that KASAN
 * does not see; and then it writes behind its buffer.
 */
#include <linux/slab.h>

#include "igbook.h"
#include "igbook_lab.h"

static noinstr umode_t
igbook_evil(struct kobject *kobj, struct attribute *attr, int n)
{
	char *buffer = kmalloc(8, GFP_KERNEL);

	if (!buffer)
		return 0;
	OPTIMIZER_HIDE_VAR(buffer);
	buffer[8] = n;
	kfree(buffer);

	return attr->mode;
}
