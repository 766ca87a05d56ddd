// SPDX-License-Identifier: GPL-2.0

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
	struct igbook *priv = container_of(work, struct igbook, link_work);

	if (igbook_rd32(priv, REG_ICR) & ICR_LSC)
		priv->link_check = true;
	if (priv->link_check)
		igbook_link_update(priv);
	igbook_stats_update(priv);
	if (READ_ONCE(priv->link_watched))
		mod_timer(&priv->link_timer, jiffies + IGBOOK_LINK_POLL);
}

/* The PHY is asked where one may sleep, which a timer may not. */
static void igbook_link_timer(struct timer_list *timer)
{
	struct igbook *priv = container_of(timer, struct igbook, link_timer);

	schedule_work(&priv->link_work);
}

/**
 * igbook_link_init() - prepare the watchdog; it does not run yet
 * @priv: the device
 *
 * Context: probe.
 */
void igbook_link_init(struct igbook *priv)
{
	INIT_WORK(&priv->link_work, igbook_link_work);
	timer_setup(&priv->link_timer, igbook_link_timer, 0);
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
	WRITE_ONCE(priv->link_watched, true);
	mod_timer(&priv->link_timer, jiffies + IGBOOK_LINK_POLL);
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
	WRITE_ONCE(priv->link_watched, false);
	cancel_work_sync(&priv->link_work);
	timer_delete_sync(&priv->link_timer);
	cancel_work_sync(&priv->link_work);
	netif_carrier_off(priv->netdev);
}
