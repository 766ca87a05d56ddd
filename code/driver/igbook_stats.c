// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: what the card counts, as totals and in the groups of the standards.
 */
#include <linux/ethtool.h>

#include "igbook.h"

/* Where each counter lies. They have 32 bits and clear when read. */
static const u16 igbook_card_regs[CARD_COUNTERS] = {
	[CARD_CRC_ERRORS] = REG_CRCERRS,
	[CARD_ALIGNMENT_ERRORS] = REG_ALGNERRC,
	[CARD_SYMBOL_ERRORS] = REG_SYMERRS,
	[CARD_RX_ERRORS] = REG_RXERRC,
	[CARD_MISSED] = REG_MPC,
	[CARD_ONE_COLLISION] = REG_SCC,
	[CARD_TOO_MANY_COLLISIONS] = REG_ECOL,
	[CARD_MORE_COLLISIONS] = REG_MCC,
	[CARD_LATE_COLLISIONS] = REG_LATECOL,
	[CARD_COLLISIONS] = REG_COLC,
	[CARD_DEFERRED] = REG_DC,
	[CARD_LENGTH_ERRORS] = REG_RLEC,
	[CARD_RX_XON] = REG_XONRXC,
	[CARD_TX_XON] = REG_XONTXC,
	[CARD_RX_XOFF] = REG_XOFFRXC,
	[CARD_TX_XOFF] = REG_XOFFTXC,
	[CARD_RX_CONTROL_UNKNOWN] = REG_FCRUC,
	[CARD_RX_PACKETS] = REG_GPRC,
	[CARD_RX_BROADCAST] = REG_BPRC,
	[CARD_RX_MULTICAST] = REG_MPRC,
	[CARD_TX_PACKETS] = REG_GPTC,
	[CARD_TX_BROADCAST] = REG_BPTC,
	[CARD_TX_MULTICAST] = REG_MPTC,
	[CARD_NO_BUFFER] = REG_RNBC,
	[CARD_UNDERSIZE] = REG_RUC,
	[CARD_FRAGMENTS] = REG_RFC,
	[CARD_OVERSIZE] = REG_ROC,
	[CARD_JABBERS] = REG_RJC,
	[CARD_RX_LENGTH + 0] = REG_PRC(0),
	[CARD_RX_LENGTH + 1] = REG_PRC(1),
	[CARD_RX_LENGTH + 2] = REG_PRC(2),
	[CARD_RX_LENGTH + 3] = REG_PRC(3),
	[CARD_RX_LENGTH + 4] = REG_PRC(4),
	[CARD_RX_LENGTH + 5] = REG_PRC(5),
	[CARD_TX_LENGTH + 0] = REG_PTC(0),
	[CARD_TX_LENGTH + 1] = REG_PTC(1),
	[CARD_TX_LENGTH + 2] = REG_PTC(2),
	[CARD_TX_LENGTH + 3] = REG_PTC(3),
	[CARD_TX_LENGTH + 4] = REG_PTC(4),
	[CARD_TX_LENGTH + 5] = REG_PTC(5),
};

/* Bytes of a frame with its FCS; the last class has no end on the card. */
static const struct ethtool_rmon_hist_range igbook_rmon_ranges[] = {
	{ 64, 64 }, { 65, 127 }, { 128, 255 }, { 256, 511 }, { 512, 1023 },
	{ 1024, IGBOOK_MAX_MTU + VLAN_ETH_HLEN + ETH_FCS_LEN },
	{ }
};

/* What "ip -s" shows of errors, out of what the card has counted. */
static void igbook_stats_totals(struct igbook *priv)
{
	struct rtnl_link_stats64 *stats = &priv->stats;
	const u64 *card = priv->card;

	stats->tx_packets = card[CARD_TX_PACKETS];
	stats->rx_packets = card[CARD_RX_PACKETS];
	stats->multicast = card[CARD_RX_MULTICAST];
	stats->collisions = card[CARD_COLLISIONS];
	stats->rx_crc_errors = card[CARD_CRC_ERRORS];
	stats->rx_frame_errors = card[CARD_ALIGNMENT_ERRORS];
	stats->rx_length_errors = card[CARD_UNDERSIZE] + card[CARD_OVERSIZE];
	stats->rx_fifo_errors = card[CARD_NO_BUFFER];
	stats->rx_missed_errors = card[CARD_MISSED] + card[CARD_QUEUE_DROPS];
	stats->rx_errors = stats->rx_crc_errors + stats->rx_frame_errors +
			   stats->rx_length_errors + card[CARD_RX_ERRORS];
	stats->tx_aborted_errors = card[CARD_TOO_MANY_COLLISIONS];
	stats->tx_window_errors = card[CARD_LATE_COLLISIONS];
	stats->tx_errors = stats->tx_aborted_errors + stats->tx_window_errors;
}

/**
 * igbook_stats_update() - add what the card counted to our totals
 * @priv: the device
 *
 * Reading and adding are one step under the lock, or two readers would each
 * miss what the other saw. The card's octets take two reads, and a frame that
 * comes between them would be lost: the driver counts those itself.
 *
 * Context: any but hard interrupt; stats_lock.
 *
 * Source: 82576 datasheet, "Statistics Registers".
 */
void igbook_stats_update(struct igbook *priv)
{
	u32 more[CARD_COUNTERS] = {};
	unsigned int i;

	spin_lock_bh(&priv->stats_lock);
	if (priv->resetting)
		goto unlock;
	for (i = 0; i < CARD_COUNTERS; i++)
		if (igbook_card_regs[i])
			more[i] = igbook_rd32(priv, igbook_card_regs[i]);
	for (i = 0; i < priv->max_queues; i++)
		more[CARD_QUEUE_DROPS] +=
			igbook_rd32(priv, REG_RQDPC(i)) & RQDPC_COUNT;
	/* A device that was pulled out, even just now, reads as all ones. */
	if (igbook_is_gone(priv))
		goto unlock;
	for (i = 0; i < CARD_COUNTERS; i++)
		priv->card[i] += more[i];
	igbook_stats_totals(priv);
unlock:
	spin_unlock_bh(&priv->stats_lock);
}

/* What the groups below are made from: all of it at one moment. */
static void igbook_stats_take(struct net_device *netdev, u64 *card)
{
	struct igbook *priv = netdev_priv(netdev);

	igbook_stats_update(priv);
	spin_lock_bh(&priv->stats_lock);
	memcpy(card, priv->card, sizeof(priv->card));
	spin_unlock_bh(&priv->stats_lock);
}

/**
 * igbook_get_eth_mac_stats() - "ethtool -S eth0 --groups eth-mac"
 * @netdev: the network device
 * @stats: to be filled in
 *
 * The standard's octets are those between header and FCS.
 *
 * Context: RTNL.
 *
 * Source: IEEE 802.3, clause 30.3.1.1.
 */
void igbook_get_eth_mac_stats(struct net_device *netdev,
			      struct ethtool_eth_mac_stats *stats)
{
	struct rtnl_link_stats64 rings;
	u64 card[CARD_COUNTERS];

	igbook_stats_take(netdev, card);
	igbook_sum_rings(netdev_priv(netdev), &rings);
	stats->FramesTransmittedOK = card[CARD_TX_PACKETS];
	stats->SingleCollisionFrames = card[CARD_ONE_COLLISION];
	stats->MultipleCollisionFrames = card[CARD_MORE_COLLISIONS];
	stats->FramesReceivedOK = card[CARD_RX_PACKETS];
	stats->FrameCheckSequenceErrors = card[CARD_CRC_ERRORS];
	stats->AlignmentErrors = card[CARD_ALIGNMENT_ERRORS];
	stats->OctetsTransmittedOK = rings.tx_bytes -
				     ETH_HLEN * rings.tx_packets;
	stats->FramesWithDeferredXmissions = card[CARD_DEFERRED];
	stats->LateCollisions = card[CARD_LATE_COLLISIONS];
	stats->FramesAbortedDueToXSColls = card[CARD_TOO_MANY_COLLISIONS];
	stats->OctetsReceivedOK = rings.rx_bytes - ETH_HLEN * rings.rx_packets;
	stats->MulticastFramesXmittedOK = card[CARD_TX_MULTICAST];
	stats->BroadcastFramesXmittedOK = card[CARD_TX_BROADCAST];
	stats->MulticastFramesReceivedOK = card[CARD_RX_MULTICAST];
	stats->BroadcastFramesReceivedOK = card[CARD_RX_BROADCAST];
	stats->InRangeLengthErrors = card[CARD_LENGTH_ERRORS];
	stats->FrameTooLongErrors = card[CARD_OVERSIZE];
}

/**
 * igbook_get_eth_phy_stats() - "ethtool -S eth0 --groups eth-phy"
 * @netdev: the network device
 * @stats: to be filled in
 *
 * Context: RTNL.
 */
void igbook_get_eth_phy_stats(struct net_device *netdev,
			      struct ethtool_eth_phy_stats *stats)
{
	u64 card[CARD_COUNTERS];

	igbook_stats_take(netdev, card);
	stats->SymbolErrorDuringCarrier = card[CARD_SYMBOL_ERRORS];
}

/**
 * igbook_get_eth_ctrl_stats() - "ethtool -S eth0 --groups eth-ctrl"
 * @netdev: the network device
 * @stats: to be filled in
 *
 * The only frames of MAC control that the card knows are those that pause.
 *
 * Context: RTNL.
 */
void igbook_get_eth_ctrl_stats(struct net_device *netdev,
			       struct ethtool_eth_ctrl_stats *stats)
{
	u64 card[CARD_COUNTERS];

	igbook_stats_take(netdev, card);
	stats->MACControlFramesTransmitted = card[CARD_TX_XON] +
					     card[CARD_TX_XOFF];
	stats->MACControlFramesReceived = card[CARD_RX_XON] +
					  card[CARD_RX_XOFF] +
					  card[CARD_RX_CONTROL_UNKNOWN];
	stats->UnsupportedOpcodesReceived = card[CARD_RX_CONTROL_UNKNOWN];
}

/**
 * igbook_get_pause_stats() - "ethtool -I -a"
 * @netdev: the network device
 * @stats: to be filled in
 *
 * Context: RTNL.
 */
void igbook_get_pause_stats(struct net_device *netdev,
			    struct ethtool_pause_stats *stats)
{
	u64 card[CARD_COUNTERS];

	igbook_stats_take(netdev, card);
	stats->tx_pause_frames = card[CARD_TX_XON] + card[CARD_TX_XOFF];
	stats->rx_pause_frames = card[CARD_RX_XON] + card[CARD_RX_XOFF];
}

/**
 * igbook_get_rmon_stats() - "ethtool -S eth0 --groups rmon"
 * @netdev: the network device
 * @stats: to be filled in
 * @ranges: the lengths that frames are sorted by
 *
 * Context: RTNL.
 *
 * Source: RFC 2819, etherStatsTable.
 */
void igbook_get_rmon_stats(struct net_device *netdev,
			   struct ethtool_rmon_stats *stats,
			   const struct ethtool_rmon_hist_range **ranges)
{
	u64 card[CARD_COUNTERS];
	unsigned int i;

	igbook_stats_take(netdev, card);
	stats->undersize_pkts = card[CARD_UNDERSIZE];
	stats->oversize_pkts = card[CARD_OVERSIZE];
	stats->fragments = card[CARD_FRAGMENTS];
	stats->jabbers = card[CARD_JABBERS];
	for (i = 0; i < LENGTH_CLASSES; i++) {
		stats->hist[i] = card[CARD_RX_LENGTH + i];
		stats->hist_tx[i] = card[CARD_TX_LENGTH + i];
	}
	*ranges = igbook_rmon_ranges;
}
