// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: which frames the card takes: its addresses and the longest frame.
 */
#include <linux/bitfield.h>
#include <linux/if_vlan.h>

#include "igbook.h"

/**
 * igbook_set_rar() - load one receive address register
 * @priv: the device
 * @index: which one; 0 holds the interface's own address
 * @addr: the address, or NULL to switch the entry off
 *
 * An address takes two writes. The entry is switched off around them, so no
 * frame is ever compared with half of one address and half of another.
 *
 * Context: any; RTNL or the address lock keeps others out.
 *
 * Source: 82576 datasheet, "Receive Address Low" and "Receive Address High".
 */
void igbook_set_rar(struct igbook *priv, unsigned int index, const u8 *addr)
{
	igbook_wr32(priv, REG_RAH(index), 0);
	if (!addr)
		return;
	igbook_wr32(priv, REG_RAL(index), get_unaligned_le32(addr));
	igbook_wr32(priv, REG_RAH(index), get_unaligned_le16(addr + 4) | RAH_AV);
}

/**
 * igbook_set_frame_size() - tell the card how long a frame may be
 * @priv: the device
 *
 * The MTU counts what the Ethernet header carries; RLPML counts the frame on
 * the cable, with header, one VLAN tag and FCS. It is heeded once RCTL.LPE
 * lifts the limit of 1522 bytes.
 *
 * Context: RTNL and the address lock: RCTL is read, changed and written back.
 *
 * Source: 82576 datasheet, "Receive Long Packet Maximum Length".
 */
void igbook_set_frame_size(struct igbook *priv)
{
	u32 rctl = igbook_rd32(priv, REG_RCTL);

	igbook_wr32(priv, REG_RLPML, priv->netdev->mtu + VLAN_ETH_HLEN +
				     ETH_FCS_LEN);
	if (priv->netdev->mtu > ETH_DATA_LEN)
		rctl |= RCTL_LPE;
	else
		rctl &= ~RCTL_LPE;
	igbook_wr32(priv, REG_RCTL, rctl);
}

/* Address lock held, bottom halves off. */
static bool igbook_set_unicast(struct net_device *netdev)
{
	struct igbook *priv = netdev_priv(netdev);
	struct netdev_hw_addr *ha;
	unsigned int i = 1;

	if (netdev_uc_count(netdev) > RAR_ENTRIES - 1)
		return false;
	netdev_for_each_uc_addr(ha, netdev)
		igbook_set_rar(priv, i++, ha->addr);
	while (i < RAR_ENTRIES)
		igbook_set_rar(priv, i++, NULL);
	return true;
}

/*
 * The table has 4096 bits; twelve bits of the destination address choose one.
 * Other groups can share a bit, so the stack still compares the address.
 *
 * Address lock held, bottom halves off.
 *
 * 82576 datasheet, "Multicast Table Array"; RCTL.MO is 0, which selects bits
 * 47:36 of the address.
 */
static void igbook_set_multicast(struct net_device *netdev)
{
	struct igbook *priv = netdev_priv(netdev);
	struct netdev_hw_addr *ha;
	u32 table[MTA_WORDS] = {};
	int i;

	netdev_for_each_mc_addr(ha, netdev) {
		u16 hash = get_unaligned_le16(ha->addr + 4) >> 4;

		table[hash / 32] |= BIT(hash % 32);
	}
	for (i = 0; i < MTA_WORDS; i++)
		igbook_wr32(priv, REG_MTA(i), table[i]);
}

/* loom: from 07 */
/**
 * igbook_set_vlan_filter() - let the card refuse foreign VLANs, or none
 * @priv: the device
 *
 * Who asks for every frame gets those of every VLAN.
 *
 * Context: address lock held, bottom halves off.
 *
 * Source: 82576 datasheet, "Receive Control Register", VFE.
 */
void igbook_set_vlan_filter(struct igbook *priv)
{
	u32 rctl = igbook_rd32(priv, REG_RCTL) & ~RCTL_VFE;

	if (priv->vlan_filter && !(priv->netdev->flags & IFF_PROMISC))
		rctl |= RCTL_VFE;
	/* loom: begin vlan-filter-all from 10 */
	if (priv->netdev->features & NETIF_F_RXALL)
		rctl &= ~RCTL_VFE;
	/* loom: end vlan-filter-all */
	igbook_wr32(priv, REG_RCTL, rctl);
}

/**
 * igbook_filters_write() - make the card's filters match the interface's flags
 * @netdev: the network device
 *
 * IFF_ALLMULTI and IFF_PROMISC open the filters wide; so does a list that does
 * not fit.
 *
 * Context: address lock held, bottom halves off: no sleeping; the card does not
 * reset itself.
 *
 * Source: 82576 datasheet, "Receive Control Register".
 */
void igbook_filters_write(struct net_device *netdev)
{
	struct igbook *priv = netdev_priv(netdev);
	u32 rctl = igbook_rd32(priv, REG_RCTL);

	rctl &= ~(RCTL_UPE | RCTL_MPE | RCTL_MO);
	rctl |= RCTL_BAM;
	if (!igbook_set_unicast(netdev) || (netdev->flags & IFF_PROMISC))
		rctl |= RCTL_UPE;
	if (netdev->flags & (IFF_PROMISC | IFF_ALLMULTI))
		rctl |= RCTL_MPE;
	igbook_set_multicast(netdev);
	igbook_wr32(priv, REG_RCTL, rctl);
	/* loom: begin rx-mode-vlan from 07 */
	igbook_set_vlan_filter(priv);
	/* loom: end rx-mode-vlan */
}

/**
 * igbook_set_rx_mode() - the address lists or the flags have changed
 * @netdev: the network device
 *
 * A program may join a group just when the card is being reset. It is left alone
 * then, and hears of the group when it is next set up.
 *
 * Context: address lock held, bottom halves off: no sleeping; takes stats_lock.
 */
void igbook_set_rx_mode(struct net_device *netdev)
{
	struct igbook *priv = netdev_priv(netdev);

	spin_lock(&priv->stats_lock);
	if (!priv->resetting)
		igbook_filters_write(netdev);
	spin_unlock(&priv->stats_lock);
}
