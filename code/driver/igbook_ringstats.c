// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: what each ring has done, for "ethtool -S" and for the totals.
 */
#include <linux/ethtool.h>
#include <net/netdev_queues.h>

#include "igbook.h"

static const char * const igbook_ring_counters[] = {
	"packets", "bytes", "drops", "no_memory", "stops",
	/* loom: begin counters-checksum from 07 */
	"checksum_good", "checksum_bad",
	/* loom: end counters-checksum */
	/* loom: begin counters-doorbells from 08 */
	"doorbells",
	/* loom: end counters-doorbells */
};

static const char * const igbook_card_counters[] = {
	"card_tx_packets", "card_rx_packets",
	/* loom: begin counters-stamp from 09 */
	"tx_stamps_lost", "tx_stamps_skipped", "rx_stamps_unread",
	/* loom: end counters-stamp */
};

/**
 * igbook_get_sset_count() - how many counters there are
 * @netdev: the network device
 * @set: which set of names
 *
 * Context: RTNL.
 * Return: the number, or -EOPNOTSUPP for a set we do not have.
 */
int igbook_get_sset_count(struct net_device *netdev, int set)
{
	struct igbook *priv = netdev_priv(netdev);

	/* loom: begin count-tests from 10 */
	if (set == ETH_SS_TEST)
		return igbook_test_count();
	/* loom: end count-tests */
	if (set != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return 2 * priv->num_queues * ARRAY_SIZE(igbook_ring_counters) +
	       ARRAY_SIZE(igbook_card_counters);
}

/**
 * igbook_get_strings() - what the counters are called
 * @netdev: the network device
 * @set: which set of names
 * @data: ETH_GSTRING_LEN bytes for each
 *
 * Context: RTNL.
 */
void igbook_get_strings(struct net_device *netdev, u32 set, u8 *data)
{
	struct igbook *priv = netdev_priv(netdev);
	unsigned int i, k;

	/* loom: begin name-tests from 10 */
	if (set == ETH_SS_TEST) {
		igbook_test_strings(data);
		return;
	}
	/* loom: end name-tests */
	for (i = 0; i < 2 * priv->num_queues; i++)
		for (k = 0; k < ARRAY_SIZE(igbook_ring_counters); k++)
			ethtool_sprintf(&data, "%s%u_%s", i % 2 ? "rx" : "tx",
					i / 2, igbook_ring_counters[k]);
	for (k = 0; k < ARRAY_SIZE(igbook_card_counters); k++)
		ethtool_puts(&data, igbook_card_counters[k]);
}

/*
 * Whoever counts does not wait for us. A machine of 32 bits reads again if it
 * counted meanwhile. One of 64 has each number whole at once; a frame that is
 * counted meanwhile may be in some of them and not yet in others.
 */
static void igbook_read_counters(const struct igbook_ring_stats *stats,
				 u64 *data)
{
	unsigned int start;

	do {
		start = u64_stats_fetch_begin(&stats->syncp);
		data[0] = u64_stats_read(&stats->packets);
		data[1] = u64_stats_read(&stats->bytes);
		data[2] = u64_stats_read(&stats->drops);
		data[3] = u64_stats_read(&stats->no_memory);
		data[4] = u64_stats_read(&stats->stops);
		/* loom: begin counters-checksum-read from 07 */
		data[5] = u64_stats_read(&stats->checksum_good);
		data[6] = u64_stats_read(&stats->checksum_bad);
		/* loom: end counters-checksum-read */
		/* loom: begin counters-doorbells-read from 08 */
		data[7] = u64_stats_read(&stats->doorbells);
		/* loom: end counters-doorbells-read */
	} while (u64_stats_fetch_retry(&stats->syncp, start));
}

/**
 * igbook_sum_rings() - what all rings have done together
 * @priv: the device
 * @total: its packets and bytes of both directions become the sums
 *
 * Context: any.
 */
void igbook_sum_rings(struct igbook *priv, struct rtnl_link_stats64 *total)
{
	u64 tx[ARRAY_SIZE(igbook_ring_counters)];
	u64 rx[ARRAY_SIZE(igbook_ring_counters)];
	unsigned int i;

	total->tx_packets = 0;
	total->tx_bytes = 0;
	total->rx_packets = 0;
	total->rx_bytes = 0;
	for (i = 0; i < IGBOOK_MAX_QUEUES; i++) {
		igbook_read_counters(&priv->tx_ring[i].stats, tx);
		igbook_read_counters(&priv->rx_ring[i].stats, rx);
		total->tx_packets += tx[0];
		total->tx_bytes += tx[1];
		total->rx_packets += rx[0];
		total->rx_bytes += rx[1];
	}
}

/**
 * igbook_get_ethtool_stats() - "ethtool -S"
 * @netdev: the network device
 * @stats: not used
 * @data: one number for each name
 *
 * The card's own count comes last, as a witness: it has sent and received what
 * the rings say they did, but for frames still in them or dropped with them.
 *
 * Context: RTNL.
 */
void igbook_get_ethtool_stats(struct net_device *netdev,
			      struct ethtool_stats *stats, u64 *data)
{
	struct igbook *priv = netdev_priv(netdev);
	unsigned int i;

	for (i = 0; i < priv->num_queues; i++) {
		igbook_read_counters(&priv->tx_ring[i].stats, data);
		data += ARRAY_SIZE(igbook_ring_counters);
		igbook_read_counters(&priv->rx_ring[i].stats, data);
		data += ARRAY_SIZE(igbook_ring_counters);
	}
	igbook_stats_update(priv);
	spin_lock_bh(&priv->stats_lock);
	data[0] = priv->stats.tx_packets;
	data[1] = priv->stats.rx_packets;
	spin_unlock_bh(&priv->stats_lock);
	/* loom: begin counters-stamp-read from 09 */
	igbook_clock_counters(priv, data + 2);
	/* loom: end counters-stamp-read */
}

static void igbook_queue_stats_rx(struct net_device *netdev, int queue,
				  struct netdev_queue_stats_rx *stats)
{
	struct igbook *priv = netdev_priv(netdev);
	u64 data[ARRAY_SIZE(igbook_ring_counters)];

	igbook_read_counters(&priv->rx_ring[queue].stats, data);
	stats->packets = data[0];
	stats->bytes = data[1];
}

static void igbook_queue_stats_tx(struct net_device *netdev, int queue,
				  struct netdev_queue_stats_tx *stats)
{
	struct igbook *priv = netdev_priv(netdev);
	u64 data[ARRAY_SIZE(igbook_ring_counters)];

	igbook_read_counters(&priv->tx_ring[queue].stats, data);
	stats->packets = data[0];
	stats->bytes = data[1];
}

/* What queues have counted that are in use no more: the total never goes back. */
static void igbook_base_stats(struct net_device *netdev,
			      struct netdev_queue_stats_rx *rx,
			      struct netdev_queue_stats_tx *tx)
{
	struct netdev_queue_stats_rx more_rx;
	struct netdev_queue_stats_tx more_tx;
	int i;

	rx->packets = 0;
	rx->bytes = 0;
	for (i = netdev->real_num_rx_queues; i < IGBOOK_MAX_QUEUES; i++) {
		igbook_queue_stats_rx(netdev, i, &more_rx);
		rx->packets += more_rx.packets;
		rx->bytes += more_rx.bytes;
	}
	tx->packets = 0;
	tx->bytes = 0;
	for (i = netdev->real_num_tx_queues; i < IGBOOK_MAX_QUEUES; i++) {
		igbook_queue_stats_tx(netdev, i, &more_tx);
		tx->packets += more_tx.packets;
		tx->bytes += more_tx.bytes;
	}
}

const struct netdev_stat_ops igbook_stat_ops = {
	.get_queue_stats_rx = igbook_queue_stats_rx,
	.get_queue_stats_tx = igbook_queue_stats_tx,
	.get_base_stats = igbook_base_stats,
};
