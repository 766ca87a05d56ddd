// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 7: by which key frames are hashed, and which queue they go to.
 */
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
	if (hex2bin(key, IGBOOK_LAB_KEY, RSSRK_BYTES))
		pr_err("igbook: the key is not one\n");
}

/* The hash of @count bits of @value, which begin at bit @at of what is hashed. */
static u32 igbook_lab_part(const u8 *key, u32 value, unsigned int count,
			   unsigned int at)
{
	u32 hash = 0;
	unsigned int i, byte;
	u64 window;

	for (i = 0; i < count; i++, at++) {
		if (!(value & BIT(count - 1 - i)))
			continue;
		window = 0;
		for (byte = at / 8; byte < at / 8 + 5; byte++)
			window = window << 8 | key[byte];
		hash ^= window >> (8 - at % 8);
	}
	return hash;
}

static unsigned int igbook_lab_entry(const u8 *key, u16 from, u16 to)
{
	return (igbook_lab_part(key, IGBOOK_LAB_FROM, 32, 0) ^
		igbook_lab_part(key, IGBOOK_LAB_TO, 32, 32) ^
		igbook_lab_part(key, from, 16, 64) ^
		igbook_lab_part(key, to, 16, 80)) & (RETA_ENTRIES - 1);
}

/**
 * igbook_lab_table() - share the table out among the queues
 * @key: the key
 * @table: RETA_ENTRIES numbers of queues, to be filled in
 * @queues: how many there are
 *
 * The two connections are dealt their queues first, then all others go on.
 *
 * Context: probe or RTNL.
 */
void igbook_lab_table(const u8 *key, u8 *table, unsigned int queues)
{
	unsigned int bulk = igbook_lab_entry(key, IGBOOK_LAB_BULK_FROM,
					     IGBOOK_LAB_BULK_TO);
	unsigned int shell = igbook_lab_entry(key, IGBOOK_LAB_SHELL_FROM,
					      IGBOOK_LAB_SHELL_TO);
	unsigned int dealt = 0;
	unsigned int i;

	table[bulk] = dealt++ % queues;
	if (shell != bulk)
		table[shell] = dealt++ % queues;
	for (i = 0; i < RETA_ENTRIES; i++)
		if (i != bulk && i != shell)
			table[i] = dealt++ % queues;
}
