/* SPDX-License-Identifier: GPL-2.0 */
/*
 * igbook, lab 8: what differs from cohort to cohort, and what igbook_tx.c asks
 * of igbook_lab.c.
 */
#ifndef _IGBOOK_LAB_H_
#define _IGBOOK_LAB_H_

#include <linux/types.h>

struct igbook_ring;
struct sk_buff;

/* The card of this lab cuts TCP only, and no segments of fewer bytes than this */
#define IGBOOK_LAB_LEAST_MSS	@least_mss@

/* A frame of more segments than this is not cut by hand but by the stack */
#define IGBOOK_LAB_SEGMENTS	@hand_segments@

bool igbook_lab_waits(const struct igbook_ring *ring);
u16 igbook_lab_need(const struct sk_buff *skb);
bool igbook_lab_by_hand(const struct sk_buff *skb);
struct sk_buff *igbook_lab_cut(struct sk_buff *skb);

#endif /* _IGBOOK_LAB_H_ */
