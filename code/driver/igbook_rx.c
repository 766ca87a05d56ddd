// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: receive: from descriptors the card is done with to frames.
 */
#include "igbook.h"

/**
 * igbook_rx_usable() - is what the card wrote one whole frame?
 * @ring: the ring
 * @status: status_error of the descriptor
 *
 * A buffer has room for the longest frame the card is told to take, so each
 * frame ends in the buffer it begins in. If one does not, all of its pieces
 * are dropped, the last included.
 *
 * Return: whether to use it.
 */
static bool igbook_rx_usable(struct igbook_ring *ring, u32 status)
{
	bool rest = ring->skip;

	ring->skip = !(status & RXD_STA_EOP);
	return !rest && !ring->skip && !(status & RXD_ERR_RXE);
}

/**
 * igbook_rx_count() - count one descriptor taken back
 * @ring: the ring
 * @skb: its frame, or NULL
 * @usable: whether there was a frame to be had
 *
 * Context: bottom halves off, one CPU at a time for each ring.
 */
static void igbook_rx_count(struct igbook_ring *ring, struct sk_buff *skb,
			    bool usable)
{
	struct igbook_ring_stats *stats = &ring->stats;

	u64_stats_update_begin(&stats->syncp);
	if (skb) {
		u64_stats_inc(&stats->packets);
		u64_stats_add(&stats->bytes, skb->len);
	} else {
		u64_stats_inc(&stats->drops);
		if (usable)
			u64_stats_inc(&stats->no_memory);
	}
	u64_stats_update_end(&stats->syncp);
	if (!skb)
		dev_core_stats_rx_dropped_inc(ring->priv->netdev);
}

/**
 * igbook_rx_one() - take back one descriptor and deliver its frame
 * @ring: the ring
 * @desc: the descriptor at next_to_clean, done
 * @status: its status_error
 *
 * Context: bottom halves off, one CPU at a time for each ring.
 */
static void igbook_rx_one(struct igbook_ring *ring,
			  const union igbook_rx_desc *desc, u32 status)
{
	bool usable = igbook_rx_usable(ring, status);
	struct sk_buff *skb = NULL;

	if (usable)
		skb = igbook_rx_take(ring, le16_to_cpu(desc->wb.length));
	else
		igbook_rx_recycle(ring);
	igbook_rx_count(ring, skb, usable);
	if (!skb)
		return;

	skb->protocol = eth_type_trans(skb, ring->priv->netdev);
	igbook_deliver(ring, skb);
}

/**
 * igbook_rx_clean() - take what the card has received
 * @ring: the ring
 * @budget: most descriptors to take
 *
 * Context: bottom halves off, one CPU at a time for each ring.
 * Return: how many were taken; fewer than @budget when there were no more.
 *
 * Source: 82576 datasheet, "Receive Descriptor Ring Structure".
 */
int igbook_rx_clean(struct igbook_ring *ring, int budget)
{
	int done = 0;

	while (done < budget) {
		union igbook_rx_desc *desc = &ring->rx_desc[ring->next_to_clean];
		u32 status = le32_to_cpu(READ_ONCE(desc->wb.status_error));

		if (!(status & RXD_STA_DD))
			break;
		/* DD was seen: length and frame are read after it. */
		dma_rmb();
		igbook_rx_one(ring, desc, status);
		if (++done % IGBOOK_BATCH == 0)
			igbook_rx_doorbell(ring);
	}
	if (done % IGBOOK_BATCH)
		igbook_rx_doorbell(ring);
	return done;
}
