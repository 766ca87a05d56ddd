// SPDX-License-Identifier: GPL-2.0

/**
 * igbook_deliver() - hand one received frame to the stack
 * @ring: the ring it came by
 * @skb: the frame; the stack's from now on
 *
 * GRO may keep the frame until this poll ends, and join it with others of the
 * same connection, before the stack sees it.
 *
 * Context: igbook_poll(), or bottom halves off and the instance disabled: then
 * it is the caller's, and what GRO keeps waits for the next poll.
 */
void igbook_deliver(struct igbook_ring *ring, struct sk_buff *skb)
{
	skb_set_queue_mapping(skb, ring->index + 1);
	napi_gro_receive(ring->napi, skb);
}
