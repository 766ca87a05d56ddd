// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 3, in another style: requesters are told before a CPU comes and
 * when it is dead, by whoever switches it; a mutex, and flags of our own.
 */
#include <linux/cpuhotplug.h>
#include <linux/dca.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>

#include "igbook_lab.h"

static bool provider;
module_param(provider, bool, 0444);
MODULE_PARM_DESC(provider, "hand out DCA tags as well (default: no)");

static struct device *members[32];
static bool alive[NR_CPUS];

static DEFINE_MUTEX(telling);
static bool wanted;	/* between the end of init and the beginning of exit */
static bool known;	/* to the core */
static struct dca_provider *dca_provider;
static struct pci_dev *root;
static enum cpuhp_state step;

static int add_member(struct dca_provider *dca, struct device *dev)
{
	int i;

	/* From the end: any number will do that is nobody else's. */
	for (i = ARRAY_SIZE(members) - 1; i >= 0; i--) {
		if (members[i])
			continue;
		members[i] = dev;
		return i;
	}
	return -EBUSY;
}

static int member(const struct device *dev)
{
	int i = ARRAY_SIZE(members);

	while (--i >= 0 && members[i] != dev)
		;
	return i;
}

static int remove_member(struct dca_provider *dca, struct device *dev)
{
	int i = member(dev);

	if (i < 0)
		return -ENOENT;
	members[i] = NULL;
	return i;
}

static u8 tag_of(struct dca_provider *dca, struct device *dev, int cpu)
{
	if (cpu < 0 || cpu >= NR_CPUS || !alive[cpu])
		return 0;
	return cpu * IGBOOK_TAG_STEP + IGBOOK_TAG_BASE;
}

static int is_member(struct dca_provider *dca, struct device *dev)
{
	return member(dev) >= 0;
}

static const struct dca_ops ops = {
	.add_requester = add_member,
	.remove_requester = remove_member,
	.get_tag = tag_of,
	.dev_managed = is_member,
};

/* Lets the core know us or not, as it should be now. */
static int tell(bool there)
{
	int err = 0;

	if (there && !known)
		err = register_dca_provider(dca_provider, &root->dev);
	else if (!there && known)
		unregister_dca_provider(dca_provider, &root->dev);
	if (!err)
		known = there;
	return err;
}

static void retell(unsigned int cpu, bool is_alive)
{
	guard(mutex)(&telling);
	tell(false);
	alive[cpu] = is_alive;
	if (wanted)
		tell(true);
}

static int cpu_comes(unsigned int cpu)
{
	retell(cpu, true);
	return 0;
}

static int cpu_is_dead(unsigned int cpu)
{
	retell(cpu, false);
	return 0;
}

static int begin(void)
{
	int err;

	guard(mutex)(&telling);
	err = tell(true);
	wanted = !err;
	return err;
}

int igbook_lab_init(void)
{
	int ret;

	if (!provider)
		return 0;
	ret = -ENOMEM;
	dca_provider = alloc_dca_provider(&ops, 0);
	if (!dca_provider)
		return ret;
	ret = -ENODEV;
	root = pci_get_domain_bus_and_slot(0, 0, PCI_DEVFN(0, 0));
	if (!root)
		goto free;
	ret = cpuhp_setup_state(CPUHP_BP_PREPARE_DYN, "igbook:prepare",
				cpu_comes, cpu_is_dead);
	if (ret < 0)
		goto put;
	step = ret;
	ret = begin();
	if (!ret)
		return 0;
	cpuhp_remove_state_nocalls(step);
put:
	pci_dev_put(root);
free:
	free_dca_provider(dca_provider);
	return ret;
}

void igbook_lab_exit(void)
{
	if (!provider)
		return;
	scoped_guard(mutex, &telling) {
		wanted = false;
		tell(false);
	}
	cpuhp_remove_state_nocalls(step);
	pci_dev_put(root);
	free_dca_provider(dca_provider);
}
