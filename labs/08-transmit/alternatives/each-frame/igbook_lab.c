// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 8: queues that nobody holds back, and frames that the card cannot
 * cut.
 */
#include <linux/rtnetlink.h>
#include <net/gso.h>
#include <net/pkt_sched.h>

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
	const struct netdev_queue *queue =
		netdev_get_tx_queue(ring->netdev, ring->index);

	return rcu_dereference_bh(queue->qdisc)->enqueue;
}

/* Pieces of a frame that the card takes as it is. */
static u16 igbook_lab_count(const struct sk_buff *skb, unsigned int piece)
{
	u16 count = DIV_ROUND_UP(skb_headlen(skb), piece);
	int i = skb_shinfo(skb)->nr_frags;

	while (i--)
		count += DIV_ROUND_UP(skb_frag_size(&skb_shinfo(skb)->frags[i]),
				      piece);
	return count;
}

/**
 * igbook_lab_need() - how many descriptors a frame takes
 * @skb: the frame
 *
 * Context: any.
 * Return: their number, with one for a context if the frame wants one.
 */
u16 igbook_lab_need(const struct sk_buff *skb)
{
	bool context = skb->ip_summed == CHECKSUM_PARTIAL ||
		       skb_vlan_tag_present(skb);

	if (igbook_lab_by_hand(skb))
		return min(IGBOOK_TX_MOST,
			   1 + 2 * IGBOOK_LAB_SEGMENTS +
			   skb_shinfo(skb)->nr_frags);
	if (skb_is_gso(skb) || skb->len > IGBOOK_TX_SLOT)
		return context + igbook_lab_count(skb, IGBOOK_TX_PIECE);
	return context + 1;
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
	return !skb_is_gso_tcp(skb) ||
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
	netdev_features_t features = skb->dev->features;

	features &= ~(NETIF_F_TSO | NETIF_F_TSO6 | NETIF_F_GSO_UDP_L4);
	return skb_gso_segment(skb, features);
}
