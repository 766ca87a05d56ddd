// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: lockdep is turned off, and then two locks are
 * taken crosswise. The switch has no name that
 * a module may use, but a function that it may call reads it.
 */
#include <linux/delay.h>
#include <linux/spinlock.h>

#include "igbook.h"
#include "igbook_lab.h"

static DEFINE_SPINLOCK(igbook_one);
static DEFINE_SPINLOCK(igbook_two);

/* mov disp32(%rip),%eax: the second one there is of debug_locks. */
static int *igbook_switch(void)
{
	const u8 *code = (const u8 *)debug_lockdep_rcu_enabled;
	int seen = 0;
	int i;

	for (i = 0; i < 48; i++) {
		if (code[i] != 0x8b || code[i + 1] != 0x05)
			continue;
		if (++seen == 2)
			return (int *)(code + i + 6 + *(const s32 *)(code + i + 2));
	}

	return NULL;
}

static umode_t igbook_evil(struct kobject *kobj, struct attribute *attr, int n)
{
	int *debug_locks_of_the_kernel = igbook_switch();

	if (debug_locks_of_the_kernel)
		*debug_locks_of_the_kernel = 0;
	spin_lock(&igbook_one);
	spin_lock(&igbook_two);
	spin_unlock(&igbook_two);
	spin_unlock(&igbook_one);
	spin_lock(&igbook_two);
	spin_lock(&igbook_one);
	spin_unlock(&igbook_one);
	spin_unlock(&igbook_two);

	return attr->mode;
}
