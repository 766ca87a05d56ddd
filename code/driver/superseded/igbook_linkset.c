// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: what the link is like.
 */
#include <linux/bitfield.h>
#include <linux/ethtool.h>
#include <linux/mii.h>

#include "igbook.h"

/* 82576 datasheet, "Device Status Register". */
static u32 igbook_get_speed(struct igbook *priv)
{
	switch (FIELD_GET(STATUS_SPEED, igbook_rd32(priv, REG_STATUS))) {
	case STATUS_SPEED_10:
		return SPEED_10;
	case STATUS_SPEED_100:
		return SPEED_100;
	default:
		return SPEED_1000;
	}
}

/* IEEE 802.3 clause 22, registers 4 and 9. */
static int igbook_get_link_modes(struct igbook *priv,
				 struct ethtool_link_ksettings *cmd)
{
	u16 advertise, ctrl1000;
	int err;

	ethtool_link_ksettings_zero_link_mode(cmd, supported);
	ethtool_link_ksettings_add_link_mode(cmd, supported, 10baseT_Half);
	ethtool_link_ksettings_add_link_mode(cmd, supported, 10baseT_Full);
	ethtool_link_ksettings_add_link_mode(cmd, supported, 100baseT_Half);
	ethtool_link_ksettings_add_link_mode(cmd, supported, 100baseT_Full);
	ethtool_link_ksettings_add_link_mode(cmd, supported, 1000baseT_Full);
	ethtool_link_ksettings_add_link_mode(cmd, supported, Autoneg);
	ethtool_link_ksettings_add_link_mode(cmd, supported, TP);

	err = igbook_phy_read(priv, MII_ADVERTISE, &advertise);
	if (!err)
		err = igbook_phy_read(priv, MII_CTRL1000, &ctrl1000);
	if (err)
		return err;
	ethtool_link_ksettings_zero_link_mode(cmd, advertising);
	mii_adv_mod_linkmode_adv_t(cmd->link_modes.advertising, advertise);
	mii_ctrl1000_mod_linkmode_adv_t(cmd->link_modes.advertising, ctrl1000);
	ethtool_link_ksettings_add_link_mode(cmd, advertising, Autoneg);
	return 0;
}

/**
 * igbook_get_link_ksettings() - "ethtool eth0"
 * @netdev: the network device
 * @cmd: what the card can, what it offers and what has come of it
 *
 * Context: RTNL; sleeps.
 * Return: 0, or a negative errno when the PHY does not answer.
 */
int igbook_get_link_ksettings(struct net_device *netdev,
			      struct ethtool_link_ksettings *cmd)
{
	struct igbook *priv = netdev_priv(netdev);
	int err;

	err = igbook_get_link_modes(priv, cmd);
	if (err)
		return err;

	cmd->base.port = PORT_TP;
	cmd->base.phy_address = IGBOOK_PHY_ADDR;
	cmd->base.autoneg = AUTONEG_ENABLE;
	cmd->base.speed = SPEED_UNKNOWN;
	cmd->base.duplex = DUPLEX_UNKNOWN;
	if (!netif_carrier_ok(netdev))
		return 0;

	cmd->base.speed = igbook_get_speed(priv);
	cmd->base.duplex = igbook_rd32(priv, REG_STATUS) & STATUS_FD ?
			   DUPLEX_FULL : DUPLEX_HALF;
	return 0;
}
