// SPDX-License-Identifier: GPL-2.0
/*
 * A DCA provider for machines without one.
 *
 * Real tags come from ioatdma, the driver of the DMA engine in the chipset that
 * also knows how the chipset numbers its caches. This provider does the
 * bookkeeping of one and makes its tags up: a base plus the CPU's number. It
 * stands for the root bus of the machine's first PCI domain.
 */
#include <linux/dca.h>
#include <linux/module.h>
#include <linux/pci.h>

static unsigned int slots = 4;
module_param(slots, uint, 0444);
MODULE_PARM_DESC(slots, "how many devices are served at once (default 4)");

static unsigned int tag_base = 0x10;
module_param(tag_base, uint, 0444);
MODULE_PARM_DESC(tag_base, "tag of CPU 0 (default 0x10); CPU n has n more");

/**
 * struct provider_books - which device has which slot
 * @requester: the devices, NULL where a slot is free
 *
 * Read and written by the four operations only, of which the DCA core runs one
 * at a time: it holds its raw spinlock, interrupts off. None may sleep.
 */
struct provider_books {
	DECLARE_FLEX_ARRAY(struct device *, requester);
};

static struct dca_provider *provider;
static struct pci_dev *host_bridge;

/**
 * provider_find() - the slot that holds a device, or NULL to find a free one
 * @dca: the provider
 * @dev: a device, or NULL
 *
 * Context: the DCA core's raw spinlock held.
 * Return: the slot's number, or -ENODEV.
 */
static int provider_find(struct dca_provider *dca, struct device *dev)
{
	struct provider_books *books = dca_priv(dca);
	unsigned int slot;

	for (slot = 0; slot < slots; slot++)
		if (books->requester[slot] == dev)
			return slot;
	return -ENODEV;
}

/**
 * provider_add_requester() - take a device into the books
 * @dca: the provider
 * @dev: the device; the core has made sure that nobody has it yet
 *
 * Context: the DCA core's raw spinlock held.
 * Return: the slot's number, or -ENODEV when all are taken.
 */
static int provider_add_requester(struct dca_provider *dca, struct device *dev)
{
	struct provider_books *books = dca_priv(dca);
	int slot = provider_find(dca, NULL);

	if (slot >= 0)
		books->requester[slot] = dev;
	return slot;
}

/**
 * provider_remove_requester() - strike a device off
 * @dca: the provider
 * @dev: the device
 *
 * Context: the DCA core's raw spinlock held.
 * Return: the slot it had, or -ENODEV.
 */
static int provider_remove_requester(struct dca_provider *dca,
				     struct device *dev)
{
	struct provider_books *books = dca_priv(dca);
	int slot = provider_find(dca, dev);

	if (slot >= 0)
		books->requester[slot] = NULL;
	return slot;
}

/**
 * provider_get_tag() - which tag leads to the cache of a CPU
 * @dca: the provider
 * @dev: a device in our books
 * @cpu: the CPU
 *
 * Context: the DCA core's raw spinlock held.
 * Return: the tag.
 */
static u8 provider_get_tag(struct dca_provider *dca, struct device *dev,
			   int cpu)
{
	return tag_base + cpu;
}

/**
 * provider_dev_managed() - is this device one of ours?
 * @dca: the provider
 * @dev: the device
 *
 * Context: the DCA core's raw spinlock held.
 * Return: 1 if it is, 0 if not.
 */
static int provider_dev_managed(struct dca_provider *dca, struct device *dev)
{
	return provider_find(dca, dev) >= 0;
}

static const struct dca_ops provider_ops = {
	.add_requester = provider_add_requester,
	.remove_requester = provider_remove_requester,
	.get_tag = provider_get_tag,
	.dev_managed = provider_dev_managed,
};

/**
 * provider_init() - offer tags to whoever wants them
 *
 * Registering calls every requester's notifier before it returns.
 *
 * Context: process context (insmod); sleeps.
 * Return: 0, or a negative errno.
 */
static int __init provider_init(void)
{
	struct provider_books *books;
	int err;

	if (!slots || slots > 256 || tag_base > 0xff)
		return -EINVAL;
	host_bridge = pci_get_domain_bus_and_slot(0, 0, PCI_DEVFN(0, 0));
	if (!host_bridge)
		return -ENODEV;

	provider = alloc_dca_provider(&provider_ops,
				      struct_size(books, requester, slots));
	if (!provider) {
		err = -ENOMEM;
		goto err_put;
	}
	err = register_dca_provider(provider, &host_bridge->dev);
	if (err)
		goto err_free;
	return 0;

err_free:
	free_dca_provider(provider);
err_put:
	pci_dev_put(host_bridge);
	return err;
}
module_init(provider_init);

/**
 * provider_exit() - offer tags no longer
 *
 * Unregistering calls every requester's notifier, and each must leave; the core
 * strikes nobody off by itself. Once that is over the books are ours alone.
 *
 * Context: process context (rmmod); sleeps.
 */
static void __exit provider_exit(void)
{
	struct provider_books *books = dca_priv(provider);
	unsigned int slot;

	unregister_dca_provider(provider, &host_bridge->dev);
	for (slot = 0; slot < slots; slot++)
		if (books->requester[slot])
			pr_warn("dca_provider: %s never left\n",
				dev_name(books->requester[slot]));
	free_dca_provider(provider);
	pci_dev_put(host_bridge);
}
module_exit(provider_exit);

MODULE_DESCRIPTION("From Wire to Socket: a DCA provider for machines without one");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
