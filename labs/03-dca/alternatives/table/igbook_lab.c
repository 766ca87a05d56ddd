// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 3, in another style: the tags stand in a table, which changes when
 * a CPU does; the books are a bitmap; CPUs are held while all is set up.
 */
#include <linux/bitmap.h>
#include <linux/cpu.h>
#include <linux/dca.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "igbook_lab.h"

static bool provider;
module_param(provider, bool, 0444);
MODULE_PARM_DESC(provider, "hand out DCA tags as well (default: no)");

#define TABLE_SLOTS	8

struct table {
	DECLARE_BITMAP(taken, TABLE_SLOTS);
	struct device *who[TABLE_SLOTS];
	u8 tag[NR_CPUS];
};

static struct dca_provider *table_dca;
static struct pci_dev *table_bridge;
static bool table_there;
static int table_state;

static int table_add(struct dca_provider *dca, struct device *dev)
{
	struct table *table = dca_priv(dca);
	unsigned int slot = find_first_zero_bit(table->taken, TABLE_SLOTS);

	if (slot == TABLE_SLOTS)
		return -ENODEV;
	__set_bit(slot, table->taken);
	table->who[slot] = dev;
	return slot;
}

static int table_slot(struct dca_provider *dca, struct device *dev)
{
	struct table *table = dca_priv(dca);
	unsigned int slot;

	for_each_set_bit(slot, table->taken, TABLE_SLOTS)
		if (table->who[slot] == dev)
			return slot;
	return -ENODEV;
}

static int table_remove(struct dca_provider *dca, struct device *dev)
{
	struct table *table = dca_priv(dca);
	int slot = table_slot(dca, dev);

	if (slot < 0)
		return slot;
	__clear_bit(slot, table->taken);
	return slot;
}

static u8 table_tag(struct dca_provider *dca, struct device *dev, int cpu)
{
	struct table *table = dca_priv(dca);

	return (unsigned int)cpu < NR_CPUS ? table->tag[cpu] : 0;
}

static int table_managed(struct dca_provider *dca, struct device *dev)
{
	return table_slot(dca, dev) < 0 ? 0 : 1;
}

static const struct dca_ops table_ops = {
	.add_requester = table_add,
	.remove_requester = table_remove,
	.get_tag = table_tag,
	.dev_managed = table_managed,
};

static void table_set(unsigned int cpu, bool online)
{
	struct table *table = dca_priv(table_dca);

	table->tag[cpu] = online ? IGBOOK_TAG_BASE + cpu * IGBOOK_TAG_STEP : 0;
}

/* Tries to be there whatever was before, so one failure is not for ever. */
static int table_change(unsigned int cpu, bool online)
{
	if (table_there)
		unregister_dca_provider(table_dca, &table_bridge->dev);
	table_set(cpu, online);
	table_there = !register_dca_provider(table_dca, &table_bridge->dev);
	return 0;
}

static int table_online(unsigned int cpu)
{
	return table_change(cpu, true);
}

static int table_offline(unsigned int cpu)
{
	return table_change(cpu, false);
}

static int table_begin(void)
{
	unsigned int cpu;
	int err;

	for_each_online_cpu(cpu)
		table_set(cpu, true);
	err = register_dca_provider(table_dca, &table_bridge->dev);
	if (err)
		return err;
	table_there = true;
	table_state = cpuhp_setup_state_nocalls_cpuslocked(CPUHP_AP_ONLINE_DYN,
							   "net/igbook:table",
							   table_online,
							   table_offline);
	if (table_state >= 0)
		return 0;
	unregister_dca_provider(table_dca, &table_bridge->dev);
	table_there = false;
	return table_state;
}

int igbook_lab_init(void)
{
	int err;

	if (!provider)
		return 0;
	table_bridge = pci_get_domain_bus_and_slot(0, 0, 0);
	if (!table_bridge)
		return -ENODEV;
	table_dca = alloc_dca_provider(&table_ops, sizeof(struct table));
	if (!table_dca) {
		pci_dev_put(table_bridge);
		return -ENOMEM;
	}
	cpus_read_lock();
	err = table_begin();
	cpus_read_unlock();
	if (err) {
		free_dca_provider(table_dca);
		pci_dev_put(table_bridge);
	}
	return err;
}

void igbook_lab_exit(void)
{
	if (!provider)
		return;
	cpus_read_lock();
	cpuhp_remove_state_nocalls_cpuslocked(table_state);
	if (table_there)
		unregister_dca_provider(table_dca, &table_bridge->dev);
	cpus_read_unlock();
	free_dca_provider(table_dca);
	pci_dev_put(table_bridge);
}
