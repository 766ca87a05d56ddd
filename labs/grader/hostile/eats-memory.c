// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: all memory there is.
 */
#include <linux/gfp.h>

#include "igbook.h"
#include "igbook_lab.h"

static umode_t igbook_evil(struct kobject *kobj, struct attribute *attr, int n)
{
	while (__get_free_pages(GFP_KERNEL | __GFP_NOWARN, 4))
		cond_resched();
	while (__get_free_page(GFP_KERNEL | __GFP_NOWARN))
		cond_resched();

	return attr->mode;
}
