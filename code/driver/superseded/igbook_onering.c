// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: one transmit queue of eight descriptors, to send by hand.
 */
#include <linux/dma-mapping.h>
#include <linux/iopoll.h>

#include "igbook.h"

/*
 * CPU and card both read and write a descriptor at any time, so the ring is
 * coherent memory: no ownership to hand over, but the order of accesses is ours
 * to see to.
 */
static int igbook_tx_alloc(struct igbook *priv)
{
	struct igbook_tx_queue *tx = &priv->tx;

	tx->desc = dma_alloc_coherent(&priv->pdev->dev,
				      IGBOOK_TX_DESC * sizeof(*tx->desc),
				      &tx->dma, GFP_KERNEL);
	tx->next = 0;
	return tx->desc ? 0 : -ENOMEM;
}

static void igbook_tx_free(struct igbook *priv)
{
	struct igbook_tx_queue *tx = &priv->tx;

	if (!tx->desc)
		return;
	dma_free_coherent(&priv->pdev->dev,
			  IGBOOK_TX_DESC * sizeof(*tx->desc), tx->desc,
			  tx->dma);
	tx->desc = NULL;
}

/*
 * Head and tail equal means empty: the card waits. Only when the queue reports
 * itself enabled may the tail be moved.
 *
 * 82576 datasheet, "Transmit Initialization".
 */
static int igbook_tx_enable(struct igbook *priv)
{
	struct igbook_tx_queue *tx = &priv->tx;
	u32 txdctl;
	int err;

	igbook_wr32(priv, REG_TDBAL(0), lower_32_bits(tx->dma));
	igbook_wr32(priv, REG_TDBAH(0), upper_32_bits(tx->dma));
	igbook_wr32(priv, REG_TDLEN(0), IGBOOK_TX_DESC * sizeof(*tx->desc));
	igbook_wr32(priv, REG_TDH(0), 0);
	igbook_wr32(priv, REG_TDT(0), 0);

	txdctl = igbook_rd32(priv, REG_TXDCTL(0));
	igbook_wr32(priv, REG_TXDCTL(0), txdctl | TXDCTL_ENABLE);
	err = read_poll_timeout(igbook_rd32, txdctl, txdctl & TXDCTL_ENABLE,
				100, 10000, false, priv, REG_TXDCTL(0));
	if (err) {
		netdev_err(priv->netdev, "transmit queue does not start\n");
		return err;
	}
	igbook_wr32(priv, REG_TCTL, igbook_rd32(priv, REG_TCTL) | TCTL_EN);
	return 0;
}

/**
 * igbook_dma_start() - allocate the ring and start the transmit queue
 * @priv: the device, freshly reset
 *
 * Context: RTNL; sleeps.
 * Return: 0, or a negative errno: then igbook_dma_stop() cleans up.
 */
int igbook_dma_start(struct igbook *priv)
{
	int err;

	err = igbook_tx_alloc(priv);
	if (err)
		return err;
	return igbook_tx_enable(priv);
}

/**
 * igbook_dma_stop() - stop the transmit queue and free the ring
 * @priv: the device; stopping it twice does no harm
 *
 * The order is the point: first the card stops fetching, then it finishes,
 * then the memory goes; from a card that does not finish in time it is taken all
 * the same. A reset must follow before DMA can start again.
 *
 * Context: RTNL; sleeps.
 *
 * Source: 82576 datasheet, "Transmit Descriptor Control", ENABLE.
 */
void igbook_dma_stop(struct igbook *priv)
{
	u32 txdctl = igbook_rd32(priv, REG_TXDCTL(0));

	igbook_wr32(priv, REG_TCTL, igbook_rd32(priv, REG_TCTL) & ~TCTL_EN);
	igbook_wr32(priv, REG_TXDCTL(0), txdctl & ~TXDCTL_ENABLE);
	igbook_dma_master_disable(priv);
	igbook_tx_free(priv);
}
