// SPDX-License-Identifier: GPL-2.0

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
	struct igbook_rx_buffer fresh;
	struct sk_buff *skb = buffer->skb;

	if (igbook_rx_buffer_alloc(ring, &fresh, GFP_ATOMIC) < 0)
		return NULL;
	dma_unmap_single(ring->dev, buffer->dma, ring->buffer_size,
			 DMA_FROM_DEVICE);
	*buffer = fresh;
	__skb_put(skb, len);
	return skb;
}
