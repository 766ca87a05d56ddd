// SPDX-License-Identifier: GPL-2.0

/* A piece of a frame that has been mapped. */
struct igbook_tx_piece {
	dma_addr_t dma;
	unsigned int len;
};

static bool igbook_tx_map_piece(struct igbook_ring *ring,
				const struct sk_buff *skb, int number,
				struct igbook_tx_piece *piece)
{
	const skb_frag_t *frag = &skb_shinfo(skb)->frags[number - 1];

	if (!number) {
		piece->len = skb_headlen(skb);
		piece->dma = dma_map_single(ring->dev, skb->data, piece->len,
					    DMA_TO_DEVICE);
	} else {
		piece->len = skb_frag_size(frag);
		piece->dma = skb_frag_dma_map(ring->dev, frag, 0, piece->len,
					      DMA_TO_DEVICE);
	}
	return !dma_mapping_error(ring->dev, piece->dma);
}

static void igbook_tx_unmap_piece(struct igbook_ring *ring, int number,
				  const struct igbook_tx_piece *piece)
{
	if (number)
		dma_unmap_page(ring->dev, piece->dma, piece->len, DMA_TO_DEVICE);
	else
		dma_unmap_single(ring->dev, piece->dma, piece->len,
				 DMA_TO_DEVICE);
}

/* The mapping is noted with the last of its descriptors. */
static u16 igbook_tx_put_piece(struct igbook_ring *ring, u16 i, int number,
			       const struct igbook_tx_piece *piece, u32 cmd)
{
	dma_addr_t dma = piece->dma;
	unsigned int left = piece->len;
	unsigned int part;

	while (left) {
		part = min(left, IGBOOK_TX_PIECE);
		igbook_tx_describe(ring, i, dma, cmd | part, 0);
		left -= part;
		dma += part;
		if (left)
			igbook_tx_note(ring, i, 0, 0, false);
		else
			igbook_tx_note(ring, i, piece->dma, piece->len, number);
		i = igbook_ring_next(ring, i);
	}
	return i;
}

/* First everything that can fail, then the ring. */
static noinline int igbook_tx_map(struct igbook_ring *ring,
				  struct sk_buff *skb, u16 first,
				  const struct igbook_tx_job *job)
{
	struct igbook_tx_piece pieces[1 + MAX_SKB_FRAGS];
	u32 cmd = IGBOOK_TX_DATA | job->cmd;
	int count = 1 + skb_shinfo(skb)->nr_frags;
	u16 i = first;
	u16 last = 0;
	int number;

	for (number = 0; number < count; number++)
		if (!igbook_tx_map_piece(ring, skb, number, &pieces[number]))
			goto err_unmap;
	for (number = 0; number < count; number++)
		i = igbook_tx_put_piece(ring, i, number, &pieces[number], cmd);
	last = (i ?: ring->count) - 1;
	ring->tx_desc[first].read.olinfo_status =
		cpu_to_le32(FIELD_PREP(TXD_PAYLEN, skb->len - job->header) |
			    job->olinfo);
	ring->tx_desc[last].read.cmd_type_len |= cpu_to_le32(TXD_DCMD_EOP);
	ring->tx_buffer[last].skb = skb;
	return i;

err_unmap:
	while (number--)
		igbook_tx_unmap_piece(ring, number, &pieces[number]);
	return -ENOMEM;
}

/*
 * They are one batch. Only its last descriptor is to be reported (RS): when it
 * is, all of them are out. Its number is noted with the first one, for
 * igbook_tx_clean() to watch. Statistics and the limit on bytes in flight hear
 * of the batch once.
 *
 * 82576 datasheet, "Transmit Descriptor Ring Structure".
 */
static void igbook_tx_flush(struct igbook_ring *ring)
{
	struct igbook_tx_buffer *first = &ring->tx_buffer[ring->rung];
	u16 end = ring->next_to_use;
	u16 last = (end ?: ring->count) - 1;

	if (ring->rung == end)
		return;
	ring->tx_desc[last].read.cmd_type_len |= cpu_to_le32(TXD_DCMD_RS);
	first->watch = last;
	first->frames = ring->batch.frames;
	first->mapped = ring->batch.mapped;
	u64_stats_update_begin(&ring->stats.syncp);
	u64_stats_add(&ring->stats.packets, ring->batch.segments);
	u64_stats_add(&ring->stats.bytes, ring->batch.bytes);
	u64_stats_inc(&ring->stats.doorbells);
	u64_stats_update_end(&ring->stats.syncp);
	memset(&ring->batch, 0, sizeof(ring->batch));
	/* Notes and descriptors before the new end, for igbook_tx_clean() ... */
	smp_store_release(&ring->rung, end);
	/* ... and before the doorbell, for the card: writel() sees to it. */
	writel(end, ring->tail);
}

/*
 * The stack hears of the bytes of each frame at once, and stops the queue with
 * the last one of a row. What it has heard is noted with the batch's first
 * descriptor, for igbook_tx_clean().
 */
static noinline netdev_tx_t igbook_tx_send(struct igbook_ring *ring,
					   struct sk_buff *skb, bool more)
{
	struct netdev_queue *queue =
		netdev_get_tx_queue(ring->netdev, ring->index);
	struct igbook_tx_buffer *first = &ring->tx_buffer[ring->rung];
	bool waits = igbook_lab_waits(ring);
	u32 before = ring->batch.bytes;

	if (!ring->batch.frames)
		first->bytes = 0;
	if (waits && !igbook_tx_room(ring, IGBOOK_TX_MOST)) {
		igbook_tx_stop(ring);
		igbook_tx_flush(ring);
		return NETDEV_TX_BUSY;
	}
	if (!waits && !igbook_tx_room(ring, igbook_lab_need(skb)))
		igbook_tx_drop(ring, skb);
	else if (igbook_lab_by_hand(skb))
		igbook_tx_put_cut(ring, skb);
	else if (igbook_tx_is_short(skb))
		igbook_tx_put_short(ring, skb);
	else if (igbook_tx_put(ring, skb))
		igbook_tx_drop(ring, skb);

	if (waits && ring->batch.bytes != before) {
		first->bytes += ring->batch.bytes - before;
		more = !__netdev_tx_sent_queue(queue,
					       ring->batch.bytes - before,
					       more);
	}
	if (waits && !igbook_tx_room(ring, IGBOOK_TX_MOST) &&
	    igbook_tx_stop(ring))
		more = false;
	if (!more)
		igbook_tx_flush(ring);
	return NETDEV_TX_OK;
}
