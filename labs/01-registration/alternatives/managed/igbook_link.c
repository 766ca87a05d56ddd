// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: is the cable in? A poll twice a second, until interrupts tell us.
 */
#include <linux/mii.h>

#include "igbook.h"

/**
 * igbook_link_is_up() - ask the PHY and the MAC
 * @priv: the device
 * @lost: set to whether the link was down at any time since the last call
 *
 * BMSR's link bit latches low: the first read tells whether the link was lost
 * since it was last read, the second whether it is there now. The MAC's
 * STATUS.LU must agree, or frames would go nowhere.
 *
 * Context: sleeps.
 * Return: whether frames can pass; false also when the PHY does not answer.
 *
 * Source: IEEE 802.3 clause 22, register 1; 82576 datasheet, "Device Status
 * Register".
 */
static bool igbook_link_is_up(struct igbook *priv, bool *lost)
{
	bool mac = igbook_rd32(priv, REG_STATUS) & STATUS_LU;
	bool phy = false;
	u16 bmsr;
	int look;

	*lost = false;
	for (look = 0; look < 2; look++) {
		if (igbook_phy_read(priv, MII_BMSR, &bmsr)) {
			*lost = true;
			return false;
		}
		phy = bmsr & BMSR_LSTATUS;
		if (!phy)
			*lost = true;
	}
	return mac && phy;
}

/**
 * igbook_link_report() - tell the kernel and the log about a change
 * @priv: the device
 * @up: the new state
 *
 * Context: the link work.
 */
static void igbook_link_report(struct igbook *priv, bool up)
{
	if (up)
		netif_carrier_on(priv->netdev);
	else
		netif_carrier_off(priv->netdev);
	netif_info(priv, link, priv->netdev, "link is %s\n",
		   up ? "up" : "down");
}

/**
 * igbook_link_update() - pass what the card says on to the kernel
 * @priv: the device
 *
 * Context: the link work; sleeps.
 */
static void igbook_link_update(struct igbook *priv)
{
	bool was_up = netif_carrier_ok(priv->netdev);
	bool lost, up;

	up = igbook_link_is_up(priv, &lost);
	/* While the link is down keep asking: autonegotiation may be slow. */
	priv->link_check = !up;

	if (was_up && (lost || !up))
		igbook_link_report(priv, false);
	if (up && (lost || !was_up))
		igbook_link_report(priv, true);
}

/**
 * igbook_link_work() - the watchdog: look at the link, fold in the counters
 * @work: link_work of the device
 *
 * The card notes every change of the link in ICR.LSC. The cause stays masked,
 * so nobody is interrupted, but the bit stands until ICR is read: only when it
 * is set, or while the link is down, is the slow PHY asked.
 *
 * Context: process context, system workqueue. Must not take RTNL:
 * igbook_link_stop() waits for it with RTNL held.
 */
static void igbook_link_work(struct work_struct *work)
{
	struct igbook *priv = container_of(to_delayed_work(work),
					   struct igbook, link_work);

	if (igbook_rd32(priv, REG_ICR) & ICR_LSC)
		priv->link_check = true;
	if (priv->link_check)
		igbook_link_update(priv);
	igbook_stats_update(priv);
	schedule_delayed_work(&priv->link_work, IGBOOK_LINK_POLL);
}

/**
 * igbook_link_init() - prepare the watchdog; it does not run yet
 * @priv: the device
 *
 * Context: probe.
 */
void igbook_link_init(struct igbook *priv)
{
	INIT_DELAYED_WORK(&priv->link_work, igbook_link_work);
}

/**
 * igbook_link_start() - start autonegotiation and the watchdog
 * @priv: the device
 *
 * Context: RTNL; sleeps.
 * Return: 0, or a negative errno when the PHY does not answer.
 */
int igbook_link_start(struct igbook *priv)
{
	int err;

	err = igbook_phy_restart_autoneg(priv);
	if (err)
		return err;
	priv->link_check = true;
	schedule_delayed_work(&priv->link_work, IGBOOK_LINK_POLL);
	return 0;
}

/**
 * igbook_link_stop() - stop the watchdog; no carrier from here on
 * @priv: the device
 *
 * Context: RTNL; waits for a watchdog that is running.
 */
void igbook_link_stop(struct igbook *priv)
{
	cancel_delayed_work_sync(&priv->link_work);
	netif_carrier_off(priv->netdev);
}
