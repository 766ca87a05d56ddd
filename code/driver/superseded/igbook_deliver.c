// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: the door between the driver and the stack.
 */
#include "igbook.h"

/**
 * igbook_deliver() - hand one received frame to the stack
 * @ring: the ring it came by
 * @skb: the frame; the stack's from now on
 *
 * netif_rx() only puts the frame into the backlog of this CPU. What it says
 * about a full backlog is not for us: it has counted and freed the frame.
 *
 * Context: bottom halves off.
 */
void igbook_deliver(struct igbook_ring *ring, struct sk_buff *skb)
{
	skb_record_rx_queue(skb, ring->index);
	netif_rx(skb);
}
