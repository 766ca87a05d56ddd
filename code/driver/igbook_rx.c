// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: receive. Everything that happens to a frame, in the order in which it
 * happens: a buffer is allocated and posted, the card fills it, the pieces of a
 * frame are put together, described and handed to the stack.
 */
#include <linux/bitfield.h>
#include <linux/dma-mapping.h>
#include <linux/etherdevice.h>
#include <linux/log2.h>
#include <net/page_pool/helpers.h>

#include "igbook.h"

#define IGBOOK_BATCH		16	/* descriptors for one doorbell */

/* What stands before a frame in its buffer: room for headers to be put on. */
#define IGBOOK_RX_HEADROOM	(NET_SKB_PAD + NET_IP_ALIGN)
/* The longest frame the card takes while RCTL.LPE is clear, without FCS. */
#define IGBOOK_RX_SHORT		VLAN_ETH_FRAME_LEN
/* A buffer with room for it and for what the stack notes behind it ... */
#define IGBOOK_RX_PIECE \
	roundup_pow_of_two(SKB_HEAD_ALIGN(IGBOOK_RX_HEADROOM + IGBOOK_RX_SHORT))
/* ... and one for a part of a longer frame. */
#define IGBOOK_RX_JUMBO		4096

/**
 * struct igbook_rx_count - what one poll has to say
 * @packets: frames handed to the stack
 * @bytes: their bytes
 * @drops: frames lost
 * @no_memory: of these, for want of memory
 * @checksum_good: frames whose checksum the card has found right
 * @checksum_bad: frames with a checksum it has found wrong
 */
struct igbook_rx_count {
	unsigned int packets;
	unsigned int bytes;
	unsigned int drops;
	unsigned int no_memory;
	unsigned int checksum_good;
	unsigned int checksum_bad;
};

/*
 * Nothing the card writes may reach what lies behind the room for it. There
 * are two limits, and the lower one holds. SRRCTL limits what goes into one
 * buffer, in steps of 1024 bytes; the longest frame limits it, too. With an MTU
 * of up to 1500 each frame is one piece and that second limit is the one: 2048
 * bytes in SRRCTL are never reached, for no frame is longer than 1522 bytes with
 * its FCS. Above it a frame is cut into pieces, and SRRCTL says how long they
 * are: pages that lie side by side are not needed.
 *
 * 82576 datasheet, "Split and Replication Receive Control" and "Receive
 * Long Packet Maximum Length".
 */
static void igbook_rx_measure(struct igbook_ring *ring, unsigned int mtu)
{
	BUILD_BUG_ON(IGBOOK_RX_PIECE > PAGE_SIZE);
	BUILD_BUG_ON(SKB_HEAD_ALIGN(IGBOOK_RX_HEADROOM + 2048) >
		     IGBOOK_RX_JUMBO);

	/* loom: begin measure-all from 10 */
	/* With "rx-all" the longest frame limits nothing. */
	if (ring->netdev->features & NETIF_F_RXALL)
		mtu = IGBOOK_MAX_MTU;
	/* loom: end measure-all */
	if (mtu <= ETH_DATA_LEN) {
		ring->piece_size = IGBOOK_RX_PIECE;
		ring->buffer_size = 2048;
	} else {
		ring->piece_size = IGBOOK_RX_JUMBO;
		ring->buffer_size = ALIGN_DOWN(SKB_WITH_OVERHEAD(IGBOOK_RX_JUMBO) -
					       IGBOOK_RX_HEADROOM, 1024);
	}
}

/*
 * The pool maps each page once and keeps it mapped until it gives it back to
 * the system. Frames that are freed on the CPU and in the poll of the ring's
 * own vector return without a lock. Being told of it, the pool must be
 * destroyed only while that vector is not running.
 */
static int igbook_rx_pool_create(struct igbook_ring *ring)
{
	struct page_pool_params params = {
		.flags = PP_FLAG_DMA_MAP | PP_FLAG_DMA_SYNC_DEV,
		.pool_size = ring->count,
		.nid = dev_to_node(ring->dev),
		.dev = ring->dev,
		.napi = &ring->priv->vector[ring->index].napi,
		.netdev = ring->netdev,
		.dma_dir = DMA_FROM_DEVICE,
		.max_len = PAGE_SIZE,
	};
	struct page_pool *pool = page_pool_create(&params);

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	ring->pool = pool;
	return 0;
}

static inline bool igbook_rx_buffer_alloc(struct igbook_ring *ring,
					  struct igbook_rx_buffer *buffer,
					  gfp_t gfp)
{
	unsigned int size = ring->piece_size;

	buffer->page = page_pool_alloc(ring->pool, &buffer->offset, &size, gfp);
	return buffer->page;
}

/*
 * The card does not look at it before igbook_rx_doorbell(). Writing the
 * address of a header buffer as 0 also clears the DD bit of the last lap.
 *
 * 82576 datasheet, "Advanced Receive Descriptors - Read Format".
 */
static inline void igbook_rx_post(struct igbook_ring *ring,
				  struct igbook_rx_buffer buffer)
{
	union igbook_rx_desc *desc = &ring->rx_desc[ring->next_to_use];
	dma_addr_t dma = page_pool_get_dma_addr(buffer.page) + buffer.offset +
			 IGBOOK_RX_HEADROOM;

	ring->rx_buffer[ring->next_to_use] = buffer;
	desc->read.pkt_addr = cpu_to_le64(dma);
	desc->read.hdr_addr = 0;
	ring->next_to_use = igbook_ring_next(ring, ring->next_to_use);
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

static int igbook_rx_fill(struct igbook_ring *ring, unsigned int mtu)
{
	struct igbook_rx_buffer buffer;
	int err;

	igbook_rx_measure(ring, mtu);
	err = igbook_rx_pool_create(ring);
	if (err)
		return err;
	while (igbook_ring_unused(ring)) {
		if (!igbook_rx_buffer_alloc(ring, &buffer, IGBOOK_RING_GFP))
			return -ENOMEM;
		igbook_rx_post(ring, buffer);
	}
	return 0;
}

/*
 * Frames that sockets still hold keep their pages: the pool ends the mappings
 * now and itself when the last page has come back.
 */
static void igbook_rx_empty(struct igbook_ring *ring)
{
	while (ring->next_to_clean != ring->next_to_use) {
		u16 i = ring->next_to_clean;

		page_pool_put_full_page(ring->pool, ring->rx_buffer[i].page,
					false);
		ring->next_to_clean = igbook_ring_next(ring, i);
	}
	dev_kfree_skb_any(ring->skb);
	ring->skb = NULL;
	ring->skip = false;
	page_pool_destroy(ring->pool);
	ring->pool = NULL;
}

/**
 * igbook_rx_ring_alloc() - allocate a receive ring and fill it with buffers
 * @ring: the ring, without memory
 * @count: how many descriptors
 * @mtu: the MTU whose frames it must take
 *
 * Context: RTNL; sleeps.
 * Return: 0, or -ENOMEM: then igbook_rx_ring_free() frees what there is.
 */
int igbook_rx_ring_alloc(struct igbook_ring *ring, u16 count, unsigned int mtu)
{
	int err;

	err = igbook_ring_alloc(ring, count, sizeof(*ring->rx_buffer));
	if (err)
		return err;
	return igbook_rx_fill(ring, mtu);
}

/**
 * igbook_rx_ring_free() - free a receive ring and its buffers
 * @ring: the ring, with or without memory; the card must not know it, nor its
 *	  vector run
 *
 * Context: RTNL; sleeps.
 */
void igbook_rx_ring_free(struct igbook_ring *ring)
{
	igbook_rx_empty(ring);
	igbook_ring_free(ring);
}

/**
 * igbook_rx_ring_enable() - show the card a receive ring
 * @ring: the ring, filled with buffers
 *
 * The doorbell comes last: the tail of a queue that is off ignores what is
 * written to it. So it gets no zero either; the queue begins with one. A single
 * queue without descriptors makes frames wait in the card. With several each
 * drops its own, or those of the others would wait behind them.
 *
 * Context: RTNL; sleeps.
 * Return: 0, or -ETIMEDOUT.
 *
 * Source: 82576 datasheet, "Receive Initialization" and "Split and Replication
 * Receive Control".
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
		    FIELD_PREP(SRRCTL_DESCTYPE, SRRCTL_DESCTYPE_ONEBUF) |
		    (priv->num_queues > 1 ? SRRCTL_DROP_EN : 0));
	igbook_wr32(priv, REG_RDH(i), 0);
	ring->tail = priv->regs + REG_RDT(i);
	err = igbook_ring_enable(ring, REG_RXDCTL(i));
	if (err)
		return err;
	igbook_rx_doorbell(ring);
	return 0;
}

static inline void *igbook_rx_bytes(struct igbook_ring *ring,
				    const struct igbook_rx_buffer *buffer,
				    unsigned int len)
{
	unsigned int offset = buffer->offset + IGBOOK_RX_HEADROOM;

	page_pool_dma_sync_for_cpu(ring->pool, buffer->page, offset, len);
	return page_address(buffer->page) + offset;
}

/*
 * An sk_buff around a piece of the pool. It takes @size bytes of memory, however
 * short the frame is, and says so to those who keep account.
 */
static inline struct sk_buff *igbook_rx_skb(void *piece, unsigned int size,
					    unsigned int len)
{
	struct sk_buff *skb = napi_build_skb(piece, size);

	if (unlikely(!skb))
		return NULL;
	skb_mark_for_recycle(skb);
	skb_reserve(skb, IGBOOK_RX_HEADROOM);
	__skb_put(skb, len);
	return skb;
}

/*
 * A short frame moves to a piece of its size. Its buffer stays in the ring: it
 * is lent to the CPU for the copy and returned. Whole lines of the cache are
 * copied, for both pieces go on behind the frame.
 */
static inline struct sk_buff *
igbook_rx_copy(struct igbook_ring *ring, const struct igbook_rx_buffer *buffer,
	       unsigned int len)
{
	unsigned int size = SKB_HEAD_ALIGN(IGBOOK_RX_HEADROOM + len);
	const void *from, *end;
	struct sk_buff *skb;
	unsigned int offset;
	struct page *page;
	void *piece, *to;

	page = page_pool_dev_alloc_frag(ring->pool, &offset, size);
	if (unlikely(!page))
		return NULL;
	piece = page_address(page) + offset;
	to = piece + IGBOOK_RX_HEADROOM;
	from = igbook_rx_bytes(ring, buffer, len);
	for (end = from + len; from < end;
	     from += SMP_CACHE_BYTES, to += SMP_CACHE_BYTES)
		memcpy(to, from, SMP_CACHE_BYTES);
	dma_sync_single_range_for_device(ring->dev,
					 page_pool_get_dma_addr(buffer->page),
					 buffer->offset + IGBOOK_RX_HEADROOM,
					 len, DMA_FROM_DEVICE);
	skb = igbook_rx_skb(piece, size, len);
	if (unlikely(!skb))
		page_pool_put_full_page(ring->pool, page, false);
	return skb;
}

static inline struct sk_buff *
igbook_rx_build(struct igbook_ring *ring, const struct igbook_rx_buffer *buffer,
		unsigned int len)
{
	void *bytes = igbook_rx_bytes(ring, buffer, len);

	return igbook_rx_skb(bytes - IGBOOK_RX_HEADROOM, ring->piece_size, len);
}

static inline bool igbook_rx_append(struct igbook_ring *ring,
				    const struct igbook_rx_buffer *buffer,
				    unsigned int len)
{
	unsigned int pieces = skb_shinfo(ring->skb)->nr_frags;

	if (unlikely(pieces == MAX_SKB_FRAGS))
		return false;
	igbook_rx_bytes(ring, buffer, len);
	skb_add_rx_frag(ring->skb, pieces, buffer->page,
			buffer->offset + IGBOOK_RX_HEADROOM, len,
			ring->piece_size);
	return true;
}

/*
 * What goes away with the frame is replaced before: if there is no new buffer
 * the frame is lost and the old buffer stays, so the ring never runs dry.
 */
static inline bool igbook_rx_take(struct igbook_ring *ring,
				  struct igbook_rx_buffer *buffer,
				  unsigned int len, bool whole)
{
	struct igbook_rx_buffer fresh;
	bool taken;

	if (whole && len < READ_ONCE(ring->priv->rx_copybreak)) {
		ring->skb = igbook_rx_copy(ring, buffer, len);
		return ring->skb;
	}
	if (unlikely(!igbook_rx_buffer_alloc(ring, &fresh,
					     GFP_ATOMIC | __GFP_NOWARN)))
		return false;
	if (!ring->skb) {
		ring->skb = igbook_rx_build(ring, buffer, len);
		taken = ring->skb;
	} else {
		taken = igbook_rx_append(ring, buffer, len);
	}
	if (unlikely(!taken)) {
		page_pool_put_full_page(ring->pool, fresh.page, false);
		return false;
	}
	*buffer = fresh;
	return true;
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

/*
 * The card says which sums it has looked at, and whether they were right:
 *
 *   looked at  right   the frame's ip_summed
 *   L4CS       yes     CHECKSUM_UNNECESSARY: nobody adds it up again
 *   L4CS/IPCS  no      CHECKSUM_NONE, and counted: the stack finds it itself
 *   neither            CHECKSUM_NONE: a sum it does not know, a fragment, or none
 *
 * A frame with a wrong sum is not dropped: it is for the stack to say which
 * protocol saw the error, and for a capture to show it. CHECKSUM_COMPLETE would
 * be the sum of all bytes, which this card gives only in place of the hash.
 * CHECKSUM_PARTIAL is for frames that never were on a cable.
 *
 * 82576 datasheet, "Receive Packet Checksum Off Loading".
 */
static inline void igbook_rx_checksum(struct sk_buff *skb, u32 status,
				      struct igbook_rx_count *count)
{
	if (unlikely(status & (RXD_ERR_L4E | RXD_ERR_IPE))) {
		count->checksum_bad++;
	} else if (status & RXD_STA_L4CS) {
		skb->ip_summed = CHECKSUM_UNNECESSARY;
		count->checksum_good++;
	}
}

/* What the hash covers, by RXD_RSS_TYPE. */
static const u8 igbook_rx_hash_type[] = {
	[RSS_TYPE_TCP_IPV4] = PKT_HASH_TYPE_L4,
	[RSS_TYPE_IPV4] = PKT_HASH_TYPE_L3,
	[RSS_TYPE_TCP_IPV6] = PKT_HASH_TYPE_L4,
	[RSS_TYPE_IPV6_EX] = PKT_HASH_TYPE_L3,
	[RSS_TYPE_IPV6] = PKT_HASH_TYPE_L3,
	[RSS_TYPE_TCP_IPV6_EX] = PKT_HASH_TYPE_L4,
	[RSS_TYPE_UDP_IPV4] = PKT_HASH_TYPE_L4,
	[RSS_TYPE_UDP_IPV6] = PKT_HASH_TYPE_L4,
	[RSS_TYPE_UDP_IPV6_EX] = PKT_HASH_TYPE_L4,
	[15] = PKT_HASH_TYPE_NONE,
};

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

		skb_set_hash(skb, le32_to_cpu(desc->wb.rss),
			     igbook_rx_hash_type[type]);
	}
	if (status & RXD_STA_VP)
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q),
				       le16_to_cpu(desc->wb.vlan));
	/* loom: begin rx-stamp from 09 */
	if (unlikely(status & RXD_STA_TS))
		igbook_clock_rx_stamp(ring->priv, skb);
	/* loom: end rx-stamp */
	skb_record_rx_queue(skb, ring->index);
	skb->protocol = eth_type_trans(skb, ring->netdev);
}

/*
 * GRO may keep the frame until the poll ends, and join it with others of the
 * same connection, before the stack sees it. Outside of a poll nobody would
 * ask for it again.
 */
static inline void igbook_rx_deliver(struct igbook_ring *ring,
				     const union igbook_rx_desc *desc,
				     u32 status, struct igbook_rx_count *count)
{
	struct sk_buff *skb = ring->skb;

	ring->skb = NULL;
	/* loom: begin deliver-runt from 10 */
	/* "rx-all" may let one through that does not even have a header. */
	if (unlikely(skb->len < ETH_HLEN)) {
		dev_kfree_skb_any(skb);
		dev_core_stats_rx_dropped_inc(ring->netdev);
		count->drops++;
		return;
	}
	/* loom: end deliver-runt */
	count->packets++;
	count->bytes += skb->len;
	igbook_rx_describe(ring, desc, status, skb, count);
	if (likely(!ring->silent))
		napi_gro_receive(ring->napi, skb);
	else
		netif_receive_skb(skb);
}

static inline void igbook_rx_note(struct igbook_ring *ring,
				  const struct igbook_rx_count *count)
{
	struct igbook_ring_stats *stats = &ring->stats;

	u64_stats_update_begin(&stats->syncp);
	u64_stats_add(&stats->packets, count->packets);
	u64_stats_add(&stats->bytes, count->bytes);
	u64_stats_add(&stats->drops, count->drops);
	u64_stats_add(&stats->no_memory, count->no_memory);
	u64_stats_add(&stats->checksum_good, count->checksum_good);
	u64_stats_add(&stats->checksum_bad, count->checksum_bad);
	u64_stats_update_end(&stats->syncp);
}

/* loom: from 10 */
/* A damaged frame, unless "rx-all" asks for those, too. */
static inline bool igbook_rx_unwanted(const struct igbook_ring *ring,
				      u32 status)
{
	return unlikely(status & RXD_ERR_RXE) &&
	       !(ring->netdev->features & NETIF_F_RXALL);
}

/**
 * igbook_rx_clean() - take what the card has received
 * @ring: the ring
 * @budget: most descriptors to take
 *
 * A frame of several pieces may begin in one call and end in the next: what
 * there is of it waits in the ring. For each buffer taken out one is posted.
 *
 * Context: bottom halves off, one CPU at a time for each ring.
 * Return: how many were taken; fewer than @budget when there were no more.
 *
 * Source: 82576 datasheet, "Receive Descriptor Ring Structure".
 */
int igbook_rx_clean(struct igbook_ring *ring, int budget)
{
	struct igbook_rx_count count = {};
	int done = 0;

	while (done < budget) {
		u16 i = ring->next_to_clean;
		union igbook_rx_desc *desc = &ring->rx_desc[i];
		u32 status = le32_to_cpu(READ_ONCE(desc->wb.status_error));
		struct igbook_rx_buffer buffer = ring->rx_buffer[i];
		bool last = status & RXD_STA_EOP;
#if 0	/* loom: begin clean-lost until 10 */
		bool lost = ring->skip || (status & RXD_ERR_RXE);
#endif	/* loom: end clean-lost */
		/* loom: begin clean-unwanted from 10 */
		bool lost = ring->skip || igbook_rx_unwanted(ring, status);
		/* loom: end clean-unwanted */

		if (!(status & RXD_STA_DD))
			break;
		/* DD was seen: length and frame are read after it. */
		dma_rmb();
		if (likely(!lost) &&
		    !igbook_rx_take(ring, &buffer, le16_to_cpu(desc->wb.length),
				    last && !ring->skb)) {
			count.no_memory++;
			lost = true;
		}
		if (unlikely(lost))
			igbook_rx_lose(ring, last, &count);
		else if (last)
			igbook_rx_deliver(ring, desc, status, &count);
		igbook_rx_post(ring, buffer);
		ring->next_to_clean = igbook_ring_next(ring, i);
		if (++done % IGBOOK_BATCH == 0)
			igbook_rx_doorbell(ring);
	}
	if (done % IGBOOK_BATCH)
		igbook_rx_doorbell(ring);
	if (done)
		igbook_rx_note(ring, &count);
	return done;
}

/* loom: from 10 */
/**
 * igbook_rx_test() - look for a frame of the self test
 * @ring: the ring
 * @frame: what was sent
 * @len: bytes of that
 *
 * One descriptor is looked at and posted again with its buffer. Frames that are
 * not of the test are passed over.
 *
 * Context: RTNL; the vector of the ring does not run.
 * Return: 0; -EAGAIN: nothing yet, ask again; -EIO: it is not what was sent.
 */
int igbook_rx_test(struct igbook_ring *ring, const void *frame,
		   unsigned int len)
{
	union igbook_rx_desc *desc = &ring->rx_desc[ring->next_to_clean];
	struct igbook_rx_buffer buffer = ring->rx_buffer[ring->next_to_clean];
	u32 status = le32_to_cpu(READ_ONCE(desc->wb.status_error));
	int result = -EAGAIN;
	const void *bytes;

	if (!(status & RXD_STA_DD))
		return -EAGAIN;
	/* DD was seen: length and frame are read after it. */
	dma_rmb();
	bytes = igbook_rx_bytes(ring, &buffer, len);
	if (!memcmp(bytes, frame, ETH_HLEN))
		result = (status & RXD_STA_EOP) &&
			 le16_to_cpu(desc->wb.length) == len &&
			 !memcmp(bytes, frame, len) ? 0 : -EIO;
	dma_sync_single_range_for_device(ring->dev,
					 page_pool_get_dma_addr(buffer.page),
					 buffer.offset + IGBOOK_RX_HEADROOM,
					 len, DMA_FROM_DEVICE);
	igbook_rx_post(ring, buffer);
	ring->next_to_clean = igbook_ring_next(ring, ring->next_to_clean);
	igbook_rx_doorbell(ring);
	return result;
}
