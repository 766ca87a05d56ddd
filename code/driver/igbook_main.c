// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: how the driver meets a device and parts from it.
 */
#include <linux/bitfield.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>

#include "igbook.h"

/*
 * Afterwards each can be found from each: netdev_priv() from the network
 * device, pci_get_drvdata() from the PCI function, the pointers in @priv.
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
	/* loom: begin init-dca from 03 */
	igbook_dca_init(priv);
	/* loom: end init-dca */
	/* loom: begin init-rings from 04 */
	igbook_rings_init(priv);
#if 0	/* loom: begin init-polled until 05 */
	igbook_service_init(priv);
#endif	/* loom: end init-polled */
	/* loom: begin init-offload from 07 */
	igbook_offload_init(priv);
	/* loom: end init-offload */
	/* loom: begin init-recover from 08 */
	igbook_recover_init(priv);
	/* loom: end init-recover */
	/* loom: begin init-clock from 09 */
	igbook_clock_init(priv);
	/* loom: end init-clock */
	/* loom: begin init-linkset from 10 */
	igbook_linkset_init(priv);
	/* loom: end init-linkset */
	/* loom: end init-rings */
}

static void igbook_describe(struct net_device *netdev)
{
	netdev->netdev_ops = &igbook_netdev_ops;
	netdev->ethtool_ops = &igbook_ethtool_ops;
	/* loom: begin describe-stats from 04 */
	netdev->stat_ops = &igbook_stat_ops;
	/* loom: end describe-stats */
	netdev->priv_flags |= IFF_UNICAST_FLT | IFF_LIVE_ADDR_CHANGE;
	netdev->min_mtu = ETH_MIN_MTU;
	netdev->max_mtu = IGBOOK_MAX_MTU;
	/* loom: begin describe-offload from 07 */
	netdev->hw_features |= NETIF_F_RXCSUM | NETIF_F_RXHASH |
			       NETIF_F_HW_VLAN_CTAG_RX |
			       NETIF_F_HW_VLAN_CTAG_FILTER;
	netdev->features |= netdev->hw_features;
	/* loom: end describe-offload */
	/* loom: begin describe-transmit from 08 */
	netdev->hw_features |= NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_TSO |
			       NETIF_F_TSO6 | NETIF_F_HW_VLAN_CTAG_TX;
	netdev->features |= netdev->hw_features | NETIF_F_HIGHDMA;
	/* loom: begin describe-observe from 10 */
	netdev->hw_features |= NETIF_F_NTUPLE;
	netdev->features |= NETIF_F_NTUPLE;
	/* Not for those who send to others: only who asks gets it. */
	netdev->hw_features |= NETIF_F_LOOPBACK;
	/* loom: end describe-observe */
	/* The emulated card makes fragments of it: only who asks gets it. */
	netdev->hw_features |= NETIF_F_GSO_UDP_L4;
	netdev->vlan_features |= NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_TSO |
				 NETIF_F_TSO6 | NETIF_F_GSO_UDP_L4 |
				 NETIF_F_HIGHDMA;
	/* loom: begin describe-more from 10 */
	netdev->features |= NETIF_F_SCTP_CRC | NETIF_F_GSO_PARTIAL;
	/* Tunnels, too, only who asks gets. */
	netdev->gso_partial_features = NETIF_F_GSO_ENCAP_ALL;
	netdev->vlan_features |= NETIF_F_SCTP_CRC | NETIF_F_GSO_PARTIAL |
				 NETIF_F_GSO_ENCAP_ALL;
	netdev->hw_enc_features |= netdev->vlan_features;
	netdev->hw_features |= NETIF_F_SCTP_CRC | NETIF_F_GSO_PARTIAL |
			       NETIF_F_GSO_ENCAP_ALL | NETIF_F_RXALL;
	/* loom: end describe-more */
	/* loom: end describe-transmit */
}

static int igbook_hw_init(struct igbook *priv)
{
	int err;

	/* Before the first reset, which waits for the PHY of this port. */
	priv->port = FIELD_GET(STATUS_LAN_ID, igbook_rd32(priv, REG_STATUS));
	igbook_hw_reset(priv);

	err = igbook_nvm_validate(priv);
	if (err)
		return err;

	igbook_read_mac(priv);
	return igbook_phy_identify(priv);
}

/*
 * Each step that takes something has a label below that gives it back; a step
 * that fails jumps to the label of the step before it.
 */
static int igbook_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct net_device *netdev;
	struct igbook *priv;
	int err;

	err = pci_enable_device_mem(pdev);
	if (err)
		return err;

	err = pci_request_mem_regions(pdev, IGBOOK_NAME);
	if (err)
		goto err_disable;

#if 0	/* loom: begin probe-queues until 07 */
	netdev = alloc_etherdev_mq(sizeof(*priv), 1);
#endif	/* loom: end probe-queues */
	/* loom: begin probe-queues-07 from 07 */
	netdev = alloc_etherdev_mq(sizeof(*priv), IGBOOK_MAX_QUEUES);
	/* loom: end probe-queues-07 */
	if (!netdev) {
		err = -ENOMEM;
		goto err_regions;
	}
	priv = netdev_priv(netdev);
	igbook_link_device(priv, netdev, pdev);

	/* loom: begin probe-dma-mask from 02 */
	err = igbook_dma_set_mask(priv);
	if (err)
		goto err_netdev;
	pci_set_master(pdev);

	/* loom: end probe-dma-mask */
	priv->regs = pci_ioremap_bar(pdev, 0);
	if (!priv->regs) {
		err = -ENOMEM;
		goto err_netdev;
	}

	err = igbook_hw_init(priv);
	if (err)
		goto err_unmap;
	/* loom: begin probe-irq from 05 */

	err = igbook_irq_alloc(priv);
	if (err)
		goto err_unmap;
	/* loom: end probe-irq */
	/* loom: begin probe-moderation from 06 */
	priv->adaptive = true;
	/* loom: end probe-moderation */
	/* loom: begin probe-rss from 07 */
	igbook_rss_init(priv);
	err = netif_set_real_num_queues(netdev, priv->num_queues,
					priv->num_queues);
	if (err)
		goto err_unmap;
	/* loom: end probe-rss */
	/* loom: begin probe-save from 10 */
	/* Of configuration space, for igbook_slot_reset(). */
	pci_save_state(pdev);
	/* loom: end probe-save */

	igbook_describe(netdev);
	/* loom: begin probe-clock from 09 */
	igbook_clock_add(priv);
	/* loom: end probe-clock */
	/* loom: begin probe-stopped from 04 */
	/* The link may be up before the first open has made the rings. */
	netif_tx_stop_all_queues(netdev);
	/* loom: end probe-stopped */
	netif_carrier_off(netdev);
	err = register_netdev(netdev);
	if (err)
		goto err_unmap;

	/* Whoever opens and closes it resets the card meanwhile, with RTNL. */
	rtnl_lock();
	igbook_drv_load(priv, true);
	rtnl_unlock();
	netif_info(priv, probe, netdev, "port %u, %pM\n", priv->port,
		   netdev->dev_addr);
	/* loom: begin probe-dca from 03 */
	igbook_dca_add(priv);
	/* loom: end probe-dca */
#if 0	/* loom: begin probe-handsend from 02 until 04 */
	igbook_handsend_add(priv);
#endif	/* loom: end probe-handsend */
	return 0;

err_unmap:
	/* loom: begin probe-clock-unwind from 09 */
	igbook_clock_remove(priv);
	/* loom: end probe-clock-unwind */
	/* loom: begin probe-irq-unwind from 05 */
	igbook_irq_free(priv);
	/* loom: end probe-irq-unwind */
	iounmap(priv->regs);
err_netdev:
	free_netdev(netdev);
err_regions:
	pci_release_mem_regions(pdev);
err_disable:
	pci_disable_device(pdev);
	return err;
}

/*
 * Probe read backwards. unregister_netdev() closes the interface if it is up,
 * so nothing below it can race with open or with a frame.
 */
static void igbook_remove(struct pci_dev *pdev)
{
	struct net_device *netdev = pci_get_drvdata(pdev);
	struct igbook *priv = netdev_priv(netdev);

#if 0	/* loom: begin remove-handsend from 02 until 04 */
	igbook_handsend_remove(priv);
#endif	/* loom: end remove-handsend */
	/* loom: begin remove-dca from 03 */
	igbook_dca_remove(priv);
	/* loom: end remove-dca */
	unregister_netdev(netdev);
	igbook_drv_load(priv, false);
	/* loom: begin remove-recover from 08 */
	igbook_recover_end(priv);
	/* loom: end remove-recover */
	/* loom: begin remove-clock from 09 */
	igbook_clock_remove(priv);
	/* loom: end remove-clock */
	/* loom: begin remove-irq from 05 */
	igbook_irq_free(priv);
	/* loom: end remove-irq */
	iounmap(priv->regs);
	free_netdev(netdev);
	pci_release_mem_regions(pdev);
	pci_disable_device(pdev);
}

/*
 * Detaching makes the core treat the device as absent: no ethtool or ioctl
 * reaches the driver, and no frame.
 */
static void igbook_quiesce(struct net_device *netdev)
{
	struct igbook *priv = netdev_priv(netdev);

	rtnl_lock();
	netif_device_detach(netdev);
	if (netif_running(netdev))
		igbook_down(priv);
	/* loom: begin quiesce-clock from 09 */
	igbook_clock_stop(priv);
	/* loom: end quiesce-clock */
	igbook_drv_load(priv, false);
	igbook_set_resetting(priv, true);
	rtnl_unlock();
}

/* loom: from 10 */
static void igbook_wake(struct net_device *netdev)
{
	rtnl_lock();
	igbook_wake_arm(netdev_priv(netdev));
	rtnl_unlock();
}

/* The PCI core saves configuration space and lowers the power afterwards. */
static int igbook_suspend(struct device *dev)
{
	igbook_quiesce(dev_get_drvdata(dev));
	/* loom: begin suspend-wake from 10 */
	igbook_wake(dev_get_drvdata(dev));
	/* loom: end suspend-wake */
	return 0;
}

/*
 * Power may have been off and the registers' content gone: the device is reset
 * and brought up as if it had just been opened.
 */
static int igbook_resume(struct device *dev)
{
	struct net_device *netdev = dev_get_drvdata(dev);
	struct igbook *priv = netdev_priv(netdev);
	int err = 0;

	rtnl_lock();
	/* loom: begin resume-awake from 10 */
	/* While it slept it may have looked as if it were gone. */
	if (igbook_back(priv)) {
		/* Who was gone was kept out of memory. */
		pci_set_master(to_pci_dev(dev));
		/* For igbook_slot_reset(): what was saved has been used up. */
		pci_save_state(to_pci_dev(dev));
	} else {
		err = -ENODEV;
	}
	igbook_wake_end(priv);
	/* loom: end resume-awake */
	igbook_hw_reset(priv);
	igbook_drv_load(priv, true);
	if (!err && netif_running(netdev))
		err = igbook_up(priv);
#if 0	/* loom: begin resume-alone until 04 */
	if (!err)
		netif_device_attach(netdev);
#endif	/* loom: end resume-alone */
	/* loom: begin resume-heard from 04 */
	if (!err)
		igbook_attach(netdev);
	/* loom: end resume-heard */
	rtnl_unlock();
	return err;
}

/* loom: begin reset-handlers from 08 */
/* Whoever writes to its file "reset" in sysfs, for one. */
static void igbook_reset_prepare(struct pci_dev *pdev)
{
	igbook_quiesce(pci_get_drvdata(pdev));
}

static void igbook_reset_done(struct pci_dev *pdev)
{
	if (igbook_resume(&pdev->dev))
		pci_err(pdev, "does not come back after a reset\n");
}

/* loom: begin error-recovery from 10 */
/*
 * The bus has reported an error. If it still works a transfer may be lost, and
 * no more. Else the registers are left alone until the slot was reset. So the
 * card cannot be told to stop: configuration space keeps it away from memory.
 */
static pci_ers_result_t igbook_error_detected(struct pci_dev *pdev,
					      pci_channel_state_t state)
{
	struct net_device *netdev = pci_get_drvdata(pdev);

	if (state == pci_channel_io_normal)
		return PCI_ERS_RESULT_CAN_RECOVER;
	igbook_forsake(netdev_priv(netdev));
	pci_clear_master(pdev);
	igbook_quiesce(netdev);
	return state == pci_channel_io_frozen ? PCI_ERS_RESULT_NEED_RESET :
						PCI_ERS_RESULT_DISCONNECT;
}

/*
 * The card is as after power on, configuration space as it was saved last.
 * Another driver may have asked for it, of an error that we did not mind.
 */
static pci_ers_result_t igbook_slot_reset(struct pci_dev *pdev)
{
	struct net_device *netdev = pci_get_drvdata(pdev);

	if (netif_device_present(netdev))
		igbook_quiesce(netdev);
	pci_restore_state(pdev);
	if (!igbook_back(netdev_priv(netdev)))
		return PCI_ERS_RESULT_DISCONNECT;
	pci_save_state(pdev);
	return PCI_ERS_RESULT_RECOVERED;
}

static void igbook_error_resume(struct pci_dev *pdev)
{
	if (netif_device_present(pci_get_drvdata(pdev)))
		return;
	if (igbook_resume(&pdev->dev))
		pci_err(pdev, "does not come back after an error\n");
}

/* loom: end error-recovery */
static const struct pci_error_handlers igbook_error_handlers = {
	/* loom: begin handlers-error from 10 */
	.error_detected = igbook_error_detected,
	.slot_reset = igbook_slot_reset,
	.resume = igbook_error_resume,
	/* loom: end handlers-error */
	.reset_prepare = igbook_reset_prepare,
	.reset_done = igbook_reset_done,
};

/* loom: end reset-handlers */
static DEFINE_SIMPLE_DEV_PM_OPS(igbook_pm_ops, igbook_suspend, igbook_resume);

/* A card that went on writing to memory would write into the next kernel. */
static void igbook_shutdown(struct pci_dev *pdev)
{
	igbook_quiesce(pci_get_drvdata(pdev));
	/* loom: begin shutdown-wake from 10 */
	/* Who starts another kernel wants a card that is silent. */
	if (system_state == SYSTEM_POWER_OFF) {
		igbook_wake(pci_get_drvdata(pdev));
		pci_wake_from_d3(pdev, device_may_wakeup(&pdev->dev));
	}
	/* loom: end shutdown-wake */
	pci_disable_device(pdev);
}

static const struct pci_device_id igbook_pci_tbl[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_INTEL, 0x10c9) },	/* 82576, copper */
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
	/* loom: begin driver-reset from 08 */
	.err_handler = &igbook_error_handlers,
	/* loom: end driver-reset */
};

/*
 * Registering the driver makes the PCI core call igbook_probe() for every
 * matching device that is there already, and later for each that appears.
 */
static int __init igbook_init_module(void)
{
	int err;

#if 0	/* loom: begin init-handsend from 02 until 04 */
	igbook_handsend_init();
#endif	/* loom: end init-handsend */
	err = pci_register_driver(&igbook_driver);
#if 0	/* loom: begin init-handsend-failed from 02 until 04 */
	if (err)
		igbook_handsend_exit();
#endif	/* loom: end init-handsend-failed */
	return err;
}
module_init(igbook_init_module);

/*
 * Unregistering makes the PCI core call igbook_remove() for every device the
 * driver holds.
 */
static void __exit igbook_exit_module(void)
{
	pci_unregister_driver(&igbook_driver);
#if 0	/* loom: begin exit-handsend from 02 until 04 */
	igbook_handsend_exit();
#endif	/* loom: end exit-handsend */
}
module_exit(igbook_exit_module);

MODULE_DESCRIPTION("From Wire to Socket: the book's driver for the Intel 82576");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
