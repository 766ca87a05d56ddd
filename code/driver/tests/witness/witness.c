// SPDX-License-Identifier: GPL-2.0
/*
 * witness: write igbook's calls into the record of the card's registers.
 *
 *   insmod witness.ko device=0000:01:00.0 calls=dma_unmap_page_attrs,dca3_get_tag:1
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
#include <linux/io.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/string.h>

#define WITNESS_REGISTER	0x1fff8	/* no card has it */
#define WITNESS_CALLS		16
#define WITNESS_KNOWN		32

static char *device = "";
module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "the card: 0000:01:00.0");

static char *calls[WITNESS_CALLS];
static int count;
module_param_array(calls, charp, &count, 0444);
MODULE_PARM_DESC(calls, "functions, each with :N if it is not the first argument that is written");

/**
 * struct witness_call - one function that is watched
 * @probe: at its first instruction
 * @argument: which of its arguments is written
 */
struct witness_call {
	struct kprobe probe;
	unsigned int argument;
};

static struct witness_call witness_calls[WITNESS_CALLS];
static unsigned long witness_known[WITNESS_KNOWN];
static unsigned int witness_knows;
static void __iomem *witness_register;

static bool witness_is_known(unsigned long argument)
{
	unsigned int i;

	for (i = 0; i < WITNESS_KNOWN && i < READ_ONCE(witness_knows); i++)
		if (witness_known[i] == argument)
			return true;
	return false;
}

/* Watching a lock means to be asked at each lock of the kernel's: few get far. */
static bool witness_from_igbook(struct pt_regs *regs)
{
	unsigned long caller = *(unsigned long *)regs->sp;
	char name[KSYM_SYMBOL_LEN];

	if (caller < MODULES_VADDR || caller >= MODULES_END)
		return false;
	sprint_symbol(name, caller);
	return strstr(name, "[igbook]");
}

static int witness_pre(struct kprobe *probe, struct pt_regs *regs)
{
	struct witness_call *call =
		container_of(probe, struct witness_call, probe);
	unsigned long first = regs_get_kernel_argument(regs, 0);
	bool known = witness_is_known(first);
	u32 number = call - witness_calls + 1;

	if (!known && !witness_from_igbook(regs))
		return 0;
	if (!known) {
		witness_known[witness_knows % WITNESS_KNOWN] = first;
		WRITE_ONCE(witness_knows, witness_knows + 1);
	}
	writel(number << 24 |
	       (regs_get_kernel_argument(regs, call->argument) & 0xffffff),
	       witness_register);
	return 0;
}

/* Its presence keeps the probe from being turned into a plain jump. */
static void witness_post(struct kprobe *probe, struct pt_regs *regs,
			 unsigned long flags)
{
}

static void witness_forget(int watched)
{
	while (watched-- > 0)
		unregister_kprobe(&witness_calls[watched].probe);
}

static int witness_watch(int i)
{
	struct witness_call *call = &witness_calls[i];
	char *colon = strchr(calls[i], ':');

	if (colon) {
		*colon = '\0';
		if (kstrtouint(colon + 1, 10, &call->argument))
			return -EINVAL;
	}
	call->probe.symbol_name = calls[i];
	call->probe.pre_handler = witness_pre;
	call->probe.post_handler = witness_post;
	return register_kprobe(&call->probe);
}

static int __init witness_init(void)
{
	struct device *dev = bus_find_device_by_name(&pci_bus_type, NULL,
						     device);
	int err = 0;
	int i;

	if (!dev)
		return -ENODEV;
	witness_register = ioremap(pci_resource_start(to_pci_dev(dev), 0) +
				   WITNESS_REGISTER, 4);
	put_device(dev);
	if (!witness_register)
		return -ENOMEM;
	for (i = 0; i < count && !err; i++)
		err = witness_watch(i);
	if (err) {
		pr_err("witness: cannot watch %s\n", calls[i - 1]);
		witness_forget(i - 1);
		iounmap(witness_register);
	}
	return err;
}
module_init(witness_init);

static void __exit witness_exit(void)
{
	witness_forget(count);
	iounmap(witness_register);
}
module_exit(witness_exit);

MODULE_DESCRIPTION("Writes igbook's calls into the record of the card's registers");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
