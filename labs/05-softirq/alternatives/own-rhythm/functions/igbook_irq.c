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
	igbook_vector_mask(data);
	igbook_vector_wake(data);
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
	struct igbook *priv = ((struct igbook_vector *)data)->priv;

	if (!(igbook_rd32(priv, REG_ICR) & ICR_LSC))
		return IRQ_HANDLED;
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
	u32 entry = FIELD_PREP(IVAR_TX, IVAR_VALID) |
		    FIELD_PREP(IVAR_RX, IVAR_VALID);

	if (priv->irq_mode == IGBOOK_IRQ_MSIX)
		igbook_wr32(priv, REG_IVAR_MISC,
			    FIELD_PREP(IVAR_OTHER,
				       IVAR_VALID | priv->num_queues));
	igbook_wr32(priv, REG_IVAR(0), entry);
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
	const u32 other = BIT(priv->num_queues);
	const u32 queues = other - 1;

	switch (priv->irq_mode) {
	case IGBOOK_IRQ_MSIX:
		igbook_wr32(priv, REG_GPIE, GPIE_MSIX_MODE | GPIE_NSICR);
		igbook_wr32(priv, REG_GPIE, GPIE_MSIX_MODE | GPIE_NSICR |
					    GPIE_EIAME | GPIE_PBA);
		igbook_irq_route(priv);
		igbook_wr32(priv, REG_EIAC, other | queues);
		igbook_wr32(priv, REG_EIAM, queues);
		igbook_wr32(priv, REG_EIMS, other);
		break;
	default:
		igbook_irq_route(priv);
	}
	igbook_wr32(priv, REG_IMS, ICR_LSC);
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
	unsigned int left = priv->num_queues;

	while (left--) {
		igbook_vector_mask(&priv->vector[left]);
		igbook_vector_stop(&priv->vector[left]);
		/* The last run may have unmasked it. */
		igbook_vector_mask(&priv->vector[left]);
	}
}

/* Vector 0 is the only one that is moved: by who wants it elsewhere, later. */
static void igbook_irq_home(struct igbook_vector *vector)
{
	bool moved = vector->placed;

	vector->placed = true;
	if (moved)
		irq_update_affinity_hint(vector->irq, cpumask_of(1));
	else
		irq_set_affinity_and_hint(vector->irq, cpumask_of(1));
}
