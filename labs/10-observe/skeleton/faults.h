/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a patient can have. Leave this file as it is: the grader has its own.
 */
#ifndef _FAULTS_H_
#define _FAULTS_H_

/**
 * enum fault - what is wrong, and what the number says
 * @FAULT_UNKNOWN: not found; the number is 0
 * @FAULT_RX_QUEUE: frames of one receive queue are lost, uncounted; which (1 to 7)
 * @FAULT_RX_LENGTH: frames of one length are lost on their way up, uncounted; how
 *	long, without FCS (100 to 1400)
 * @FAULT_RX_LATE: a frame of one receive queue is handed up when the next one
 *	comes; which (1 to 7)
 * @FAULT_RX_ONCE: one receive queue interrupts no more after its first frames;
 *	which (1 to 7)
 * @FAULT_RX_SUM: wrong sums of one protocol on IPv4 are called right; its number
 *	in IP's header (6 or 17)
 * @FAULT_RSS_ENTRY: one entry of the table by which the card chooses a queue is
 *	not what "ethtool -x" shows; which (1 to 127)
 * @FAULT_VLAN: the card does not let in one VLAN; which (2 to 63)
 * @FAULT_GROUP: the card does not let in groups that were joined, if their
 *	address ends with one certain byte; which (2 to 127)
 * @FAULT_UNICAST: of the addresses that the interface has besides its own, one is
 *	not let in; the how-maniest that was added (1 to 7)
 * @FAULT_TX_LENGTH: frames of one length are counted and not sent; how long,
 *	without FCS (100 to 1400)
 * @FAULT_TX_PRIORITY: one priority is sent as 0 in VLAN tags; which (1 to 7)
 * @FAULT_TX_COUNT: frames of one transmit queue are counted twice; which (1 to 7)
 * @FAULT_TX_ACCOUNT: of what one transmit queue has sent, not all bytes are called
 *	done; which (1 to 7)
 * @FAULT_RMON: received frames of one class of lengths are missing in the group
 *	"rmon"; the first length that its name there has (65, 128, 256, 512 or 1024)
 * @FAULT_LEAK: each received frame costs memory that never comes back; how many
 *	pages (1 to 8)
 * @FAULT_MODERATION: one vector does not heed "ethtool -C"; that of which queue
 *	(1 to 7)
 * @FAULT_STAMP: the card's stamps of sent frames are behind its clock; by how many
 *	seconds (1 to 59)
 */
enum fault {
	FAULT_UNKNOWN,
	FAULT_RX_QUEUE,
	FAULT_RX_LENGTH,
	FAULT_RX_LATE,
	FAULT_RX_ONCE,
	FAULT_RX_SUM,
	FAULT_RSS_ENTRY,
	FAULT_VLAN,
	FAULT_GROUP,
	FAULT_UNICAST,
	FAULT_TX_LENGTH,
	FAULT_TX_PRIORITY,
	FAULT_TX_COUNT,
	FAULT_TX_ACCOUNT,
	FAULT_RMON,
	FAULT_LEAK,
	FAULT_MODERATION,
	FAULT_STAMP,
};

#endif /* _FAULTS_H_ */
