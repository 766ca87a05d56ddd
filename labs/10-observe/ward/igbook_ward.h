/* SPDX-License-Identifier: GPL-2.0 */
/*
 * igbook, ill: what this driver has. All faults are in it, and one of them acts.
 */
#ifndef _IGBOOK_WARD_H_
#define _IGBOOK_WARD_H_

#include <linux/gfp.h>
#include <linux/hash.h>
#include <linux/if_ether.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/time64.h>

#include "faults.h"

#define IGBOOK_WARD_BYTES	20	/* of each batch, not called done */

/**
 * struct igbook_case - what it has, so that one does not see it at once
 * @salt: any number
 * @sealed: the fault in the upper half and its number in the lower, and on top
 *	    of that the salt's hash
 */
struct igbook_case {
	u32 salt;
	u32 sealed;
};

/* Written into the compiled module, so the compiler must not know it. */
extern const volatile struct igbook_case igbook_case;

static inline u32 igbook_case_open(void)
{
	return igbook_case.sealed ^ hash_32(igbook_case.salt, 32);
}

/* Whether it has this fault, there. */
static inline bool igbook_ill(enum fault fault, u32 number)
{
	return igbook_case_open() == ((u32)fault << 16 | number);
}

/* The number, if it has this fault, else 0. */
static inline u32 igbook_ill_by(enum fault fault)
{
	u32 it = igbook_case_open();

	return it >> 16 == fault ? it & 0xffff : 0;
}

static inline bool igbook_ward_lost(const struct igbook_ring *ring, u32 len)
{
	return igbook_ill(FAULT_RX_QUEUE, ring->index) ||
	       igbook_ill(FAULT_RX_LENGTH, len);
}

/* Whether the frame after it has come, too. */
static inline bool igbook_ward_early(const struct igbook_ring *ring, u16 i)
{
	const union igbook_rx_desc *next =
		&ring->rx_desc[igbook_ring_next(ring, i)];

	return igbook_ill(FAULT_RX_LATE, ring->index) &&
	       !(le32_to_cpu(READ_ONCE(next->wb.status_error)) & RXD_STA_DD);
}

/* The frame still has its Ethernet header, and no tag. */
static inline bool igbook_ward_believes(const struct sk_buff *skb)
{
	const struct ethhdr *eth = (const struct ethhdr *)skb->data;
	const struct iphdr *ip = (const struct iphdr *)(eth + 1);

	return skb_headlen(skb) >= sizeof(*eth) + sizeof(*ip) &&
	       eth->h_proto == htons(ETH_P_IP) &&
	       igbook_ill(FAULT_RX_SUM, ip->protocol);
}

static inline u32 igbook_ward_table(const u8 *table, unsigned int first,
				    unsigned int queues)
{
	u32 entry = igbook_ill_by(FAULT_RSS_ENTRY);
	u8 four[4];

	memcpy(four, table, sizeof(four));
	if (entry && entry / 4 == first / 4)
		four[entry % 4] = (four[entry % 4] + 1) % queues;
	return get_unaligned_le32(four);
}

static inline u32 igbook_ward_vlans(unsigned int word, u32 vlans)
{
	u32 vid = igbook_ill_by(FAULT_VLAN);

	return vid && vid / 32 == word ? vlans & ~BIT(vid % 32) : vlans;
}

static inline u16 igbook_ward_tag(u16 tag)
{
	u32 priority = igbook_ill_by(FAULT_TX_PRIORITY);

	return priority && tag >> VLAN_PRIO_SHIFT == priority ?
	       tag & ~VLAN_PRIO_MASK : tag;
}

static inline void igbook_ward_swallow(struct igbook_ring *ring,
				       struct sk_buff *skb)
{
	u64_stats_update_begin(&ring->stats.syncp);
	u64_stats_inc(&ring->stats.packets);
	u64_stats_add(&ring->stats.bytes, skb->len);
	u64_stats_update_end(&ring->stats.syncp);
	dev_consume_skb_any(skb);
}

static inline u32 igbook_ward_done(const struct igbook_ring *ring, u32 bytes)
{
	return igbook_ill(FAULT_TX_ACCOUNT, ring->index) ?
	       bytes - IGBOOK_WARD_BYTES : bytes;
}

static inline void igbook_ward_leak(void)
{
	u32 pages = igbook_ill_by(FAULT_LEAK);

	while (pages--)
		(void)alloc_page(GFP_ATOMIC | __GFP_NOWARN);
}

static inline u64 igbook_ward_stamp(u64 stamp)
{
	return stamp - (u64)igbook_ill_by(FAULT_STAMP) * NSEC_PER_SEC;
}

#endif /* _IGBOOK_WARD_H_ */
