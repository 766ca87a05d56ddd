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
 * Context: any but hard interrupt; stats_lock.
 *
 * Source: 82576 datasheet, "Statistics Registers".
 */
void igbook_stats_update(struct igbook *priv)
{
	struct rtnl_link_stats64 stats;
	/* loom: begin stats-queue-index from 07 */
	unsigned int i;
	/* loom: end stats-queue-index */

	spin_lock_bh(&priv->stats_lock);
	if (priv->resetting)
		goto unlock;
	stats = priv->stats;
	stats.tx_packets += igbook_rd32(priv, REG_GPTC);
	stats.rx_packets += igbook_rd32(priv, REG_GPRC);
	stats.multicast += igbook_rd32(priv, REG_MPRC);
	stats.rx_crc_errors += igbook_rd32(priv, REG_CRCERRS);
	stats.rx_length_errors += igbook_rd32(priv, REG_RUC) +
				   igbook_rd32(priv, REG_ROC);
	stats.rx_missed_errors += igbook_rd32(priv, REG_MPC);
	/* loom: begin stats-queue-drops from 07 */
	for (i = 0; i < priv->max_queues; i++)
		stats.rx_missed_errors += igbook_rd32(priv, REG_RQDPC(i)) &
					   RQDPC_COUNT;
	/* loom: end stats-queue-drops */
	/* loom: begin stats-no-buffer from 04 */
	stats.rx_fifo_errors += igbook_rd32(priv, REG_RNBC);
	/* loom: end stats-no-buffer */
	stats.rx_errors = stats.rx_crc_errors + stats.rx_length_errors;
	/* A device that was pulled out, even just now, reads as all ones. */
	if (igbook_rd32(priv, REG_STATUS) != ~0U)
		priv->stats = stats;
unlock:
	spin_unlock_bh(&priv->stats_lock);
}
