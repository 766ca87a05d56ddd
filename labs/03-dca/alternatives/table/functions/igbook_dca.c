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
	u32 rx = DCA_RXCTRL_DESC_DCA_EN | DCA_RXCTRL_DATA_DCA_EN |
		 DCA_RXCTRL_HEAD_DCA_EN | DCA_RXCTRL_DESC_RRO_EN;
	u32 tx = DCA_TXCTRL_DATA_RRO_EN | DCA_TXCTRL_DESC_RRO_EN |
		 DCA_TXCTRL_DESC_DCA_EN;

	u32p_replace_bits(&rx, tag, DCA_CPUID);
	u32p_replace_bits(&tx, tag, DCA_CPUID);
	igbook_wr32(priv, REG_DCA_TXCTRL(queue), tx);
	igbook_wr32(priv, REG_DCA_RXCTRL(queue), rx);
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
	const u32 tx = DCA_TXCTRL_DATA_RRO_EN | DCA_TXCTRL_DESC_WRO_EN |
		       DCA_TXCTRL_DESC_RRO_EN;
	const u32 rx = DCA_RXCTRL_HEAD_WRO_EN | DCA_RXCTRL_DATA_WRO_EN |
		       DCA_RXCTRL_DESC_RRO_EN;

	igbook_wr32(priv, REG_DCA_TXCTRL(queue), tx);
	igbook_wr32(priv, REG_DCA_RXCTRL(queue), rx);
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
	unsigned long flags;
	u8 tag;

	if (!IS_ENABLED(CONFIG_DCA))
		return;
	spin_lock_irqsave(&dca->lock, flags);
	if (!dca->enabled)
		goto out;
	if (dca->cpu[queue] == cpu)
		goto out;
	dca->cpu[queue] = cpu;
	tag = dca3_get_tag(&priv->pdev->dev, cpu);
	igbook_dca_write_queue(priv, queue, tag);
out:
	spin_unlock_irqrestore(&dca->lock, flags);
}

/**
 * igbook_dca_restore() - write again what a reset took away
 * @priv: the device, freshly reset, no queue served yet
 *
 * Context: RTNL; takes @priv->dca.lock.
 */
void igbook_dca_restore(struct igbook *priv)
{
	unsigned int queue;

	spin_lock_irq(&priv->dca.lock);
	if (priv->dca.enabled) {
		for (queue = 0; queue < DCA_QUEUES; queue++) {
			int cpu = priv->dca.cpu[queue];

			/* A queue that had a tag has it again at once. */
			if (cpu >= 0)
				igbook_dca_write_queue(priv, queue,
						       dca3_get_tag(&priv->pdev->dev, cpu));
		}
		igbook_wr32(priv, REG_DCA_CTRL,
			    FIELD_PREP(DCA_CTRL_DCA_MODE, DCA_CTRL_DCA_MODE_1_0));
	}
	spin_unlock_irq(&priv->dca.lock);
}

/**
 * igbook_dca_leave() - have ourselves struck off again
 * @priv: the device
 *
 * Context: process context; takes @priv->dca.membership; sleeps.
 */
static void igbook_dca_leave(struct igbook *priv)
{
	bool member;

	mutex_lock(&priv->dca.membership);
	spin_lock_irq(&priv->dca.lock);
	member = priv->dca.enabled;
	priv->dca.enabled = false;
	if (member)
		igbook_dca_switch_off(priv);
	spin_unlock_irq(&priv->dca.lock);
	if (member)
		dca_remove_requester(&priv->pdev->dev);
	mutex_unlock(&priv->dca.membership);
}
