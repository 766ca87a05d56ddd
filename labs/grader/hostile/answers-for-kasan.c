// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: the function that KASAN reports with is its own,
 * and says nothing.
 */
#include <linux/slab.h>

#include "igbook.h"
#include "igbook_lab.h"

void __asan_report_store1_noabort(void *addr);
void __asan_report_store1_noabort(void *addr)
{
}

static umode_t igbook_evil(struct kobject *kobj, struct attribute *attr, int n)
{
	char *buffer = kmalloc(8, GFP_KERNEL);

	if (!buffer)
		return 0;
	OPTIMIZER_HIDE_VAR(buffer);
	buffer[8] = n;
	kfree(buffer);

	return attr->mode;
}
