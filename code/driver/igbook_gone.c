// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: the device is not there any more. Whoever pulls it out asks nobody.
 */
#include "igbook.h"

/**
 * igbook_forsake() - from now on no register is touched
 * @priv: the device
 *
 * What is read is all ones, and what is written is not. The card's clock is not
 * to be believed any more: until it is back the system's stands in.
 *
 * Context: any, also hard interrupt.
 */
void igbook_forsake(struct igbook *priv)
{
	WRITE_ONCE(priv->gone, true);
	WRITE_ONCE(priv->clock.runs, false);
	netif_carrier_off(priv->netdev);
}

/**
 * igbook_suspect() - a register has read as all ones
 * @priv: the device
 *
 * That is what a bus answers for a device that is not there. Few registers have
 * it as their value, and STATUS never does.
 *
 * Context: any, also hard interrupt.
 */
void igbook_suspect(struct igbook *priv)
{
	if (READ_ONCE(priv->gone) || readl(priv->regs + REG_STATUS) != ~0U)
		return;
	igbook_forsake(priv);
	pci_err(priv->pdev, "the device does not answer any more\n");
}

/**
 * igbook_is_gone() - is there anybody to wait for?
 * @priv: the device
 *
 * Context: any. To be asked before a wait that only the device can end.
 * Return: whether it has gone.
 */
bool igbook_is_gone(struct igbook *priv)
{
	return READ_ONCE(priv->gone) ||
	       igbook_rd32(priv, REG_STATUS) == ~0U;
}

/**
 * igbook_back() - the device was reset and may answer again
 * @priv: the device
 *
 * Context: any, the device detached.
 * Return: whether it does.
 */
bool igbook_back(struct igbook *priv)
{
	WRITE_ONCE(priv->gone, false);
	return !igbook_is_gone(priv);
}
