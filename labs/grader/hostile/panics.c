// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: the kernel dies.
 */
#include "igbook.h"
#include "igbook_lab.h"

static umode_t igbook_evil(struct kobject *kobj, struct attribute *attr, int n)
{
	BUG();

	return attr->mode;
}
