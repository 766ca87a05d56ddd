// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: one ring of either direction: its memory, and on and off.
 */
#include <linux/bitfield.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/iopoll.h>
#include <linux/slab.h>

#include "igbook.h"

#define IGBOOK_FETCH_BELOW	8	/* PTHRESH: fetch when fewer are left */
#define IGBOOK_FETCH_LEAST	4	/* HTHRESH: and so many can be fetched */
#define IGBOOK_WRITE_BACK	1	/* WTHRESH: write back each, at once */
#define IGBOOK_QUEUE_US		10000	/* patience with a queue's ENABLE */

/**
 * igbook_ring_init() - what a ring is before it has memory
 * @ring: the ring, all zero
 * @priv: the device
 * @index: number of the queue
 *
 * Context: process context.
 */
void igbook_ring_init(struct igbook_ring *ring, struct igbook *priv, u16 index)
{
	ring->priv = priv;
	ring->dev = &priv->pdev->dev;
	ring->netdev = priv->netdev;
	ring->index = index;
	u64_stats_init(&ring->stats.syncp);
}

/**
 * igbook_ring_alloc() - allocate what a ring is made of
 * @ring: the ring, without memory
 * @count: how many descriptors
 * @note: size of what the driver notes about each
 *
 * Zeroed descriptors have no DD bit set: the card has done none of them.
 *
 * Context: RTNL; sleeps.
 * Return: 0, or -ENOMEM with nothing kept.
 */
int igbook_ring_alloc(struct igbook_ring *ring, u16 count, size_t note)
{
	void *notes = kvcalloc(count, note, IGBOOK_RING_GFP);

	if (!notes)
		return -ENOMEM;
	ring->desc = dma_alloc_coherent(ring->dev, count * IGBOOK_DESC_SIZE,
					&ring->dma, IGBOOK_RING_GFP);
	if (!ring->desc) {
		kvfree(notes);
		return -ENOMEM;
	}
	ring->buffers = notes;
	ring->count = count;
	ring->skip = false;
	ring->silent = false;
	ring->next_to_use = 0;
	ring->next_to_clean = 0;
	return 0;
}

/**
 * igbook_ring_free() - free it
 * @ring: the ring, with or without memory; no buffer is mapped any more
 *
 * Context: RTNL; sleeps.
 */
void igbook_ring_free(struct igbook_ring *ring)
{
	if (!ring->desc)
		return;
	dma_free_coherent(ring->dev, ring->count * IGBOOK_DESC_SIZE,
			  ring->desc, ring->dma);
	kvfree(ring->buffers);
	ring->desc = NULL;
}

/* ENABLE is the same bit in TXDCTL and RXDCTL, and so are the thresholds. */
static int igbook_queue_wait(struct igbook *priv, u32 reg, bool on)
{
	u32 value;

	return read_poll_timeout(igbook_rd32, value,
				 !!(value & RXDCTL_ENABLE) == on, 100,
				 IGBOOK_QUEUE_US, false, priv, reg);
}

/**
 * igbook_ring_enable() - let the card work on a ring
 * @ring: the ring; its other registers are written
 * @reg: TXDCTL or RXDCTL of the queue
 *
 * Context: RTNL; sleeps, up to 10 ms.
 * Return: 0, or -ETIMEDOUT.
 *
 * Source: 82576 datasheet, "Transmit Descriptor Control" and "Receive
 * Descriptor Control".
 */
int igbook_ring_enable(struct igbook_ring *ring, u32 reg)
{
	igbook_wr32(ring->priv, reg,
		    FIELD_PREP(RXDCTL_PTHRESH, IGBOOK_FETCH_BELOW) |
		    FIELD_PREP(RXDCTL_HTHRESH, IGBOOK_FETCH_LEAST) |
		    FIELD_PREP(RXDCTL_WTHRESH, IGBOOK_WRITE_BACK) |
		    RXDCTL_ENABLE);
	return igbook_queue_wait(ring->priv, reg, true);
}

/**
 * igbook_ring_disable() - take a ring away from the card
 * @ring: the ring
 * @reg: TXDCTL or RXDCTL of the queue
 *
 * ENABLE reads 0 once nothing more is under way to or from the descriptors.
 * The datasheet asks for 100 us more before a receive ring's memory goes.
 *
 * Context: RTNL; sleeps.
 * Return: 0, or -ETIMEDOUT: until its reset the card may use the ring's memory.
 *
 * Source: 82576 datasheet, "Dynamic Enabling and Disabling of Receive Queues".
 */
int igbook_ring_disable(struct igbook_ring *ring, u32 reg)
{
	struct igbook *priv = ring->priv;
	int err;

	/* loom: begin disable-gone from 10 */
	if (igbook_is_gone(priv)) {
		/* Should it be there after all, it stays out of memory. */
		pci_clear_master(priv->pdev);
		return 0;
	}
	/* loom: end disable-gone */
	igbook_wr32(priv, reg, igbook_rd32(priv, reg) & ~RXDCTL_ENABLE);
	err = igbook_queue_wait(priv, reg, false);
	if (err)
		netdev_err(ring->netdev, "queue %u does not stop\n",
			   ring->index);
	usleep_range(100, 200);
	return err;
}
