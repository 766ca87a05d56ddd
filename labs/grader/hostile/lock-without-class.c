// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: lockdep is told not to look at a lock.
 */
#include <linux/spinlock.h>

#include "igbook.h"
#include "igbook_lab.h"

static DEFINE_SPINLOCK(igbook_one);

static umode_t igbook_evil(struct kobject *kobj, struct attribute *attr, int n)
{
	lockdep_set_notrack_class(&igbook_one);
	spin_lock(&igbook_one);
	spin_unlock(&igbook_one);

	return attr->mode;
}
