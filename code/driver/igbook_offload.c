// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: what the card does to received frames before we see them: it checks
 * sums, takes VLAN tags out and refuses foreign VLANs.
 */
/* loom: begin offload-bitfield from 10 */
#include <linux/bitfield.h>
/* loom: end offload-bitfield */
#include <linux/if_vlan.h>

#include "igbook.h"

/**
 * igbook_offload_init() - before there is any VLAN
 * @priv: the device
 *
 * VLAN 0 is none: its tag carries a priority only. The filter is on at first.
 *
 * Context: probe.
 */
void igbook_offload_init(struct igbook *priv)
{
	priv->vlans[0] = BIT(0);
	priv->vlan_filter = true;
}

/* loom: from 10 */
/**
 * igbook_ctrl_change() - change bits of CTRL
 * @priv: the device
 * @clear: bits to clear, before
 * @set: bits to set
 *
 * Settings come here with RTNL and the link work without: the address lock keeps
 * them apart.
 *
 * Context: any but hard interrupt, the address lock not held; it is taken.
 */
void igbook_ctrl_change(struct igbook *priv, u32 clear, u32 set)
{
	netif_addr_lock_bh(priv->netdev);
	igbook_wr32(priv, REG_CTRL,
		    (igbook_rd32(priv, REG_CTRL) & ~clear) | set);
	netif_addr_unlock_bh(priv->netdev);
}

/* loom: from 10 */
/* Modes of receiving change without RTNL: the address lock keeps us apart. */
static void igbook_rctl_change(struct igbook *priv, u32 clear, u32 set)
{
	netif_addr_lock_bh(priv->netdev);
	igbook_wr32(priv, REG_RCTL,
		    (igbook_rd32(priv, REG_RCTL) & ~clear) | set);
	netif_addr_unlock_bh(priv->netdev);
}

/* loom: from 10 */
/* 82576 datasheet, "Receive Control Register", SBP and PMCF. */
static void igbook_all_write(struct igbook *priv)
{
	u32 all = RCTL_SBP | RCTL_PMCF;

	igbook_rctl_change(priv, all,
			   priv->netdev->features & NETIF_F_RXALL ? all : 0);
	netif_addr_lock_bh(priv->netdev);
	igbook_set_vlan_filter(priv);
	netif_addr_unlock_bh(priv->netdev);
}

/* loom: from 10 */
/*
 * "rx-all": frames with errors, of any length, too. The buffers must be such as
 * the card can fill to their end, and come first. When "rx-all" is turned off
 * they stay until the rings are made anew.
 */
static int igbook_set_all(struct igbook *priv, netdev_features_t features)
{
	struct igbook_shape as_it_is = igbook_rings_shape(priv);
	struct net_device *netdev = priv->netdev;
	int err = 0;

	if (!netif_running(netdev) || !netif_device_present(netdev) ||
	    !((features ^ netdev->features) & NETIF_F_RXALL))
		return 0;
	netdev->features ^= NETIF_F_RXALL;
	if ((features & NETIF_F_RXALL) && netdev->mtu <= ETH_DATA_LEN)
		err = igbook_rings_change(priv, &as_it_is);
	if (err)
		netdev->features ^= NETIF_F_RXALL;
	igbook_all_write(priv);
	return err;
}

/* loom: from 10 */
/**
 * igbook_set_loopback() - let the card receive what it sends, or no more
 * @priv: the device
 * @on: whether
 *
 * The cable gets nothing then. The PHY may see no partner: speed and duplex are
 * not left to it.
 *
 * Context: RTNL; takes the address lock.
 *
 * Source: 82576 datasheet, "MAC Loopback".
 */
void igbook_set_loopback(struct igbook *priv, bool on)
{
	u32 lbm = on ? FIELD_PREP(RCTL_LBM, RCTL_LBM_MAC) : 0;
	u32 forced = CTRL_FRCSPD | CTRL_FRCDPX;

	igbook_rctl_change(priv, RCTL_LBM, lbm);
	if (on)
		igbook_ctrl_change(priv, CTRL_SPEED, forced | CTRL_FD |
				   FIELD_PREP(CTRL_SPEED, CTRL_SPEED_1000));
	else
		igbook_ctrl_change(priv, forced, 0);
}

/* 82576 datasheet, "Device Control Register", VME. */
static void igbook_offload_strip(struct igbook *priv,
				 netdev_features_t features)
{
#if 0	/* loom: begin strip-alone until 10 */
	u32 ctrl = igbook_rd32(priv, REG_CTRL) & ~CTRL_VME;

	if (features & NETIF_F_HW_VLAN_CTAG_RX)
		ctrl |= CTRL_VME;
	igbook_wr32(priv, REG_CTRL, ctrl);
#endif	/* loom: end strip-alone */
	/* loom: begin strip-shared from 10 */
	bool strip = features & NETIF_F_HW_VLAN_CTAG_RX;

	igbook_ctrl_change(priv, CTRL_VME, strip ? CTRL_VME : 0);
	/* loom: end strip-shared */
}

/**
 * igbook_offload_write() - tell the card what to do to frames
 * @priv: the device, not receiving
 *
 * The sums are checked in any case, for RXCSUM may only be written while the
 * receiver is off; who does not want to know is not told. PCSD puts the hash
 * into the descriptor where the sum of a fragment would be.
 *
 * Context: RTNL.
 *
 * Source: 82576 datasheet, "Receive Checksum Control" and "VLAN Filter Table
 * Array".
 */
void igbook_offload_write(struct igbook *priv)
{
	unsigned int i;

#if 0	/* loom: begin write-sums until 10 */
	igbook_wr32(priv, REG_RXCSUM, RXCSUM_IPOFLD | RXCSUM_TUOFLD |
				      RXCSUM_PCSD);
#endif	/* loom: end write-sums */
	/* loom: begin write-all-sums from 10 */
	igbook_wr32(priv, REG_RXCSUM, RXCSUM_IPOFLD | RXCSUM_TUOFLD |
				      RXCSUM_CRCOFL | RXCSUM_PCSD);
	/* loom: end write-all-sums */
	for (i = 0; i < VFTA_WORDS; i++)
		igbook_wr32(priv, REG_VFTA(i), priv->vlans[i]);
	igbook_offload_strip(priv, priv->netdev->features);
	/* loom: begin write-observe from 10 */
	igbook_steer_write(priv, priv->netdev->features);
	igbook_all_write(priv);
	if (priv->netdev->features & NETIF_F_LOOPBACK)
		igbook_set_loopback(priv, true);
	/* loom: end write-observe */
}

/**
 * igbook_set_features() - "ethtool -K"
 * @netdev: the network device
 * @features: what is to be on; the core notes it when we return
 *
 * Checksums and hash need no register: igbook_rx_describe() asks for each frame
 * whether they are wanted. Of the filter we keep our own note: until the core has
 * made its own, a program may join a group.
 *
 * Context: RTNL, the interface up or down; takes the address lock.
 * Return: 0, or a negative errno with the features as they were.
 */
int igbook_set_features(struct net_device *netdev, netdev_features_t features)
{
	struct igbook *priv = netdev_priv(netdev);
	/* loom: begin features-all from 10 */
	int err = igbook_set_all(priv, features);

	if (err)
		return err;
	/* loom: end features-all */

	netif_addr_lock_bh(netdev);
	priv->vlan_filter = features & NETIF_F_HW_VLAN_CTAG_FILTER;
	if (netif_running(netdev))
		igbook_set_vlan_filter(priv);
	netif_addr_unlock_bh(netdev);
	if (!netif_running(netdev))
		return 0;
	igbook_offload_strip(priv, features);
	/* loom: begin features-observe from 10 */
	igbook_steer_write(priv, features);
	if ((features ^ netdev->features) & NETIF_F_LOOPBACK)
		igbook_set_loopback(priv, features & NETIF_F_LOOPBACK);
	/* loom: end features-observe */
	return 0;
}

static void igbook_vlan_write(struct igbook *priv, u16 vid, bool through)
{
	u32 *word = &priv->vlans[vid / 32];

	if (through)
		*word |= BIT(vid % 32);
	else
		*word &= ~BIT(vid % 32);
	if (netif_running(priv->netdev))
		igbook_wr32(priv, REG_VFTA(vid / 32), *word);
}

/**
 * igbook_vlan_add() - an interface on a VLAN was made
 * @netdev: the network device
 * @proto: its kind: we have filters for 802.1Q only
 * @vid: its number
 *
 * Context: RTNL.
 * Return: 0.
 */
int igbook_vlan_add(struct net_device *netdev, __be16 proto, u16 vid)
{
	igbook_vlan_write(netdev_priv(netdev), vid, true);
	return 0;
}

/**
 * igbook_vlan_kill() - the last interface on a VLAN is gone
 * @netdev: the network device
 * @proto: its kind
 * @vid: its number
 *
 * Context: RTNL.
 * Return: 0.
 */
int igbook_vlan_kill(struct net_device *netdev, __be16 proto, u16 vid)
{
	if (vid)
		igbook_vlan_write(netdev_priv(netdev), vid, false);
	return 0;
}
