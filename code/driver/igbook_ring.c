// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: the rings' memory, and the registers that show them to the card.
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
 * igbook_rings_init() - what the rings are before the first open
 * @priv: the device
 *
 * Context: probe.
 */
void igbook_rings_init(struct igbook *priv)
{
	unsigned int i;

	priv->num_queues = 1;
	priv->tx_count = IGBOOK_DEFAULT_DESC;
	priv->rx_count = IGBOOK_DEFAULT_DESC;
	for (i = 0; i < IGBOOK_MAX_QUEUES; i++) {
		priv->tx_ring[i].priv = priv;
		priv->tx_ring[i].index = i;
		u64_stats_init(&priv->tx_ring[i].stats.syncp);
		priv->rx_ring[i].priv = priv;
		priv->rx_ring[i].index = i;
		u64_stats_init(&priv->rx_ring[i].stats.syncp);
	}
}

/**
 * igbook_rx_buffer_size() - how large a receive buffer must be
 * @mtu: the interface's MTU
 *
 * One buffer takes the longest frame: header, one VLAN tag, payload and FCS.
 * Frames up to 1522 bytes are always taken. The card counts in KB.
 *
 * Return: bytes.
 */
static u16 igbook_rx_buffer_size(unsigned int mtu)
{
	unsigned int frame = max_t(unsigned int, mtu, ETH_DATA_LEN) +
			     VLAN_ETH_HLEN + ETH_FCS_LEN;

	return ALIGN(frame, 1024);
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
static int igbook_ring_alloc(struct igbook_ring *ring, u16 count, size_t note)
{
	void *notes = kvcalloc(count, note, IGBOOK_RING_GFP);

	if (!notes)
		return -ENOMEM;
	ring->desc = dma_alloc_coherent(&ring->priv->pdev->dev,
					count * IGBOOK_DESC_SIZE, &ring->dma,
					IGBOOK_RING_GFP);
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
static void igbook_ring_free(struct igbook_ring *ring)
{
	if (!ring->desc)
		return;
	dma_free_coherent(&ring->priv->pdev->dev,
			  ring->count * IGBOOK_DESC_SIZE, ring->desc,
			  ring->dma);
	kvfree(ring->buffers);
	ring->desc = NULL;
}

/**
 * igbook_tx_ring_alloc() - allocate a transmit ring
 * @ring: the ring, without memory
 * @count: how many descriptors
 *
 * Context: RTNL; sleeps.
 * Return: 0, or -ENOMEM with nothing kept.
 */
int igbook_tx_ring_alloc(struct igbook_ring *ring, u16 count)
{
	return igbook_ring_alloc(ring, count, sizeof(*ring->tx_buffer));
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
	igbook_ring_free(ring);
}

/**
 * igbook_rx_ring_alloc() - allocate a receive ring and fill it with buffers
 * @ring: the ring, without memory
 * @count: how many descriptors
 * @mtu: the MTU whose frames it must take
 *
 * Context: RTNL; sleeps.
 * Return: 0, or -ENOMEM with nothing kept.
 */
int igbook_rx_ring_alloc(struct igbook_ring *ring, u16 count, unsigned int mtu)
{
	int err;

	err = igbook_ring_alloc(ring, count, sizeof(*ring->rx_buffer));
	if (err)
		return err;
	ring->buffer_size = igbook_rx_buffer_size(mtu);
	err = igbook_rx_fill(ring);
	if (err)
		igbook_rx_ring_free(ring);
	return err;
}

/**
 * igbook_rx_ring_free() - free a receive ring and its buffers
 * @ring: the ring, with or without memory; the card must not know it
 *
 * Context: RTNL; sleeps.
 */
void igbook_rx_ring_free(struct igbook_ring *ring)
{
	igbook_rx_empty(ring);
	igbook_ring_free(ring);
}

/**
 * igbook_rings_alloc() - allocate the rings of all queues
 * @priv: the device
 *
 * Context: RTNL; sleeps.
 * Return: 0, or -ENOMEM: then igbook_rings_free() frees what there is.
 */
int igbook_rings_alloc(struct igbook *priv)
{
	unsigned int i;
	int err;

	for (i = 0; i < priv->num_queues; i++) {
		err = igbook_tx_ring_alloc(&priv->tx_ring[i], priv->tx_count);
		if (err)
			return err;
		err = igbook_rx_ring_alloc(&priv->rx_ring[i], priv->rx_count,
					   priv->netdev->mtu);
		if (err)
			return err;
	}
	return 0;
}

/**
 * igbook_rings_free() - free the rings of all queues
 * @priv: the device, rings disabled
 *
 * Context: RTNL; sleeps.
 */
void igbook_rings_free(struct igbook *priv)
{
	unsigned int i;

	for (i = 0; i < priv->num_queues; i++) {
		igbook_tx_ring_free(&priv->tx_ring[i]);
		igbook_rx_ring_free(&priv->rx_ring[i]);
	}
}

/**
 * igbook_queue_wait() - wait until a queue is on, or off
 * @priv: the device
 * @reg: TXDCTL or RXDCTL of the queue; ENABLE is the same bit in both
 * @on: what to wait for
 *
 * Context: sleeps, up to 10 ms.
 * Return: 0, or -ETIMEDOUT.
 */
static int igbook_queue_wait(struct igbook *priv, u32 reg, bool on)
{
	u32 value;

	return read_poll_timeout(igbook_rd32, value,
				 !!(value & RXDCTL_ENABLE) == on, 100,
				 IGBOOK_QUEUE_US, false, priv, reg);
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

	igbook_wr32(priv, REG_TDBAL(i), lower_32_bits(ring->dma));
	igbook_wr32(priv, REG_TDBAH(i), upper_32_bits(ring->dma));
	igbook_wr32(priv, REG_TDLEN(i), ring->count * IGBOOK_DESC_SIZE);
	igbook_wr32(priv, REG_TDH(i), 0);
	igbook_wr32(priv, REG_TDT(i), 0);
	igbook_wr32(priv, REG_TXDCTL(i),
		    FIELD_PREP(TXDCTL_PTHRESH, IGBOOK_FETCH_BELOW) |
		    FIELD_PREP(TXDCTL_HTHRESH, IGBOOK_FETCH_LEAST) |
		    FIELD_PREP(TXDCTL_WTHRESH, IGBOOK_WRITE_BACK) |
		    TXDCTL_ENABLE);
	return igbook_queue_wait(priv, REG_TXDCTL(i), true);
}

/**
 * igbook_rx_ring_enable() - show the card a receive ring
 * @ring: the ring, filled with buffers
 *
 * The doorbell comes last: the tail of a queue that is off ignores what is
 * written to it. So it gets no zero either; the queue begins with one.
 *
 * Context: RTNL; sleeps.
 * Return: 0, or -ETIMEDOUT.
 *
 * Source: 82576 datasheet, "Receive Initialization".
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
		    FIELD_PREP(SRRCTL_DESCTYPE, SRRCTL_DESCTYPE_ONEBUF));
	igbook_wr32(priv, REG_RDH(i), 0);
	igbook_wr32(priv, REG_RXDCTL(i),
		    FIELD_PREP(RXDCTL_PTHRESH, IGBOOK_FETCH_BELOW) |
		    FIELD_PREP(RXDCTL_HTHRESH, IGBOOK_FETCH_LEAST) |
		    FIELD_PREP(RXDCTL_WTHRESH, IGBOOK_WRITE_BACK) |
		    RXDCTL_ENABLE);
	err = igbook_queue_wait(priv, REG_RXDCTL(i), true);
	if (err)
		return err;
	igbook_rx_doorbell(ring);
	return 0;
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
 *
 * Source: 82576 datasheet, "Dynamic Enabling and Disabling of Receive Queues".
 */
void igbook_ring_disable(struct igbook_ring *ring, u32 reg)
{
	struct igbook *priv = ring->priv;

	igbook_wr32(priv, reg, igbook_rd32(priv, reg) & ~RXDCTL_ENABLE);
	if (igbook_queue_wait(priv, reg, false))
		netdev_err(priv->netdev, "queue %u does not stop\n",
			   ring->index);
	usleep_range(100, 200);
}

/**
 * igbook_units_enable() - let the card's two halves run
 * @priv: the device, rings enabled
 *
 * The frame arrives without its FCS (SECRC): nobody in the stack wants it, and
 * the card has checked it.
 *
 * Context: RTNL; takes the address lock, RCTL has other writers.
 *
 * Source: 82576 datasheet, "Transmit Control Register" and "Receive Control
 * Register".
 */
static void igbook_units_enable(struct igbook *priv)
{
	u32 tctl = igbook_rd32(priv, REG_TCTL) & ~TCTL_CT;

	tctl |= TCTL_EN | TCTL_PSP | TCTL_RTLC |
		FIELD_PREP(TCTL_CT, TCTL_CT_DEFAULT);
	igbook_wr32(priv, REG_TCTL, tctl);
	netif_addr_lock_bh(priv->netdev);
	igbook_wr32(priv, REG_RCTL, igbook_rd32(priv, REG_RCTL) | RCTL_RXEN |
				    RCTL_SECRC);
	netif_addr_unlock_bh(priv->netdev);
}

/**
 * igbook_units_disable() - let the card begin no new frame
 * @priv: the device
 *
 * Context: RTNL; takes the address lock, RCTL has other writers.
 */
static void igbook_units_disable(struct igbook *priv)
{
	netif_addr_lock_bh(priv->netdev);
	igbook_wr32(priv, REG_RCTL, igbook_rd32(priv, REG_RCTL) & ~RCTL_RXEN);
	netif_addr_unlock_bh(priv->netdev);
	igbook_wr32(priv, REG_TCTL, igbook_rd32(priv, REG_TCTL) & ~TCTL_EN);
}

/**
 * igbook_rings_enable() - show the card all rings and let it work
 * @priv: the device, rings allocated
 *
 * Context: RTNL and not the address lock, which is taken for RCTL; sleeps.
 * Return: 0, or -ETIMEDOUT: then igbook_rings_disable() takes them back.
 *
 * Source: 82576 datasheet, "Transmit Initialization" and "Receive
 * Initialization".
 */
int igbook_rings_enable(struct igbook *priv)
{
	unsigned int i;
	int err;

	for (i = 0; i < priv->num_queues; i++) {
		err = igbook_tx_ring_enable(&priv->tx_ring[i]);
		if (!err)
			err = igbook_rx_ring_enable(&priv->rx_ring[i]);
		if (err) {
			netdev_err(priv->netdev, "queue %u does not start\n",
				   i);
			return err;
		}
	}
	igbook_units_enable(priv);
	return 0;
}

/**
 * igbook_rings_disable() - stop the card and take all rings away from it
 * @priv: the device; stopping it twice does no harm
 *
 * Context: RTNL and not the address lock; sleeps.
 */
void igbook_rings_disable(struct igbook *priv)
{
	unsigned int i;

	igbook_units_disable(priv);
	for (i = 0; i < priv->num_queues; i++) {
		igbook_ring_disable(&priv->tx_ring[i], REG_TXDCTL(i));
		igbook_ring_disable(&priv->rx_ring[i], REG_RXDCTL(i));
	}
	igbook_dma_master_disable(priv);
}
