// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: whether the queues of a vector may interrupt.
 */
#include "igbook.h"

/**
 * igbook_vector_mask() - the queues of a vector interrupt no more
 * @vector: the vector
 *
 * What happens meanwhile is noted by the card and comes out by
 * igbook_vector_unmask().
 *
 * Context: any: the handler of the vector, or who has stopped its bottom half.
 *
 * Source: 82576 datasheet, "Extended Interrupt Mask Clear Register" and
 * "Interrupt Mask Clear Register".
 */
void igbook_vector_mask(struct igbook_vector *vector)
{
	struct igbook *priv = vector->priv;

	if (priv->irq_mode == IGBOOK_IRQ_MSIX)
		igbook_wr32(priv, REG_EIMC, BIT(vector->index));
	else
		igbook_wr32(priv, REG_IMC, IGBOOK_CAUSES);
}

/**
 * igbook_vector_unmask() - the queues of a vector may interrupt again
 * @vector: the vector, its queues served
 *
 * If a frame came after the last look at the ring, its cause is set and the
 * card interrupts now. Nothing can fall between looking and unmasking.
 *
 * Context: any.
 *
 * Source: 82576 datasheet, "Extended Interrupt Mask Set/Read Register" and
 * "Interrupt Mask Set/Read Register".
 */
void igbook_vector_unmask(struct igbook_vector *vector)
{
	struct igbook *priv = vector->priv;

	if (priv->irq_mode == IGBOOK_IRQ_MSIX)
		igbook_wr32(priv, REG_EIMS, BIT(vector->index));
	else
		igbook_wr32(priv, REG_IMS, IGBOOK_CAUSES);
}
