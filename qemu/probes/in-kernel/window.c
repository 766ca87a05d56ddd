// SPDX-License-Identifier: GPL-2.0
/*
 * window: hold igbook's poll in the narrow place between its last look at the
 * ring and its unmasking, until frames have arrived there.
 *
 *   insmod window.ko symbol=napi_complete_done bar=0xfe800000 frames=1
 *
 * The first time SYMBOL is called from igbook, "window: open" stands on the
 * console, and the processor stands until the card's head of receive queue 0
 * has moved by FRAMES. Read "arrived" in /sys/module/window/parameters to learn
 * how many came before the processor went on. With watch=OFFSET it stands until
 * that register of the card has another value than when the window opened.
 *
 *   insmod window.ko symbol=igbook_vector_unmask bar=0xfe800000 until=igbook_ring_disable
 *
 * Each time SYMBOL is called from igbook the processor stands for a tenth of a
 * second, or until igbook calls UNTIL elsewhere: "arrived" counts these.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/preempt.h>

#include "probe.h"

#define WINDOW_UART	0x3f8		/* the console */
#define WINDOW_STEP	20		/* us between two looks */
#define WINDOW_LIMIT	400000		/* looks; 8 s */
#define WINDOW_SHORT	5000		/* looks; 0.1 s */

static char *symbol = "napi_complete_done";
module_param(symbol, charp, 0444);
MODULE_PARM_DESC(symbol, "function at whose call the poll is held");

static unsigned long bar;
module_param(bar, ulong, 0444);
MODULE_PARM_DESC(bar, "physical address of the card's BAR 0");

static uint frames = 1;
module_param(frames, uint, 0444);
MODULE_PARM_DESC(frames, "how many frames to wait for");

static uint watch;
module_param(watch, uint, 0444);
MODULE_PARM_DESC(watch, "register to watch instead: its offset, below 0x20000");

static char *until;
module_param(until, charp, 0444);
MODULE_PARM_DESC(until, "function of igbook that must not be called while the poll is held");

static int arrived = -1;
module_param(arrived, int, 0444);
MODULE_PARM_DESC(arrived, "how many came; -1 before the window was open");

static uint looks;
module_param(looks, uint, 0444);
MODULE_PARM_DESC(looks, "how often it was looked whether they had come");

static uint head;
module_param(head, uint, 0444);
MODULE_PARM_DESC(head, "the card's head, or the watched register, when the window opened");

static void __iomem *regs;

static unsigned int window_moved(u32 from)
{
	u32 count;

	if (watch)
		return readl(regs + watch) != from ? frames : 0;
	count = readl(regs + PROBE_RDLEN) / 16;
	return (readl(regs + PROBE_RDH) + count - from) % count;
}

/* Where a probe is a breakpoint, printk() would wait until it has ended. */
static void window_say(const char *text)
{
	for (; *text; text++) {
		while (!(inb(WINDOW_UART + 5) & 0x20))
			cpu_relax();
		outb(*text, WINDOW_UART);
	}
}

static unsigned int window_calls;		/* of UNTIL */

static int window_count(struct kprobe *probe, struct pt_regs *cpu)
{
	WRITE_ONCE(window_calls, window_calls + 1);
	return 0;
}

static int window_hold(struct kprobe *probe, struct pt_regs *cpu)
{
	unsigned int before = READ_ONCE(window_calls);
	unsigned int i;

	if (!probe_from_igbook(cpu) || !in_softirq())
		return 0;
	for (i = 0; i < WINDOW_SHORT; i++) {
		if (READ_ONCE(window_calls) != before) {
			arrived++;
			return 0;
		}
		udelay(WINDOW_STEP);
	}
	looks++;
	return 0;
}

static int window_pre(struct kprobe *probe, struct pt_regs *cpu)
{
	unsigned int moved;

	if (arrived >= 0 || !probe_from_igbook(cpu))
		return 0;
	head = readl(regs + (watch ? watch : PROBE_RDH));
	arrived = 0;
	window_say("\r\nwindow: open\r\n");
	for (;;) {
		moved = window_moved(head);
		if (moved >= frames || ++looks == WINDOW_LIMIT)
			break;
		udelay(WINDOW_STEP);
	}
	arrived = moved;
	return 0;
}

static struct kprobe window_probe;
static struct kprobe window_until;

static int __init window_init(void)
{
	int err = 0;

	regs = ioremap(bar, PROBE_BAR);
	if (!regs)
		return -ENOMEM;
	if (until) {
		arrived = 0;
		err = probe_at(&window_until, until, window_count);
		if (err)
			goto err_unmap;
	}
	err = probe_at(&window_probe, symbol, until ? window_hold : window_pre);
	if (err)
		goto err_until;
	return 0;

err_until:
	if (until)
		unregister_kprobe(&window_until);
err_unmap:
	iounmap(regs);
	return err;
}
module_init(window_init);

static void __exit window_exit(void)
{
	unregister_kprobe(&window_probe);
	if (until)
		unregister_kprobe(&window_until);
	iounmap(regs);
}
module_exit(window_exit);

MODULE_DESCRIPTION("Holds igbook's poll before it unmasks");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
