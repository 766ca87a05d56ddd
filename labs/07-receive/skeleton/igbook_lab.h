/* SPDX-License-Identifier: GPL-2.0 */
/*
 * igbook, lab 7: what differs from cohort to cohort, and what igbook_rss.c
 * asks of igbook_lab.c.
 */
#ifndef _IGBOOK_LAB_H_
#define _IGBOOK_LAB_H_

#include <linux/types.h>

/* Bytes of a frame that go into the linear part; the others stay in the page */
#define IGBOOK_LAB_HEAD		@head_bytes@

/* The key of the hash, two digits a byte */
#define IGBOOK_LAB_KEY \
	"@rss_key@"

/* Two connections of TCP that must not share a queue, and their ports */
#define IGBOOK_LAB_FROM		0xc0000201	/* 192.0.2.1 */
#define IGBOOK_LAB_TO		0xc0000202	/* 192.0.2.2 */
#define IGBOOK_LAB_BULK_FROM	@bulk_from@
#define IGBOOK_LAB_BULK_TO	@bulk_to@
#define IGBOOK_LAB_SHELL_FROM	@shell_from@
#define IGBOOK_LAB_SHELL_TO	@shell_to@

void igbook_lab_key(u8 *key);
void igbook_lab_table(const u8 *key, u8 *table, unsigned int queues);

#endif /* _IGBOOK_LAB_H_ */
