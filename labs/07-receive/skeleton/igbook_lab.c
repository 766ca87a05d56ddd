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
	/* TODO 9: the bytes that IGBOOK_LAB_KEY spells. */
}

/**
 * igbook_lab_table() - share the table out among the queues
 * @key: the key
 * @table: RETA_ENTRIES numbers of queues, to be filled in
 * @queues: how many there are
 *
 * The card looks up the low seven bits of the hash.
 *
 * Context: probe or RTNL.
 */
void igbook_lab_table(const u8 *key, u8 *table, unsigned int queues)
{
	/*
	 * TODO 9: as equal shares as can be, and the two connections of
	 * igbook_lab.h in different queues. Which entries are theirs?
	 */
	memset(table, 0, RETA_ENTRIES);
}
