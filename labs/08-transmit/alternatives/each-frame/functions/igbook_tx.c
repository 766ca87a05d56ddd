// SPDX-License-Identifier: GPL-2.0

/*
 * igbook_tx_clean() may have freed the whole ring between our look and the
 * stop, and seen a queue that still runs.
 */
static noinline bool igbook_tx_stop(struct igbook_ring *ring)
{
	struct netdev_queue *queue =
		netdev_get_tx_queue(ring->netdev, ring->index);

	netif_tx_stop_queue(queue);
	/* Stopped first, then looked: the other side does it in reverse. */
	smp_mb();
	if (igbook_ring_unused(ring) >= IGBOOK_TX_WAKE) {
		netif_tx_start_queue(queue);
		return false;
	}
	u64_stats_update_begin(&ring->stats.syncp);
	u64_stats_inc(&ring->stats.stops);
	u64_stats_update_end(&ring->stats.syncp);
	return true;
}

/*
 * The card knows two places for the result. Who wants another one gets it from
 * the processor.
 *
 * 82576 datasheet, "Transmit Checksum Offloading in Non-Segmentation Mode".
 */
static int igbook_tx_checksum(struct sk_buff *skb, struct igbook_tx_job *job)
{
	bool tcp = skb->csum_offset == offsetof(struct tcphdr, check);
	bool udp = skb->csum_offset == offsetof(struct udphdr, check);

	if (!tcp && !udp)
		return skb_checksum_help(skb);
	job->tucmd |= TXC_CONTEXT;
	if (tcp)
		job->tucmd |= FIELD_PREP(TXC_L4T, TXC_L4T_TCP);
	if (vlan_get_protocol(skb) == htons(ETH_P_IP))
		job->tucmd |= TXC_IPV4;
	job->lens |= igbook_tx_lens(skb, skb_checksum_start_offset(skb));
	job->olinfo |= TXD_POPTS_TXSM;
	return 0;
}

/*
 * The sum of the pseudo-header is made anew, without a length.
 *
 * 82576 datasheet, "TCP/IP/UDP Headers Update".
 */
static void igbook_tx_pseudo(struct sk_buff *skb)
{
	struct tcphdr *tcp = tcp_hdr(skb);

	if (vlan_get_protocol(skb) == htons(ETH_P_IP)) {
		struct iphdr *ip = ip_hdr(skb);

		ip->tot_len = 0;
		ip->check = 0;
		tcp->check = ~csum_tcpudp_magic(ip->saddr, ip->daddr, 0,
						IPPROTO_TCP, 0);
	} else {
		struct ipv6hdr *ip = ipv6_hdr(skb);

		ip->payload_len = 0;
		tcp->check = ~csum_ipv6_magic(&ip->saddr, &ip->daddr, 0,
					      IPPROTO_TCP, 0);
	}
}

/*
 * Only TCP comes here. Who has the headers in common with us must not see what
 * the card wants there.
 *
 * 82576 datasheet, "Transmit Segmentation".
 */
static int igbook_tx_segment(struct sk_buff *skb, struct igbook_tx_job *job)
{
	unsigned int l4 = skb_transport_offset(skb);

	if (skb_header_cloned(skb) && pskb_expand_head(skb, 0, 0, GFP_ATOMIC))
		return -ENOMEM;
	igbook_tx_pseudo(skb);
	job->cmd |= TXD_DCMD_TSE;
	job->olinfo |= TXD_POPTS_TXSM;
	job->tucmd |= TXC_CONTEXT | FIELD_PREP(TXC_L4T, TXC_L4T_TCP);
	if (vlan_get_protocol(skb) == htons(ETH_P_IP)) {
		job->olinfo |= TXD_POPTS_IXSM;
		job->tucmd |= TXC_IPV4;
	}
	job->lens |= igbook_tx_lens(skb, l4);
	job->mss = FIELD_PREP(TXC_MSS, skb_shinfo(skb)->gso_size) |
		   FIELD_PREP(TXC_L4LEN, tcp_hdrlen(skb));
	job->header = skb_tcp_all_headers(skb);
	job->segments = DIV_ROUND_UP(skb->len - job->header,
				     skb_shinfo(skb)->gso_size);
	return 0;
}

static inline void igbook_tx_unmap(struct igbook_ring *ring,
				   struct igbook_tx_buffer *buffer)
{
	if (!buffer->len)
		return;
	dma_unmap_page(ring->dev, buffer->dma, buffer->len, DMA_TO_DEVICE);
}

/*
 * One piece: mapped, described, noted with its last descriptor.
 * Return: the next descriptor, or -ENOMEM.
 */
static int igbook_tx_put_piece(struct igbook_ring *ring, u16 i,
			       struct page *page, unsigned int offset,
			       unsigned int len, u32 cmd)
{
	dma_addr_t dma = dma_map_page(ring->dev, page, offset, len,
				      DMA_TO_DEVICE);
	unsigned int at = 0;

	if (dma_mapping_error(ring->dev, dma))
		return -ENOMEM;
	for (;;) {
		unsigned int part = min(len - at, IGBOOK_TX_PIECE);
		bool last = at + part == len;

		igbook_tx_describe(ring, i, dma + at, cmd | part, 0);
		igbook_tx_note(ring, i, last ? dma : 0, last ? len : 0, true);
		i = igbook_ring_next(ring, i);
		if (last)
			return i;
		at += part;
	}
}

/*
 * How long the frame is stands in its first descriptor only. Its last one ends
 * the packet and keeps the frame.
 *
 * 82576 datasheet, "Advanced Transmit Data Descriptor".
 */
static noinline int igbook_tx_map(struct igbook_ring *ring,
				  struct sk_buff *skb, u16 first,
				  const struct igbook_tx_job *job)
{
	u32 cmd = IGBOOK_TX_DATA | job->cmd;
	u16 done = first;
	int next;
	int i;

	next = igbook_tx_put_piece(ring, first, virt_to_page(skb->data),
				   offset_in_page(skb->data),
				   skb_headlen(skb), cmd);
	for (i = 0; next >= 0 && i < skb_shinfo(skb)->nr_frags; i++) {
		const skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

		done = next;
		next = igbook_tx_put_piece(ring, done, skb_frag_page(frag),
					   skb_frag_off(frag),
					   skb_frag_size(frag), cmd);
	}
	if (next < 0) {
		igbook_tx_unwind(ring, first, done);
		return next;
	}
	ring->tx_desc[first].read.olinfo_status =
		cpu_to_le32(FIELD_PREP(TXD_PAYLEN, skb->len - job->header) |
			    job->olinfo);
	done = (next ?: ring->count) - 1;
	ring->tx_desc[done].read.cmd_type_len |= cpu_to_le32(TXD_DCMD_EOP);
	ring->tx_buffer[done].skb = skb;
	return next;
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
	bool waits = igbook_lab_waits(ring);

	if (ring->rung == end)
		return;
	ring->tx_desc[last].read.cmd_type_len |= cpu_to_le32(TXD_DCMD_RS);
	first->watch = last;
	first->frames = ring->batch.frames;
	first->bytes = waits ? ring->batch.bytes : 0;
	first->mapped = ring->batch.mapped;
	u64_stats_update_begin(&ring->stats.syncp);
	u64_stats_add(&ring->stats.packets, ring->batch.segments);
	u64_stats_add(&ring->stats.bytes, ring->batch.bytes);
	u64_stats_inc(&ring->stats.doorbells);
	u64_stats_update_end(&ring->stats.syncp);
	if (waits)
		netdev_tx_sent_queue(netdev_get_tx_queue(ring->netdev,
							 ring->index),
				     ring->batch.bytes);
	memset(&ring->batch, 0, sizeof(ring->batch));
	/* Notes and descriptors before the new end, for igbook_tx_clean() ... */
	smp_store_release(&ring->rung, end);
	/* ... and before the doorbell, for the card: writel() sees to it. */
	writel(end, ring->tail);
}

/* To the card each segment is a frame like any other. */
static noinline void igbook_tx_put_cut(struct igbook_ring *ring,
				       struct sk_buff *skb)
{
	struct sk_buff *list = igbook_lab_cut(skb);
	struct sk_buff *segment;

	if (IS_ERR_OR_NULL(list)) {
		igbook_tx_drop(ring, skb);
		return;
	}
	while (list) {
		segment = list;
		list = list->next;
		segment->next = NULL;
		if (igbook_tx_put(ring, segment))
			igbook_tx_drop(ring, segment);
	}
	dev_consume_skb_any(skb);
}

/* Each way out comes by the doorbell, unless there is more at hand. */
static noinline netdev_tx_t igbook_tx_send(struct igbook_ring *ring,
					   struct sk_buff *skb, bool more)
{
	bool waits = igbook_lab_waits(ring);
	netdev_tx_t answer = NETDEV_TX_OK;
	int err = 0;

	if (waits && igbook_ring_unused(ring) < IGBOOK_TX_MOST) {
		answer = NETDEV_TX_BUSY;
		goto stop;
	}
	if (!waits && igbook_ring_unused(ring) < igbook_lab_need(skb))
		err = -ENOSPC;
	else if (igbook_lab_by_hand(skb))
		igbook_tx_put_cut(ring, skb);
	else
		err = igbook_tx_put(ring, skb);
	if (err)
		igbook_tx_drop(ring, skb);
	if (!waits || igbook_ring_unused(ring) >= IGBOOK_TX_MOST)
		goto out;

stop:
	if (igbook_tx_stop(ring))
		more = false;
out:
	if (!more || answer == NETDEV_TX_BUSY)
		igbook_tx_flush(ring);
	return answer;
}

/* Up to @end, which is the next batch's first. */
static void igbook_tx_release(struct igbook_ring *ring, u16 i, u16 end,
			      bool sent, int budget)
{
	for (; i != end; i = igbook_ring_next(ring, i)) {
		struct igbook_tx_buffer *buffer = &ring->tx_buffer[i];

		igbook_tx_unmap(ring, buffer);
		buffer->len = 0;
		if (!buffer->skb)
			continue;
		if (sent)
			napi_consume_skb(buffer->skb, budget);
		else
			dev_kfree_skb_any(buffer->skb);
		buffer->skb = NULL;
	}
}

/**
 * igbook_tx_clean() - take back the descriptors of frames that are out
 * @ring: the ring
 * @limit: frames after which no further batch is begun
 * @budget: that of a NAPI poll; 0 outside of one
 *
 * Within a poll, sk_buffs that are free go to a store of this CPU's, out of
 * which napi_alloc_skb() and its kind take; a full one gives half of it back.
 * Where the card is in the ring nobody asks it: the descriptor that is watched
 * tells, and it is in memory.
 *
 * Context: bottom halves off, one CPU at a time for each ring; runs beside
 * igbook_start_xmit().
 * Return: how many were taken; fewer than @limit when there were no more.
 */
int igbook_tx_clean(struct igbook_ring *ring, int limit, int budget)
{
	struct netdev_queue *queue =
		netdev_get_tx_queue(ring->netdev, ring->index);
	/* Notes and descriptors before it were written before it moved. */
	u16 rung = smp_load_acquire(&ring->rung);
	unsigned int bytes = 0;
	u16 i = ring->next_to_clean;
	int done = 0;
	u16 end;

	for (; i != rung && done < limit; i = end) {
		const struct igbook_tx_buffer *first = &ring->tx_buffer[i];

		if (!igbook_tx_done(&ring->tx_desc[first->watch]))
			break;
		done += first->frames;
		bytes += first->bytes;
		end = igbook_ring_next(ring, first->watch);
		igbook_tx_release(ring, i, end, true, budget);
	}
	if (!done)
		return 0;
	ring->sent = true;
	/* Free for the next frames only when nobody looks at them any more. */
	smp_store_release(&ring->next_to_clean, i);
	netdev_tx_completed_queue(queue, done, bytes);
	/* Moved first, then looked: the other side does it in reverse. */
	smp_mb();
	if (netif_tx_queue_stopped(queue) &&
	    igbook_ring_unused(ring) >= IGBOOK_TX_WAKE)
		netif_tx_wake_queue(queue);
	return done;
}

/**
 * igbook_tx_empty() - take back everything, sent or not
 * @ring: the ring; the card must not know it any more
 *
 * What is left here will never be reported as sent: the account of bytes in
 * flight begins anew. Rings that hold nothing leave it alone, for it may be
 * that of another ring that has taken their place.
 *
 * When the device is detached the stack may give up between two frames, although
 * it has said that there are more: the last frames are no batch yet.
 *
 * Context: RTNL; neither igbook_start_xmit() nor igbook_tx_clean() runs.
 */
void igbook_tx_empty(struct igbook_ring *ring)
{
	u16 i = ring->next_to_clean;
	u16 end;

	if (i == ring->next_to_use)
		return;
	for (; i != ring->rung; i = end) {
		u16 watch = ring->tx_buffer[i].watch;

		end = igbook_ring_next(ring, watch);
		igbook_tx_release(ring, i, end,
				  igbook_tx_done(&ring->tx_desc[watch]), 0);
	}
	/* What the card has not heard of. */
	igbook_tx_release(ring, i, ring->next_to_use, false, 0);
	memset(&ring->batch, 0, sizeof(ring->batch));
	ring->next_to_clean = ring->next_to_use;
	ring->rung = ring->next_to_use;
	netdev_tx_reset_queue(netdev_get_tx_queue(ring->netdev, ring->index));
}
