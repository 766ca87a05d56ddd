// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: transmit: from frames to descriptors, and back when they are out.
 */
#include <linux/bitfield.h>
#include <linux/dma-mapping.h>
#include <net/netdev_queues.h>

#include "igbook.h"

#define IGBOOK_TX_STOP		1	/* descriptors one frame may take */
#define IGBOOK_TX_WAKE		4	/* free ones worth going on for */

static int igbook_tx_map(struct igbook_ring *ring, struct sk_buff *skb)
{
	struct igbook_tx_buffer *buffer = &ring->tx_buffer[ring->next_to_use];
	dma_addr_t dma;

	dma = dma_map_single(ring->dev, skb->data, skb->len, DMA_TO_DEVICE);
	if (dma_mapping_error(ring->dev, dma))
		return -ENOMEM;
	buffer->skb = skb;
	buffer->dma = dma;
	buffer->len = skb->len;
	return 0;
}

/*
 * Writing PAYLEN also clears the DD bit of the last lap.
 *
 * 82576 datasheet, "Advanced Transmit Data Descriptor".
 */
static void igbook_tx_describe(struct igbook_ring *ring)
{
	struct igbook_tx_buffer *buffer = &ring->tx_buffer[ring->next_to_use];
	union igbook_tx_desc *desc = &ring->tx_desc[ring->next_to_use];
	u32 cmd = FIELD_PREP(TXD_DTYP, TXD_DTYP_DATA) | TXD_DCMD_DEXT |
		  TXD_DCMD_EOP | TXD_DCMD_IFCS | TXD_DCMD_RS;

	desc->read.buffer_addr = cpu_to_le64(buffer->dma);
	desc->read.cmd_type_len =
		cpu_to_le32(cmd | FIELD_PREP(TXD_DTALEN, buffer->len));
	desc->read.olinfo_status =
		cpu_to_le32(FIELD_PREP(TXD_PAYLEN, buffer->len));
}

static void igbook_tx_drop(struct igbook_ring *ring, struct sk_buff *skb,
			   bool no_memory)
{
	u64_stats_update_begin(&ring->stats.syncp);
	u64_stats_inc(&ring->stats.drops);
	if (no_memory)
		u64_stats_inc(&ring->stats.no_memory);
	u64_stats_update_end(&ring->stats.syncp);
	dev_core_stats_tx_dropped_inc(ring->netdev);
	dev_kfree_skb_any(skb);
}

/*
 * Between our look and the stop igbook_tx_clean() may free the whole ring and
 * see a queue that still runs. So one looks again after the stop, and both
 * sides have a barrier between writing their half and reading the other's.
 */
static void igbook_tx_maybe_stop(struct igbook_ring *ring)
{
	struct netdev_queue *queue =
		netdev_get_tx_queue(ring->netdev, ring->index);

	if (netif_txq_maybe_stop(queue, igbook_ring_unused(ring),
				 IGBOOK_TX_STOP, IGBOOK_TX_WAKE))
		return;
	u64_stats_update_begin(&ring->stats.syncp);
	u64_stats_inc(&ring->stats.stops);
	u64_stats_update_end(&ring->stats.syncp);
}

static void igbook_tx_count(struct igbook_ring *ring, unsigned int len)
{
	u64_stats_update_begin(&ring->stats.syncp);
	u64_stats_inc(&ring->stats.packets);
	u64_stats_add(&ring->stats.bytes, len);
	u64_stats_update_end(&ring->stats.syncp);
}

/**
 * igbook_start_xmit() - send one frame
 * @skb: the frame; ours unless NETDEV_TX_BUSY is returned
 * @netdev: the network device
 *
 * Nothing waits here. The frame goes into a descriptor, the card is told, and
 * igbook_tx_clean() frees it some time later.
 *
 * Context: bottom halves off, transmit lock of the queue held; no sleeping.
 * Return: NETDEV_TX_OK; NETDEV_TX_BUSY if the ring is full, which stopping the
 * queue in time prevents.
 *
 * Source: 82576 datasheet, "Transmit Descriptor Ring Structure".
 */
netdev_tx_t igbook_start_xmit(struct sk_buff *skb, struct net_device *netdev)
{
	struct igbook *priv = netdev_priv(netdev);
	struct igbook_ring *ring = &priv->tx_ring[skb_get_queue_mapping(skb)];

	/* loom: begin xmit-queue-gone from 07 */
	/* Some choose a queue long before they send by it. */
	if (ring->index >= priv->num_queues) {
		igbook_tx_drop(ring, skb, false);
		return NETDEV_TX_OK;
	}
	/* loom: end xmit-queue-gone */
	if (!igbook_ring_unused(ring)) {
		igbook_tx_maybe_stop(ring);
		return NETDEV_TX_BUSY;
	}
	/* The stack hands over frames as short as 14 bytes. */
	if (skb_put_padto(skb, ETH_ZLEN)) {
		igbook_tx_drop(ring, NULL, true);
		return NETDEV_TX_OK;
	}
	if (igbook_tx_map(ring, skb)) {
		igbook_tx_drop(ring, skb, true);
		return NETDEV_TX_OK;
	}
	igbook_tx_describe(ring);
	igbook_tx_count(ring, skb->len);
	/* Buffer and descriptor before the new end, for igbook_tx_clean() ... */
	smp_store_release(&ring->next_to_use,
			  igbook_ring_next(ring, ring->next_to_use));
	igbook_tx_maybe_stop(ring);
	/* ... and before the doorbell, for the card: writel() sees to it. */
	writel(ring->next_to_use, ring->tail);
	return NETDEV_TX_OK;
}

static struct sk_buff *igbook_tx_release(struct igbook_ring *ring)
{
	struct igbook_tx_buffer *buffer = &ring->tx_buffer[ring->next_to_clean];
	struct sk_buff *skb = buffer->skb;

	dma_unmap_single(ring->dev, buffer->dma, buffer->len, DMA_TO_DEVICE);
	/* Free for the next frame only when nobody looks at it any more. */
	smp_store_release(&ring->next_to_clean,
			  igbook_ring_next(ring, ring->next_to_clean));
	return skb;
}

static void igbook_tx_maybe_wake(struct igbook_ring *ring)
{
	struct netdev_queue *queue =
		netdev_get_tx_queue(ring->netdev, ring->index);

	/* next_to_clean moved before we look; see igbook_tx_maybe_stop(). */
	smp_mb();
	if (netif_tx_queue_stopped(queue) &&
	    igbook_ring_unused(ring) >= IGBOOK_TX_WAKE)
		netif_tx_wake_queue(queue);
}

/**
 * igbook_tx_clean() - take back the descriptors of frames that are out
 * @ring: the ring
 * @limit: most frames to take
 * @budget: that of a NAPI poll; 0 outside of one
 *
 * Within a poll, sk_buffs that are free go to a store of this CPU's, out of
 * which napi_alloc_skb() and its kind take; a full one gives half of it back.
 *
 * Context: bottom halves off, one CPU at a time for each ring; runs beside
 * igbook_start_xmit().
 * Return: how many were taken; fewer than @limit when there were no more.
 */
int igbook_tx_clean(struct igbook_ring *ring, int limit, int budget)
{
	/* Buffers and descriptors before it were written before it moved. */
	u16 end = smp_load_acquire(&ring->next_to_use);
	int done = 0;

	while (done < limit && ring->next_to_clean != end &&
	       igbook_tx_done(&ring->tx_desc[ring->next_to_clean])) {
		napi_consume_skb(igbook_tx_release(ring), budget);
		done++;
	}
	if (done)
		igbook_tx_maybe_wake(ring);
	return done;
}

/*
 * Consumed is what went out, freed what did not: tools that look for lost
 * frames see the difference.
 */
static void igbook_tx_empty(struct igbook_ring *ring)
{
	while (ring->next_to_clean != ring->next_to_use) {
		bool sent = igbook_tx_done(&ring->tx_desc[ring->next_to_clean]);
		struct sk_buff *skb = igbook_tx_release(ring);

		if (sent)
			dev_consume_skb_any(skb);
		else
			dev_kfree_skb_any(skb);
	}
}

/**
 * igbook_tx_ring_alloc() - allocate a transmit ring
 * @ring: the ring, without memory
 * @count: how many descriptors
 *
 * Context: RTNL; sleeps.
 * Return: 0, or -ENOMEM with nothing kept.
 */
int igbook_tx_ring_alloc(struct igbook_ring *ring, u16 count)
{
	return igbook_ring_alloc(ring, count, sizeof(*ring->tx_buffer));
}

/**
 * igbook_tx_ring_free() - free a transmit ring and the frames left in it
 * @ring: the ring, with or without memory; the card must not know it
 *
 * Context: RTNL; sleeps.
 */
void igbook_tx_ring_free(struct igbook_ring *ring)
{
	igbook_tx_empty(ring);
	igbook_ring_free(ring);
}

/**
 * igbook_tx_ring_enable() - show the card a transmit ring
 * @ring: the ring, with memory and empty
 *
 * Context: RTNL; sleeps.
 * Return: 0, or -ETIMEDOUT.
 *
 * Source: 82576 datasheet, "Transmit Initialization".
 */
int igbook_tx_ring_enable(struct igbook_ring *ring)
{
	struct igbook *priv = ring->priv;
	u16 i = ring->index;

	igbook_wr32(priv, REG_TDBAL(i), lower_32_bits(ring->dma));
	igbook_wr32(priv, REG_TDBAH(i), upper_32_bits(ring->dma));
	igbook_wr32(priv, REG_TDLEN(i), ring->count * IGBOOK_DESC_SIZE);
	igbook_wr32(priv, REG_TDH(i), 0);
	igbook_wr32(priv, REG_TDT(i), 0);
	ring->tail = priv->regs + REG_TDT(i);
	return igbook_ring_enable(ring, REG_TXDCTL(i));
}
