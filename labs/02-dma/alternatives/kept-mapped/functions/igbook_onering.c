// SPDX-License-Identifier: GPL-2.0

/**
 * igbook_dma_stop() - stop the transmit queue and free the ring
 * @priv: the device; stopping it twice does no harm
 *
 * The order is the point: first the card stops fetching, then it finishes,
 * then the memory goes. A reset must follow before DMA can start again.
 *
 * Context: RTNL; sleeps.
 *
 * Source: 82576 datasheet, "Transmit Descriptor Control", ENABLE.
 */
void igbook_dma_stop(struct igbook *priv)
{
	u32 txdctl = igbook_rd32(priv, REG_TXDCTL(0));

	igbook_wr32(priv, REG_TXDCTL(0), txdctl & ~TXDCTL_ENABLE);
	igbook_wr32(priv, REG_TCTL, igbook_rd32(priv, REG_TCTL) & ~TCTL_EN);
	igbook_dma_master_disable(priv);
	if (priv->tx.desc)
		igbook_tx_free(priv);
}
