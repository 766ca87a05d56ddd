// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: what the card does to received frames before we see them: it checks
 * sums, takes VLAN tags out and refuses foreign VLANs.
 */
#include <linux/if_vlan.h>

#include "igbook.h"

/**
 * igbook_offload_init() - before there is any VLAN
 * @priv: the device
 *
 * VLAN 0 is none: its tag carries a priority only.
 *
 * Context: probe.
 */
void igbook_offload_init(struct igbook *priv)
{
	priv->vlans[0] = BIT(0);
}

/* 82576 datasheet, "Device Control Register", VME. */
static void igbook_offload_strip(struct igbook *priv,
				 netdev_features_t features)
{
	u32 ctrl = igbook_rd32(priv, REG_CTRL) & ~CTRL_VME;

	if (features & NETIF_F_HW_VLAN_CTAG_RX)
		ctrl |= CTRL_VME;
	igbook_wr32(priv, REG_CTRL, ctrl);
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

	igbook_wr32(priv, REG_RXCSUM, RXCSUM_IPOFLD | RXCSUM_TUOFLD |
				      RXCSUM_PCSD);
	for (i = 0; i < VFTA_WORDS; i++)
		igbook_wr32(priv, REG_VFTA(i), priv->vlans[i]);
	igbook_offload_strip(priv, priv->netdev->features);
}

/**
 * igbook_set_features() - "ethtool -K"
 * @netdev: the network device
 * @features: what is to be on; the core notes it when we return
 *
 * Checksums and hash need no register: igbook_rx_describe() asks for each frame
 * whether they are wanted.
 *
 * Context: RTNL, the interface up or down; takes the address lock.
 * Return: 0.
 */
int igbook_set_features(struct net_device *netdev, netdev_features_t features)
{
	struct igbook *priv = netdev_priv(netdev);

	if (!netif_running(netdev))
		return 0;
	igbook_offload_strip(priv, features);
	netif_addr_lock_bh(netdev);
	igbook_set_vlan_filter(priv, features);
	netif_addr_unlock_bh(netdev);
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
