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
	/* TODO 8: struct netdev_queue has a pointer to it. */
	return true;
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
	/* TODO 8: no more than there must be. */
	return IGBOOK_TX_MOST;
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
	/* TODO 9 */
	return false;
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
	/* TODO 9: sums and pieces are what the card can still do. */
	return ERR_PTR(-EOPNOTSUPP);
}
