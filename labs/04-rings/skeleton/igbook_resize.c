// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 4: other rings while the interface is up: "ethtool -G", and the
 * MTU.
 */
#include <linux/ethtool.h>

#include "igbook.h"

/**
 * igbook_rings_change() - change the rings' sizes or the MTU, interface up
 * @priv: the device
 * @tx_count: descriptors in each transmit ring
 * @rx_count: descriptors in each receive ring
 * @mtu: the MTU
 *
 * Context: RTNL; sleeps.
 * Return: 0, or a negative errno with the old rings at work.
 */
int igbook_rings_change(struct igbook *priv, u16 tx_count, u16 rx_count,
			unsigned int mtu)
{
	/*
	 * TODO 6 to 8: begin with the book's igbook_resize.c. Then leave the
	 * direction alone that does not change (6), let no frame go that was
	 * received (7), and carry frames over that wait to be sent (8).
	 */
	return -EOPNOTSUPP;
}

/**
 * igbook_get_ringparam() - "ethtool -g"
 * @netdev: the network device
 * @param: sizes to fill in
 * @kernel_param: not used
 * @extack: not used
 *
 * Context: RTNL.
 */
void igbook_get_ringparam(struct net_device *netdev,
			  struct ethtool_ringparam *param,
			  struct kernel_ethtool_ringparam *kernel_param,
			  struct netlink_ext_ack *extack)
{
	struct igbook *priv = netdev_priv(netdev);

	/* TODO 5: the largest ring is one of @ring_most@ descriptors. */
	param->tx_max_pending = IGBOOK_MAX_DESC;
	param->rx_max_pending = IGBOOK_MAX_DESC;
	param->tx_pending = priv->tx_count;
	param->rx_pending = priv->rx_count;
}

/**
 * igbook_set_ringparam() - "ethtool -G"
 * @netdev: the network device
 * @param: sizes; the core has checked them against the maximum
 * @kernel_param: not used
 * @extack: why not, in words
 *
 * Context: RTNL; sleeps.
 * Return: 0, or a negative errno with the old sizes in force.
 */
int igbook_set_ringparam(struct net_device *netdev,
			 struct ethtool_ringparam *param,
			 struct kernel_ethtool_ringparam *kernel_param,
			 struct netlink_ext_ack *extack)
{
	struct igbook *priv = netdev_priv(netdev);

	/*
	 * TODO 5: at least @ring_least@ descriptors, and a multiple of @ring_step@. Any
	 * other size is refused with -EINVAL and a reason, never rounded.
	 */
	if (netif_running(netdev))
		return igbook_rings_change(priv, param->tx_pending,
					   param->rx_pending, netdev->mtu);
	priv->tx_count = param->tx_pending;
	priv->rx_count = param->rx_pending;
	return 0;
}
