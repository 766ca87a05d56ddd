// SPDX-License-Identifier: GPL-2.0
/*
 * A DCA requester that does nothing with its tags but show them.
 *
 * It joins whatever provider there is in the name of a device that needs no
 * tags, asks for the tag of every CPU at once and never again, and leaves when
 * it is told to. So a provider can be questioned about CPUs that a card's driver
 * would not ask for, and one that forgets to say that a tag has changed is
 * found out.
 *
 * With others=N it joins for N devices more, which nobody has plugged in: they
 * are on the same bus and in no list of the kernel's. So a provider's room can
 * be tried.
 */
#include <linux/cpumask.h>
#include <linux/dca.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/slab.h>

#define REQUESTER_OTHERS	64

static unsigned int slot = 0x1f;
module_param(slot, uint, 0444);
MODULE_PARM_DESC(slot, "slot on bus 0 of the device to join for (default 0x1f)");

static int joined;
module_param(joined, int, 0444);
MODULE_PARM_DESC(joined, "how often a provider took us");

static int left;
module_param(left, int, 0444);
MODULE_PARM_DESC(left, "how often we left one");

static unsigned int others;
module_param(others, uint, 0444);
MODULE_PARM_DESC(others, "how many devices more to join for (default 0, at most 64)");

static int taken;
module_param(taken, int, 0444);
MODULE_PARM_DESC(taken, "how many of these the provider took");

static int wrong;
module_param(wrong, int, 0444);
MODULE_PARM_DESC(wrong, "how often one of these was told another tag of CPU 0 than we were");

static int beyond;
module_param(beyond, int, 0444);
MODULE_PARM_DESC(beyond, "the tag of a CPU that does not exist, as told when we joined");

static struct pci_dev *pdev;
static struct pci_dev *other[REQUESTER_OTHERS];
static bool other_member[REQUESTER_OTHERS];
static DEFINE_MUTEX(membership);	/* notifications may overlap */
static bool member;
static u8 tags[NR_CPUS];	/* as told when we joined */

/**
 * requester_join_others() - be taken in for the other devices, too
 *
 * Context: process context; @membership held; sleeps.
 */
static void requester_join_others(void)
{
	unsigned int i;

	for (i = 0; i < others; i++) {
		other_member[i] = !dca_add_requester(&other[i]->dev);
		taken += other_member[i];
	}
	for (i = 0; i < others; i++)
		if (other_member[i] &&
		    dca3_get_tag(&other[i]->dev, 0) != tags[0])
			wrong++;
}

/**
 * requester_leave_others() - have the other devices struck off
 *
 * Context: process context; @membership held; sleeps.
 */
static void requester_leave_others(void)
{
	unsigned int i;

	for (i = 0; i < others; i++) {
		if (other_member[i])
			dca_remove_requester(&other[i]->dev);
		other_member[i] = false;
	}
	taken = 0;
}

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
		beyond = dca3_get_tag(&pdev->dev, nr_cpu_ids);
		requester_join_others();
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
		requester_leave_others();
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

/**
 * requester_get_references() - read the parameter "references"
 * @buffer: where the text goes, a page
 * @kp: the parameter
 *
 * Return: bytes: how many hold the host bridge, in whose name tags are given.
 */
static int requester_get_references(char *buffer, const struct kernel_param *kp)
{
	struct pci_dev *bridge = pci_get_domain_bus_and_slot(0, 0, 0);
	unsigned int references = 0;

	if (bridge)
		references = kref_read(&bridge->dev.kobj.kref) - 1;
	pci_dev_put(bridge);
	return sysfs_emit(buffer, "%u\n", references);
}

static const struct kernel_param_ops requester_references_ops = {
	.get = requester_get_references,
};
module_param_cb(references, &requester_references_ops, NULL, 0444);
MODULE_PARM_DESC(references, "how many hold the host bridge");

static void requester_free(void)
{
	while (others > 0)
		kfree(other[--others]);
	pci_dev_put(pdev);
}

static int __init requester_init(void)
{
	unsigned int wanted = min_t(unsigned int, others, REQUESTER_OTHERS);

	others = 0;
	pdev = pci_get_domain_bus_and_slot(0, 0, PCI_DEVFN(slot, 0));
	if (!pdev)
		return -ENODEV;
	for (; others < wanted; others++) {
		other[others] = kzalloc(sizeof(*other[others]), GFP_KERNEL);
		if (!other[others]) {
			requester_free();
			return -ENOMEM;
		}
		other[others]->bus = pdev->bus;
		other[others]->devfn = PCI_DEVFN(0x1f - others % 8, others / 8);
		other[others]->dev.init_name = "nobody";
	}
	dca_register_notify(&requester_notifier);
	requester_join();
	return 0;
}
module_init(requester_init);

static void __exit requester_exit(void)
{
	dca_unregister_notify(&requester_notifier);
	requester_leave();
	requester_free();
}
module_exit(requester_exit);

MODULE_DESCRIPTION("From Wire to Socket: a DCA requester that shows its tags");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
