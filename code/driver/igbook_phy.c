// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: the PHY, reached through the MDIC register.
 */
#include <linux/bitfield.h>
#include <linux/iopoll.h>
#include <linux/mii.h>

#include "igbook.h"

/* 82576 datasheet, "MDI Control Register". */
static int igbook_mdic(struct igbook *priv, u32 command, u32 *value)
{
	u32 phy = SW_FW_SYNC_PHY(priv->port);
	int err;

	command |= FIELD_PREP(MDIC_PHYADD, IGBOOK_PHY_ADDR);

	mutex_lock(&priv->mdio_lock);
	err = igbook_swfw_acquire(priv, phy);
	if (err)
		goto unlock;
	igbook_wr32(priv, REG_MDIC, command);
	err = read_poll_timeout(igbook_rd32, *value, *value & MDIC_R, 50,
				100000, true, priv, REG_MDIC);
	if (!err && (*value & MDIC_E))
		err = -EIO;
	igbook_swfw_release(priv, phy);
unlock:
	mutex_unlock(&priv->mdio_lock);
	return err;
}

/**
 * igbook_phy_read() - read one PHY register
 * @priv: the device
 * @reg: which one (MII_*)
 * @value: where its 16 bits go
 *
 * Context: sleeps.
 * Return: 0, or a negative errno.
 */
int igbook_phy_read(struct igbook *priv, u8 reg, u16 *value)
{
	u32 mdic;
	int err;

	err = igbook_mdic(priv, FIELD_PREP(MDIC_REGADD, reg) | MDIC_OP_READ,
			  &mdic);
	if (!err)
		*value = FIELD_GET(MDIC_DATA, mdic);
	return err;
}

/**
 * igbook_phy_write() - write one PHY register
 * @priv: the device
 * @reg: which one (MII_*)
 * @value: its new 16 bits
 *
 * Context: sleeps.
 * Return: 0, or a negative errno.
 */
int igbook_phy_write(struct igbook *priv, u8 reg, u16 value)
{
	u32 mdic;

	return igbook_mdic(priv, FIELD_PREP(MDIC_REGADD, reg) | MDIC_OP_WRITE |
				 FIELD_PREP(MDIC_DATA, value), &mdic);
}

/**
 * igbook_phy_identify() - is there a PHY, and which?
 * @priv: the device
 *
 * Context: probe; sleeps.
 * Return: 0, or a negative errno.
 *
 * Source: IEEE 802.3 clause 22, registers 2 and 3.
 */
int igbook_phy_identify(struct igbook *priv)
{
	u16 high, low;
	int err;

	err = igbook_phy_read(priv, MII_PHYSID1, &high);
	if (!err)
		err = igbook_phy_read(priv, MII_PHYSID2, &low);
	if (err) {
		pci_err(priv->pdev, "PHY does not answer: %d\n", err);
		return err;
	}
	pci_dbg(priv->pdev, "PHY id %04x%04x\n", high, low);
	return 0;
}

#if 0	/* loom: begin phy-offer until 10 */
/*
 * No pause frames: the MAC is not set up for them. No half duplex at 1000 Mb/s:
 * it cannot. The PHY may have both on offer, by itself or from another driver.
 */
static int igbook_phy_offer(struct igbook *priv)
{
	u16 ctrl1000;
	int err;

	err = igbook_phy_read(priv, MII_CTRL1000, &ctrl1000);
	if (err)
		return err;
	ctrl1000 &= ~ADVERTISE_1000HALF;
	err = igbook_phy_write(priv, MII_CTRL1000,
			       ctrl1000 | ADVERTISE_1000FULL);
	if (err)
		return err;
	return igbook_phy_write(priv, MII_ADVERTISE,
				ADVERTISE_CSMA | ADVERTISE_ALL);
}

#endif	/* loom: end phy-offer */
/**
 * igbook_phy_restart_autoneg() - have the PHY agree on speed and duplex anew
 * @priv: the device
 *
 * The link goes down at once and comes up when both ends have agreed: a second
 * or two on copper, 500 ms on the emulated card.
 *
 * Context: sleeps.
 * Return: 0, or a negative errno.
 *
 * Source: IEEE 802.3 clause 22, register 0.
 */
int igbook_phy_restart_autoneg(struct igbook *priv)
{
	u16 bmcr;
	int err;

#if 0	/* loom: begin phy-offer-first until 10 */
	err = igbook_phy_offer(priv);
	if (err)
		return err;
#endif	/* loom: end phy-offer-first */
	err = igbook_phy_read(priv, MII_BMCR, &bmcr);
	if (err)
		return err;
	bmcr &= ~(BMCR_LOOPBACK | BMCR_PDOWN | BMCR_ISOLATE);
	return igbook_phy_write(priv, MII_BMCR,
				bmcr | BMCR_ANENABLE | BMCR_ANRESTART);
}
