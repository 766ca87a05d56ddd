// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: what the network core asks of the device.
 */
#include <linux/mii.h>

#include "igbook.h"

/*
 * The reset takes the card's counters with it, so they are folded in when nothing
 * can count any more and before it. It also tells the firmware that there is no
 * driver.
 */
static void igbook_silence(struct igbook *priv)
{
	igbook_stats_update(priv);
	igbook_hw_reset(priv);
	igbook_drv_load(priv, true);
	/* loom: begin silence-rings from 04 */
	/* Not before: a card that did not stop when told to stops now. */
	igbook_rings_free(priv);
	/* loom: end silence-rings */
}

/**
 * igbook_up() - make the card ready to work
 * @priv: the device, freshly reset
 *
 * Context: RTNL; sleeps.
 * Return: 0, or a negative errno with nothing left running.
 */
int igbook_up(struct igbook *priv)
{
	struct net_device *netdev = priv->netdev;
	int err;

	igbook_set_rar(priv, 0, netdev->dev_addr);
	netif_addr_lock_bh(netdev);
	igbook_set_frame_size(priv);
	igbook_set_rx_mode(netdev);
	netif_addr_unlock_bh(netdev);
	/* loom: begin up-offload from 07 */
	igbook_offload_write(priv);
	igbook_rss_write(priv);
	/* loom: end up-offload */
	/* loom: begin up-spread from 08 */
	igbook_tx_spread(priv);
	/* loom: end up-spread */

	/* loom: begin up-dca from 03 */
	igbook_dca_restore(priv);
	/* loom: end up-dca */
#if 0	/* loom: begin up-dma from 02 until 04 */
	err = igbook_dma_start(priv);
	if (err)
		goto err_stop;
#endif	/* loom: end up-dma */
	/* loom: begin up-irq from 05 */
	err = igbook_irq_start(priv);
	if (err)
		goto err_stop;
	/* loom: end up-irq */
	/* loom: begin up-rings from 04 */
	err = igbook_rings_alloc(priv);
	if (err)
		goto err_stop;
	err = igbook_rings_enable(priv);
	if (err)
		goto err_stop;
	err = igbook_service_start(priv);
	if (err)
		goto err_stop;
	/* loom: end up-rings */
	err = igbook_link_start(priv);
	if (err)
		goto err_stop;
	return 0;

err_stop:
#if 0	/* loom: begin up-dma-unwind from 02 until 04 */
	igbook_dma_stop(priv);
#endif	/* loom: end up-dma-unwind */
	/* loom: begin up-rings-unwind from 04 */
	igbook_service_stop(priv);
	igbook_rings_disable(priv);
	/* loom: end up-rings-unwind */
	/* loom: begin up-irq-unwind from 05 */
	igbook_irq_stop(priv);
	/* loom: end up-irq-unwind */
	igbook_silence(priv);
	return err;
}

/**
 * igbook_down() - leave the card silent and in its reset state
 * @priv: the device
 *
 * Context: RTNL; sleeps.
 */
void igbook_down(struct igbook *priv)
{
	igbook_link_stop(priv);
#if 0	/* loom: begin down-dma from 02 until 04 */
	igbook_dma_stop(priv);
#endif	/* loom: end down-dma */
	/* loom: begin down-rings from 04 */
	igbook_service_stop(priv);
	netif_tx_disable(priv->netdev);
	igbook_rings_disable(priv);
	/* loom: end down-rings */
	/* loom: begin down-irq from 05 */
	igbook_irq_stop(priv);
	/* loom: end down-irq */
	igbook_silence(priv);
}

/* loom: from 04 */
/**
 * igbook_attach() - let everybody come again
 * @netdev: the network device, detached
 *
 * The core has kept quiet about groups that programs joined meanwhile.
 *
 * Context: RTNL, the address lock not held; it is taken.
 */
void igbook_attach(struct net_device *netdev)
{
	netif_device_attach(netdev);
	if (!netif_running(netdev))
		return;
	netif_addr_lock_bh(netdev);
	igbook_set_rx_mode(netdev);
	netif_addr_unlock_bh(netdev);
}

/* loom: from 04 */
/**
 * igbook_restart() - reset a card that does not do as it is told
 * @priv: the device, up; its service may have been stopped
 *
 * Context: RTNL; sleeps.
 */
void igbook_restart(struct igbook *priv)
{
	struct net_device *netdev = priv->netdev;

	netif_device_detach(netdev);
	igbook_down(priv);
	if (igbook_up(priv)) {
		netdev_err(netdev, "the card does not come back: set it up again\n");
		dev_close(netdev);
	}
	igbook_attach(netdev);
}

static int igbook_open(struct net_device *netdev)
{
	struct igbook *priv = netdev_priv(netdev);
	int err;

	err = igbook_up(priv);
	if (err)
		return err;
#if 0	/* loom: begin open-start until 07 */
	netif_start_queue(netdev);
#endif	/* loom: end open-start */
	/* loom: begin open-start-07 from 07 */
	netif_tx_start_all_queues(netdev);
	/* loom: end open-start-07 */
	return 0;
}

/* No ndo_start_xmit runs when this is called. */
static int igbook_stop(struct net_device *netdev)
{
#if 0	/* loom: begin stop-stop until 07 */
	netif_stop_queue(netdev);
#endif	/* loom: end stop-stop */
	/* loom: begin stop-stop-07 from 07 */
	netif_tx_stop_all_queues(netdev);
	/* loom: end stop-stop-07 */
	/* loom: begin stop-detached from 08 */
	/* Who detaches has taken it down; the function may be in its reset. */
	if (!netif_device_present(netdev))
		return 0;
	/* loom: end stop-detached */
	igbook_down(netdev_priv(netdev));
	return 0;
}

/* The NVM keeps the old one: it is back when the driver is next loaded. */
static int igbook_set_mac_address(struct net_device *netdev, void *p)
{
	int err;

	err = eth_prepare_mac_addr_change(netdev, p);
	if (err)
		return err;
	eth_commit_mac_addr_change(netdev, p);
	igbook_set_rar(netdev_priv(netdev), 0, netdev->dev_addr);
	return 0;
}

/*
 * RCTL is also changed by igbook_set_rx_mode(), which runs without RTNL when a
 * program joins an IPv6 group: the address lock keeps the two apart.
 */
static int igbook_change_mtu(struct net_device *netdev, int mtu)
{
#if 0	/* loom: begin change-mtu-running from 04 until 07 */
	struct igbook *priv = netdev_priv(netdev);

	if (netif_running(netdev))
		return igbook_rings_change(priv, priv->tx_count,
					   priv->rx_count, mtu);

#endif	/* loom: end change-mtu-running */
	/* loom: begin change-mtu-shape from 07 */
	struct igbook_shape to = igbook_rings_shape(netdev_priv(netdev));

	if (netif_running(netdev)) {
		to.mtu = mtu;
		return igbook_rings_change(netdev_priv(netdev), &to);
	}

	/* loom: end change-mtu-shape */
	WRITE_ONCE(netdev->mtu, mtu);
	netif_addr_lock_bh(netdev);
	igbook_set_frame_size(netdev_priv(netdev));
	netif_addr_unlock_bh(netdev);
	return 0;
}

/*
 * SIOCGMIIPHY asks for the PHY's address and reads a register as well. For all
 * three the core wants a privileged caller. Of other ioctls the request has
 * another meaning, so nothing in it is looked at before @cmd.
 */
static int igbook_eth_ioctl(struct net_device *netdev, struct ifreq *ifr,
			    int cmd)
{
	struct igbook *priv = netdev_priv(netdev);
	struct mii_ioctl_data *mii = if_mii(ifr);

	switch (cmd) {
	case SIOCGMIIPHY:
		mii->phy_id = IGBOOK_PHY_ADDR;
		fallthrough;
	case SIOCGMIIREG:
		if (mii->phy_id != IGBOOK_PHY_ADDR)
			return -EIO;
		return igbook_phy_read(priv, mii->reg_num & 0x1f,
				       &mii->val_out);
	case SIOCSMIIREG:
		if (mii->phy_id != IGBOOK_PHY_ADDR)
			return -EIO;
		return igbook_phy_write(priv, mii->reg_num & 0x1f,
					mii->val_in);
	default:
		return -EOPNOTSUPP;
	}
}

/*
 * What the driver itself drops is counted in the core's per-CPU statistics,
 * which the core adds to these.
 */
static void igbook_get_stats64(struct net_device *netdev,
			       struct rtnl_link_stats64 *total)
{
	struct igbook *priv = netdev_priv(netdev);

	if (netif_device_present(netdev))
		igbook_stats_update(priv);

	spin_lock_bh(&priv->stats_lock);
	*total = priv->stats;
	spin_unlock_bh(&priv->stats_lock);
	/* loom: begin stats-rings from 04 */
	igbook_sum_rings(priv, total);
	/* loom: end stats-rings */
}

const struct net_device_ops igbook_netdev_ops = {
	.ndo_open = igbook_open,
	.ndo_stop = igbook_stop,
	.ndo_start_xmit = igbook_start_xmit,
	.ndo_get_stats64 = igbook_get_stats64,
	.ndo_set_rx_mode = igbook_set_rx_mode,
	.ndo_set_mac_address = igbook_set_mac_address,
	.ndo_validate_addr = eth_validate_addr,
	.ndo_change_mtu = igbook_change_mtu,
	.ndo_eth_ioctl = igbook_eth_ioctl,
	/* loom: begin ndo-offload from 07 */
	.ndo_set_features = igbook_set_features,
	.ndo_vlan_rx_add_vid = igbook_vlan_add,
	.ndo_vlan_rx_kill_vid = igbook_vlan_kill,
	/* loom: end ndo-offload */
	/* loom: begin ndo-transmit from 08 */
	.ndo_features_check = igbook_features_check,
	.ndo_tx_timeout = igbook_tx_timeout,
	/* loom: end ndo-transmit */
	/* loom: begin ndo-stamp from 09 */
	.ndo_hwtstamp_get = igbook_hwtstamp_get,
	.ndo_hwtstamp_set = igbook_hwtstamp_set,
	/* loom: end ndo-stamp */
};
