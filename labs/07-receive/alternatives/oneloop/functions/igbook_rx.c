// SPDX-License-Identifier: GPL-2.0

/* What became of a piece. */
enum igbook_rx_fate { IGBOOK_RX_KEPT, IGBOOK_RX_GONE, IGBOOK_RX_LOST };

static void igbook_rx_lend(struct igbook_ring *ring,
			   const struct igbook_rx_buffer *buffer,
			   unsigned int from, unsigned int len)
{
	page_pool_dma_sync_for_cpu(ring->pool, buffer->page,
				   buffer->offset + IGBOOK_RX_HEADROOM + from,
				   len);
}

static enum pkt_hash_types igbook_rx_covered(u32 type)
{
	switch (type) {
	case RSS_TYPE_IPV4:
	case RSS_TYPE_IPV6:
	case RSS_TYPE_IPV6_EX:
		return PKT_HASH_TYPE_L3;
	case RSS_TYPE_TCP_IPV4:
	case RSS_TYPE_TCP_IPV6:
	case RSS_TYPE_TCP_IPV6_EX:
	case RSS_TYPE_UDP_IPV4:
	case RSS_TYPE_UDP_IPV6:
	case RSS_TYPE_UDP_IPV6_EX:
		return PKT_HASH_TYPE_L4;
	default:
		return PKT_HASH_TYPE_NONE;
	}
}

/* 82576 datasheet, "Advanced Receive Descriptors - Write-Back Format". */
static inline void igbook_rx_describe(struct igbook_ring *ring,
				      const union igbook_rx_desc *desc,
				      u32 status, struct sk_buff *skb,
				      struct igbook_rx_count *count)
{
	netdev_features_t features = ring->netdev->features;

	if (features & NETIF_F_RXCSUM)
		igbook_rx_checksum(skb, status, count);
	if (features & NETIF_F_RXHASH) {
		u32 type = le32_get_bits(desc->wb.info, RXD_RSS_TYPE);
		enum pkt_hash_types covered = igbook_rx_covered(type);

		if (covered != PKT_HASH_TYPE_NONE)
			skb_set_hash(skb, le32_to_cpu(desc->wb.rss), covered);
	}
	if (status & RXD_STA_VP)
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q),
				       le16_to_cpu(desc->wb.vlan));
	skb_record_rx_queue(skb, ring->index);
	skb->protocol = eth_type_trans(skb, ring->netdev);
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
	unsigned int limit = READ_ONCE(ring->priv->rx_copybreak);
	struct igbook_rx_count count = {};
	int done = 0;

	limit = max(limit, IGBOOK_LAB_HEAD + 1U);
	for (;;) {
		union igbook_rx_desc *desc = &ring->rx_desc[ring->next_to_clean];
		struct igbook_rx_buffer *old =
			&ring->rx_buffer[ring->next_to_clean];
		struct igbook_rx_buffer new = *old;
		enum igbook_rx_fate fate = IGBOOK_RX_GONE;
		unsigned int len, begin, first;
		struct sk_buff *skb;
		u32 status;
		u8 *bytes;
		bool last;

		if (done == budget)
			break;
		status = le32_to_cpu(READ_ONCE(desc->wb.status_error));
		if (!(status & RXD_STA_DD))
			break;
		dma_rmb();
		len = le16_to_cpu(desc->wb.length);
		last = status & RXD_STA_EOP;
		begin = old->offset + IGBOOK_RX_HEADROOM;
		bytes = page_address(old->page) + begin;
		skb = ring->skb;

		if (ring->skip || status & RXD_ERR_RXE) {
			fate = IGBOOK_RX_LOST;
			goto post;
		}
		/* Of a frame that has begun all of a piece is a fragment. */
		first = skb ? 0 : IGBOOK_LAB_HEAD;
		if (last && !skb && len < limit) {
			fate = IGBOOK_RX_KEPT;
			first = len;
		} else if (!igbook_rx_buffer_alloc(ring, &new, GFP_ATOMIC |
						   __GFP_NOWARN)) {
			new = *old;
			goto no_memory;
		}
		if (!skb) {
			skb = napi_alloc_skb(ring->napi, first);
			if (!skb)
				goto no_skb;
			ring->skb = skb;
			skb_mark_for_recycle(skb);
			igbook_rx_lend(ring, old, 0, first);
			skb_put_data(skb, bytes, first);
		}
		if (fate == IGBOOK_RX_KEPT) {
			dma_sync_single_for_device(ring->dev,
						   page_pool_get_dma_addr(old->page) +
						   begin, len, DMA_FROM_DEVICE);
		} else if (skb_shinfo(skb)->nr_frags < MAX_SKB_FRAGS) {
			igbook_rx_lend(ring, old, first, len - first);
			skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags,
					old->page, begin + first, len - first,
					ring->piece_size);
		} else {
			goto no_skb;
		}
		goto post;

no_skb:
		if (fate == IGBOOK_RX_GONE)
			page_pool_put_full_page(ring->pool, new.page, false);
		new = *old;
no_memory:
		fate = IGBOOK_RX_LOST;
		count.no_memory++;
post:
		if (fate == IGBOOK_RX_LOST) {
			dev_kfree_skb_any(ring->skb);
			ring->skb = NULL;
			ring->skip = !last;
			if (last) {
				count.drops++;
				dev_core_stats_rx_dropped_inc(ring->netdev);
			}
		} else if (last) {
			igbook_rx_deliver(ring, desc, status, &count);
		}
		igbook_rx_post(ring, new);
		ring->next_to_clean = igbook_ring_next(ring,
						       ring->next_to_clean);
		if (++done % (IGBOOK_BATCH / 2) == 0)
			igbook_rx_doorbell(ring);
	}
	if (done % (IGBOOK_BATCH / 2))
		igbook_rx_doorbell(ring);
	if (done)
		igbook_rx_note(ring, &count);
	return done;
}
