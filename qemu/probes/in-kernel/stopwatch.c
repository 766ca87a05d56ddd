// SPDX-License-Identifier: GPL-2.0
/*
 * stopwatch: how long received frames wait in the ring, by the guest's clock.
 *
 *   insmod stopwatch.ko bar=0xfe800000 frames=100 usecs=300000
 *
 * A look at head and tail of receive queue 0 in each millisecond. Frames are
 * due when FRAMES of them wait, or when USECS have passed since the first was
 * seen. Writing to "usecs" begins anew.
 *
 * A guest that a busy host does not let run makes no looks, and its clock goes
 * on. So what came too late is counted in looks: each is a millisecond in which
 * this guest ran and its own timers could have gone off. "waited" counts from
 * the last look that saw no frame, so it is never less than the truth.
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/module.h>

#include "probe.h"

#define STOPWATCH_EIMS		0x01524
#define STOPWATCH_LOOK		ms_to_ktime(1)

static unsigned long bar;
module_param(bar, ulong, 0444);
MODULE_PARM_DESC(bar, "physical address of the card's BAR 0");

static uint frames = 1;
module_param(frames, uint, 0644);
MODULE_PARM_DESC(frames, "so many are due at once");

static uint late;
module_param(late, uint, 0444);
MODULE_PARM_DESC(late, "looks that saw frames which were due before");

static uint open;
module_param(open, uint, 0444);
MODULE_PARM_DESC(open, "looks that saw frames wait and vector 0 enabled");

static unsigned long long waited;
module_param(waited, ullong, 0444);
MODULE_PARM_DESC(waited, "nanoseconds that the first of them waited, or a little more; 0: it still does");

static uint most;
module_param(most, uint, 0444);
MODULE_PARM_DESC(most, "how many waited when last seen, or were served then");

static uint usecs;
static bool seen, due;
static u32 tail;
static ktime_t empty_at, first_at;
static void __iomem *regs;
static struct hrtimer timer;

/* How many descriptors one place is ahead of another. */
static unsigned int stopwatch_ahead(u32 from, u32 to)
{
	u32 count = readl(regs + PROBE_RDLEN) / 16;

	return count ? (to + count - from) % count : 0;
}

/* A ring that is given back has one descriptor less than it could hold. */
static unsigned int stopwatch_waiting(void)
{
	return stopwatch_ahead(readl(regs + PROBE_RDT) + 1,
			       readl(regs + PROBE_RDH));
}

static void stopwatch_look(ktime_t now)
{
	unsigned int waiting = stopwatch_waiting();
	unsigned int served = stopwatch_ahead(tail, readl(regs + PROBE_RDT));

	if (waited)
		return;
	if (served) {
		/* Some, or all, may have come since the last look. */
		most = max(most, served);
		waited = ktime_to_ns(ktime_sub(now, empty_at));
		return;
	}
	if (!seen && !waiting) {
		empty_at = now;
		return;
	}
	if (!seen)
		first_at = now;
	else if (due)
		late++;
	seen = true;
	most = waiting;
	due = waiting >= frames || ktime_us_delta(now, first_at) >= usecs;
	if (readl(regs + STOPWATCH_EIMS) & 1)
		open++;
}

static enum hrtimer_restart stopwatch_tick(struct hrtimer *unused)
{
	ktime_t now = ktime_get();

	stopwatch_look(now);
	/* From now, not from when it should have been. */
	hrtimer_set_expires(&timer, ktime_add(now, STOPWATCH_LOOK));
	return HRTIMER_RESTART;
}

static void stopwatch_start(void)
{
	late = 0;
	open = 0;
	waited = 0;
	most = 0;
	seen = false;
	due = false;
	tail = readl(regs + PROBE_RDT);
	empty_at = ktime_get();
	hrtimer_start(&timer, STOPWATCH_LOOK, HRTIMER_MODE_REL_HARD);
}

static int stopwatch_set(const char *value, const struct kernel_param *param)
{
	int err;

	if (!regs)
		return param_set_uint(value, param);
	hrtimer_cancel(&timer);
	err = param_set_uint(value, param);
	stopwatch_start();
	return err;
}

static const struct kernel_param_ops stopwatch_ops = {
	.set = stopwatch_set,
	.get = param_get_uint,
};
module_param_cb(usecs, &stopwatch_ops, &usecs, 0644);
MODULE_PARM_DESC(usecs, "due so many microseconds after the first");

static int __init stopwatch_init(void)
{
	void __iomem *mapped = ioremap(bar, PROBE_BAR);

	if (!mapped)
		return -ENOMEM;
	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	timer.function = stopwatch_tick;
	regs = mapped;
	stopwatch_start();
	return 0;
}
module_init(stopwatch_init);

static void __exit stopwatch_exit(void)
{
	hrtimer_cancel(&timer);
	iounmap(regs);
}
module_exit(stopwatch_exit);

MODULE_DESCRIPTION("Measures how long frames wait in receive ring 0");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
