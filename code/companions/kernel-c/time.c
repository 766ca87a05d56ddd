// SPDX-License-Identifier: GPL-2.0
/* Time: two ways to have a function called later, one to wait, one to forget. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "kernel_c.h"

static uint delay = 5;
module_param(delay, uint, 0644);
MODULE_PARM_DESC(delay, "how many milliseconds later (example clocks)");

/* Who calls? --------------------------------------------------------------- */

static ktime_t kc_started;
static DECLARE_COMPLETION(kc_rang);

static void kc_report(const char *what)
{
	const char *context = in_hardirq() ? "hard interrupt" :
			      in_serving_softirq() ? "softirq" : "process";

	pr_info("%s: %u ms asked, %lld us passed, in %s context\n", what,
		READ_ONCE(delay), ktime_us_delta(ktime_get(), kc_started),
		context);
	complete(&kc_rang);
}

static void kc_timer_rings(struct timer_list *timer)
{
	kc_report("timer");
}

static DEFINE_TIMER(kc_clock, kc_timer_rings);

static void kc_work_runs(struct work_struct *work)
{
	kc_report("delayed work");
}

static DECLARE_DELAYED_WORK(kc_work, kc_work_runs);

static int kc_clocks_good(void)
{
	unsigned long in_jiffies = msecs_to_jiffies(READ_ONCE(delay));

	pr_info("HZ is %d, so %u ms are %lu jiffies\n", HZ, READ_ONCE(delay),
		in_jiffies);

	kc_started = ktime_get();
	mod_timer(&kc_clock, jiffies + in_jiffies);
	wait_for_completion(&kc_rang);

	kc_started = ktime_get();
	schedule_delayed_work(&kc_work, in_jiffies);
	wait_for_completion(&kc_rang);

	kc_started = ktime_get();
	fsleep(READ_ONCE(delay) * USEC_PER_MSEC);
	kc_report("fsleep");
	wait_for_completion(&kc_rang);

	/* They have told us so, but may not have returned yet. */
	timer_delete_sync(&kc_clock);
	cancel_delayed_work_sync(&kc_work);
	return 0;
}

const struct kc_example kc_clocks = { "clocks", kc_clocks_good, NULL };

/* Freed with its timer running --------------------------------------------- */

struct kc_link {
	struct timer_list watchdog;
	unsigned int looks;
};

static void kc_link_look(struct timer_list *timer)
{
	struct kc_link *link = container_of(timer, struct kc_link, watchdog);

	link->looks++;
	mod_timer(&link->watchdog, jiffies + HZ);
}

static struct kc_link *kc_link_new(void)
{
	struct kc_link *link = kzalloc(sizeof(*link), GFP_KERNEL);

	if (!link)
		return NULL;
	timer_setup(&link->watchdog, kc_link_look, 0);
	mod_timer(&link->watchdog, jiffies + HZ);
	return link;
}

static int kc_timer_good(void)
{
	struct kc_link *link = kc_link_new();

	if (!link)
		return -ENOMEM;
	timer_shutdown_sync(&link->watchdog);
	kfree(link);
	return 0;
}

static int kc_timer_bad(void)
{
	struct kc_link *link = kc_link_new();

	if (!link)
		return -ENOMEM;
	kfree(link);
	return 0;
}

const struct kc_example kc_timer = { "timer", kc_timer_good, kc_timer_bad };
