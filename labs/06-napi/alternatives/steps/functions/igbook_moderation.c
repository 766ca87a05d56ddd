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
	struct igbook *priv = vector->priv;

	vector->moderation.usecs = usecs;
	igbook_wr32(priv, REG_EITR(0) + 4 * vector->index,
		    FIELD_PREP(EITR_INTERVAL, usecs) | EITR_CNT_INGR);
}
