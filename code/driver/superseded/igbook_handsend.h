/* SPDX-License-Identifier: GPL-2.0 */
/*
 * igbook: one ring, one frame at a time, until there are real ones.
 */
#ifndef _IGBOOK_HANDSEND_H_
#define _IGBOOK_HANDSEND_H_

#include "igbook_desc.h"

#define IGBOOK_TX_DESC		8	/* 8 x 16 bytes: TDLEN counts in 128s */

/**
 * struct igbook_tx_queue - the ring of descriptors shared with the card
 * @desc: the ring as the CPU sees it
 * @dma: the same memory as the card sees it
 * @next: the descriptor the next frame takes
 */
struct igbook_tx_queue {
	union igbook_tx_desc *desc;
	dma_addr_t dma;
	u16 next;
};

/**
 * struct igbook_hand_sent - the last frame sent by hand, for the reader
 * @index: descriptor used
 * @desc: the descriptor as the card was given it
 * @status: status word the card wrote back
 * @error: 0, or the negative errno of the attempt
 */
struct igbook_hand_sent {
	u16 index;
	union igbook_tx_desc desc;
	u32 status;
	int error;
};

#endif /* _IGBOOK_HANDSEND_H_ */
