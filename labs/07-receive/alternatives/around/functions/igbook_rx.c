// SPDX-License-Identifier: GPL-2.0

/*
 * The pool maps each page once and keeps it mapped until it gives it back to
 * the system. Frames that are freed on the CPU and in the poll of the ring's
 * own vector return without a lock. Being told of it, the pool must be
 * destroyed only while that vector is not running.
 */
static int igbook_rx_pool_create(struct igbook_ring *ring)
{
	struct page_pool_params params;
	struct page_pool *pool;

	memset(&params, 0, sizeof(params));
	params.flags = PP_FLAG_DMA_MAP | PP_FLAG_DMA_SYNC_DEV;
	params.order = 0;
	params.pool_size = 2 * ring->count;
	params.nid = NUMA_NO_NODE;
	params.dev = ring->dev;
	params.napi = &ring->priv->vector[ring->index].napi;
	params.netdev = ring->netdev;
	params.dma_dir = DMA_FROM_DEVICE;
	params.offset = 0;
	params.max_len = PAGE_SIZE;
	pool = page_pool_create(&params);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	ring->pool = pool;
	return 0;
}

static bool igbook_rx_buffer_alloc(struct igbook_ring *ring,
				   struct igbook_rx_buffer *buffer, gfp_t gfp)
{
	struct page *page;

	/* A large piece is a part of a page, too: the only one. */
	page = page_pool_alloc_frag(ring->pool, &buffer->offset,
				    ring->piece_size, gfp);
	if (!page)
		return false;
	buffer->page = page;
	return true;
}

/* Where the frame is, in the page and on the bus. */
static unsigned int igbook_rx_offset(const struct igbook_rx_buffer *buffer)
{
	return buffer->offset + IGBOOK_RX_HEADROOM;
}

static dma_addr_t igbook_rx_dma(const struct igbook_rx_buffer *buffer)
{
	return page_pool_get_dma_addr(buffer->page) + igbook_rx_offset(buffer);
}

static void *igbook_rx_data(const struct igbook_rx_buffer *buffer)
{
	return page_address(buffer->page) + igbook_rx_offset(buffer);
}

static struct sk_buff *igbook_rx_copy(struct igbook_ring *ring,
				      const struct igbook_rx_buffer *buffer,
				      unsigned int len)
{
	struct sk_buff *skb = napi_alloc_skb(ring->napi, len);

	if (skb)
		memcpy(skb_put(skb, len), igbook_rx_data(buffer), len);
	return skb;
}

/*
 * Linear part and fragment are in one buffer: both hold the page, and the memory
 * is in truesize once.
 */
static struct sk_buff *igbook_rx_build(struct igbook_ring *ring,
				       const struct igbook_rx_buffer *buffer,
				       unsigned int len)
{
	unsigned int rest = len - IGBOOK_LAB_HEAD;
	struct sk_buff *skb;

	skb = build_skb(page_address(buffer->page) + buffer->offset,
			ring->piece_size);
	if (!skb)
		return NULL;
	page_pool_ref_page(buffer->page);
	skb_mark_for_recycle(skb);
	skb_reserve(skb, IGBOOK_RX_HEADROOM);
	skb_put(skb, IGBOOK_LAB_HEAD);
	skb_fill_page_desc(skb, 0, buffer->page,
			   igbook_rx_offset(buffer) + IGBOOK_LAB_HEAD, rest);
	skb->data_len += rest;
	skb->len += rest;
	return skb;
}

static bool igbook_rx_add(struct igbook_ring *ring,
			  const struct igbook_rx_buffer *buffer,
			  unsigned int len)
{
	struct sk_buff *skb = ring->skb;
	int n;

	if (!skb) {
		ring->skb = igbook_rx_build(ring, buffer, len);
		return ring->skb;
	}
	n = skb_shinfo(skb)->nr_frags;
	if (n >= MAX_SKB_FRAGS)
		return false;
	skb_add_rx_frag(skb, n, buffer->page, igbook_rx_offset(buffer), len,
			ring->piece_size);
	return true;
}

static bool igbook_rx_stays(const struct igbook_ring *ring, unsigned int len)
{
	return len <= IGBOOK_LAB_HEAD ||
	       len < READ_ONCE(ring->priv->rx_copybreak);
}

static bool igbook_rx_take(struct igbook_ring *ring,
			   struct igbook_rx_buffer *buffer, unsigned int len,
			   bool whole)
{
	struct igbook_rx_buffer fresh = {};

	dma_sync_single_for_cpu(ring->dev, igbook_rx_dma(buffer), len,
				DMA_FROM_DEVICE);
	if (!whole || !igbook_rx_stays(ring, len)) {
		if (!igbook_rx_buffer_alloc(ring, &fresh,
					    GFP_ATOMIC | __GFP_NOWARN))
			goto no_memory;
		if (!igbook_rx_add(ring, buffer, len))
			goto no_skb;
		*buffer = fresh;
		return true;
	}
	ring->skb = igbook_rx_copy(ring, buffer, len);
	dma_sync_single_for_device(ring->dev, igbook_rx_dma(buffer), len,
				   DMA_FROM_DEVICE);
	return ring->skb;

no_skb:
	page_pool_put_full_page(ring->pool, fresh.page, false);
no_memory:
	dma_sync_single_for_device(ring->dev, igbook_rx_dma(buffer), len,
				   DMA_FROM_DEVICE);
	return false;
}

/* The pieces that are still to come are dropped as well. */
static noinline void igbook_rx_lose(struct igbook_ring *ring, bool last,
				    struct igbook_rx_count *count)
{
	dev_kfree_skb_any(ring->skb);
	ring->skb = NULL;
	ring->skip = !last;
	if (!last)
		return;
	count->drops++;
	dev_core_stats_rx_dropped_inc(ring->netdev);
}

/* Right is what was looked at and not found wrong. */
static void igbook_rx_checksum(struct sk_buff *skb, u32 status,
			       struct igbook_rx_count *count)
{
	bool looked = status & RXD_STA_L4CS;
	bool wrong = status & (RXD_ERR_L4E | RXD_ERR_IPE);

	skb->ip_summed = looked && !wrong ? CHECKSUM_UNNECESSARY :
					    CHECKSUM_NONE;
	count->checksum_good += looked && !wrong;
	count->checksum_bad += wrong;
}

/* What one descriptor brings, and a buffer in its place. */
static void igbook_rx_one(struct igbook_ring *ring, u16 i,
			  struct igbook_rx_count *count)
{
	union igbook_rx_desc *desc = &ring->rx_desc[i];
	u32 status = le32_to_cpu(desc->wb.status_error);
	unsigned int len = le16_to_cpu(desc->wb.length);
	struct igbook_rx_buffer buffer = ring->rx_buffer[i];
	bool last = status & RXD_STA_EOP;

	if (ring->skip || (status & RXD_ERR_RXE)) {
		igbook_rx_lose(ring, last, count);
	} else if (!igbook_rx_take(ring, &buffer, len, last && !ring->skb)) {
		count->no_memory++;
		igbook_rx_lose(ring, last, count);
	} else if (last) {
		igbook_rx_deliver(ring, desc, status, count);
	}
	igbook_rx_post(ring, buffer);
	ring->next_to_clean = igbook_ring_next(ring, i);
}

/**
 * igbook_rx_clean() - take what the card has received
 * @ring: the ring
 * @budget: most descriptors to take
 *
 * Context: bottom halves off, one CPU at a time for each ring.
 * Return: how many were taken; fewer than @budget when there were no more.
 */
int igbook_rx_clean(struct igbook_ring *ring, int budget)
{
	struct igbook_rx_count count = {};
	unsigned int unheard = 0;
	int done;

	for (done = 0; done < budget; done++) {
		u16 i = ring->next_to_clean;
		__le32 status = READ_ONCE(ring->rx_desc[i].wb.status_error);

		if (!(status & cpu_to_le32(RXD_STA_DD)))
			break;
		dma_rmb();
		igbook_rx_one(ring, i, &count);
		if (++unheard == IGBOOK_BATCH) {
			igbook_rx_doorbell(ring);
			unheard = 0;
		}
	}
	if (unheard)
		igbook_rx_doorbell(ring);
	igbook_rx_note(ring, &count);
	return done;
}
