// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: a timer interrupt never ends.
 */
#include <linux/hrtimer.h>

#include "igbook.h"
#include "igbook_lab.h"

static struct hrtimer igbook_timer;

static enum hrtimer_restart igbook_tick(struct hrtimer *timer)
{
	for (;;)
		cpu_relax();
	return HRTIMER_NORESTART;
}

static umode_t igbook_evil(struct kobject *kobj, struct attribute *attr, int n)
{
	hrtimer_init(&igbook_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	igbook_timer.function = igbook_tick;
	hrtimer_start(&igbook_timer, ms_to_ktime(1), HRTIMER_MODE_REL_HARD);

	return attr->mode;
}
