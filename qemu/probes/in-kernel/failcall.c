// SPDX-License-Identifier: GPL-2.0
/*
 * failcall: make one call that igbook makes fail, for the driver's tests.
 *
 *   insmod failcall.ko symbol=dma_map_page_attrs value=-1
 *
 * The call of SYMBOL returns VALUE without having done anything, when it comes
 * from igbook; calls from elsewhere are left alone, as are the first SKIP and
 * every call after COUNT more. Read "hits" in /sys/module/failcall/parameters to learn whether
 * it happened. The kernel's own fault injection makes allocations fail, not
 * mappings, resources or registrations: hence this.
 */
#include <linux/module.h>

#include "probe.h"

static char *symbol = "";
module_param(symbol, charp, 0444);
MODULE_PARM_DESC(symbol, "function that is to fail");

static long value;
module_param(value, long, 0444);
MODULE_PARM_DESC(value, "what it returns");

static int count = 1;
module_param(count, int, 0444);
MODULE_PARM_DESC(count, "how many calls fail");

static int skip;
module_param(skip, int, 0444);
MODULE_PARM_DESC(skip, "how many calls work before that");

static int hits;
module_param(hits, int, 0444);
MODULE_PARM_DESC(hits, "how many calls failed so far");

/**
 * failcall_return() - where a call that must fail goes instead
 *
 * Its value was left in the register for return values by the probe.
 */
static noinline notrace void failcall_return(void)
{
	barrier();
}

static int failcall_pre(struct kprobe *probe, struct pt_regs *regs)
{
	if (hits >= count || !probe_from_igbook(regs))
		return 0;
	if (skip > 0) {
		skip--;
		return 0;
	}
	hits++;
	regs->ax = value;
	regs->ip = (unsigned long)failcall_return;
	return 1;
}

static struct kprobe failcall_probe;

static int __init failcall_init(void)
{
	return probe_at(&failcall_probe, symbol, failcall_pre);
}
module_init(failcall_init);

static void __exit failcall_exit(void)
{
	unregister_kprobe(&failcall_probe);
}
module_exit(failcall_exit);

MODULE_DESCRIPTION("Makes one call from igbook fail");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
