// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: what each ring has done, for "ethtool -S".
 */
#include <linux/ethtool.h>

#include "igbook.h"

static const char * const igbook_ring_counters[] = {
	"packets", "bytes", "drops", "no_memory", "stops",
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

	if (set != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return 2 * priv->num_queues * ARRAY_SIZE(igbook_ring_counters);
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

	for (i = 0; i < 2 * priv->num_queues; i++)
		for (k = 0; k < ARRAY_SIZE(igbook_ring_counters); k++)
			ethtool_sprintf(&data, "%s%u_%s", i % 2 ? "rx" : "tx",
					i / 2, igbook_ring_counters[k]);
}

/**
 * igbook_read_counters() - read one ring's counters as of one moment
 * @stats: the ring's counters
 * @data: where they go, in the order of igbook_ring_counters
 *
 * Whoever counts does not wait for us. If it counted while we read, we read
 * again; a machine that reads 64 bits at once never has to.
 *
 * Context: any.
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
	} while (u64_stats_fetch_retry(&stats->syncp, start));
}

/**
 * igbook_get_ethtool_stats() - "ethtool -S"
 * @netdev: the network device
 * @stats: not used
 * @data: one number for each name
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
}
