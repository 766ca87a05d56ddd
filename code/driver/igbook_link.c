// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: is the cable in?
 */
#include <linux/mii.h>

#include "igbook.h"

/*
 * BMSR's link bit latches low: the first read tells whether the link was lost
 * since it was last read, the second whether it is there now. The MAC's
 * STATUS.LU must agree, or frames would go nowhere.
 *
 * IEEE 802.3 clause 22, register 1; 82576 datasheet, "Device Status Register".
 */
static bool igbook_link_is_up(struct igbook *priv, bool *lost)
{
	u16 since, now;

	*lost = true;
	if (igbook_phy_read(priv, MII_BMSR, &since) ||
	    igbook_phy_read(priv, MII_BMSR, &now))
		return false;
	*lost = !(since & BMSR_LSTATUS);
	return (now & BMSR_LSTATUS) &&
	       (igbook_rd32(priv, REG_STATUS) & STATUS_LU);
}

static void igbook_link_report(struct igbook *priv, bool up)
{
	/* loom: begin report-pause from 10 */
	if (up && igbook_flow_write(priv))
		return;
	/* loom: end report-pause */
	if (up)
		netif_carrier_on(priv->netdev);
	else
		netif_carrier_off(priv->netdev);
	netif_info(priv, link, priv->netdev, "link is %s\n",
		   up ? "up" : "down");
}

#if 0	/* loom: begin link-work-polling until 05 */
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

/*
 * The card notes every change of the link in ICR.LSC. The cause stays masked,
 * so nobody is interrupted, but the bit stands until ICR is read: only when it
 * is set, or while the link is down, is the slow PHY asked.
 *
 * Must not take RTNL: igbook_link_stop() waits for it with RTNL held.
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

#endif	/* loom: end link-work-polling */
/* loom: begin link-work-told from 05 */
static void igbook_link_update(struct igbook *priv)
{
	bool was_up = netif_carrier_ok(priv->netdev);
	bool lost, up;

	up = igbook_link_is_up(priv, &lost);
	if (was_up && (lost || !up))
		igbook_link_report(priv, false);
	if (up && (lost || !was_up))
		igbook_link_report(priv, true);
	/* Perhaps the PHY did not answer: then nobody else asks again. */
	if (!netif_carrier_ok(priv->netdev))
		WRITE_ONCE(priv->link_check, true);
}

/*
 * A link that is there is looked at only when the card has said that it changed.
 * The flag is cleared before the PHY is asked: a change that comes meanwhile
 * sets it again.
 *
 * Must not take RTNL: igbook_link_stop() waits for it with RTNL held.
 */
static void igbook_link_work(struct work_struct *work)
{
	struct igbook *priv = container_of(to_delayed_work(work),
					   struct igbook, link_work);

	if (READ_ONCE(priv->link_check)) {
		WRITE_ONCE(priv->link_check, false);
		igbook_link_update(priv);
	}
	igbook_stats_update(priv);
	/* loom: begin link-gone from 10 */
	if (igbook_is_gone(priv)) {
		/* If it went while the link was reported as up. */
		netif_carrier_off(priv->netdev);
		return;
	}
	/* loom: end link-gone */
	schedule_delayed_work(&priv->link_work, IGBOOK_LINK_POLL);
}

/**
 * igbook_link_changed() - the card says that the link came or went
 * @priv: the device
 *
 * To ask the PHY takes time and sleeps, so it is left to the link work, which
 * runs now instead of when it is next due. It may be running already: then it
 * runs once more.
 *
 * Context: any, also hard interrupt.
 */
void igbook_link_changed(struct igbook *priv)
{
	WRITE_ONCE(priv->link_check, true);
	mod_delayed_work(system_wq, &priv->link_work, 0);
}

/* loom: end link-work-told */
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

#if 0	/* loom: begin link-agree until 10 */
	err = igbook_phy_restart_autoneg(priv);
#endif	/* loom: end link-agree */
	/* loom: begin link-as-wanted from 10 */
	err = igbook_linkset_write(priv);
	/* loom: end link-as-wanted */
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
