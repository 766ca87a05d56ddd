// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: transmit. Everything that happens to a frame, in the order in which it
 * happens: it is asked what the card can do for it, described, copied or mapped,
 * announced to the card, and freed when it is out.
 */
#include <linux/bitfield.h>
#include <linux/dma-mapping.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
/* loom: begin include-sctp from 10 */
#include <linux/sctp.h>
/* loom: end include-sctp */
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip6_checksum.h>
#include <net/netdev_queues.h>

#include "igbook.h"

#define IGBOOK_TX_MACLEN	127	/* longest Ethernet header ... */
#define IGBOOK_TX_HEADERS	452	/* ... and, with IP's, 60 short of 512 */

/* In a data descriptor's command word, whatever the frame is. */
#define IGBOOK_TX_DATA \
	(FIELD_PREP_CONST(TXD_DTYP, TXD_DTYP_DATA) | TXD_DCMD_DEXT | \
	 TXD_DCMD_IFCS)

/**
 * struct igbook_tx_job - what the card is to do to a frame
 * @cmd: bits of the data descriptors' command word
 * @olinfo: bits of the first one's olinfo_status, without PAYLEN
 * @lens: the context's first word: VLAN, MACLEN and IPLEN
 * @tucmd: its third: TUCMD; 0 when the frame needs no context
 * @mss: its fourth: MSS and L4LEN
 * @header: bytes each segment begins with, 0 for a frame that is not cut
 * @segments: frames it will be on the cable
 */
struct igbook_tx_job {
	u32 cmd;
	u32 olinfo;
	u32 lens;
	u32 tucmd;
	u32 mss;
	u16 header;
	u16 segments;
};

/* loom: from 10 */
/*
 * Of a tunnel's frame the card does the innermost transport header. What lies
 * before it is copied, as the stack has put it there. So an inner identification
 * is the same in all segments. That the user must allow for TCP; UDP is never cut
 * by the card. The emulated card looks at the outer headers: who asks for no
 * tunnel gets the inner sums from the stack, too.
 */
static netdev_features_t igbook_tunnel_check(const struct net_device *netdev,
					     netdev_features_t features)
{
	features &= ~NETIF_F_GSO_UDP_L4;
	if (!(netdev->features & NETIF_F_GSO_ENCAP_ALL))
		features &= ~(NETIF_F_CSUM_MASK | NETIF_F_SCTP_CRC |
			      NETIF_F_GSO_MASK);
	if (!(features & NETIF_F_TSO_MANGLEID))
		features &= ~NETIF_F_TSO;
	return features;
}

/**
 * igbook_features_check() - which of its features the card has for a frame
 * @skb: the frame
 * @netdev: the network device
 * @features: those that are on
 *
 * What is taken away the stack does itself: it adds up sums and cuts the frame
 * before it comes to igbook_start_xmit(). MACLEN and IPLEN have seven and nine
 * bits, and with L4LEN they may not exceed 512; TCP's header has up to 60. Of a
 * frame that we pad the emulated card takes the padding for data.
 *
 * Context: any; for each frame.
 * Return: @features, or fewer.
 *
 * Source: 82576 datasheet, "Advanced Transmit Context Descriptor".
 */
netdev_features_t igbook_features_check(struct sk_buff *skb,
					struct net_device *netdev,
					netdev_features_t features)
{
	if (skb->ip_summed == CHECKSUM_PARTIAL &&
	    (skb->len < ETH_ZLEN ||
	     unlikely(skb_network_offset(skb) > IGBOOK_TX_MACLEN ||
		      skb_checksum_start_offset(skb) > IGBOOK_TX_HEADERS)))
#if 0	/* loom: begin check-sums until 10 */
		features &= ~(NETIF_F_CSUM_MASK | NETIF_F_GSO_MASK);
#endif	/* loom: end check-sums */
	/* loom: begin check-all-sums from 10 */
		features &= ~(NETIF_F_CSUM_MASK | NETIF_F_SCTP_CRC |
			      NETIF_F_GSO_MASK);
	if (unlikely(skb->encapsulation))
		features = igbook_tunnel_check(netdev, features);
	/* loom: end check-all-sums */
	return vlan_features_check(skb, features);
}

/*
 * What the other side takes back makes more room than we know of. It is asked
 * only when what we know of is too little.
 */
static inline bool igbook_tx_room(struct igbook_ring *ring)
{
	if (likely(ring->room >= IGBOOK_TX_MOST))
		return true;
	ring->room = igbook_ring_unused(ring);
	return ring->room >= IGBOOK_TX_MOST;
}

/*
 * Between our look and the stop igbook_tx_clean() may free the whole ring and
 * see a queue that still runs. So one looks again after the stop, and both
 * sides have a barrier between writing their half and reading the other's.
 */
static noinline bool igbook_tx_stop(struct igbook_ring *ring)
{
	struct netdev_queue *queue =
		netdev_get_tx_queue(ring->netdev, ring->index);

	if (netif_txq_maybe_stop(queue, igbook_ring_unused(ring),
				 IGBOOK_TX_MOST, IGBOOK_TX_WAKE))
		return false;
	u64_stats_update_begin(&ring->stats.syncp);
	u64_stats_inc(&ring->stats.stops);
	u64_stats_update_end(&ring->stats.syncp);
	return true;
}

/* A tag that the card is to insert is not yet in the frame and not counted. */
static inline u32 igbook_tx_lens(const struct sk_buff *skb, unsigned int end)
{
	unsigned int mac = skb_network_offset(skb);

	return FIELD_PREP(TXC_MACLEN, mac) | FIELD_PREP(TXC_IPLEN, end - mac);
}

/*
 * The card knows two places for the result. Who wants another one gets it from
 * the processor.
 *
 * 82576 datasheet, "Transmit Checksum Offloading in Non-Segmentation Mode".
 */
static int igbook_tx_checksum(struct sk_buff *skb, struct igbook_tx_job *job)
{
	/* A segment that the stack has cut: we were asked about the whole. */
	if (unlikely(skb->len < ETH_ZLEN))
		return skb_csum_hwoffload_help(skb, 0);
	switch (skb->csum_offset) {
	case offsetof(struct tcphdr, check):
		job->tucmd |= FIELD_PREP(TXC_L4T, TXC_L4T_TCP);
		break;
	case offsetof(struct udphdr, check):
		job->tucmd |= FIELD_PREP(TXC_L4T, TXC_L4T_UDP);
		break;
	/* loom: begin checksum-sctp from 10 */
	case offsetof(struct sctphdr, checksum):
		if (!skb_csum_is_sctp(skb))
			return skb_checksum_help(skb);
		job->tucmd |= FIELD_PREP(TXC_L4T, TXC_L4T_SCTP);
		break;
	/* loom: end checksum-sctp */
	default:
		return skb_checksum_help(skb);
	}
	job->tucmd |= TXC_CONTEXT;
	if (ip_hdr(skb)->version == 4)
		job->tucmd |= TXC_IPV4;
	job->lens |= igbook_tx_lens(skb, skb_checksum_start_offset(skb));
	job->olinfo |= TXD_POPTS_TXSM;
	return 0;
}

/*
 * Lengths differ from segment to segment, so the card puts them in, and adds
 * them to the sums. What is the same in all of them the stack has added up, with
 * the length of the whole, which is taken off here.
 *
 * 82576 datasheet, "TCP/IP/UDP Headers Update".
 */
static void igbook_tx_pseudo(struct sk_buff *skb)
{
	bool udp = skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4;
	__sum16 *sum = udp ? &udp_hdr(skb)->check : &tcp_hdr(skb)->check;
	__be32 length = htonl(skb->len - skb_transport_offset(skb));

	csum_replace_by_diff(sum, (__force __wsum)length);
	if (ip_hdr(skb)->version == 4) {
		ip_hdr(skb)->tot_len = 0;
		ip_hdr(skb)->check = 0;
	} else {
		ipv6_hdr(skb)->payload_len = 0;
	}
}

/* loom: from 10 */
/*
 * To the card all up to the innermost transport header is one IP header, and it
 * adds up every byte of it. What is no part of the outer one is taken off here.
 */
static void igbook_tx_outer(struct sk_buff *skb)
{
	struct iphdr *outer = ip_hdr(skb);
	unsigned char *behind = (unsigned char *)outer + outer->ihl * 4;
	int len = skb_transport_header(skb) - behind;

	if (outer->version == 4)
		outer->check = csum_fold(csum_partial(behind, len, 0));
}

/*
 * Somebody else, a tap for instance, may have the headers in common with us, and
 * must not see what the card wants there: then we get headers of our own first.
 *
 * 82576 datasheet, "Transmit Segmentation".
 */
static int igbook_tx_segment(struct sk_buff *skb, struct igbook_tx_job *job)
{
	bool udp = skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4;
	unsigned int l4 = skb_checksum_start_offset(skb);
	unsigned int len;
	int err;

	err = skb_cow_head(skb, 0);
	if (err)
		return err;
	/* loom: begin segment-innermost from 10 */
	/* A tunnel's frame has two. The card is to know of the one with the sum. */
	skb_set_transport_header(skb, l4);
	/* loom: end segment-innermost */
	igbook_tx_pseudo(skb);
	/* loom: begin segment-tunnel from 10 */
	if (skb_shinfo(skb)->gso_type & SKB_GSO_PARTIAL)
		igbook_tx_outer(skb);
	/* loom: end segment-tunnel */
	len = udp ? sizeof(struct udphdr) : tcp_hdrlen(skb);

	job->tucmd |= TXC_CONTEXT |
		      FIELD_PREP(TXC_L4T, udp ? TXC_L4T_UDP : TXC_L4T_TCP);
	job->olinfo |= TXD_POPTS_TXSM;
	if (ip_hdr(skb)->version == 4) {
		job->tucmd |= TXC_IPV4;
		job->olinfo |= TXD_POPTS_IXSM;
	}
	job->lens |= igbook_tx_lens(skb, l4);
	job->mss = FIELD_PREP(TXC_MSS, skb_shinfo(skb)->gso_size) |
		   FIELD_PREP(TXC_L4LEN, len);
	job->cmd |= TXD_DCMD_TSE;
	job->header = l4 + len;
	job->segments = skb_shinfo(skb)->gso_segs ?: 1;
	return 0;
}

/* 82576 datasheet, "Advanced Transmit Data Descriptor", VLE. */
static noinline int igbook_tx_prepare(struct sk_buff *skb,
				      struct igbook_tx_job *job)
{
	if (skb_vlan_tag_present(skb)) {
		job->cmd |= TXD_DCMD_VLE;
		job->lens = FIELD_PREP(TXC_VLAN, skb_vlan_tag_get(skb)) |
			    FIELD_PREP(TXC_MACLEN, skb_network_offset(skb));
		job->tucmd = TXC_CONTEXT;
	}
	if (skb_is_gso(skb))
		return igbook_tx_segment(skb, job);
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		return igbook_tx_checksum(skb, job);
	return 0;
}

static inline void igbook_tx_note(struct igbook_ring *ring, u16 i,
				  dma_addr_t dma, unsigned int len, bool paged)
{
	struct igbook_tx_buffer *buffer = &ring->tx_buffer[i];

	buffer->skb = NULL;
	buffer->dma = dma;
	buffer->len = len;
	buffer->paged = paged;
}

/*
 * The card keeps a context for each queue until it gets another. Frames that
 * want the same as the last one that wanted something come without.
 *
 * 82576 datasheet, "Advanced Transmit Context Descriptor".
 */
static u16 igbook_tx_put_context(struct igbook_ring *ring, u16 i,
				 const struct igbook_tx_job *job)
{
	union igbook_tx_desc *desc = &ring->tx_desc[i];
	struct igbook_tx_context *last = &ring->context;

	if (job->tucmd == last->tucmd && job->lens == last->lens &&
	    job->mss == last->mss)
		return i;
	desc->context.vlan_maclen_iplen = cpu_to_le32(job->lens);
	desc->context.launch_time = 0;
	desc->context.tucmd = cpu_to_le32(job->tucmd);
	desc->context.mss_l4len_idx = cpu_to_le32(job->mss);
	igbook_tx_note(ring, i, 0, 0, false);
	return igbook_ring_next(ring, i);
}

/*
 * Writing olinfo_status also clears the DD bit of the last lap.
 *
 * 82576 datasheet, "Advanced Transmit Data Descriptor".
 */
static inline void igbook_tx_describe(struct igbook_ring *ring, u16 i,
				      dma_addr_t dma, u32 cmd, u32 olinfo)
{
	union igbook_tx_desc *desc = &ring->tx_desc[i];

	desc->read.buffer_addr = cpu_to_le64(dma);
	desc->read.cmd_type_len = cpu_to_le32(cmd);
	desc->read.olinfo_status = cpu_to_le32(olinfo);
}

/*
 * To map a frame and end the mapping takes longer than to copy it. The linear
 * part has more than fifteen bytes of its allocation behind it, so the frame
 * is copied in steps of sixteen. A frame the stack made shorter than Ethernet
 * allows becomes longer here.
 */
static inline unsigned int igbook_tx_copy(struct igbook_ring *ring,
					  const struct sk_buff *skb, u16 i,
					  u32 cmd, u32 olinfo)
{
	void *slot = ring->slots + i * IGBOOK_TX_SLOT;
	unsigned int len = skb->len;
	unsigned int at;

	if (unlikely(skb_is_nonlinear(skb)))
		skb_copy_bits(skb, 0, slot, len);
	else
		for (at = 0; at < len; at += 16)
			memcpy(slot + at, skb->data + at, 16);
	if (unlikely(len < ETH_ZLEN)) {
		memset(slot + len, 0, ETH_ZLEN - len);
		len = ETH_ZLEN;
	}
	igbook_tx_describe(ring, i, ring->slots_dma + i * IGBOOK_TX_SLOT,
			   IGBOOK_TX_DATA | TXD_DCMD_EOP | cmd | len,
			   FIELD_PREP(TXD_PAYLEN, len) | olinfo);
	ring->tx_buffer[i].skb = NULL;
	ring->tx_buffer[i].len = 0;
	return len;
}

static inline void igbook_tx_unmap(struct igbook_ring *ring,
				   struct igbook_tx_buffer *buffer)
{
	if (!buffer->len)
		return;
	if (buffer->paged)
		dma_unmap_page(ring->dev, buffer->dma, buffer->len,
			       DMA_TO_DEVICE);
	else
		dma_unmap_single(ring->dev, buffer->dma, buffer->len,
				 DMA_TO_DEVICE);
}

/* The card has not heard of these descriptors and never will. */
static void igbook_tx_unwind(struct igbook_ring *ring, u16 first, u16 i)
{
	while (i != first) {
		i = (i ?: ring->count) - 1;
		igbook_tx_unmap(ring, &ring->tx_buffer[i]);
	}
}

/* The mapping ends as a whole, with the last of the descriptors. */
static u16 igbook_tx_cut(struct igbook_ring *ring, u16 i, dma_addr_t dma,
			 unsigned int len, bool paged, u32 cmd)
{
	unsigned int at = 0;

	for (; len - at > IGBOOK_TX_PIECE; at += IGBOOK_TX_PIECE) {
		igbook_tx_describe(ring, i, dma + at, cmd | IGBOOK_TX_PIECE, 0);
		igbook_tx_note(ring, i, 0, 0, false);
		i = igbook_ring_next(ring, i);
	}
	igbook_tx_describe(ring, i, dma + at, cmd | (len - at), 0);
	igbook_tx_note(ring, i, dma, len, paged);
	return igbook_ring_next(ring, i);
}

/*
 * How long the frame is stands in its first descriptor only; of one that is
 * cut, the headers do not count. Its last one ends the packet and keeps the
 * frame: it is freed when every piece has been read.
 *
 * 82576 datasheet, "Advanced Transmit Data Descriptor".
 */
static noinline int igbook_tx_map(struct igbook_ring *ring,
				  struct sk_buff *skb, u16 first,
				  const struct igbook_tx_job *job)
{
	u32 cmd = IGBOOK_TX_DATA | job->cmd;
	u32 olinfo = FIELD_PREP(TXD_PAYLEN, skb->len - job->header);
	const skb_frag_t *frag = skb_shinfo(skb)->frags;
	const skb_frag_t *end = frag + skb_shinfo(skb)->nr_frags;
	union igbook_tx_desc *last;
	dma_addr_t dma;
	u16 i = first;

	dma = dma_map_single(ring->dev, skb->data, skb_headlen(skb),
			     DMA_TO_DEVICE);
	if (dma_mapping_error(ring->dev, dma))
		return -ENOMEM;
	i = igbook_tx_cut(ring, i, dma, skb_headlen(skb), false, cmd);
	for (; frag < end; frag++) {
		dma = skb_frag_dma_map(ring->dev, frag, 0, skb_frag_size(frag),
				       DMA_TO_DEVICE);
		if (dma_mapping_error(ring->dev, dma)) {
			igbook_tx_unwind(ring, first, i);
			return -ENOMEM;
		}
		i = igbook_tx_cut(ring, i, dma, skb_frag_size(frag), true, cmd);
	}
	ring->tx_desc[first].read.olinfo_status =
		cpu_to_le32(olinfo | job->olinfo);
	last = &ring->tx_desc[(i ?: ring->count) - 1];
	last->read.cmd_type_len |= cpu_to_le32(TXD_DCMD_EOP);
	ring->tx_buffer[(i ?: ring->count) - 1].skb = skb;
	return i;
}

static inline void igbook_tx_commit(struct igbook_ring *ring, u16 next,
				    u16 used, u16 segments, u32 bytes)
{
	ring->room -= used;
	WRITE_ONCE(ring->next_to_use, next);
	ring->batch.frames++;
	ring->batch.segments += segments;
	ring->batch.bytes += bytes;
}

static inline void igbook_tx_put_short(struct igbook_ring *ring,
				       struct sk_buff *skb)
{
	u16 i = ring->next_to_use;
	unsigned int len = igbook_tx_copy(ring, skb, i, 0, 0);

	igbook_tx_commit(ring, igbook_ring_next(ring, i), 1, 1, len);
	dev_consume_skb_any(skb);
}

/* loom: from 09 */
/*
 * The bytes are in the slot, but the clock waits for the stamp: as long as the
 * ring has the frame too, it is not out.
 */
static void igbook_tx_keep(struct igbook_ring *ring, struct sk_buff *skb, u16 i)
{
	ring->tx_buffer[i].skb = skb_get(skb);
	ring->batch.mapped = true;
}

static inline int igbook_tx_refuse(struct igbook_ring *ring, int err)
{
	u64_stats_update_begin(&ring->stats.syncp);
	if (err == -ENOMEM)
		u64_stats_inc(&ring->stats.no_memory);
	u64_stats_update_end(&ring->stats.syncp);
	return err;
}

/* What cannot be sent leaves the ring as it was. */
static noinline int igbook_tx_put(struct igbook_ring *ring, struct sk_buff *skb)
{
	struct igbook_tx_job job = { .segments = 1 };
	unsigned int len = skb->len;
	u16 first = ring->next_to_use;
	int next = first;
	int err;

	err = igbook_tx_prepare(skb, &job);
	if (err)
		return igbook_tx_refuse(ring, err);
	/* loom: begin put-stamp from 09 */
	if (unlikely(skb_shinfo(skb)->tx_flags & SKBTX_HW_TSTAMP))
		job.cmd |= igbook_clock_tx_stamp(ring->priv, skb);
	/* loom: end put-stamp */
	if (job.tucmd)
		next = igbook_tx_put_context(ring, first, &job);
	if (len <= IGBOOK_TX_SLOT && !job.header) {
		len = igbook_tx_copy(ring, skb, next, job.cmd, job.olinfo);
		/* loom: begin put-keep from 09 */
		skb_tx_timestamp(skb);
		if (unlikely(job.cmd & TXD_MAC_1588))
			igbook_tx_keep(ring, skb, next);
		/* loom: end put-keep */
		next = igbook_ring_next(ring, next);
		dev_consume_skb_any(skb);
	} else {
		next = igbook_tx_map(ring, skb, next, &job);
		if (next < 0)
			return igbook_tx_refuse(ring, next);
		ring->batch.mapped = true;
		/* loom: begin put-noted from 09 */
		skb_tx_timestamp(skb);
		/* loom: end put-noted */
	}
	if (job.tucmd) {
		ring->context.lens = job.lens;
		ring->context.tucmd = job.tucmd;
		ring->context.mss = job.mss;
	}
	igbook_tx_commit(ring, next,
			 (next < first ? ring->count : 0) + next - first,
			 job.segments, len + (job.segments - 1) * job.header);
	return 0;
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
	first->bytes = ring->batch.bytes;
	first->mapped = ring->batch.mapped;
	u64_stats_update_begin(&ring->stats.syncp);
	u64_stats_add(&ring->stats.packets, ring->batch.segments);
	u64_stats_add(&ring->stats.bytes, ring->batch.bytes);
	u64_stats_inc(&ring->stats.doorbells);
	u64_stats_update_end(&ring->stats.syncp);
	netdev_tx_sent_queue(netdev_get_tx_queue(ring->netdev, ring->index),
			     ring->batch.bytes);
	memset(&ring->batch, 0, sizeof(ring->batch));
	/* Notes and descriptors before the new end, for igbook_tx_clean() ... */
	smp_store_release(&ring->rung, end);
	/* ... and before the doorbell, for the card: writel() sees to it. */
	writel(end, ring->tail);
}

static noinline void igbook_tx_drop(struct igbook_ring *ring,
				    struct sk_buff *skb)
{
	u64_stats_update_begin(&ring->stats.syncp);
	u64_stats_inc(&ring->stats.drops);
	u64_stats_update_end(&ring->stats.syncp);
	dev_core_stats_tx_dropped_inc(ring->netdev);
	/* loom: begin drop-stamp from 09 */
	igbook_clock_tx_forget(ring->priv, skb);
	/* loom: end drop-stamp */
	dev_kfree_skb_any(skb);
}

static inline bool igbook_tx_is_short(const struct sk_buff *skb)
{
	/* loom: begin short-stamp from 09 */
	if (unlikely(skb_shinfo(skb)->tx_flags & SKBTX_ANY_TSTAMP))
		return false;
	/* loom: end short-stamp */
	return skb->len <= IGBOOK_TX_SLOT && !skb_is_gso(skb) &&
	       skb->ip_summed != CHECKSUM_PARTIAL && !skb_vlan_tag_present(skb);
}

/*
 * The card is told unless the stack has more frames at hand (xmit_more). It has
 * no more for a queue that stops, and a frame that was dropped may have been the
 * last: each way out comes by the doorbell.
 */
static noinline netdev_tx_t igbook_tx_send(struct igbook_ring *ring,
					   struct sk_buff *skb, bool more)
{
	if (unlikely(!igbook_tx_room(ring))) {
		igbook_tx_stop(ring);
		igbook_tx_flush(ring);
		return NETDEV_TX_BUSY;
	}
	if (igbook_tx_is_short(skb))
		igbook_tx_put_short(ring, skb);
	else if (unlikely(igbook_tx_put(ring, skb)))
		igbook_tx_drop(ring, skb);

	if (unlikely(!igbook_tx_room(ring)) && igbook_tx_stop(ring))
		more = false;
	if (!more)
		igbook_tx_flush(ring);
	return NETDEV_TX_OK;
}

/**
 * igbook_start_xmit() - send one frame
 * @skb: the frame; ours unless NETDEV_TX_BUSY is returned
 * @netdev: the network device
 *
 * Nothing waits here. The frame goes into the ring, the card is told, and
 * igbook_tx_clean() frees it some time later.
 *
 * Some choose a queue long before they send by it: one that is gone meanwhile
 * has no ring. To leave it stopped would not do, for a frame that waits for it
 * may have others behind it.
 *
 * Context: bottom halves off, transmit lock of the queue held; no sleeping.
 * Return: NETDEV_TX_OK; NETDEV_TX_BUSY if there is no room, which stopping the
 * queue in time prevents.
 */
netdev_tx_t igbook_start_xmit(struct sk_buff *skb, struct net_device *netdev)
{
	struct igbook *priv = netdev_priv(netdev);
	u16 queue = skb_get_queue_mapping(skb);

	if (unlikely(queue >= priv->num_queues)) {
		igbook_tx_drop(&priv->tx_ring[queue], skb);
		return NETDEV_TX_OK;
	}
	return igbook_tx_send(&priv->tx_ring[queue], skb, netdev_xmit_more());
}

/*
 * Consumed is what went out, freed what did not: tools that look for lost
 * frames see the difference. In a batch of short frames there is neither.
 */
static inline u16 igbook_tx_release(struct igbook_ring *ring, u16 i, bool sent,
				    int budget)
{
	const struct igbook_tx_buffer *first = &ring->tx_buffer[i];
	u16 end = igbook_ring_next(ring, first->watch);

	if (!first->mapped)
		return end;
	do {
		struct igbook_tx_buffer *buffer = &ring->tx_buffer[i];

		igbook_tx_unmap(ring, buffer);
		if (buffer->skb && sent)
			napi_consume_skb(buffer->skb, budget);
		else if (buffer->skb)
			dev_kfree_skb_any(buffer->skb);
		i = igbook_ring_next(ring, i);
	} while (i != end);
	return i;
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
	/* Notes and descriptors before it were written before it moved. */
	u16 end = smp_load_acquire(&ring->rung);
	unsigned int bytes = 0;
	u16 i = ring->next_to_clean;
	int done = 0;

	while (i != end && done < limit) {
		const struct igbook_tx_buffer *first = &ring->tx_buffer[i];

		if (!igbook_tx_done(&ring->tx_desc[first->watch]))
			break;
		done += first->frames;
		bytes += first->bytes;
		i = igbook_tx_release(ring, i, true, budget);
	}
	if (!done)
		return 0;
	ring->sent = true;
	/* Free for the next frames only when nobody looks at them any more. */
	smp_store_release(&ring->next_to_clean, i);
	netif_txq_completed_wake(netdev_get_tx_queue(ring->netdev, ring->index),
				 done, bytes, igbook_ring_unused(ring),
				 IGBOOK_TX_WAKE);
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

	if (i == ring->next_to_use)
		return;
	if (ring->batch.frames) {
		struct igbook_tx_buffer *rest = &ring->tx_buffer[ring->rung];

		rest->watch = (ring->next_to_use ?: ring->count) - 1;
		rest->mapped = true;
		memset(&ring->batch, 0, sizeof(ring->batch));
	}
	while (i != ring->next_to_use) {
		u16 watch = ring->tx_buffer[i].watch;

		i = igbook_tx_release(ring, i,
				      igbook_tx_done(&ring->tx_desc[watch]), 0);
	}
	ring->next_to_clean = i;
	netdev_tx_reset_queue(netdev_get_tx_queue(ring->netdev, ring->index));
}

/**
 * igbook_tx_ring_alloc() - allocate a transmit ring
 * @ring: the ring, without memory
 * @count: how many descriptors
 *
 * Context: RTNL; sleeps.
 * Return: 0, or -ENOMEM: then igbook_tx_ring_free() frees what there is.
 */
int igbook_tx_ring_alloc(struct igbook_ring *ring, u16 count)
{
	int err;

	err = igbook_ring_alloc(ring, count, sizeof(*ring->tx_buffer));
	if (err)
		return err;
	ring->slots = dma_alloc_coherent(ring->dev, count * IGBOOK_TX_SLOT,
					 &ring->slots_dma, IGBOOK_RING_GFP);
	return ring->slots ? 0 : -ENOMEM;
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
	if (ring->slots)
		dma_free_coherent(ring->dev, ring->count * IGBOOK_TX_SLOT,
				  ring->slots, ring->slots_dma);
	ring->slots = NULL;
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

	ring->next_to_use = 0;
	ring->next_to_clean = 0;
	ring->rung = 0;
	ring->sent = false;
	ring->room = ring->count - 1;
	memset(&ring->context, 0, sizeof(ring->context));
	igbook_wr32(priv, REG_TDBAL(i), lower_32_bits(ring->dma));
	igbook_wr32(priv, REG_TDBAH(i), upper_32_bits(ring->dma));
	igbook_wr32(priv, REG_TDLEN(i), ring->count * IGBOOK_DESC_SIZE);
	igbook_wr32(priv, REG_TDH(i), 0);
	igbook_wr32(priv, REG_TDT(i), 0);
	ring->tail = priv->regs + REG_TDT(i);
	return igbook_ring_enable(ring, REG_TXDCTL(i));
}

/**
 * igbook_tx_spread() - say which processors send by which queue (XPS)
 * @priv: the device
 *
 * A queue is best filled by the processor that takes back what was sent. With
 * fewer queues than processors several share one. It is done when the interface
 * is first up and when the number of queues changes; what the user writes to
 * xps_cpus meanwhile stays. In probe it would be too early: if that fails, nobody
 * gives the maps back.
 *
 * Context: RTNL; sleeps.
 */
void igbook_tx_spread(struct igbook *priv)
{
	int node = dev_to_node(&priv->pdev->dev);
	cpumask_var_t cpus;
	unsigned int i, k;

	if (priv->spread == priv->num_queues ||
	    !zalloc_cpumask_var(&cpus, GFP_KERNEL))
		return;
	for (i = 0; i < priv->num_queues; i++) {
		cpumask_clear(cpus);
		for (k = i; k < num_online_cpus(); k += priv->num_queues)
			cpumask_set_cpu(cpumask_local_spread(k, node), cpus);
		if (netif_set_xps_queue(priv->netdev, cpus, i))
			netdev_dbg(priv->netdev, "no XPS for queue %u\n", i);
	}
	free_cpumask_var(cpus);
	priv->spread = priv->num_queues;
}
