// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: who serves the rings? A look every few milliseconds, until
 * interrupts tell us.
 */
#include "igbook.h"

#define IGBOOK_POLL_MS		2	/* at least one tick of the clock */
#define IGBOOK_POLL_FRAMES	64	/* from one ring before the next */

static bool igbook_serve(struct igbook *priv, unsigned int queue)
{
	int sent, received;

	local_bh_disable();
	igbook_dca_update(priv, queue, smp_processor_id());
	sent = igbook_tx_clean(&priv->tx_ring[queue], IGBOOK_POLL_FRAMES, 0);
	received = igbook_rx_clean(&priv->rx_ring[queue], IGBOOK_POLL_FRAMES);
	/* What was delivered is processed here, before the next look. */
	local_bh_enable();
	return sent == IGBOOK_POLL_FRAMES || received == IGBOOK_POLL_FRAMES;
}

/*
 * If a ring had more than one look takes, the next look comes at once, but
 * still as work of its own: others get their turn in between.
 *
 * Must not take RTNL: igbook_service_stop() waits for it with RTNL held.
 */
static void igbook_poll_work(struct work_struct *work)
{
	struct igbook *priv = container_of(to_delayed_work(work),
					   struct igbook, poll_work);
	bool more = false;
	unsigned int i;

	for (i = 0; i < priv->num_queues; i++)
		more |= igbook_serve(priv, i);
	schedule_delayed_work(&priv->poll_work,
			      more ? 0 : msecs_to_jiffies(IGBOOK_POLL_MS));
}

/**
 * igbook_service_init() - prepare the work; it does not run yet
 * @priv: the device
 *
 * Context: probe.
 */
void igbook_service_init(struct igbook *priv)
{
	INIT_DELAYED_WORK(&priv->poll_work, igbook_poll_work);
}

/**
 * igbook_service_start() - begin to serve the rings
 * @priv: the device, rings enabled
 *
 * Context: RTNL.
 * Return: 0.
 */
int igbook_service_start(struct igbook *priv)
{
	schedule_delayed_work(&priv->poll_work, 0);
	return 0;
}

/**
 * igbook_service_stop() - serve the rings no more
 * @priv: the device; stopping it twice does no harm
 *
 * Context: RTNL; waits for work that is running, which then does not come
 * again.
 */
void igbook_service_stop(struct igbook *priv)
{
	cancel_delayed_work_sync(&priv->poll_work);
}
