// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: what a user wants of interrupt moderation.
 */
#include <linux/ethtool.h>

#include "igbook.h"

#define IGBOOK_MODERATION_MAX	8191	/* us: EITR has 13 bits */

/**
 * igbook_get_coalesce() - "ethtool -c"
 * @netdev: the network device
 * @coalesce: to be filled in
 * @kernel_coalesce: not used
 * @extack: not used
 *
 * Both are what the user has set. The core reads them before it changes one of
 * them, so the pause of the moment has no place here.
 *
 * Context: RTNL.
 * Return: 0.
 */
int igbook_get_coalesce(struct net_device *netdev,
			struct ethtool_coalesce *coalesce,
			struct kernel_ethtool_coalesce *kernel_coalesce,
			struct netlink_ext_ack *extack)
{
	struct igbook *priv = netdev_priv(netdev);

	coalesce->use_adaptive_rx_coalesce = priv->adaptive;
	coalesce->rx_coalesce_usecs = priv->rx_usecs;
	return 0;
}

/**
 * igbook_set_coalesce() - "ethtool -C"
 * @netdev: the network device
 * @coalesce: what the user wants
 * @kernel_coalesce: not used
 * @extack: why not, in words
 *
 * Every vector takes it over at the end of its next poll. A new pause that
 * would not be in force, because the traffic chooses, is refused.
 *
 * Context: RTNL.
 * Return: 0, or -EINVAL with everything as it was.
 */
int igbook_set_coalesce(struct net_device *netdev,
			struct ethtool_coalesce *coalesce,
			struct kernel_ethtool_coalesce *kernel_coalesce,
			struct netlink_ext_ack *extack)
{
	struct igbook *priv = netdev_priv(netdev);
	bool adaptive = coalesce->use_adaptive_rx_coalesce;
	u32 usecs = coalesce->rx_coalesce_usecs;

	if (usecs > IGBOOK_MODERATION_MAX) {
		NL_SET_ERR_MSG_MOD(extack, "rx-usecs is at most 8191");
		return -EINVAL;
	}
	if (adaptive && usecs != priv->rx_usecs) {
		NL_SET_ERR_MSG_MOD(extack, "rx-usecs needs adaptive-rx off");
		return -EINVAL;
	}
	WRITE_ONCE(priv->rx_usecs, usecs);
	WRITE_ONCE(priv->adaptive, adaptive);
	return 0;
}
