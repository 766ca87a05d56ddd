// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: transmit, while there is no ring to transmit through.
 */
#include "igbook.h"

/**
 * igbook_start_xmit() - take a frame and drop it
 * @skb: the frame; ours from now on
 * @netdev: the network device
 *
 * NETDEV_TX_OK says that the frame was taken, not that it was sent: whoever
 * takes a frame must free it. NETDEV_TX_BUSY would be the wrong answer, the
 * core would try the same frame again for ever. The drop is counted, so
 * "ip -s link" tells the truth.
 *
 * Context: bottom halves off, transmit lock of the queue held; no sleeping.
 * Return: NETDEV_TX_OK.
 */
netdev_tx_t igbook_start_xmit(struct sk_buff *skb, struct net_device *netdev)
{
	dev_core_stats_tx_dropped_inc(netdev);
	dev_kfree_skb_any(skb);
	return NETDEV_TX_OK;
}
