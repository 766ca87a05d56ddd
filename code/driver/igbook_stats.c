// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: the totals, counted by the card or by the driver.
 */
#include "igbook.h"

/**
 * igbook_stats_update() - add what the card counted to our totals
 * @priv: the device
 *
 * The counters are 32 bits wide and clear when read. Reading and adding are
 * one step under the lock, or two readers would each miss what the other saw.
 * Its octets take two reads, and a frame that comes between them would be
 * lost: the driver counts those itself.
 *
 * Context: any; stats_lock.
 *
 * Source: 82576 datasheet, "Statistics Registers".
 */
void igbook_stats_update(struct igbook *priv)
{
	struct rtnl_link_stats64 *stats = &priv->stats;

	/* A device that was pulled out reads as all ones. */
	if (igbook_rd32(priv, REG_STATUS) == ~0U)
		return;

	spin_lock_bh(&priv->stats_lock);
	stats->tx_packets += igbook_rd32(priv, REG_GPTC);
	stats->rx_packets += igbook_rd32(priv, REG_GPRC);
	stats->multicast += igbook_rd32(priv, REG_MPRC);
	stats->rx_crc_errors += igbook_rd32(priv, REG_CRCERRS);
	stats->rx_length_errors += igbook_rd32(priv, REG_RUC) +
				   igbook_rd32(priv, REG_ROC);
	stats->rx_missed_errors += igbook_rd32(priv, REG_MPC);
	/* loom: begin stats-no-buffer from 04 */
	stats->rx_fifo_errors += igbook_rd32(priv, REG_RNBC);
	/* loom: end stats-no-buffer */
	stats->rx_errors = stats->rx_crc_errors + stats->rx_length_errors;
	spin_unlock_bh(&priv->stats_lock);
}

/**
 * igbook_get_stats64() - the totals, for "ip -s link" and /proc/net/dev
 * @netdev: the network device
 * @total: where they go
 *
 * What the driver itself drops is counted in the core's per-CPU statistics,
 * which the core adds to these.
 *
 * Context: RTNL or RCU: no sleeping. The registers are left alone while the
 * device is suspended, for then they do not answer.
 */
void igbook_get_stats64(struct net_device *netdev,
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
