// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: the rings of all queues together.
 */
#include <linux/bitfield.h>

#include "igbook.h"

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
		igbook_ring_init(&priv->tx_ring[i], priv, i);
		igbook_ring_init(&priv->rx_ring[i], priv, i);
	}
	/* loom: begin rings-copybreak from 07 */
	priv->rx_copybreak = IGBOOK_RX_COPY;
	/* loom: end rings-copybreak */
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
 * @priv: the device, reset since they were disabled
 *
 * Context: RTNL; sleeps.
 */
void igbook_rings_free(struct igbook *priv)
{
	unsigned int i;

	/* loom: begin free-gone from 10 */
	/* Then no reset has stopped a queue that did not stop. */
	if (igbook_is_gone(priv))
		pci_clear_master(priv->pdev);
	/* loom: end free-gone */
	for (i = 0; i < priv->num_queues; i++) {
		igbook_tx_ring_free(&priv->tx_ring[i]);
		igbook_rx_ring_free(&priv->rx_ring[i]);
	}
}

/*
 * The frame arrives without its FCS (SECRC): nobody in the stack wants it, and
 * the card has checked it.
 *
 * 82576 datasheet, "Transmit Control Register" and "Receive Control Register".
 */
#if 0 /* loom: begin units-enable until 07 */
static void igbook_units_enable(struct igbook *priv)
#endif /* loom: end units-enable */
/* loom: begin units-enable-07 from 07 */
void igbook_units_enable(struct igbook *priv)
/* loom: end units-enable-07 */
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

#if 0 /* loom: begin units-disable until 07 */
static void igbook_units_disable(struct igbook *priv)
#endif /* loom: end units-disable */
/* loom: begin units-disable-07 from 07 */
void igbook_units_disable(struct igbook *priv)
/* loom: end units-disable-07 */
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
