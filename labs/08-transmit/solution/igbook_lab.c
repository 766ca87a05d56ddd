// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 8: queues that nobody holds back, and frames that the card cannot
 * cut.
 */
#include <net/gso.h>
#include <net/sch_generic.h>

#include "igbook.h"
#include "igbook_lab.h"

/**
 * igbook_lab_waits() - would a frame wait if its queue were stopped?
 * @ring: the ring of the queue
 *
 * Context: bottom halves off.
 * Return: whether the queue has a queueing discipline.
 */
bool igbook_lab_waits(const struct igbook_ring *ring)
{
	return !qdisc_txq_has_no_queue(netdev_get_tx_queue(ring->netdev,
							   ring->index));
}

static u16 igbook_lab_segments(const struct sk_buff *skb)
{
	return DIV_ROUND_UP(skb->len, skb_shinfo(skb)->gso_size);
}

/**
 * igbook_lab_need() - how many descriptors a frame takes
 * @skb: the frame
 *
 * Each segment that is cut by hand has a linear part, and begins or ends in the
 * middle of a piece.
 *
 * Context: any.
 * Return: their number, with one for a context if the frame wants one.
 */
u16 igbook_lab_need(const struct sk_buff *skb)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	u16 need = 0;
	int i;

	if (igbook_lab_by_hand(skb))
		return 1 + info->nr_frags + 2 * igbook_lab_segments(skb);
	if (skb->ip_summed == CHECKSUM_PARTIAL || skb_vlan_tag_present(skb))
		need++;
	if (skb->len <= IGBOOK_TX_SLOT && !skb_is_gso(skb))
		return need + 1;
	need += DIV_ROUND_UP(skb_headlen(skb), IGBOOK_TX_PIECE);
	for (i = 0; i < info->nr_frags; i++)
		need += DIV_ROUND_UP(skb_frag_size(&info->frags[i]),
				     IGBOOK_TX_PIECE);
	return need;
}

/**
 * igbook_lab_by_hand() - is a frame to be cut that the card cannot cut?
 * @skb: the frame, of any kind
 *
 * Context: any.
 * Return: whether it is.
 */
bool igbook_lab_by_hand(const struct sk_buff *skb)
{
	if (!skb_is_gso(skb))
		return false;
	return skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4 ||
	       skb_shinfo(skb)->gso_size < IGBOOK_LAB_LEAST_MSS;
}

/**
 * igbook_lab_cut() - cut a frame
 * @skb: the frame; it stays the caller's
 *
 * Context: bottom halves off; no sleeping.
 * Return: a list of its segments (skb->next), or an error pointer.
 */
struct sk_buff *igbook_lab_cut(struct sk_buff *skb)
{
	return skb_gso_segment(skb, skb->dev->features & ~NETIF_F_GSO_MASK);
}
