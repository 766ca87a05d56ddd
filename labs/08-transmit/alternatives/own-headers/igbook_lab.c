// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 8: queues that nobody holds back, and frames that the card cannot
 * cut. Each segment is made here, byte for byte.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
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
	struct netdev_queue *queue =
		netdev_get_tx_queue(ring->netdev, ring->index);
	bool waits;

	rcu_read_lock();
	waits = rcu_dereference(queue->qdisc)->enqueue;
	rcu_read_unlock();
	return waits;
}

static bool igbook_lab_is_udp(const struct sk_buff *skb)
{
	return skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4;
}

static unsigned int igbook_lab_headers(const struct sk_buff *skb)
{
	return skb_transport_offset(skb) +
	       (igbook_lab_is_udp(skb) ? sizeof(struct udphdr) :
					 tcp_hdrlen(skb));
}

static u16 igbook_lab_pieces(unsigned int len)
{
	return len / IGBOOK_TX_PIECE + (len % IGBOOK_TX_PIECE ? 1 : 0);
}

/**
 * igbook_lab_need() - how many descriptors a frame takes
 * @skb: the frame
 *
 * A segment that is made here lies in one piece.
 *
 * Context: any.
 * Return: their number, with one for a context if the frame wants one.
 */
u16 igbook_lab_need(const struct sk_buff *skb)
{
	u16 need = skb->ip_summed == CHECKSUM_PARTIAL ||
		   skb_vlan_tag_present(skb);
	int i;

	if (igbook_lab_by_hand(skb))
		return need + DIV_ROUND_UP(skb->len - igbook_lab_headers(skb),
					   skb_shinfo(skb)->gso_size);
	if (!skb_is_gso(skb) && skb->len <= IGBOOK_TX_SLOT)
		return need + 1;
	need += igbook_lab_pieces(skb_headlen(skb));
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++)
		need += igbook_lab_pieces(skb_frag_size(&skb_shinfo(skb)->frags[i]));
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
	return skb_is_gso(skb) &&
	       (igbook_lab_is_udp(skb) ||
		skb_shinfo(skb)->gso_size < IGBOOK_LAB_LEAST_MSS);
}

/* What differs from segment to segment, in a copy of the headers. */
static void igbook_lab_fill_in(const struct sk_buff *skb,
			       struct sk_buff *segment, unsigned int number,
			       unsigned int done, bool last)
{
	u32 length = segment->len - skb_transport_offset(segment);
	u32 whole = skb->len - skb_transport_offset(skb);
	__wsum less = csum_sub((__force __wsum)htonl(whole),
			       (__force __wsum)htonl(length));

	if (ip_hdr(skb)->version == 4) {
		ip_hdr(segment)->tot_len =
			htons(segment->len - skb_network_offset(segment));
		ip_hdr(segment)->id = htons(ntohs(ip_hdr(skb)->id) + number);
		ip_send_check(ip_hdr(segment));
	} else {
		ipv6_hdr(segment)->payload_len =
			htons(segment->len - skb_network_offset(segment) -
			      sizeof(struct ipv6hdr));
	}
	if (igbook_lab_is_udp(skb)) {
		udp_hdr(segment)->len = htons(length);
		csum_replace_by_diff(&udp_hdr(segment)->check, less);
		return;
	}
	tcp_hdr(segment)->seq = htonl(ntohl(tcp_hdr(skb)->seq) + done);
	if (!last) {
		tcp_hdr(segment)->fin = 0;
		tcp_hdr(segment)->psh = 0;
	}
	if (number)
		tcp_hdr(segment)->cwr = 0;
	csum_replace_by_diff(&tcp_hdr(segment)->check, less);
}

static struct sk_buff *igbook_lab_make(const struct sk_buff *skb,
				       unsigned int number, unsigned int done,
				       unsigned int part)
{
	unsigned int headers = igbook_lab_headers(skb);
	struct sk_buff *segment;

	segment = netdev_alloc_skb(skb->dev, headers + part);
	if (!segment)
		return NULL;
	skb_put_data(segment, skb->data, headers);
	skb_copy_bits(skb, headers + done, skb_put(segment, part), part);
	skb_reset_mac_header(segment);
	skb_set_network_header(segment, skb_network_offset(skb));
	skb_set_transport_header(segment, skb_transport_offset(skb));
	segment->protocol = skb->protocol;
	segment->ip_summed = CHECKSUM_PARTIAL;
	segment->csum_start = skb_transport_header(segment) - segment->head;
	segment->csum_offset = skb->csum_offset;
	__vlan_hwaccel_copy_tag(segment, skb);
	igbook_lab_fill_in(skb, segment, number, done,
			   headers + done + part == skb->len);
	return segment;
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
	unsigned int payload = skb->len - igbook_lab_headers(skb);
	unsigned int size = skb_shinfo(skb)->gso_size;
	struct sk_buff *list = NULL;
	struct sk_buff **end = &list;
	unsigned int number = 0;
	unsigned int done;

	for (done = 0; done < payload; done += size) {
		*end = igbook_lab_make(skb, number++, done,
				       min(size, payload - done));
		if (!*end) {
			kfree_skb_list(list);
			return ERR_PTR(-ENOMEM);
		}
		end = &(*end)->next;
	}
	return list;
}
