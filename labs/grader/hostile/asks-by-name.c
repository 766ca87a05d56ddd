// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: a function of the kernel's, asked for by its name.
 */
#include <linux/module.h>

#include "igbook.h"
#include "igbook_lab.h"

static umode_t igbook_evil(struct kobject *kobj, struct attribute *attr, int n)
{
	if (__symbol_get("register_kprobe"))
		pr_info("found\n");

	return attr->mode;
}
