// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: how the driver meets a device and parts from it.
 */
#include <linux/bitfield.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>

#include "igbook.h"
#include "igbook_lab.h"

/**
 * igbook_link_device() - tie the three views of one port together
 * @priv: the private area of @netdev
 * @netdev: the network device
 * @pdev: the PCI function
 *
 * Afterwards each can be found from each: netdev_priv() from the network
 * device, pci_get_drvdata() from the PCI function, the pointers in @priv.
 *
 * Context: probe, nothing else can see the device yet.
 */
static void igbook_link_device(struct igbook *priv, struct net_device *netdev,
			       struct pci_dev *pdev)
{
	SET_NETDEV_DEV(netdev, &pdev->dev);
	pci_set_drvdata(pdev, netdev);

	priv->netdev = netdev;
	priv->pdev = pdev;
	priv->msg_enable = netif_msg_init(-1, NETIF_MSG_DRV | NETIF_MSG_PROBE |
					      NETIF_MSG_LINK);
	mutex_init(&priv->mdio_lock);
	spin_lock_init(&priv->stats_lock);
	igbook_link_init(priv);
}

/**
 * igbook_describe() - tell the network core what this device can do
 * @netdev: the network device
 *
 * Context: probe, before register_netdev().
 */
static void igbook_describe(struct net_device *netdev)
{
	netdev->netdev_ops = &igbook_netdev_ops;
	netdev->ethtool_ops = &igbook_ethtool_ops;
	netdev->priv_flags |= IFF_UNICAST_FLT | IFF_LIVE_ADDR_CHANGE;
	netdev->min_mtu = ETH_MIN_MTU;
	netdev->max_mtu = IGBOOK_MAX_MTU;
}

/**
 * igbook_hw_init() - bring the card into a known state and learn who it is
 * @priv: the device, registers mapped
 *
 * Context: probe; sleeps.
 * Return: 0, or a negative errno when the NVM or the PHY cannot be trusted.
 */
static int igbook_hw_init(struct igbook *priv)
{
	int err;

	igbook_hw_reset(priv);
	priv->port = FIELD_GET(STATUS_LAN_ID, igbook_rd32(priv, REG_STATUS));

	err = igbook_nvm_validate(priv);
	if (err)
		return err;

	igbook_read_mac(priv);
	return igbook_phy_identify(priv);
}

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

	igbook_drv_load(priv, true);
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

	igbook_drv_load(netdev_priv(netdev), false);
	unregister_netdev(netdev);
	pci_set_power_state(pdev, PCI_D3hot);
}

/**
 * igbook_quiesce() - stop an interface without telling its users it closed
 * @netdev: the network device
 *
 * Detaching makes the core treat the device as absent: no ethtool or ioctl
 * reaches the driver, and no frame.
 *
 * Context: process context; takes RTNL.
 */
static void igbook_quiesce(struct net_device *netdev)
{
	struct igbook *priv = netdev_priv(netdev);

	rtnl_lock();
	netif_device_detach(netdev);
	if (netif_running(netdev))
		igbook_down(priv);
	igbook_drv_load(priv, false);
	rtnl_unlock();
}

/**
 * igbook_suspend() - the system goes to sleep
 * @dev: our device
 *
 * The PCI core saves configuration space and lowers the power afterwards.
 *
 * Context: process context, user space frozen.
 * Return: 0.
 */
static int igbook_suspend(struct device *dev)
{
	igbook_quiesce(dev_get_drvdata(dev));
	return 0;
}

/**
 * igbook_resume() - the system woke up
 * @dev: our device
 *
 * Power may have been off and the registers' content gone: the device is reset
 * and brought up as if it had just been opened.
 *
 * Context: process context, user space frozen; takes RTNL.
 * Return: 0, or a negative errno if a running interface did not come back.
 */
static int igbook_resume(struct device *dev)
{
	struct net_device *netdev = dev_get_drvdata(dev);
	struct igbook *priv = netdev_priv(netdev);
	int err = 0;

	rtnl_lock();
	igbook_hw_reset(priv);
	igbook_drv_load(priv, true);
	if (netif_running(netdev))
		err = igbook_up(priv);
	if (!err)
		netif_device_attach(netdev);
	rtnl_unlock();
	return err;
}

static DEFINE_SIMPLE_DEV_PM_OPS(igbook_pm_ops, igbook_suspend, igbook_resume);

/**
 * igbook_shutdown() - the machine is about to stop or to start a new kernel
 * @pdev: our device
 *
 * A card that went on writing to memory would write into the next kernel.
 *
 * Context: process context, device lock held by the driver core.
 */
static void igbook_shutdown(struct pci_dev *pdev)
{
	igbook_quiesce(pci_get_drvdata(pdev));
	pci_disable_device(pdev);
}

static const struct pci_device_id igbook_pci_tbl[] = {
	{ PCI_VDEVICE(INTEL, 0x10c9), 0 },
	{ PCI_VDEVICE(INTEL, 0x10e8), 1 },
	{ }
};
MODULE_DEVICE_TABLE(pci, igbook_pci_tbl);

static struct pci_driver igbook_driver = {
	.name = IGBOOK_NAME,
	.id_table = igbook_pci_tbl,
	.probe = igbook_probe,
	.remove = igbook_remove,
	.shutdown = igbook_shutdown,
	.driver.pm = pm_sleep_ptr(&igbook_pm_ops),
	.dev_groups = igbook_lab_groups,
};

/**
 * igbook_init_module() - the module was loaded
 *
 * Registering the driver makes the PCI core call igbook_probe() for every
 * matching device that is there already, and later for each that appears.
 *
 * Context: process context (insmod).
 * Return: 0, or a negative errno and the module is not loaded.
 */
static int __init igbook_init_module(void)
{
	int err;

	err = pci_register_driver(&igbook_driver);
	return err;
}
module_init(igbook_init_module);

/**
 * igbook_exit_module() - the module is about to be unloaded
 *
 * Unregistering makes the PCI core call igbook_remove() for every device the
 * driver holds.
 *
 * Context: process context (rmmod).
 */
static void __exit igbook_exit_module(void)
{
	pci_unregister_driver(&igbook_driver);
}
module_exit(igbook_exit_module);

MODULE_DESCRIPTION("From Wire to Socket: the book's driver for the Intel 82576");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
