// SPDX-License-Identifier: GPL-2.0

/**
 * igbook_probe() - take charge of one device
 * @pdev: a PCI function whose id stands in our table
 * @id: the entry of the table that matched
 *
 * Each step that takes something has a label below that gives it back; a step
 * that fails jumps to the label of the step before it.
 *
 * Context: process context, device lock held by the driver core; sleeps.
 * Return: 0 when the device is ours, or a negative errno with nothing kept.
 */
static int igbook_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct net_device *netdev;
	struct igbook *priv;
	int err;

	err = pci_enable_device(pdev);
	if (err)
		return err;
	err = pci_request_region(pdev, 0, IGBOOK_NAME);
	if (err)
		goto disable;
	err = -ENOMEM;
	netdev = alloc_etherdev(sizeof(*priv));
	if (!netdev)
		goto release;
	priv = netdev_priv(netdev);
	igbook_link_device(priv, netdev, pdev);
	priv->regs = pci_iomap(pdev, 0, 0);
	if (!priv->regs)
		goto free;
	err = igbook_hw_init(priv);
	if (err)
		goto unmap;
	igbook_describe(netdev);
	netif_carrier_off(netdev);
	err = register_netdev(netdev);
	if (err)
		goto unmap;
	rtnl_lock();
	igbook_drv_load(priv, true);
	rtnl_unlock();
	err = igbook_lab_add(priv);
	if (!err)
		return 0;
	igbook_drv_load(priv, false);
	unregister_netdev(netdev);
unmap:
	pci_iounmap(pdev, priv->regs);
free:
	free_netdev(netdev);
release:
	pci_release_region(pdev, 0);
disable:
	pci_disable_device(pdev);
	return err;
}

/**
 * igbook_remove() - give the device back
 * @pdev: a device igbook_probe() took
 *
 * Probe read backwards. unregister_netdev() closes the interface if it is up,
 * so nothing below it can race with open or with a frame.
 *
 * Context: process context, device lock held by the driver core; sleeps.
 */
static void igbook_remove(struct pci_dev *pdev)
{
	struct net_device *netdev = pci_get_drvdata(pdev);
	struct igbook *priv = netdev_priv(netdev);

	void __iomem *regs = priv->regs;

	igbook_lab_remove(priv);
	unregister_netdev(netdev);
	igbook_drv_load(priv, false);
	free_netdev(netdev);
	pci_iounmap(pdev, regs);
	pci_release_region(pdev, 0);
	pci_disable_device(pdev);
}
