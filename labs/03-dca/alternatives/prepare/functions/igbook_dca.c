// SPDX-License-Identifier: GPL-2.0

/**
 * igbook_dca_write_queue() - give one queue's writes a tag
 * @priv: the device
 * @queue: number of the queue, in both directions
 * @tag: what the provider says for the CPU that serves the queue
 *
 * Relaxed ordering stays allowed for what the card reads. For what it writes it
 * is off: some chipsets lose the tag of a relaxed write.
 *
 * Context: any; @priv->dca.lock held.
 *
 * Source: 82576 datasheet, "Rx DCA Control Registers" and "Tx DCA Control
 * Registers".
 */
static void igbook_dca_write_queue(struct igbook *priv, unsigned int queue,
				   u8 tag)
{
	u32 txctrl = DCA_TXCTRL_DESC_DCA_EN;
	u32 rxctrl = DCA_RXCTRL_DESC_DCA_EN;

	rxctrl |= DCA_RXCTRL_HEAD_DCA_EN;
	rxctrl |= DCA_RXCTRL_DATA_DCA_EN;
	rxctrl |= DCA_RXCTRL_DESC_RRO_EN;
	txctrl |= DCA_TXCTRL_DESC_RRO_EN;
	txctrl |= DCA_TXCTRL_DATA_RRO_EN;
	/* Twice each: a tag never stands beside what was there before. */
	igbook_wr32(priv, REG_DCA_RXCTRL(queue), DCA_RXCTRL_DESC_RRO_EN);
	igbook_wr32(priv, REG_DCA_TXCTRL(queue),
		    DCA_TXCTRL_DESC_RRO_EN | DCA_TXCTRL_DATA_RRO_EN);
	igbook_wr32(priv, REG_DCA_RXCTRL(queue),
		    rxctrl | u32_encode_bits(tag, DCA_CPUID));
	igbook_wr32(priv, REG_DCA_TXCTRL(queue),
		    txctrl | u32_encode_bits(tag, DCA_CPUID));
}

/**
 * igbook_dca_clear_queue() - take the tag off one queue's writes
 * @priv: the device
 * @queue: number of the queue
 *
 * What is written is what a reset leaves: no tags, ordering relaxed for all but
 * the write-back of receive descriptors.
 *
 * Context: any; @priv->dca.lock held.
 */
static void igbook_dca_clear_queue(struct igbook *priv, unsigned int queue)
{
	igbook_wr32(priv, REG_DCA_TXCTRL(queue),
		    DCA_TXCTRL_DESC_RRO_EN | DCA_TXCTRL_DESC_WRO_EN |
		    DCA_TXCTRL_DATA_RRO_EN);
	igbook_wr32(priv, REG_DCA_RXCTRL(queue),
		    DCA_RXCTRL_DESC_RRO_EN | DCA_RXCTRL_DATA_WRO_EN |
		    DCA_RXCTRL_HEAD_WRO_EN);
}

/**
 * igbook_dca_update() - a queue is being served: let its tag follow the CPU
 * @priv: the device, up
 * @queue: number of the queue, in both directions; below DCA_QUEUES
 * @cpu: the CPU that serves it now
 *
 * To be called whenever a queue is served. When the CPU is the same as last
 * time, or DCA is off, that is two loads; only a change takes the lock and
 * writes two registers. A caller that can be moved to another CPU meanwhile may
 * pass raw_smp_processor_id(): a wrong tag warms the wrong cache, no more.
 *
 * Context: any but NMI; takes @priv->dca.lock, and below it the DCA core's raw
 * lock, with interrupts off. Does not sleep. One caller for one queue at a
 * time. The queue must not be served when igbook_dca_restore() runs.
 */
void igbook_dca_update(struct igbook *priv, unsigned int queue, int cpu)
{
	struct igbook_dca *dca = &priv->dca;

	if (!IS_ENABLED(CONFIG_DCA))
		return;
	if (cpu == READ_ONCE(dca->cpu[queue]) || !READ_ONCE(dca->enabled))
		return;
	scoped_guard(spinlock_irqsave, &dca->lock) {
		if (!dca->enabled)
			break;
		igbook_dca_write_queue(priv, queue,
				       dca3_get_tag(&priv->pdev->dev, cpu));
		WRITE_ONCE(dca->cpu[queue], cpu);
	}
}

/**
 * igbook_dca_restore() - write again what a reset took away
 * @priv: the device, freshly reset, no queue served yet
 *
 * Context: RTNL; takes @priv->dca.lock.
 */
void igbook_dca_restore(struct igbook *priv)
{
	guard(spinlock_irqsave)(&priv->dca.lock);
	if (!priv->dca.enabled)
		return;
	igbook_dca_switch_on(priv);
}

/**
 * igbook_dca_leave() - have ourselves struck off again
 * @priv: the device
 *
 * Context: process context; takes @priv->dca.membership; sleeps.
 */
static void igbook_dca_leave(struct igbook *priv)
{
	struct igbook_dca *dca = &priv->dca;

	guard(mutex)(&dca->membership);
	if (!dca->enabled)
		return;
	scoped_guard(spinlock_irq, &dca->lock) {
		igbook_dca_switch_off(priv);
		WRITE_ONCE(dca->enabled, false);
	}
	dca_remove_requester(&priv->pdev->dev);
}
