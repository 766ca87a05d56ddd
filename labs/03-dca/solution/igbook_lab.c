// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 3: a provider of tags that knows which CPUs there are.
 *
 * With the parameter provider=1 the module hands out tags for the first PCI
 * domain's root bus, to its own devices and to everybody else's. The DCA core
 * has no event for a tag that became invalid, so when a CPU comes or goes the
 * provider goes and comes, and every requester asks anew.
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/dca.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "igbook_lab.h"

static bool provider;
module_param(provider, bool, 0444);
MODULE_PARM_DESC(provider, "hand out DCA tags as well (default: no)");

#define IGBOOK_NO_TAG		0	/* no hint */
#define IGBOOK_REQUESTERS	16	/* more than the root bus has slots in use */

/**
 * struct igbook_provider - the provider, of which a module has one
 * @dca: the DCA core's part
 * @bridge: the host bridge, in whose name tags are given
 * @requester: the devices in our books; the core's raw lock held
 * @cpus: the CPUs that have a tag
 * @state: number of our step in the coming and going of CPUs
 * @registered: the core knows us; CPUs neither come nor go while it changes
 */
static struct igbook_provider {
	struct dca_provider *dca;
	struct pci_dev *bridge;
	struct device *requester[IGBOOK_REQUESTERS];
	struct cpumask cpus;
	enum cpuhp_state state;
	bool registered;
} igbook_provider;

/**
 * igbook_provider_find() - the slot that holds a device, or a free one
 * @dev: the device, or NULL
 *
 * Context: the DCA core's raw lock held.
 * Return: the slot's number, or -ENODEV.
 */
static int igbook_provider_find(const struct device *dev)
{
	int slot;

	for (slot = 0; slot < IGBOOK_REQUESTERS; slot++)
		if (igbook_provider.requester[slot] == dev)
			return slot;
	return -ENODEV;
}

static int igbook_add_requester(struct dca_provider *dca, struct device *dev)
{
	int slot = igbook_provider_find(NULL);

	if (slot >= 0)
		igbook_provider.requester[slot] = dev;
	return slot;
}

static int igbook_remove_requester(struct dca_provider *dca,
				   struct device *dev)
{
	int slot = igbook_provider_find(dev);

	if (slot >= 0)
		igbook_provider.requester[slot] = NULL;
	return slot;
}

/**
 * igbook_get_tag() - the tag of a CPU
 * @dca: the provider
 * @dev: a device in our books
 * @cpu: the CPU
 *
 * A CPU that is on its way out is online for a while yet, and one that comes
 * is online already: not cpu_online() decides but who was announced last.
 *
 * Context: the DCA core's raw lock held.
 * Return: the tag, or IGBOOK_NO_TAG.
 */
static u8 igbook_get_tag(struct dca_provider *dca, struct device *dev, int cpu)
{
	if (cpu < 0 || cpu >= nr_cpu_ids ||
	    !cpumask_test_cpu(cpu, &igbook_provider.cpus))
		return IGBOOK_NO_TAG;
	return IGBOOK_TAG_BASE + cpu * IGBOOK_TAG_STEP;
}

static int igbook_dev_managed(struct dca_provider *dca, struct device *dev)
{
	return igbook_provider_find(dev) >= 0;
}

static const struct dca_ops igbook_provider_ops = {
	.add_requester = igbook_add_requester,
	.remove_requester = igbook_remove_requester,
	.get_tag = igbook_get_tag,
	.dev_managed = igbook_dev_managed,
};

/**
 * igbook_provider_register() - come: requesters join
 *
 * Context: CPUs neither come nor go meanwhile; sleeps.
 * Return: 0, or a negative errno.
 */
static int igbook_provider_register(void)
{
	int err = register_dca_provider(igbook_provider.dca,
					&igbook_provider.bridge->dev);

	igbook_provider.registered = !err;
	return err;
}

/**
 * igbook_provider_unregister() - go: requesters leave
 *
 * Context: CPUs neither come nor go meanwhile; sleeps.
 */
static void igbook_provider_unregister(void)
{
	if (igbook_provider.registered)
		unregister_dca_provider(igbook_provider.dca,
					&igbook_provider.bridge->dev);
	igbook_provider.registered = false;
}

/**
 * igbook_provider_change() - the CPUs that have a tag change
 * @cpu: the one that does
 * @online: whether it has one from now on
 *
 * Between the two halves nobody holds a tag, so none is missed.
 *
 * Context: process context, the hotplug lock held by whoever began it; sleeps.
 */
static void igbook_provider_change(unsigned int cpu, bool online)
{
	bool was_registered = igbook_provider.registered;

	igbook_provider_unregister();
	cpumask_assign_cpu(cpu, &igbook_provider.cpus, online);
	if (was_registered && igbook_provider_register())
		pr_warn("igbook: no tags from now on\n");
}

/**
 * igbook_cpu_online() - a CPU came
 * @cpu: the CPU
 *
 * Context: the CPU's own hotplug thread; sleeps.
 * Return: 0; no CPU stays away for the want of a tag.
 */
static int igbook_cpu_online(unsigned int cpu)
{
	igbook_provider_change(cpu, true);
	return 0;
}

/**
 * igbook_cpu_offline() - a CPU is about to go
 * @cpu: the CPU
 *
 * Context: the CPU's own hotplug thread; sleeps.
 * Return: 0.
 */
static int igbook_cpu_offline(unsigned int cpu)
{
	igbook_provider_change(cpu, false);
	return 0;
}

/**
 * igbook_provider_start() - learn which CPUs there are, and come
 *
 * The callbacks run for every CPU that is online before cpuhp_setup_state()
 * returns. Nobody is registered then, so they only fill in the mask.
 *
 * Context: process context; sleeps.
 * Return: 0, or a negative errno.
 */
static int igbook_provider_start(void)
{
	int err;

	err = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "net/igbook:online",
				igbook_cpu_online, igbook_cpu_offline);
	if (err < 0)
		return err;
	igbook_provider.state = err;

	cpus_read_lock();
	err = igbook_provider_register();
	cpus_read_unlock();
	if (err)
		cpuhp_remove_state_nocalls(igbook_provider.state);
	return err;
}

/**
 * igbook_lab_init() - offer tags, if that is wanted
 *
 * Context: module load, no device probed yet; sleeps.
 * Return: 0, or a negative errno and the module is not loaded.
 */
int igbook_lab_init(void)
{
	int err = -ENOMEM;

	if (!provider)
		return 0;
	igbook_provider.bridge =
		pci_get_domain_bus_and_slot(0, 0, PCI_DEVFN(0, 0));
	if (!igbook_provider.bridge)
		return -ENODEV;
	igbook_provider.dca = alloc_dca_provider(&igbook_provider_ops, 0);
	if (!igbook_provider.dca)
		goto err_put;
	err = igbook_provider_start();
	if (err)
		goto err_free;
	return 0;

err_free:
	free_dca_provider(igbook_provider.dca);
err_put:
	pci_dev_put(igbook_provider.bridge);
	return err;
}

/**
 * igbook_lab_exit() - offer tags no longer
 *
 * First the CPUs' comings and goings are none of our business any more, then
 * the provider may go for good.
 *
 * Context: module unload, all devices gone; sleeps.
 */
void igbook_lab_exit(void)
{
	if (!provider)
		return;
	cpuhp_remove_state_nocalls(igbook_provider.state);
	igbook_provider_unregister();
	free_dca_provider(igbook_provider.dca);
	pci_dev_put(igbook_provider.bridge);
}
