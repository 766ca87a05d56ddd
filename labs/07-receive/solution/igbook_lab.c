// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 7: by which key frames are hashed, and which queue they go to.
 */
#include <linux/ethtool.h>
#include <linux/unaligned.h>

#include "igbook.h"
#include "igbook_lab.h"

/* What of a TCP segment on IPv4 is hashed, in the order of its headers. */
struct igbook_flow {
	__be32 from;
	__be32 to;
	__be16 from_port;
	__be16 to_port;
} __packed;

static const struct igbook_flow igbook_bulk = {
	.from = cpu_to_be32(IGBOOK_LAB_FROM),
	.to = cpu_to_be32(IGBOOK_LAB_TO),
	.from_port = cpu_to_be16(IGBOOK_LAB_BULK_FROM),
	.to_port = cpu_to_be16(IGBOOK_LAB_BULK_TO),
};

static const struct igbook_flow igbook_shell = {
	.from = cpu_to_be32(IGBOOK_LAB_FROM),
	.to = cpu_to_be32(IGBOOK_LAB_TO),
	.from_port = cpu_to_be16(IGBOOK_LAB_SHELL_FROM),
	.to_port = cpu_to_be16(IGBOOK_LAB_SHELL_TO),
};

/**
 * igbook_lab_key() - the key of the hash, until a user writes another
 * @key: RSSRK_BYTES bytes, to be filled in
 *
 * Context: probe.
 */
void igbook_lab_key(u8 *key)
{
	WARN_ON(hex2bin(key, IGBOOK_LAB_KEY, RSSRK_BYTES));
}

/**
 * igbook_lab_entry() - which entry of the table a flow is looked up at
 * @key: the key
 * @flow: the flow
 *
 * For each bit of the flow that is set, the 32 bits of the key that begin at
 * its place are added without carry.
 *
 * Return: the low seven bits of the hash.
 */
static unsigned int igbook_lab_entry(const u8 *key,
				     const struct igbook_flow *flow)
{
	const u8 *bytes = (const u8 *)flow;
	u32 window = get_unaligned_be32(key);
	u32 hash = 0;
	unsigned int i;

	for (i = 0; i < 8 * sizeof(*flow); i++) {
		if (bytes[i / 8] & BIT(7 - i % 8))
			hash ^= window;
		window = window << 1 | (key[4 + i / 8] >> (7 - i % 8) & 1);
	}
	return hash % RETA_ENTRIES;
}

/**
 * igbook_lab_table() - share the table out among the queues
 * @key: the key
 * @table: RETA_ENTRIES numbers of queues, to be filled in
 * @queues: how many there are
 *
 * Neighbours have different queues. So if both flows would share one, the
 * second changes places with its neighbour, and no share changes.
 *
 * Context: probe or RTNL.
 */
void igbook_lab_table(const u8 *key, u8 *table, unsigned int queues)
{
	unsigned int bulk = igbook_lab_entry(key, &igbook_bulk);
	unsigned int shell = igbook_lab_entry(key, &igbook_shell);
	unsigned int i;

	for (i = 0; i < RETA_ENTRIES; i++)
		table[i] = ethtool_rxfh_indir_default(i, queues);
	if (table[bulk] == table[shell])
		swap(table[shell], table[shell ^ 1]);
}
