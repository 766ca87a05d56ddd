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
	struct device *dev = ring->dev;
	struct sk_buff *new, *full;
	dma_addr_t dma;

	new = netdev_alloc_skb(ring->netdev,
			       ring->buffer_size + NET_IP_ALIGN);
	if (!new)
		return NULL;
	skb_reserve(new, NET_IP_ALIGN);
	dma = dma_map_page(dev, virt_to_page(new->data),
			   offset_in_page(new->data), ring->buffer_size,
			   DMA_FROM_DEVICE);
	if (unlikely(dma_mapping_error(dev, dma))) {
		kfree_skb(new);
		return NULL;
	}
	full = buffer->skb;
	dma_unmap_page(dev, buffer->dma, ring->buffer_size, DMA_FROM_DEVICE);
	buffer->skb = new;
	buffer->dma = dma;
	skb_put(full, len);
	return full;
}
