// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: letting the card at our memory, and keeping it away again.
 */
#include <linux/dma-mapping.h>
#include <linux/iopoll.h>

#include "igbook.h"

/**
 * igbook_dma_set_mask() - say which addresses the card can drive
 * @priv: the device
 *
 * The 82576 drives 64 bits, and that is all the mask says. What is refused is
 * a mask too small for the platform: where 64 bits are, 32 are as well.
 *
 * Context: probe, before anything is allocated or mapped.
 * Return: 0, or a negative errno.
 */
int igbook_dma_set_mask(struct igbook *priv)
{
	struct device *dev = &priv->pdev->dev;
	int err;

	err = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (err)
		dev_err(dev, "no usable DMA addressing: %d\n", err);
	return err;
}

/**
 * igbook_dma_master_disable() - let the card start no new transfer
 * @priv: the device
 *
 * The card finishes what it has begun and then clears GIO_MASTER_ENABLE in
 * STATUS. Only after that may memory it knew of be given away. A card that does
 * not do so in time is complained about and the caller goes on: what is under
 * way then only a reset ends. A reset clears the request.
 *
 * Context: sleeps, up to 80 ms.
 *
 * Source: 82576 datasheet, "Device Control Register", GIO Master Disable.
 */
void igbook_dma_master_disable(struct igbook *priv)
{
	u32 ctrl = igbook_rd32(priv, REG_CTRL);
	u32 status;

	/* loom: begin master-gone from 10 */
	if (igbook_is_gone(priv))
		return;
	/* loom: end master-gone */
	igbook_wr32(priv, REG_CTRL, ctrl | CTRL_GIO_MASTER_DISABLE);
	if (read_poll_timeout(igbook_rd32, status,
			      !(status & STATUS_GIO_MASTER_ENABLE), 100, 80000,
			      false, priv, REG_STATUS))
		pci_warn(priv->pdev, "DMA still under way after 80 ms\n");
}
