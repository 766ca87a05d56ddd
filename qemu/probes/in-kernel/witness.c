// SPDX-License-Identifier: GPL-2.0
/*
 * witness: show what igbook calls in the record of the card's register writes.
 *
 *   insmod witness.ko bar=0xfe800000 symbols=netif_rx,*tasklet_action poll=eth0
 *
 * QEMU records each write of a register in order, also of one that the card
 * does not have. Whenever igbook calls one of SYMBOLS, the symbol's number
 * (from 1) and the second argument are written to such a place, so that calls
 * and register writes stand in one record. Behind "*" is a function that
 * counts whoever calls it; behind "%" one whose second argument is a frame,
 * of which the queue it came by is shown. With POLL each poll of that
 * interface's first NAPI instance stands there as well.
 *
 *   insmod witness.ko bar=0xfe800000 late=hrtimer_cancel,tasklet_kill
 *
 * When igbook calls one of these for the first time, the tasklet that it
 * scheduled last is scheduled once more: as by a timer or a handler on another
 * processor that was just in time. It does not get to run before somebody waits
 * for it in tasklet_kill(); "waited" says whether anybody did.
 */
#include <linux/bitfield.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>

#include "probe.h"

#define WITNESS_CALL		0
#define WITNESS_POLL		4
#define WITNESS_POLLED		8
#define WITNESS_NUMBER		GENMASK(31, 24)
#define WITNESS_ARGUMENT	GENMASK(23, 0)
#define WITNESS_MOST		8

static unsigned long bar;
module_param(bar, ulong, 0444);
MODULE_PARM_DESC(bar, "physical address of the card's BAR 0");

static unsigned int at = 0x1ff00;
module_param(at, uint, 0);
MODULE_PARM_DESC(at, "offset of the first of three registers: registers that the card lacks");

static char *symbols[WITNESS_MOST];
static int symbol_count;
module_param_array(symbols, charp, &symbol_count, 0444);
MODULE_PARM_DESC(symbols, "functions whose calls are recorded");

static char *poll = "";
module_param(poll, charp, 0444);
MODULE_PARM_DESC(poll, "interface whose polls are recorded");

static char *late[WITNESS_MOST];
static int late_count;
module_param_array(late, charp, &late_count, 0444);
MODULE_PARM_DESC(late, "functions that the tasklet just outruns");

static int latecomers;
module_param(latecomers, int, 0444);
MODULE_PARM_DESC(latecomers, "how often the tasklet was scheduled once more");

static bool waited;
module_param(waited, bool, 0444);
MODULE_PARM_DESC(waited, "whether somebody waited for it");

/**
 * struct witness_probe - one function that is watched
 * @probe: at its first instruction
 * @number: what is recorded; 0: it is one of "late"
 * @anyone: whoever calls it
 * @frame: its second argument is a frame
 */
struct witness_probe {
	struct kprobe probe;
	unsigned int number;
	bool anyone;
	bool frame;
};

static struct witness_probe witness_probes[2 * WITNESS_MOST + 2];
static int witness_count;
static void __iomem *witness_regs;
static struct tasklet_struct *witness_tasklet;
static struct tasklet_struct witness_own;	/* what it was before */
static bool witness_leaves;

/* In the place of the tasklet's function: not yet, unless it is waited for. */
static void witness_latecomer(struct tasklet_struct *tasklet)
{
	if (!waited && !witness_leaves) {
		tasklet_schedule(tasklet);
		return;
	}
	tasklet->use_callback = witness_own.use_callback;
	tasklet->func = witness_own.func;
	if (!waited)
		return;
	if (tasklet->use_callback)
		tasklet->callback(tasklet);
	else
		tasklet->func(tasklet->data);
}

/* On the one processor there is the tasklet does not run meanwhile. */
static void witness_send_latecomer(const struct pt_regs *cpu)
{
	if (!witness_tasklet || latecomers++)
		return;
	waited = cpu->di == (unsigned long)witness_tasklet;
	witness_own = *witness_tasklet;
	witness_tasklet->use_callback = true;
	witness_tasklet->callback = witness_latecomer;
	tasklet_schedule(witness_tasklet);
}

static int witness_pre(struct kprobe *kprobe, struct pt_regs *cpu)
{
	struct witness_probe *seen =
		container_of(kprobe, struct witness_probe, probe);
	u32 argument = cpu->si;

	if (!seen->anyone && !probe_from_igbook(cpu))
		return 0;
	if (!seen->number) {
		witness_send_latecomer(cpu);
		return 0;
	}
	if (seen->frame)
		argument = ((struct sk_buff *)cpu->si)->queue_mapping;
	writel(FIELD_PREP(WITNESS_NUMBER, seen->number) |
	       (argument & WITNESS_ARGUMENT), witness_regs + at + WITNESS_CALL);
	return 0;
}

static int witness_scheduled(struct kprobe *kprobe, struct pt_regs *cpu)
{
	if (probe_from_igbook(cpu))
		witness_tasklet = (struct tasklet_struct *)cpu->di;
	return 0;
}

static int witness_killed(struct kprobe *kprobe, struct pt_regs *cpu)
{
	if (latecomers && cpu->di == (unsigned long)witness_tasklet)
		waited = true;
	return 0;
}

static int witness_poll(struct kretprobe_instance *instance,
			struct pt_regs *cpu)
{
	writel(cpu->si, witness_regs + at + WITNESS_POLL);
	return 0;
}

static int witness_polled(struct kretprobe_instance *instance,
			  struct pt_regs *cpu)
{
	writel(regs_return_value(cpu), witness_regs + at + WITNESS_POLLED);
	return 0;
}

static struct kretprobe witness_polls = {
	.entry_handler = witness_poll,
	.handler = witness_polled,
};

static int witness_watch(const char *symbol, unsigned int number,
			 kprobe_pre_handler_t handler)
{
	struct witness_probe *seen = &witness_probes[witness_count];
	int err;

	seen->anyone = *symbol == '*';
	seen->frame = *symbol == '%';
	seen->number = number;
	err = probe_at(&seen->probe, symbol + (seen->anyone || seen->frame),
		       handler);
	if (err)
		pr_err("witness: no probe at %s: %d\n", symbol, err);
	else
		witness_count++;
	return err;
}

static int witness_watch_polls(void)
{
	struct net_device *netdev;
	struct napi_struct *napi;
	int err = -ENODEV;

	rtnl_lock();
	netdev = __dev_get_by_name(&init_net, poll);
	if (netdev && !list_empty(&netdev->napi_list)) {
		napi = list_first_entry(&netdev->napi_list,
					struct napi_struct, dev_list);
		witness_polls.kp.addr = (kprobe_opcode_t *)napi->poll;
		err = register_kretprobe(&witness_polls);
	}
	rtnl_unlock();
	if (err)
		pr_err("witness: no probe at the polls of %s: %d\n", poll, err);
	return err;
}

static void witness_unwatch(void)
{
	while (witness_count)
		unregister_kprobe(&witness_probes[--witness_count].probe);
	/* If nobody waited for the tasklet it is still under way. */
	witness_leaves = true;
	if (latecomers)
		tasklet_kill(witness_tasklet);
	iounmap(witness_regs);
}

static int __init witness_init(void)
{
	int err = 0;
	int i;

	witness_regs = ioremap(bar, PROBE_BAR);
	if (!witness_regs)
		return -ENOMEM;
	for (i = 0; i < symbol_count && !err; i++)
		err = witness_watch(symbols[i], i + 1, witness_pre);
	if (late_count && !err)
		err = witness_watch("__tasklet_schedule", 0, witness_scheduled);
	if (late_count && !err)
		err = witness_watch("tasklet_kill", 0, witness_killed);
	for (i = 0; i < late_count && !err; i++)
		err = witness_watch(late[i], 0, witness_pre);
	if (*poll && !err)
		err = witness_watch_polls();
	if (err)
		witness_unwatch();
	return err;
}
module_init(witness_init);

static void __exit witness_exit(void)
{
	if (*poll)
		unregister_kretprobe(&witness_polls);
	witness_unwatch();
}
module_exit(witness_exit);

MODULE_DESCRIPTION("Shows igbook's calls in the record of register writes");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
