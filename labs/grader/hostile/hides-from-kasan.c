// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: the compiler is told not to let KASAN see a
 * function, by a word put together of two.
 */
#include <linux/slab.h>

#include "igbook.h"
#include "igbook_lab.h"

#define igbook_joined(a, b) a ## b
#define igbook_unseen __attribute__((igbook_joined(no_sani, tize_address)))

static igbook_unseen umode_t
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
