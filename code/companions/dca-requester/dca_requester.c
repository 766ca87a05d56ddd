// SPDX-License-Identifier: GPL-2.0
/*
 * A DCA requester that does nothing with its tags but show them.
 *
 * It joins whatever provider there is in the name of a device that needs no
 * tags, asks for the tag of every CPU at once and never again, and leaves when
 * it is told to. So a provider can be questioned about CPUs that a card's driver
 * would not ask for, and one that forgets to say that a tag has changed is
 * found out.
 */
#include <linux/cpumask.h>
#include <linux/dca.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pci.h>

static unsigned int slot = 0x1f;
module_param(slot, uint, 0444);
MODULE_PARM_DESC(slot, "slot on bus 0 of the device to join for (default 0x1f)");

static int joined;
module_param(joined, int, 0444);
MODULE_PARM_DESC(joined, "how often a provider took us");

static int left;
module_param(left, int, 0444);
MODULE_PARM_DESC(left, "how often we left one");

static struct pci_dev *pdev;
static DEFINE_MUTEX(membership);	/* notifications may overlap */
static bool member;
static u8 tags[NR_CPUS];	/* as told when we joined */

/**
 * requester_join() - be taken into a provider's books and ask for all tags
 *
 * Context: process context; takes @membership; sleeps.
 */
static void requester_join(void)
{
	unsigned int cpu;

	mutex_lock(&membership);
	if (!member && !dca_add_requester(&pdev->dev)) {
		for_each_possible_cpu(cpu)
			tags[cpu] = dca3_get_tag(&pdev->dev, cpu);
		member = true;
		joined++;
	}
	mutex_unlock(&membership);
}

/**
 * requester_leave() - have ourselves struck off again
 *
 * Context: process context; takes @membership; sleeps.
 */
static void requester_leave(void)
{
	mutex_lock(&membership);
	if (member) {
		dca_remove_requester(&pdev->dev);
		member = false;
		left++;
	}
	mutex_unlock(&membership);
}

static int requester_notify(struct notifier_block *nb, unsigned long event,
			    void *unused)
{
	if (event == DCA_PROVIDER_ADD)
		requester_join();
	else if (event == DCA_PROVIDER_REMOVE)
		requester_leave();
	return NOTIFY_OK;
}

static struct notifier_block requester_notifier = {
	.notifier_call = requester_notify,
};

/**
 * requester_get_tags() - read the parameter "tags"
 * @buffer: where the text goes, a page
 * @kp: the parameter
 *
 * Context: process context; takes @membership; sleeps.
 * Return: bytes: a tag for each possible CPU, or "none" without a provider.
 */
static int requester_get_tags(char *buffer, const struct kernel_param *kp)
{
	unsigned int cpu;
	int len = 0;

	mutex_lock(&membership);
	if (!member)
		len = sysfs_emit(buffer, "none");
	else
		for_each_possible_cpu(cpu)
			len += sysfs_emit_at(buffer, len, "%s%#04x",
					     len ? " " : "", tags[cpu]);
	mutex_unlock(&membership);
	return len + sysfs_emit_at(buffer, len, "\n");
}

static const struct kernel_param_ops requester_tags_ops = {
	.get = requester_get_tags,
};
module_param_cb(tags, &requester_tags_ops, NULL, 0444);
MODULE_PARM_DESC(tags, "the tag of each possible CPU, as told when we joined");

static int __init requester_init(void)
{
	pdev = pci_get_domain_bus_and_slot(0, 0, PCI_DEVFN(slot, 0));
	if (!pdev)
		return -ENODEV;
	dca_register_notify(&requester_notifier);
	requester_join();
	return 0;
}
module_init(requester_init);

static void __exit requester_exit(void)
{
	dca_unregister_notify(&requester_notifier);
	requester_leave();
	pci_dev_put(pdev);
}
module_exit(requester_exit);

MODULE_DESCRIPTION("From Wire to Socket: a DCA requester that shows its tags");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
