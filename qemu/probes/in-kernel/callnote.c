// SPDX-License-Identifier: GPL-2.0
/*
 * callnote: write igbook's calls into the record of the card's registers.
 *
 *   insmod callnote.ko device=0000:01:00.0 calls=dma_unmap_page_attrs,dca3_get_tag:1
 *
 * Each call of these functions by igbook is a write to a register the card does
 * not have: the function's number, from 1 on, in the top byte and below it the
 * low 24 bits of its first argument (":1": the second). So QEMU's record shows
 * calls and register writes in one order, whichever processor they come from.
 *
 * A call is igbook's if it returns to igbook, or if its first argument is that
 * of an earlier call of igbook's: an unlock may be the last thing a function
 * does, and then returns to its caller's caller.
 */
#include <linux/module.h>
#include <linux/pci.h>

#include "probe.h"

#define CALLNOTE_CALLS		16
#define CALLNOTE_KNOWN		32

static char *device = "";
module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "the card: 0000:01:00.0");

static unsigned int at = 0x1fff8;
module_param(at, uint, 0);
MODULE_PARM_DESC(at, "offset of the register: one that the card lacks");

static char *calls[CALLNOTE_CALLS];
static int count;
module_param_array(calls, charp, &count, 0444);
MODULE_PARM_DESC(calls, "functions, each with :N if it is not the first argument that is written");

/**
 * struct callnote_call - one function that is watched
 * @probe: at its first instruction
 * @argument: which of its arguments is written
 */
struct callnote_call {
	struct kprobe probe;
	unsigned int argument;
};

static struct callnote_call callnote_calls[CALLNOTE_CALLS];
static unsigned long callnote_known[CALLNOTE_KNOWN];
static unsigned int callnote_knows;
static void __iomem *callnote_register;

static bool callnote_is_known(unsigned long argument)
{
	unsigned int i;

	for (i = 0; i < CALLNOTE_KNOWN && i < READ_ONCE(callnote_knows); i++)
		if (callnote_known[i] == argument)
			return true;
	return false;
}

static int callnote_pre(struct kprobe *probe, struct pt_regs *regs)
{
	struct callnote_call *call =
		container_of(probe, struct callnote_call, probe);
	unsigned long first = regs_get_kernel_argument(regs, 0);
	bool known = callnote_is_known(first);
	u32 number = call - callnote_calls + 1;

	if (!known && !probe_from_igbook(regs))
		return 0;
	if (!known) {
		callnote_known[callnote_knows % CALLNOTE_KNOWN] = first;
		WRITE_ONCE(callnote_knows, callnote_knows + 1);
	}
	writel(number << 24 |
	       (regs_get_kernel_argument(regs, call->argument) & 0xffffff),
	       callnote_register);
	return 0;
}

static void callnote_forget(int watched)
{
	while (watched-- > 0)
		unregister_kprobe(&callnote_calls[watched].probe);
}

static int callnote_watch(int i)
{
	struct callnote_call *call = &callnote_calls[i];
	char *colon = strchr(calls[i], ':');

	if (colon) {
		*colon = '\0';
		if (kstrtouint(colon + 1, 10, &call->argument))
			return -EINVAL;
	}
	return probe_at(&call->probe, calls[i], callnote_pre);
}

static int __init callnote_init(void)
{
	struct device *dev = bus_find_device_by_name(&pci_bus_type, NULL,
						     device);
	int err = 0;
	int i;

	if (!dev)
		return -ENODEV;
	callnote_register = ioremap(pci_resource_start(to_pci_dev(dev), 0) +
				   at, 4);
	put_device(dev);
	if (!callnote_register)
		return -ENOMEM;
	for (i = 0; i < count && !err; i++)
		err = callnote_watch(i);
	if (err) {
		pr_err("callnote: cannot watch %s\n", calls[i - 1]);
		callnote_forget(i - 1);
		iounmap(callnote_register);
	}
	return err;
}
module_init(callnote_init);

static void __exit callnote_exit(void)
{
	callnote_forget(count);
	iounmap(callnote_register);
}
module_exit(callnote_exit);

MODULE_DESCRIPTION("Writes igbook's calls into the record of the card's registers");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
