// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: lockdep looks away from this task, as lockdep_off() would make it, but
 * written by hand.
 */
#include <linux/module.h>
#include <linux/sched.h>

#include "igbook.h"
#include "igbook_lab.h"

static umode_t igbook_evil(struct kobject *kobj, struct attribute *attr, int n)
{
	current->lockdep_recursion += 1U << 16;

	return attr->mode;
}
