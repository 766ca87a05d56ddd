// SPDX-License-Identifier: GPL-2.0

/**
 * igbook_irq_queues() - top half of a pair of queues (MSI-X)
 * @irq: the kernel's number of the interrupt
 * @data: the vector
 *
 * The message says which queues, and sending it has cleared the cause (EIAC),
 * so no register is read here. A real card has masked the vector as well
 * (EIAM); the emulated one does not do that, so we do.
 *
 * Context: hard interrupt.
 * Return: IRQ_HANDLED, since nobody shares a message.
 */
static irqreturn_t igbook_irq_queues(int irq, void *data)
{
	struct igbook_vector *vector = data;

	igbook_wr32(vector->priv, REG_EIMC, BIT(vector->index));
	igbook_vector_wake(vector);
	return IRQ_HANDLED;
}

/**
 * igbook_irq_other() - top half of all that is not a queue (MSI-X)
 * @irq: the kernel's number of the interrupt
 * @data: the vector
 *
 * Context: hard interrupt.
 * Return: IRQ_HANDLED.
 */
static irqreturn_t igbook_irq_other(int irq, void *data)
{
	struct igbook_vector *vector = data;
	struct igbook *priv = vector->priv;
	u32 causes;

	causes = igbook_rd32(priv, REG_ICR);
	if (causes & ICR_LSC)
		igbook_link_changed(priv);
	return IRQ_HANDLED;
}

/**
 * igbook_irq_route() - tell the card which vector each queue interrupts by
 * @priv: the device
 *
 * Four entries of eight bits in each IVAR register: queues n and n + 8, each
 * with one for receive and one for transmit. Also needed with a single vector,
 * for a queue without an entry raises no cause at all.
 *
 * Context: RTNL.
 *
 * Source: 82576 datasheet, "Interrupt Vector Allocation Registers".
 */
static void igbook_irq_route(struct igbook *priv)
{
	u32 mine = IVAR_VALID;	/* vector 0 */

	igbook_wr32(priv, REG_IVAR(0), mine | mine << 8);
	if (priv->irq_mode != IGBOOK_IRQ_MSIX)
		return;
	igbook_wr32(priv, REG_IVAR_MISC, (IVAR_VALID | 1) << 8);
}

/**
 * igbook_irq_enable() - let the card call, though not yet for its queues
 * @priv: the device; handlers connected
 *
 * GPIE comes first: what the other registers mean depends on it. Sending a
 * message clears its cause (EIAC) and, for queues, masks it (EIAM, EIAME); the
 * vector for the rest is dealt with as a whole in its handler and needs no
 * mask. NSICR makes reading ICR clear it in any case.
 *
 * Context: RTNL.
 *
 * Source: 82576 datasheet, "General Purpose Interrupt Enable Register",
 * "Extended Interrupt Auto Clear Register", "Extended Interrupt Auto Mask
 * Enable Register".
 */
static void igbook_irq_enable(struct igbook *priv)
{
	if (priv->irq_mode != IGBOOK_IRQ_MSIX) {
		igbook_irq_route(priv);
		igbook_wr32(priv, REG_IMS, ICR_LSC);
		return;
	}
	igbook_wr32(priv, REG_GPIE, GPIE_PBA | GPIE_EIAME | GPIE_MSIX_MODE |
				    GPIE_NSICR);
	igbook_wr32(priv, REG_EIAM, BIT(0));
	igbook_wr32(priv, REG_EIAC, BIT(0) | BIT(1));
	igbook_irq_route(priv);
	igbook_wr32(priv, REG_IMS, ICR_LSC);
	igbook_wr32(priv, REG_EIMS, BIT(1));
}

/**
 * igbook_service_stop() - serve the rings no more
 * @priv: the device; stopping it twice does no harm
 *
 * A bottom half unmasks its vector when it ends, so it must have ended before
 * the mask can hold. A handler that comes in between masks and wakes nobody.
 *
 * Context: RTNL; sleeps.
 */
void igbook_service_stop(struct igbook *priv)
{
	struct igbook_vector *vector = priv->vector;

	for (; vector < priv->vector + priv->num_queues; vector++)
		igbook_vector_stop(vector);
	for (vector = priv->vector; vector < priv->vector + priv->num_queues;
	     vector++)
		igbook_vector_mask(vector);
}

/* Vector 0 is the only one that is moved: by who wants it elsewhere, later. */
static void igbook_irq_home(struct igbook_vector *vector)
{
	const struct cpumask *cpu = cpumask_of(1);

	if (!vector->placed)
		irq_set_affinity(vector->irq, cpu);
	irq_update_affinity_hint(vector->irq, cpu);
	vector->placed = true;
}
