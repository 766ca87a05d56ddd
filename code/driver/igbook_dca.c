// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: direct cache access. The card marks what it writes with a tag that
 * says which CPU will read it.
 *
 * Tags come from a provider, a driver of the platform that may be loaded after
 * us and unloaded before us. Without one, or on a kernel without DCA, nothing
 * here does anything.
 */
#include <linux/bitfield.h>
#include <linux/dca.h>

#include "igbook.h"

/*
 * Relaxed ordering stays allowed for what the card reads. For what it writes it
 * is off: some chipsets lose the tag of a relaxed write.
 *
 * With priv->dca.lock held.
 *
 * 82576 datasheet, "Rx DCA Control Registers" and "Tx DCA Control Registers".
 */
static void igbook_dca_write_queue(struct igbook *priv, unsigned int queue,
				   u8 tag)
{
	u32 cpuid = FIELD_PREP(DCA_CPUID, tag);

	igbook_wr32(priv, REG_DCA_RXCTRL(queue),
		    cpuid | DCA_RXCTRL_DESC_DCA_EN | DCA_RXCTRL_HEAD_DCA_EN |
		    DCA_RXCTRL_DATA_DCA_EN | DCA_RXCTRL_DESC_RRO_EN);
	igbook_wr32(priv, REG_DCA_TXCTRL(queue),
		    cpuid | DCA_TXCTRL_DESC_DCA_EN | DCA_TXCTRL_DESC_RRO_EN |
		    DCA_TXCTRL_DATA_RRO_EN);
}

/*
 * What is written is what a reset leaves: no tags, ordering relaxed for all but
 * the write-back of receive descriptors.
 *
 * With priv->dca.lock held.
 */
static void igbook_dca_clear_queue(struct igbook *priv, unsigned int queue)
{
	igbook_wr32(priv, REG_DCA_RXCTRL(queue),
		    DCA_RXCTRL_DESC_RRO_EN | DCA_RXCTRL_DATA_WRO_EN |
		    DCA_RXCTRL_HEAD_WRO_EN);
	igbook_wr32(priv, REG_DCA_TXCTRL(queue),
		    DCA_TXCTRL_DESC_RRO_EN | DCA_TXCTRL_DESC_WRO_EN |
		    DCA_TXCTRL_DATA_RRO_EN);
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

	if (!IS_ENABLED(CONFIG_DCA) || !READ_ONCE(dca->enabled) ||
	    READ_ONCE(dca->cpu[queue]) == cpu)
		return;

	spin_lock_irqsave(&dca->lock, flags);
	/* Once more under the lock: without a provider the answer is no tag. */
	if (dca->enabled) {
		igbook_dca_write_queue(priv, queue,
				       dca3_get_tag(&priv->pdev->dev, cpu));
		WRITE_ONCE(dca->cpu[queue], cpu);
	}
	spin_unlock_irqrestore(&dca->lock, flags);
}

/*
 * No queue has a tag yet: each gets its own when it is next served, for only
 * then is it known which CPU does that. Nothing is written to a card that is
 * being reset: igbook_dca_restore() comes after that.
 *
 * With priv->dca.lock held.
 *
 * 82576 datasheet, "DCA Control".
 */
static void igbook_dca_switch_on(struct igbook *priv)
{
	unsigned int queue;

	for (queue = 0; queue < DCA_QUEUES; queue++)
		WRITE_ONCE(priv->dca.cpu[queue], -1);
	if (priv->resetting)
		return;
	igbook_wr32(priv, REG_DCA_CTRL,
		    FIELD_PREP(DCA_CTRL_DCA_MODE, DCA_CTRL_DCA_MODE_1_0));
}

/* With priv->dca.lock held. A reset has done the same already. */
static void igbook_dca_switch_off(struct igbook *priv)
{
	unsigned int queue;

	if (priv->resetting)
		return;
	igbook_wr32(priv, REG_DCA_CTRL, DCA_CTRL_DCA_DIS);
	for (queue = 0; queue < DCA_QUEUES; queue++)
		if (priv->dca.cpu[queue] >= 0)
			igbook_dca_clear_queue(priv, queue);
}

/**
 * igbook_dca_restore() - write again what a reset took away
 * @priv: the device, freshly reset, no queue served yet
 *
 * Context: RTNL; takes @priv->dca.lock.
 */
void igbook_dca_restore(struct igbook *priv)
{
	struct igbook_dca *dca = &priv->dca;
	unsigned long flags;

	spin_lock_irqsave(&dca->lock, flags);
	if (dca->enabled)
		igbook_dca_switch_on(priv);
	spin_unlock_irqrestore(&dca->lock, flags);
}

/*
 * Only a provider that accepted us may be asked for tags: dca3_get_tag()
 * returns a u8, in which -ENODEV looks like the tag 0xed.
 */
static void igbook_dca_join(struct igbook *priv)
{
	struct igbook_dca *dca = &priv->dca;

	mutex_lock(&dca->membership);
	if (!dca->enabled && !dca_add_requester(&priv->pdev->dev)) {
		spin_lock_irq(&dca->lock);
		igbook_dca_switch_on(priv);
		WRITE_ONCE(dca->enabled, true);
		spin_unlock_irq(&dca->lock);
		netif_info(priv, drv, priv->netdev, "DCA on\n");
	}
	mutex_unlock(&dca->membership);
}

static void igbook_dca_leave(struct igbook *priv)
{
	struct igbook_dca *dca = &priv->dca;

	mutex_lock(&dca->membership);
	if (dca->enabled) {
		spin_lock_irq(&dca->lock);
		WRITE_ONCE(dca->enabled, false);
		igbook_dca_switch_off(priv);
		spin_unlock_irq(&dca->lock);
		dca_remove_requester(&priv->pdev->dev);
		netif_info(priv, drv, priv->netdev, "DCA off\n");
	}
	mutex_unlock(&dca->membership);
}

/*
 * When one goes we leave, even if another is there that we might have been
 * with: the core does not do it for us.
 */
static int igbook_dca_notify(struct notifier_block *nb, unsigned long event,
			     void *unused)
{
	struct igbook *priv = container_of(nb, struct igbook, dca.notifier);

	if (event == DCA_PROVIDER_ADD)
		igbook_dca_join(priv);
	else if (event == DCA_PROVIDER_REMOVE)
		igbook_dca_leave(priv);
	return NOTIFY_OK;
}

/**
 * igbook_dca_init() - make the state usable, DCA off
 * @priv: the device
 *
 * Context: probe, before the card is reset.
 */
void igbook_dca_init(struct igbook *priv)
{
	mutex_init(&priv->dca.membership);
	spin_lock_init(&priv->dca.lock);
}

/**
 * igbook_dca_add() - use DCA when there is a provider, now or later
 * @priv: the device, registered
 *
 * The notifier speaks only of what happens from now on, so whoever is there
 * already is asked as well. In this order nobody is missed.
 *
 * Context: probe; sleeps.
 */
void igbook_dca_add(struct igbook *priv)
{
	if (!IS_ENABLED(CONFIG_DCA))
		return;
	priv->dca.notifier.notifier_call = igbook_dca_notify;
	dca_register_notify(&priv->dca.notifier);
	igbook_dca_join(priv);
}

/**
 * igbook_dca_remove() - use DCA no longer
 * @priv: the device, registers still mapped
 *
 * Unregistering waits for a notification that is under way.
 *
 * Context: remove; sleeps.
 */
void igbook_dca_remove(struct igbook *priv)
{
	if (!IS_ENABLED(CONFIG_DCA))
		return;
	dca_unregister_notify(&priv->dca.notifier);
	igbook_dca_leave(priv);
}
