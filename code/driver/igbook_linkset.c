// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: what a user wants of the link: speed, duplex and pause frames.
 */
#include <linux/bitfield.h>
#include <linux/ethtool.h>
#include <linux/mii.h>

#include "igbook.h"

#define IGBOOK_PAUSE_TIME	0xffff	/* times of 512 bits: 34 ms at 1 Gb/s */
#define IGBOOK_PAUSE_HIGH	0xb000	/* of 64 KB: room for two long frames */
#define IGBOOK_PAUSE_LOW	0xa000

/**
 * igbook_linkset_init() - agree on whatever there is
 * @priv: the device
 *
 * Context: probe.
 */
void igbook_linkset_init(struct igbook *priv)
{
	priv->linkset = (struct igbook_linkset) {
		.autoneg = true,
		.advertise = ADVERTISE_ALL,
		.ctrl1000 = ADVERTISE_1000FULL,
		.pause_autoneg = true,
		.pause_rx = true,
		.pause_tx = true,
	};
}

static u16 igbook_advertise_pause(const struct igbook_linkset *set)
{
	u8 wanted = (set->pause_rx ? FLOW_CTRL_RX : 0) |
		    (set->pause_tx ? FLOW_CTRL_TX : 0);

	return mii_advertise_flowctrl(wanted);
}

/**
 * igbook_linkset_write() - tell the PHY, and begin
 * @priv: the device
 *
 * Context: RTNL; sleeps.
 * Return: 0, or a negative errno when the PHY does not answer.
 *
 * Source: IEEE 802.3 clause 22, registers 0, 4 and 9.
 */
int igbook_linkset_write(struct igbook *priv)
{
	const struct igbook_linkset *set = &priv->linkset;
	u16 ctrl1000;
	int err;

	err = igbook_phy_read(priv, MII_CTRL1000, &ctrl1000);
	if (err)
		return err;
	ctrl1000 &= ~(ADVERTISE_1000FULL | ADVERTISE_1000HALF);
	err = igbook_phy_write(priv, MII_CTRL1000, ctrl1000 | set->ctrl1000);
	if (!err)
		err = igbook_phy_write(priv, MII_ADVERTISE, ADVERTISE_CSMA |
				       set->advertise |
				       igbook_advertise_pause(set));
	if (err)
		return err;
	if (!set->autoneg)
		return igbook_phy_write(priv, MII_BMCR, set->forced);
	return igbook_phy_restart_autoneg(priv);
}

/*
 * Run without RTNL. ethtool may change a wish meanwhile; then it waits for the
 * link work and loses the link, and all is asked again.
 */
static int igbook_pause_agreed(struct igbook *priv)
{
	const struct igbook_linkset *set = &priv->linkset;
	u16 own, partner;
	int err;

	if (!set->autoneg || !READ_ONCE(set->pause_autoneg))
		return (READ_ONCE(set->pause_rx) ? FLOW_CTRL_RX : 0) |
		       (READ_ONCE(set->pause_tx) ? FLOW_CTRL_TX : 0);
	if (!(igbook_rd32(priv, REG_STATUS) & STATUS_FD))
		return 0;
	err = igbook_phy_read(priv, MII_ADVERTISE, &own);
	if (!err)
		err = igbook_phy_read(priv, MII_LPA, &partner);
	return err ? err : mii_resolve_flowctrl_fdx(own, partner);
}

/**
 * igbook_flow_write() - let the card do what both ends have agreed on
 * @priv: the device, its link up
 *
 * Context: the link work; sleeps.
 * Return: 0, or a negative errno when the PHY does not answer.
 *
 * Source: 82576 datasheet, "Flow Control".
 */
int igbook_flow_write(struct igbook *priv)
{
	int agreed = igbook_pause_agreed(priv);

	if (agreed < 0)
		return agreed;
	igbook_wr32(priv, REG_FCAL, 0x00c28001);
	igbook_wr32(priv, REG_FCAH, 0x0100);
	igbook_wr32(priv, REG_FCT, ETH_P_PAUSE);
	igbook_wr32(priv, REG_FCTTV, IGBOOK_PAUSE_TIME);
	igbook_wr32(priv, REG_FCRTL, agreed & FLOW_CTRL_TX ?
				     FCRTL_XONE | IGBOOK_PAUSE_LOW : 0);
	igbook_wr32(priv, REG_FCRTH, agreed & FLOW_CTRL_TX ?
				     IGBOOK_PAUSE_HIGH : 0);
	igbook_ctrl_change(priv, CTRL_RFCE | CTRL_TFCE,
			   (agreed & FLOW_CTRL_RX ? CTRL_RFCE : 0) |
			   (agreed & FLOW_CTRL_TX ? CTRL_TFCE : 0));
	return 0;
}

/*
 * A link that is up is lost and agreed upon anew. If the PHY does not answer all
 * is to be as before: it may have heard half of it, and the watchdog must run.
 */
static int igbook_linkset_change(struct igbook *priv,
				 const struct igbook_linkset *to)
{
	struct igbook_linkset before = priv->linkset;
	int err;

	priv->linkset = *to;
	if (!netif_running(priv->netdev))
		return 0;
	igbook_link_stop(priv);
	err = igbook_link_start(priv);
	if (err) {
		priv->linkset = before;
		igbook_linkset_write(priv);
		igbook_link_changed(priv);
	}
	return err;
}

/**
 * igbook_get_pauseparam() - "ethtool -a"
 * @netdev: the network device
 * @pause: to be filled in
 *
 * Context: RTNL.
 */
void igbook_get_pauseparam(struct net_device *netdev,
			   struct ethtool_pauseparam *pause)
{
	const struct igbook *priv = netdev_priv(netdev);

	pause->autoneg = priv->linkset.pause_autoneg;
	pause->rx_pause = priv->linkset.pause_rx;
	pause->tx_pause = priv->linkset.pause_tx;
}

/**
 * igbook_set_pauseparam() - "ethtool -A"
 * @netdev: the network device
 * @pause: what is wanted; with @pause->autoneg it is only offered to the partner
 *
 * Context: RTNL; sleeps. The link is lost for a moment.
 * Return: 0, or a negative errno when the PHY does not answer: nothing is changed.
 */
int igbook_set_pauseparam(struct net_device *netdev,
			  struct ethtool_pauseparam *pause)
{
	struct igbook *priv = netdev_priv(netdev);
	struct igbook_linkset to = priv->linkset;

	to.pause_autoneg = pause->autoneg;
	to.pause_rx = pause->rx_pause;
	to.pause_tx = pause->tx_pause;
	return igbook_linkset_change(priv, &to);
}

/* 82576 datasheet, "Device Status Register". */
static u32 igbook_link_speed(u32 status)
{
	switch (FIELD_GET(STATUS_SPEED, status)) {
	case STATUS_SPEED_10:
		return SPEED_10;
	case STATUS_SPEED_100:
		return SPEED_100;
	default:
		return SPEED_1000;
	}
}

static void igbook_link_partner(struct igbook *priv,
				struct ethtool_link_ksettings *cmd)
{
	u16 lpa, stat1000;

	if (igbook_phy_read(priv, MII_LPA, &lpa) ||
	    igbook_phy_read(priv, MII_STAT1000, &stat1000))
		return;
	mii_lpa_mod_linkmode_lpa_t(cmd->link_modes.lp_advertising, lpa);
	mii_stat1000_mod_linkmode_lpa_t(cmd->link_modes.lp_advertising,
					stat1000);
}

/* What was said stays said while there is no link. */
static void igbook_link_forced(const struct igbook_linkset *set,
			       struct ethtool_link_ksettings *cmd)
{
	bool full = set->forced & BMCR_FULLDPLX;

	cmd->base.speed = set->forced & BMCR_SPEED100 ? SPEED_100 : SPEED_10;
	cmd->base.duplex = full ? DUPLEX_FULL : DUPLEX_HALF;
}

/**
 * igbook_get_link_ksettings() - "ethtool eth0"
 * @netdev: the network device
 * @cmd: to be filled in
 *
 * Context: RTNL; sleeps.
 * Return: 0.
 */
int igbook_get_link_ksettings(struct net_device *netdev,
			      struct ethtool_link_ksettings *cmd)
{
	struct igbook *priv = netdev_priv(netdev);
	const struct igbook_linkset *set = &priv->linkset;
	unsigned long *offered = cmd->link_modes.advertising;
	unsigned long *supported = cmd->link_modes.supported;
	u32 status = igbook_rd32(priv, REG_STATUS);

	mii_adv_mod_linkmode_adv_t(supported, ADVERTISE_ALL |
				   ADVERTISE_PAUSE_CAP | ADVERTISE_PAUSE_ASYM);
	ethtool_link_ksettings_add_link_mode(cmd, supported, 1000baseT_Full);
	ethtool_link_ksettings_add_link_mode(cmd, supported, Autoneg);
	ethtool_link_ksettings_add_link_mode(cmd, supported, TP);
	mii_adv_mod_linkmode_adv_t(offered, set->advertise |
				   igbook_advertise_pause(set));
	mii_ctrl1000_mod_linkmode_adv_t(offered, set->ctrl1000);
	if (set->autoneg)
		ethtool_link_ksettings_add_link_mode(cmd, advertising,
						     Autoneg);

	cmd->base.port = PORT_TP;
	cmd->base.phy_address = IGBOOK_PHY_ADDR;
	cmd->base.autoneg = set->autoneg;
	cmd->base.speed = SPEED_UNKNOWN;
	cmd->base.duplex = DUPLEX_UNKNOWN;
	if (!set->autoneg)
		igbook_link_forced(set, cmd);
	if (!netif_carrier_ok(netdev))
		return 0;
	cmd->base.speed = igbook_link_speed(status);
	cmd->base.duplex = status & STATUS_FD ? DUPLEX_FULL : DUPLEX_HALF;
	igbook_link_partner(priv, cmd);
	return 0;
}

/**
 * igbook_set_link_ksettings() - "ethtool -s eth0 speed ..." or "advertise ..."
 * @netdev: the network device
 * @cmd: what is wanted
 *
 * 1000 Mb/s cannot be had without agreeing: one end must give the clock.
 *
 * Context: RTNL; sleeps. The link is lost for a moment.
 * Return: 0, -EINVAL, or another negative errno when the PHY does not answer;
 * then nothing is changed.
 */
int igbook_set_link_ksettings(struct net_device *netdev,
			      const struct ethtool_link_ksettings *cmd)
{
	struct igbook *priv = netdev_priv(netdev);
	const unsigned long *wanted = cmd->link_modes.advertising;
	u16 advertise = linkmode_adv_to_mii_adv_t(wanted) & ADVERTISE_ALL;
	u16 ctrl1000 = linkmode_adv_to_mii_ctrl1000_t(wanted);
	bool half = cmd->base.duplex == DUPLEX_HALF;
	struct igbook_linkset to = priv->linkset;

	if (cmd->base.port != PORT_TP ||
	    cmd->base.phy_address != IGBOOK_PHY_ADDR ||
	    cmd->base.eth_tp_mdix_ctrl != ETH_TP_MDI_INVALID)
		return -EINVAL;
	to.autoneg = cmd->base.autoneg;
	if (to.autoneg) {
		to.advertise = advertise;
		to.ctrl1000 = ctrl1000 & ADVERTISE_1000FULL;
		if (!to.advertise && !to.ctrl1000)
			return -EINVAL;
	} else {
		if (cmd->base.speed != SPEED_10 && cmd->base.speed != SPEED_100)
			return -EINVAL;
		if (cmd->base.duplex != DUPLEX_HALF &&
		    cmd->base.duplex != DUPLEX_FULL &&
		    cmd->base.duplex != DUPLEX_UNKNOWN)
			return -EINVAL;
		/* Unknown if only a speed was named, and nothing is forced. */
		to.forced = mii_bmcr_encode_fixed(cmd->base.speed, half ?
						  DUPLEX_HALF : DUPLEX_FULL);
	}
	return igbook_linkset_change(priv, &to);
}
