// SPDX-License-Identifier: GPL-2.0
/*
 * vanish: the card is gone, as if pulled out: from now on its driver reads ones.
 * QEMU takes no card out of a guest without asking, and where there is none it
 * answers with zeros. So the driver is shown something else in the card's place: the
 * ROM of another device, which has ones in it and does not mind what is written.
 *
 *   insmod vanish.ko interface=eth0 rom=0000:00:05.0
 *   insmod vanish.ko interface=eth0 rom=0000:00:05.0 at=igbook_flow_write
 *
 * With AT it goes at the moment at which igbook next calls that function; read "done"
 * in /sys/module/vanish/parameters to learn whether it has gone. A driver that is
 * loaded anew finds it. For the one that has lost it, write 1 to "back" there, while
 * it is still loaded: the card, which nobody has touched, answers again.
 */
#include <linux/io.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/pci.h>

#include "probe.h"

#define VANISH_BYTES	0x20000	/* of the card's BAR 0 */

static char *interface = "eth0";
module_param(interface, charp, 0444);
MODULE_PARM_DESC(interface, "the interface whose card goes");

static char *rom = "";
module_param(rom, charp, 0444);
MODULE_PARM_DESC(rom, "the device with a ROM of ones, as large as the card's BAR 0");

static char *at = "";
module_param(at, charp, 0444);
MODULE_PARM_DESC(at, "function at whose call by igbook it goes (default: now)");

/* What igbook keeps at the beginning of its private data. */
struct vanish_head {
	struct net_device *netdev;
	struct pci_dev *pdev;
	void __iomem *regs;
};

static struct pci_dev *vanish_rom;
static struct vanish_head *vanish_head;
static void __iomem *vanish_ones;
static void __iomem *vanish_regs;	/* the card's own */
static struct kprobe vanish_probe;
static bool vanish_done;		/* afterwards the driver may be gone, too */
module_param_named(done, vanish_done, bool, 0444);
MODULE_PARM_DESC(done, "it has gone");

static void vanish_now(void)
{
	vanish_done = true;
	vanish_regs = vanish_head->regs;
	WRITE_ONCE(vanish_head->regs, vanish_ones);
}

static int vanish_set_back(const char *value, const struct kernel_param *param)
{
	if (!vanish_done)
		return -EINVAL;
	WRITE_ONCE(vanish_head->regs, vanish_regs);
	return 0;
}

static const struct kernel_param_ops vanish_back = { .set = vanish_set_back };
module_param_cb(back, &vanish_back, NULL, 0200);
MODULE_PARM_DESC(back, "written 1: it is there again");

static int vanish_pre(struct kprobe *probe, struct pt_regs *regs)
{
	if (!vanish_done && probe_from_igbook(regs))
		vanish_now();
	return 0;
}

static int vanish_prepare(struct vanish_head *head, struct net_device *netdev)
{
	void __iomem *ones;

	if (head->netdev != netdev || !head->pdev ||
	    pci_resource_len(vanish_rom, PCI_ROM_RESOURCE) < VANISH_BYTES)
		return -EINVAL;
	if (pci_enable_rom(vanish_rom))
		return -EIO;
	ones = ioremap(pci_resource_start(vanish_rom, PCI_ROM_RESOURCE),
		       VANISH_BYTES);
	if (!ones)
		return -ENOMEM;
	if (readl(ones) != ~0U || readl(ones + VANISH_BYTES - 4) != ~0U) {
		iounmap(ones);
		return -EIO;
	}
	vanish_head = head;
	vanish_ones = ones;
	if (*at)
		return probe_at(&vanish_probe, at, vanish_pre);
	vanish_now();
	return 0;
}

static int __init vanish_init(void)
{
	unsigned int domain, bus, slot, function;
	struct net_device *netdev;
	int err = -ENODEV;

	if (sscanf(rom, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
		return -EINVAL;
	vanish_rom = pci_get_domain_bus_and_slot(domain, bus,
						 PCI_DEVFN(slot, function));
	netdev = dev_get_by_name(&init_net, interface);
	if (vanish_rom && netdev)
		err = vanish_prepare(netdev_priv(netdev), netdev);
	dev_put(netdev);
	if (err)
		pci_dev_put(vanish_rom);
	return err;
}
module_init(vanish_init);

static void __exit vanish_exit(void)
{
	if (*at)
		unregister_kprobe(&vanish_probe);
	pci_dev_put(vanish_rom);
}
module_exit(vanish_exit);

MODULE_DESCRIPTION("Makes a driver read ones");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
