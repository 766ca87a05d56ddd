// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 7: by which key frames are hashed, and which queue they go to.
 */
#include <linux/hex.h>

#include "igbook.h"
#include "igbook_lab.h"

/**
 * igbook_lab_key() - the key of the hash, until a user writes another
 * @key: RSSRK_BYTES bytes, to be filled in
 *
 * Context: probe.
 */
void igbook_lab_key(u8 *key)
{
	const char *digits = IGBOOK_LAB_KEY;
	unsigned int i;

	for (i = 0; i < RSSRK_BYTES; i++, digits += 2)
		key[i] = hex_to_bin(digits[0]) << 4 | hex_to_bin(digits[1]);
}

static u32 igbook_lab_bit(const u8 *bytes, unsigned int bit)
{
	return bytes[bit / 8] >> (7 - bit % 8) & 1;
}

/* The low seven bits only: of each window of the key the last seven. */
static u8 igbook_lab_entry(const u8 *key, u16 from_port, u16 to_port)
{
	const u8 input[] = {
		IGBOOK_LAB_FROM >> 24, IGBOOK_LAB_FROM >> 16 & 0xff,
		IGBOOK_LAB_FROM >> 8 & 0xff, IGBOOK_LAB_FROM & 0xff,
		IGBOOK_LAB_TO >> 24, IGBOOK_LAB_TO >> 16 & 0xff,
		IGBOOK_LAB_TO >> 8 & 0xff, IGBOOK_LAB_TO & 0xff,
		from_port >> 8, from_port & 0xff, to_port >> 8, to_port & 0xff,
	};
	unsigned int bit, k;
	u8 entry = 0;

	for (bit = 0; bit < 8 * sizeof(input); bit++)
		for (k = 0; k < 7 && igbook_lab_bit(input, bit); k++)
			entry ^= igbook_lab_bit(key, bit + 31 - k) << k;
	return entry;
}

/**
 * igbook_lab_table() - share the table out among the queues
 * @key: the key
 * @table: RETA_ENTRIES numbers of queues, to be filled in
 * @queues: how many there are
 *
 * One block for each queue. A connection that is in the other's block changes
 * places with the first entry of another.
 *
 * Context: probe or RTNL.
 */
void igbook_lab_table(const u8 *key, u8 *table, unsigned int queues)
{
	u8 bulk = igbook_lab_entry(key, IGBOOK_LAB_BULK_FROM,
				   IGBOOK_LAB_BULK_TO);
	u8 shell = igbook_lab_entry(key, IGBOOK_LAB_SHELL_FROM,
				    IGBOOK_LAB_SHELL_TO);
	unsigned int i;

	for (i = 0; i < RETA_ENTRIES; i++)
		table[i] = i * queues / RETA_ENTRIES;
	if (table[bulk] != table[shell])
		return;
	for (i = 0; i < RETA_ENTRIES; i++) {
		if (table[i] == table[bulk])
			continue;
		swap(table[i], table[shell]);
		return;
	}
}
