// SPDX-License-Identifier: GPL-2.0

/**
 * igbook_probe() - take charge of one device
 * @pdev: a PCI function whose id stands in our table
 * @id: the entry of the table that matched
 *
 * All that is taken here belongs to the device: the driver core gives it back,
 * the last first, when probe fails and after remove. Only registration is
 * undone by hand, because remove has something to do between.
 *
 * Context: process context, device lock held by the driver core; sleeps.
 * Return: 0 when the device is ours, or a negative errno with nothing kept.
 */
static int igbook_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct net_device *netdev;
	struct igbook *priv;
	int err;

	err = pcim_enable_device(pdev);
	if (err)
		return err;
	err = pcim_iomap_regions(pdev, BIT(0), IGBOOK_NAME);
	if (err)
		return err;

	netdev = devm_alloc_etherdev(&pdev->dev, sizeof(*priv));
	if (!netdev)
		return -ENOMEM;
	priv = netdev_priv(netdev);
	igbook_link_device(priv, netdev, pdev);
	priv->regs = pcim_iomap_table(pdev)[0];

	err = igbook_hw_init(priv);
	if (err)
		return err;

	igbook_describe(netdev);
	netif_carrier_off(netdev);
	err = register_netdev(netdev);
	if (err)
		return err;

	rtnl_lock();
	igbook_drv_load(priv, true);
	rtnl_unlock();
	netif_info(priv, probe, netdev, "port %u, %pM\n", priv->port,
		   netdev->dev_addr);
	return 0;
}

/**
 * igbook_remove() - give the device back
 * @pdev: a device igbook_probe() took
 *
 * The card is put to sleep: nobody needs it until the next probe, which wakes
 * it.
 *
 * Context: process context, device lock held by the driver core; sleeps.
 */
static void igbook_remove(struct pci_dev *pdev)
{
	struct net_device *netdev = pci_get_drvdata(pdev);

	unregister_netdev(netdev);
	/* Closing resets the card and says that there is a driver again. */
	igbook_drv_load(netdev_priv(netdev), false);
	pci_set_power_state(pdev, PCI_D3hot);
}
