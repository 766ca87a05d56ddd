// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: receive buffers: allocated, mapped, posted, and used again.
 */
#include <linux/dma-mapping.h>

#include "igbook.h"

/**
 * igbook_rx_buffer_alloc() - allocate one buffer and map it for the card
 * @ring: the ring it is for
 * @buffer: where to note it; unchanged when this fails
 * @gfp: how hard to try
 *
 * Context: any that @gfp allows.
 * Return: 0, or -ENOMEM.
 */
static int igbook_rx_buffer_alloc(struct igbook_ring *ring,
				  struct igbook_rx_buffer *buffer, gfp_t gfp)
{
	struct device *dev = &ring->priv->pdev->dev;
	struct sk_buff *skb;
	dma_addr_t dma;

	skb = __netdev_alloc_skb_ip_align(ring->priv->netdev,
					  ring->buffer_size, gfp);
	if (!skb)
		return -ENOMEM;
	dma = dma_map_single(dev, skb->data, ring->buffer_size,
			     DMA_FROM_DEVICE);
	if (dma_mapping_error(dev, dma)) {
		dev_kfree_skb_any(skb);
		return -ENOMEM;
	}
	buffer->skb = skb;
	buffer->dma = dma;
	return 0;
}

/**
 * igbook_rx_post() - put a buffer into the next free descriptor
 * @ring: the ring
 * @buffer: the buffer, mapped
 *
 * The card does not look at it before igbook_rx_doorbell(). Writing the
 * address of a header buffer as 0 also clears the DD bit of the last lap.
 *
 * Context: one CPU at a time for each ring.
 *
 * Source: 82576 datasheet, "Advanced Receive Descriptors - Read Format".
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

/**
 * igbook_rx_doorbell() - tell the card how far the posted buffers reach
 * @ring: the ring
 *
 * Context: one CPU at a time for each ring.
 */
void igbook_rx_doorbell(struct igbook_ring *ring)
{
	if (ring->silent)
		return;
	/*
	 * The descriptors must be in memory before the card hears of them:
	 * writel() sees to it.
	 */
	igbook_wr32(ring->priv, REG_RDT(ring->index), ring->next_to_use);
}

/**
 * igbook_rx_fill() - post a buffer in every descriptor but the last
 * @ring: the ring, empty
 *
 * Context: RTNL; sleeps. The doorbell comes when the queue is enabled.
 * Return: 0, or -ENOMEM: then igbook_rx_empty() frees what there is.
 */
int igbook_rx_fill(struct igbook_ring *ring)
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

/**
 * igbook_rx_empty() - unmap and free all buffers
 * @ring: the ring; the card must not know it any more
 *
 * Context: RTNL.
 */
void igbook_rx_empty(struct igbook_ring *ring)
{
	while (ring->next_to_clean != ring->next_to_use) {
		u16 i = ring->next_to_clean;

		dma_unmap_single(&ring->priv->pdev->dev, ring->rx_buffer[i].dma,
				 ring->buffer_size, DMA_FROM_DEVICE);
		dev_kfree_skb_any(ring->rx_buffer[i].skb);
		ring->next_to_clean = igbook_ring_next(ring, i);
	}
}

/**
 * igbook_rx_copy() - copy a short frame and keep the buffer
 * @ring: the ring
 * @buffer: where the card put the frame
 * @len: its length
 *
 * The buffer stays mapped. It is lent to the CPU for the copy and returned.
 *
 * Context: bottom halves off.
 * Return: the frame, or NULL for want of memory.
 */
static struct sk_buff *igbook_rx_copy(struct igbook_ring *ring,
				      const struct igbook_rx_buffer *buffer,
				      unsigned int len)
{
	struct device *dev = &ring->priv->pdev->dev;
	struct sk_buff *skb;

	skb = netdev_alloc_skb_ip_align(ring->priv->netdev, len);
	if (!skb)
		return NULL;
	dma_sync_single_for_cpu(dev, buffer->dma, len, DMA_FROM_DEVICE);
	skb_put_data(skb, buffer->skb->data, len);
	dma_sync_single_for_device(dev, buffer->dma, len, DMA_FROM_DEVICE);
	return skb;
}

/**
 * igbook_rx_replace() - pass a buffer on as a frame, with a new one in its place
 * @ring: the ring
 * @buffer: where the card put the frame; afterwards the new buffer
 * @len: length of the frame
 *
 * The new buffer comes first: if there is none the frame is lost and the old
 * buffer stays, so the ring never runs dry.
 *
 * Context: bottom halves off.
 * Return: the frame, or NULL for want of memory.
 */
static struct sk_buff *igbook_rx_replace(struct igbook_ring *ring,
					 struct igbook_rx_buffer *buffer,
					 unsigned int len)
{
	struct igbook_rx_buffer filled = *buffer;

	if (igbook_rx_buffer_alloc(ring, buffer, GFP_ATOMIC))
		return NULL;
	dma_unmap_single(&ring->priv->pdev->dev, filled.dma, ring->buffer_size,
			 DMA_FROM_DEVICE);
	skb_put(filled.skb, len);
	return filled.skb;
}

/**
 * igbook_rx_take() - take the frame out of the descriptor at next_to_clean
 * @ring: the ring
 * @len: length of the frame
 *
 * Whatever happens, one buffer is taken out of the ring and one is posted.
 *
 * Context: bottom halves off, one CPU at a time for each ring.
 * Return: the frame, or NULL for want of memory: then it is lost.
 */
struct sk_buff *igbook_rx_take(struct igbook_ring *ring, unsigned int len)
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

/**
 * igbook_rx_recycle() - post the buffer at next_to_clean again, unread
 * @ring: the ring
 *
 * Context: bottom halves off, one CPU at a time for each ring.
 */
void igbook_rx_recycle(struct igbook_ring *ring)
{
	igbook_rx_post(ring, &ring->rx_buffer[ring->next_to_clean]);
	ring->next_to_clean = igbook_ring_next(ring, ring->next_to_clean);
}
