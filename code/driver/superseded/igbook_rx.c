// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: receive: buffers for the card, and the frames that come back in them.
 */
#include <linux/bitfield.h>
#include <linux/dma-mapping.h>

#include "igbook.h"

#define IGBOOK_BATCH		16	/* descriptors for one doorbell */
#define IGBOOK_RX_COPY		256	/* shorter frames are copied */

static int igbook_rx_buffer_alloc(struct igbook_ring *ring,
				  struct igbook_rx_buffer *buffer, gfp_t gfp)
{
	struct sk_buff *skb;
	dma_addr_t dma;

	skb = __netdev_alloc_skb_ip_align(ring->netdev, ring->buffer_size,
					  gfp);
	if (!skb)
		return -ENOMEM;
	dma = dma_map_single(ring->dev, skb->data, ring->buffer_size,
			     DMA_FROM_DEVICE);
	if (dma_mapping_error(ring->dev, dma)) {
		dev_kfree_skb_any(skb);
		return -ENOMEM;
	}
	buffer->skb = skb;
	buffer->dma = dma;
	return 0;
}

/*
 * The card does not look at it before igbook_rx_doorbell(). Writing the address
 * of a header buffer as 0 also clears the DD bit of the last lap.
 *
 * 82576 datasheet, "Advanced Receive Descriptors - Read Format".
 */
static void igbook_rx_post(struct igbook_ring *ring,
			   const struct igbook_rx_buffer *buffer)
{
	u16 i = ring->next_to_use;

	ring->rx_buffer[i] = *buffer;
	ring->rx_desc[i].read.pkt_addr = cpu_to_le64(buffer->dma);
	ring->rx_desc[i].read.hdr_addr = 0;
	ring->next_to_use = igbook_ring_next(ring, i);
}

static int igbook_rx_fill(struct igbook_ring *ring)
{
	struct igbook_rx_buffer buffer;
	int err;

	while (igbook_ring_unused(ring)) {
		err = igbook_rx_buffer_alloc(ring, &buffer, IGBOOK_RING_GFP);
		if (err)
			return err;
		igbook_rx_post(ring, &buffer);
	}
	return 0;
}

static void igbook_rx_empty(struct igbook_ring *ring)
{
	while (ring->next_to_clean != ring->next_to_use) {
		u16 i = ring->next_to_clean;

		dma_unmap_single(ring->dev, ring->rx_buffer[i].dma,
				 ring->buffer_size, DMA_FROM_DEVICE);
		dev_kfree_skb_any(ring->rx_buffer[i].skb);
		ring->next_to_clean = igbook_ring_next(ring, i);
	}
}

/*
 * One buffer takes the longest frame: header, one VLAN tag, payload and FCS.
 * Frames up to 1522 bytes are always taken. The card counts in KB.
 */
static u16 igbook_rx_buffer_size(unsigned int mtu)
{
	unsigned int frame = max_t(unsigned int, mtu, ETH_DATA_LEN) +
			     VLAN_ETH_HLEN + ETH_FCS_LEN;

	return ALIGN(frame, 1024);
}

/**
 * igbook_rx_ring_alloc() - allocate a receive ring and fill it with buffers
 * @ring: the ring, without memory
 * @count: how many descriptors
 * @mtu: the MTU whose frames it must take
 *
 * Context: RTNL; sleeps.
 * Return: 0, or -ENOMEM with nothing kept.
 */
int igbook_rx_ring_alloc(struct igbook_ring *ring, u16 count, unsigned int mtu)
{
	int err;

	err = igbook_ring_alloc(ring, count, sizeof(*ring->rx_buffer));
	if (err)
		return err;
	ring->buffer_size = igbook_rx_buffer_size(mtu);
	err = igbook_rx_fill(ring);
	if (err)
		igbook_rx_ring_free(ring);
	return err;
}

/**
 * igbook_rx_ring_free() - free a receive ring and its buffers
 * @ring: the ring, with or without memory; the card must not know it
 *
 * Context: RTNL; sleeps.
 */
void igbook_rx_ring_free(struct igbook_ring *ring)
{
	igbook_rx_empty(ring);
	igbook_ring_free(ring);
}

static void igbook_rx_doorbell(struct igbook_ring *ring)
{
	if (ring->silent)
		return;
	/*
	 * The descriptors must be in memory before the card hears of them:
	 * writel() sees to it.
	 */
	writel(ring->next_to_use, ring->tail);
}

/**
 * igbook_rx_ring_enable() - show the card a receive ring
 * @ring: the ring, filled with buffers
 *
 * The doorbell comes last: the tail of a queue that is off ignores what is
 * written to it. So it gets no zero either; the queue begins with one.
 *
 * Context: RTNL; sleeps.
 * Return: 0, or -ETIMEDOUT.
 *
 * Source: 82576 datasheet, "Receive Initialization".
 */
int igbook_rx_ring_enable(struct igbook_ring *ring)
{
	struct igbook *priv = ring->priv;
	u16 i = ring->index;
	int err;

	igbook_wr32(priv, REG_RDBAL(i), lower_32_bits(ring->dma));
	igbook_wr32(priv, REG_RDBAH(i), upper_32_bits(ring->dma));
	igbook_wr32(priv, REG_RDLEN(i), ring->count * IGBOOK_DESC_SIZE);
	igbook_wr32(priv, REG_SRRCTL(i),
		    FIELD_PREP(SRRCTL_BSIZEPACKET, ring->buffer_size / 1024) |
		    FIELD_PREP(SRRCTL_DESCTYPE, SRRCTL_DESCTYPE_ONEBUF));
	igbook_wr32(priv, REG_RDH(i), 0);
	ring->tail = priv->regs + REG_RDT(i);
	err = igbook_ring_enable(ring, REG_RXDCTL(i));
	if (err)
		return err;
	igbook_rx_doorbell(ring);
	return 0;
}

/*
 * A buffer has room for the longest frame the card is told to take, so each
 * frame ends in the buffer it begins in. If one does not, all of its pieces are
 * dropped, the last included.
 */
static bool igbook_rx_usable(struct igbook_ring *ring, u32 status)
{
	bool rest = ring->skip;

	ring->skip = !(status & RXD_STA_EOP);
	return !rest && !ring->skip && !(status & RXD_ERR_RXE);
}

/*
 * The buffer stays mapped. It is lent to the CPU for the copy and returned.
 */
static struct sk_buff *igbook_rx_copy(struct igbook_ring *ring,
				      const struct igbook_rx_buffer *buffer,
				      unsigned int len)
{
	struct sk_buff *skb;

	skb = netdev_alloc_skb_ip_align(ring->netdev, len);
	if (!skb)
		return NULL;
	dma_sync_single_for_cpu(ring->dev, buffer->dma, len, DMA_FROM_DEVICE);
	skb_put_data(skb, buffer->skb->data, len);
	dma_sync_single_for_device(ring->dev, buffer->dma, len,
				   DMA_FROM_DEVICE);
	return skb;
}

/*
 * The new buffer comes first: if there is none the frame is lost and the old
 * buffer stays, so the ring never runs dry.
 */
static struct sk_buff *igbook_rx_replace(struct igbook_ring *ring,
					 struct igbook_rx_buffer *buffer,
					 unsigned int len)
{
	struct igbook_rx_buffer filled = *buffer;

	if (igbook_rx_buffer_alloc(ring, buffer, GFP_ATOMIC))
		return NULL;
	dma_unmap_single(ring->dev, filled.dma, ring->buffer_size,
			 DMA_FROM_DEVICE);
	skb_put(filled.skb, len);
	return filled.skb;
}

/* Whatever happens, one buffer is taken out of the ring and one is posted. */
static struct sk_buff *igbook_rx_take(struct igbook_ring *ring,
				      unsigned int len)
{
	struct igbook_rx_buffer buffer = ring->rx_buffer[ring->next_to_clean];
	struct sk_buff *skb;

	if (len < IGBOOK_RX_COPY)
		skb = igbook_rx_copy(ring, &buffer, len);
	else
		skb = igbook_rx_replace(ring, &buffer, len);
	igbook_rx_post(ring, &buffer);
	ring->next_to_clean = igbook_ring_next(ring, ring->next_to_clean);
	return skb;
}

static void igbook_rx_recycle(struct igbook_ring *ring)
{
	igbook_rx_post(ring, &ring->rx_buffer[ring->next_to_clean]);
	ring->next_to_clean = igbook_ring_next(ring, ring->next_to_clean);
}

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
		dev_core_stats_rx_dropped_inc(ring->netdev);
}

/* loom: from 06 */
/**
 * igbook_deliver() - hand one received frame to the stack
 * @ring: the ring it came by
 * @skb: the frame; the stack's from now on
 *
 * GRO may keep the frame until this poll ends, and join it with others of the
 * same connection, before the stack sees it.
 *
 * Context: igbook_poll(), or bottom halves off and the instance disabled: then
 * it is the caller's, and what GRO keeps waits for the next poll.
 */
void igbook_deliver(struct igbook_ring *ring, struct sk_buff *skb)
{
	skb_record_rx_queue(skb, ring->index);
	napi_gro_receive(ring->napi, skb);
}

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

	skb->protocol = eth_type_trans(skb, ring->netdev);
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
