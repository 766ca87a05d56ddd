// SPDX-License-Identifier: GPL-2.0

/**
 * igbook_pause_write() - tell the card
 * @vector: the vector
 * @usecs: least time between two interrupts, in microseconds; 0: none
 *
 * CNT_INGR keeps the write from restarting the pause that is running.
 *
 * Context: igbook_poll(), or RTNL with the vector not yet running.
 *
 * Source: 82576 datasheet, "Extended Interrupt Throttle Register".
 */
static void igbook_pause_write(struct igbook_vector *vector, u16 usecs)
{
	u32 eitr = (u32)usecs << 2;

	igbook_wr32(vector->priv, REG_EITR(vector->index),
		    eitr | EITR_CNT_INGR);
	vector->moderation.usecs = usecs;
}
