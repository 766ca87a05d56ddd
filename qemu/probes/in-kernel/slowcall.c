// SPDX-License-Identifier: GPL-2.0
/*
 * slowcall: make one call that igbook makes take long.
 *
 *   insmod slowcall.ko symbol=register_dca_provider ms=2000
 *
 * When SYMBOL, a function that may sleep, is called from igbook (with anybody=1,
 * from anywhere), the caller sleeps first (with after=1, last), until somebody writes 1 to "go" in
 * /sys/module/slowcall/parameters, and at most MS milliseconds. "entered" there
 * counts the calls, and is above 0 from the moment at which the first begins to
 * sleep. So what can only go wrong between two steps has all the time it needs.
 */
#include <linux/delay.h>
#include <linux/module.h>

#include "probe.h"

#define SLOWCALL_STEP	10		/* ms between two looks */

static char *symbol = "";
module_param(symbol, charp, 0444);
MODULE_PARM_DESC(symbol, "function that is to take long");

static int ms = 2000;
module_param(ms, int, 0444);
MODULE_PARM_DESC(ms, "how long it takes at most");

static bool after;
module_param(after, bool, 0444);
MODULE_PARM_DESC(after, "it takes long when it has done its work, not before (default: no)");

static bool anybody;
module_param(anybody, bool, 0444);
MODULE_PARM_DESC(anybody, "whoever calls it, not igbook alone (default: no)");

static long first = -1;
module_param(first, long, 0444);
MODULE_PARM_DESC(first, "only calls with this first argument (default: any)");

static int skip;
module_param(skip, int, 0444);
MODULE_PARM_DESC(skip, "how many calls take no longer than before");

static int go;
module_param(go, int, 0644);
MODULE_PARM_DESC(go, "written 1: no call takes longer any more");

static int entered;
module_param(entered, int, 0444);
MODULE_PARM_DESC(entered, "how many calls were made to sleep");

static atomic_t inside;			/* calls that have not gone on yet */
static struct kprobe slowcall_probe;

static void slowcall_sleep(void)
{
	int slept;

	WRITE_ONCE(entered, entered + 1);
	for (slept = 0; slept < ms && !READ_ONCE(go); slept += SLOWCALL_STEP)
		msleep(SLOWCALL_STEP);
}

/**
 * slowcall_detour() - sleep and do what was asked for
 * @a: first argument, and so on
 * @b: second
 * @c: third
 * @d: fourth
 * @e: fifth
 * @f: sixth
 *
 * Return: what SYMBOL returns.
 */
static noinline unsigned long slowcall_detour(unsigned long a, unsigned long b,
					      unsigned long c, unsigned long d,
					      unsigned long e, unsigned long f)
{
	unsigned long (*real)(unsigned long a, unsigned long b, unsigned long c,
			      unsigned long d, unsigned long e,
			      unsigned long f) =
		(void *)slowcall_probe.addr;

	if (!after)
		slowcall_sleep();
	/* Called from here there is no second detour. */
	a = real(a, b, c, d, e, f);
	if (after)
		slowcall_sleep();
	atomic_dec(&inside);
	return a;
}

static bool slowcall_means(struct pt_regs *regs)
{
	if (first != -1 && regs->di != first)
		return false;
	if (anybody)
		return !within_module(*(unsigned long *)regs->sp, THIS_MODULE);
	return probe_from_igbook(regs);
}

static int slowcall_pre(struct kprobe *probe, struct pt_regs *regs)
{
	if (READ_ONCE(go) || !slowcall_means(regs))
		return 0;
	if (skip > 0) {
		skip--;
		return 0;
	}
	atomic_inc(&inside);
	regs->ip = (unsigned long)slowcall_detour;
	return 1;
}

static int __init slowcall_init(void)
{
	return probe_at(&slowcall_probe, symbol, slowcall_pre);
}
module_init(slowcall_init);

static void __exit slowcall_exit(void)
{
	unregister_kprobe(&slowcall_probe);
	WRITE_ONCE(go, 1);
	while (atomic_read(&inside))
		msleep(SLOWCALL_STEP);
	/* Of the last one, the few instructions that are left. */
	msleep(SLOWCALL_STEP);
}
module_exit(slowcall_exit);

MODULE_DESCRIPTION("Makes one call from igbook take long");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
