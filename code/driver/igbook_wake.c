// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: what may wake the system. The card goes on receiving while all else
 * sleeps, and when a frame fits it asks for power by PCI's PME.
 */
#include <linux/ethtool.h>
#include <linux/pm_wakeup.h>

#include "igbook.h"

/* ethtool's letter for it, and the card's bit. */
static const struct {
	u32 wol;
	u32 wufc;
} igbook_wakers[] = {
	{ WAKE_PHY, WUFC_LNKC },
	{ WAKE_UCAST, WUFC_EX },
	{ WAKE_MCAST, WUFC_MC },
	{ WAKE_BCAST, WUFC_BC },
	{ WAKE_MAGIC, WUFC_MAG },
};

/**
 * igbook_get_wol() - "ethtool eth0", its line "Wake-on"
 * @netdev: the network device
 * @wol: what can wake and what may, to be filled in
 *
 * This is the card's half. Whether the machine listens while it sleeps is up to
 * the slot and shown by power/wakeup in sysfs.
 *
 * Context: RTNL.
 */
void igbook_get_wol(struct net_device *netdev, struct ethtool_wolinfo *wol)
{
	struct igbook *priv = netdev_priv(netdev);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(igbook_wakers); i++)
		wol->supported |= igbook_wakers[i].wol;
	wol->wolopts = priv->wol;
}

/**
 * igbook_set_wol() - "ethtool -s eth0 wol ..."
 * @netdev: the network device
 * @wol: what may wake; the core has checked that the card has it
 *
 * Context: RTNL.
 * Return: 0.
 */
int igbook_set_wol(struct net_device *netdev, struct ethtool_wolinfo *wol)
{
	struct igbook *priv = netdev_priv(netdev);

	priv->wol = wol->wolopts;
	/* It fails where the device has no PME, and so no power/wakeup. */
	device_set_wakeup_enable(&priv->pdev->dev, priv->wol);
	return 0;
}

/**
 * igbook_wake_arm() - listen while the system sleeps
 * @priv: the device, down
 *
 * After its reset the card takes no frames. Its filters are set as they were
 * when it worked, but nothing of what it takes leads to memory: no ring is known.
 *
 * Context: RTNL; sleeps.
 *
 * Source: 82576 datasheet, "Wake Up Control Register" and "Wake Up Filter
 * Control Register".
 */
void igbook_wake_arm(struct igbook *priv)
{
	struct net_device *netdev = priv->netdev;
	u32 wufc = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(igbook_wakers); i++)
		if (priv->wol & igbook_wakers[i].wol)
			wufc |= igbook_wakers[i].wufc;
	if (!wufc)
		return;

	igbook_set_rar(priv, 0, netdev->dev_addr);
	netif_addr_lock_bh(netdev);
	igbook_filters_write(netdev);
	igbook_wr32(priv, REG_RCTL, igbook_rd32(priv, REG_RCTL) | RCTL_RXEN |
				    (priv->wol & WAKE_MCAST ? RCTL_MPE : 0));
	netif_addr_unlock_bh(netdev);
	if (igbook_linkset_write(priv))
		netdev_warn(netdev, "no link to be woken by\n");
	igbook_wr32(priv, REG_WUS, ~0U);
	igbook_wr32(priv, REG_WUC, WUC_PME_EN | WUC_PME_STATUS);
	igbook_wr32(priv, REG_WUFC, wufc);
}

/**
 * igbook_wake_end() - awake: listen no more
 * @priv: the device
 *
 * A reset does not reach these registers where they have power of their own.
 *
 * Context: RTNL.
 */
void igbook_wake_end(struct igbook *priv)
{
	u32 wus = igbook_rd32(priv, REG_WUS);

	if (wus)
		netdev_dbg(priv->netdev, "woken by WUS %#x\n", wus);
	igbook_wr32(priv, REG_WUFC, 0);
	igbook_wr32(priv, REG_WUC, WUC_PME_STATUS);
	igbook_wr32(priv, REG_WUS, ~0U);
}
