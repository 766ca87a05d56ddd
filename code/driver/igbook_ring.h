/* SPDX-License-Identifier: GPL-2.0 */
/*
 * igbook: the rings of descriptors between driver and card.
 */
#ifndef _IGBOOK_RING_H_
#define _IGBOOK_RING_H_

#include <linux/if_vlan.h>
#include <linux/netdevice.h>
#include <linux/u64_stats_sync.h>

#include "igbook_desc.h"

struct igbook;
/* loom: begin ring-forward-pool from 07 */
struct page_pool;
/* loom: end ring-forward-pool */

#define IGBOOK_MAX_QUEUES	8	/* of the card's sixteen */
#define IGBOOK_DESC_SIZE	16	/* bytes, in either direction */
#define IGBOOK_MIN_DESC		8	/* 8 x 16 bytes: RDLEN counts in 128s */
#define IGBOOK_MAX_DESC		4096
#define IGBOOK_DEFAULT_DESC	256
/* loom: begin ring-copybreak from 07 */
#define IGBOOK_RX_COPY		256	/* shorter frames are copied ... */
#define IGBOOK_RX_COPY_MAX	1536	/* ... unless the user says other */
/* loom: end ring-copybreak */

/*
 * A ring may want much memory. It is to be refused rather than found by killing
 * programs, and then the user is told, not the log.
 */
#define IGBOOK_RING_GFP		(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/* loom: begin tx-measures from 08 */
#define IGBOOK_TX_PIECE		16384	/* bytes a descriptor stands for */
#define IGBOOK_TX_SLOT		256	/* frames up to here are copied */

/*
 * Descriptors of the largest frame: a context, one for the linear part and each
 * page, and one more wherever a piece is too long for one. Room for two of them
 * is worth going on for.
 */
#define IGBOOK_TX_MOST \
	(MAX_SKB_FRAGS + 2 + GSO_LEGACY_MAX_SIZE / IGBOOK_TX_PIECE)
#define IGBOOK_TX_WAKE		(2 * IGBOOK_TX_MOST)
#define IGBOOK_TX_LEAST		ALIGN(IGBOOK_TX_WAKE + 1, IGBOOK_MIN_DESC)
/* loom: end tx-measures */

#if 0 /* loom: begin tx-buffer-old until 08 */
/**
 * struct igbook_tx_buffer - what a transmit descriptor stands for
 * @skb: the frame
 * @dma: its bus address
 * @len: how much of it is mapped
 */
struct igbook_tx_buffer {
	struct sk_buff *skb;
	dma_addr_t dma;
	unsigned int len;
};
#endif /* loom: end tx-buffer-old */
/* loom: begin tx-buffer from 08 */
/**
 * struct igbook_tx_buffer - what a transmit descriptor stands for
 * @skb: in the last one of a frame: the frame, if the ring still needs it
 * @dma: bus address of what is mapped for this descriptor
 * @len: bytes of that, or 0
 * @paged: they lie in a page, not in the linear part of a frame
 * @watch: in the first one of a batch: the descriptor that will be reported
 * @frames: in the first one of a batch: its frames
 * @bytes: in the first one of a batch: its bytes on the cable
 * @mapped: in the first one of a batch: some of its descriptors may have a
 *          frame or a mapping
 */
struct igbook_tx_buffer {
	struct sk_buff *skb;
	dma_addr_t dma;
	u32 len;
	bool paged;
	bool mapped;
	u16 watch;
	u16 frames;
	u32 bytes;
};

/**
 * struct igbook_tx_batch - frames in the ring that the card has not heard of
 * @frames: how many
 * @segments: how many they will be on the cable
 * @bytes: their bytes there, without FCS and inserted tags
 * @mapped: some of their descriptors may have a frame or a mapping
 */
struct igbook_tx_batch {
	bool mapped;
	u16 frames;
	u32 segments;
	u32 bytes;
};

/**
 * struct igbook_tx_context - the context the card has
 * @lens: its first word
 * @tucmd: its third, 0: it has none
 * @mss: its fourth
 */
struct igbook_tx_context {
	u32 lens;
	u32 tucmd;
	u32 mss;
};
/* loom: end tx-buffer */

#if 0 /* loom: begin rx-buffer until 07 */
/**
 * struct igbook_rx_buffer - what a receive descriptor stands for
 * @skb: the buffer, an empty frame
 * @dma: its bus address; igbook_ring.buffer_size bytes are mapped
 */
struct igbook_rx_buffer {
	struct sk_buff *skb;
	dma_addr_t dma;
};
#endif /* loom: end rx-buffer */
/* loom: begin rx-buffer-07 from 07 */
/**
 * struct igbook_rx_buffer - what a receive descriptor stands for
 * @page: the page the buffer is a part of
 * @offset: where it begins there; igbook_ring.piece_size bytes are its own
 */
struct igbook_rx_buffer {
	struct page *page;
	unsigned int offset;
};
/* loom: end rx-buffer-07 */

/**
 * struct igbook_ring_stats - what one ring has done
 * @syncp: lets a reader see 64 bits whole on a machine of 32
 * @packets: frames
 * @bytes: their bytes, without FCS
 * @drops: frames the driver took and could not use; before stage 07 each piece
 *	   of such a frame
 * @no_memory: of these, for want of memory or of a mapping
 * @stops: how often the queue was stopped because the ring was full
 */
struct igbook_ring_stats {
	struct u64_stats_sync syncp;
	u64_stats_t packets;
	u64_stats_t bytes;
	u64_stats_t drops;
	u64_stats_t no_memory;
	u64_stats_t stops;
	/* loom: begin ring-stats-checksums from 07 */
	/** @checksum_good: receive: the card found the checksum right */
	u64_stats_t checksum_good;
	/** @checksum_bad: receive: it found one wrong */
	u64_stats_t checksum_bad;
	/* loom: end ring-stats-checksums */
	/* loom: begin stats-doorbells from 08 */
	/** @doorbells: transmit: how often the card was told */
	u64_stats_t doorbells;
	/* loom: end stats-doorbells */
};

/**
 * struct igbook_ring - one ring, of either direction
 * @priv: the device
 * @dev: the device DMA is done for
 * @netdev: the network device
 * @tail: the queue's tail register, the doorbell; set when it is enabled
 * @index: number of the queue
 * @skip: receive: what comes before the next end of a frame is dropped
 * @silent: receive: the queue is off, there is nobody to hear the doorbell
 * @stats: counters; they outlive a change of size
 * @desc: the descriptors, as the CPU sees them
 * @tx_desc: the same, in a transmit ring
 * @rx_desc: the same, in a receive ring
 * @buffers: what the driver notes about each descriptor
 * @tx_buffer: the same, in a transmit ring
 * @rx_buffer: the same, in a receive ring
 * @dma: the descriptors, as the card sees them
 * @count: how many there are
 * @buffer_size: receive: bytes the card may write to each buffer
 * @next_to_use: the descriptor the driver gives to the card next
 * @next_to_clean: the descriptor the driver takes back next
 *
 * From @next_to_clean to before @next_to_use the descriptors are the card's, or
 * done and not taken back yet.
 * One is always kept free, so that equal means empty and never full.
 */
struct igbook_ring {
	struct igbook *priv;
	struct device *dev;
	struct net_device *netdev;
	void __iomem *tail;
	u16 index;
	bool skip;
	bool silent;
	struct igbook_ring_stats stats;

	union {
		void *desc;
		union igbook_tx_desc *tx_desc;
		union igbook_rx_desc *rx_desc;
	};
	union {
		void *buffers;
		struct igbook_tx_buffer *tx_buffer;
		struct igbook_rx_buffer *rx_buffer;
	};
	dma_addr_t dma;
	u16 count;
	u16 buffer_size;
	u16 next_to_use;
	u16 next_to_clean;
	/* loom: begin ring-napi from 06 */
	/** @napi: receive: the instance that polls the ring */
	struct napi_struct *napi;
	/* loom: end ring-napi */
	/* loom: begin ring-pool from 07 */
	/** @pool: receive: where the buffers come from */
	struct page_pool *pool;
	/** @piece_size: receive: bytes of memory a buffer takes */
	u16 piece_size;
	/** @skb: receive: the frame of which more is to come */
	struct sk_buff *skb;
	/* loom: end ring-pool */
	/* loom: begin ring-transmit from 08 */
	/** @rung: transmit: where the frames the card has heard of end */
	u16 rung;
	/** @sent: transmit: frames came back since the queue was enabled */
	bool sent;
	/** @room: transmit: free descriptors that we know of */
	u16 room;
	/** @batch: transmit: what is between @rung and @next_to_use */
	struct igbook_tx_batch batch;
	/** @context: transmit: the context that was last written */
	struct igbook_tx_context context;
	/** @slots: transmit: a place for a short frame for each descriptor */
	void *slots;
	/** @slots_dma: the same, as the card sees it */
	dma_addr_t slots_dma;
	/* loom: end ring-transmit */
};

/**
 * igbook_ring_next() - the descriptor after one
 * @ring: the ring
 * @i: a descriptor
 *
 * Return: @i + 1, or 0 after the last.
 */
static inline u16 igbook_ring_next(const struct igbook_ring *ring, u16 i)
{
	return i + 1 < ring->count ? i + 1 : 0;
}

/**
 * igbook_ring_unused() - how many descriptors may be given to the card
 * @ring: the ring
 *
 * For the side that gives descriptors to the card. The other side may take
 * some back meanwhile: then there are more than we say.
 *
 * Return: 0 to count - 1.
 */
static inline u16 igbook_ring_unused(const struct igbook_ring *ring)
{
	/* Whoever moved next_to_clean is done with the buffers before it. */
	u16 clean = smp_load_acquire(&ring->next_to_clean);
	u16 use = READ_ONCE(ring->next_to_use);

	return (clean > use ? 0 : ring->count) + clean - use - 1;
}

/**
 * igbook_tx_done() - has the card sent the frame of a descriptor?
 * @desc: the descriptor
 *
 * Return: whether its write-back has come.
 */
static inline bool igbook_tx_done(const union igbook_tx_desc *desc)
{
	return READ_ONCE(desc->wb.status) & cpu_to_le32(TXD_STA_DD);
}

/* igbook_ring.c */
void igbook_ring_init(struct igbook_ring *ring, struct igbook *priv,
		      u16 index);
int igbook_ring_alloc(struct igbook_ring *ring, u16 count, size_t note);
void igbook_ring_free(struct igbook_ring *ring);
int igbook_ring_enable(struct igbook_ring *ring, u32 reg);
int igbook_ring_disable(struct igbook_ring *ring, u32 reg);

/* igbook_rx.c */
int igbook_rx_ring_alloc(struct igbook_ring *ring, u16 count,
			 unsigned int mtu);
void igbook_rx_ring_free(struct igbook_ring *ring);
int igbook_rx_ring_enable(struct igbook_ring *ring);
int igbook_rx_clean(struct igbook_ring *ring, int budget);
/* loom: begin prototype-rx-test from 10 */
int igbook_rx_test(struct igbook_ring *ring, const void *frame,
		   unsigned int len);
/* loom: end prototype-rx-test */

/* igbook_tx.c */
int igbook_tx_ring_alloc(struct igbook_ring *ring, u16 count);
void igbook_tx_ring_free(struct igbook_ring *ring);
int igbook_tx_ring_enable(struct igbook_ring *ring);
int igbook_tx_clean(struct igbook_ring *ring, int limit, int budget);
/* loom: begin prototype-tx-empty from 08 */
void igbook_tx_empty(struct igbook_ring *ring);
/* loom: end prototype-tx-empty */

#if 0 /* loom: begin prototype-deliver until 07 */
/* igbook_deliver.c, from stage 06 on igbook_rx.c */
void igbook_deliver(struct igbook_ring *ring, struct sk_buff *skb);

#endif /* loom: end prototype-deliver */
#endif /* _IGBOOK_RING_H_ */
