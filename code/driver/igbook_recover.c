// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: a queue that is stuck is set going again, or the card as a whole.
 */
#include <linux/rtnetlink.h>

#include "igbook.h"

/**
 * igbook_tx_timeout() - the stack has waited too long for a stopped queue
 * @netdev: the network device
 * @queue: the queue
 *
 * What has to be done sleeps, so it is left to a work.
 *
 * Context: softirq; no frame is given to any queue meanwhile.
 */
void igbook_tx_timeout(struct net_device *netdev, unsigned int queue)
{
	struct igbook *priv = netdev_priv(netdev);

	set_bit(queue, &priv->stuck);
	schedule_work(&priv->recover_work);
}

/*
 * The frames in it are lost. The other queues go on; the receive queue that has
 * the same vector waits. A queue that has sent nothing since it was enabled will
 * not do so when it is enabled once more.
 *
 * 82576 datasheet, "Dynamic Enabling and Disabling of Transmit Queues".
 */
static bool igbook_recover_queue(struct igbook *priv, unsigned int queue)
{
	struct netdev_queue *stack = netdev_get_tx_queue(priv->netdev, queue);
	struct igbook_vector *vector = &priv->vector[queue];
	struct igbook_ring *ring = &priv->tx_ring[queue];
	bool works;

	if (!ring->sent)
		return false;
	igbook_vector_stop(vector);
	__netif_tx_lock_bh(stack);
	netif_tx_stop_queue(stack);
	__netif_tx_unlock_bh(stack);

	works = !igbook_ring_disable(ring, REG_TXDCTL(queue));
	if (works) {
		igbook_tx_empty(ring);
		works = !igbook_tx_ring_enable(ring);
	}

	netif_tx_wake_queue(stack);
	igbook_vector_start(vector);
	igbook_vector_unmask(vector);
	return works;
}

/* A card that was reset by somebody else does not transmit at all. */
static void igbook_recover(struct igbook *priv, unsigned long stuck)
{
	bool works = igbook_rd32(priv, REG_TCTL) & TCTL_EN;
	unsigned int queue;

	for_each_set_bit(queue, &stuck, priv->num_queues) {
		works = works && igbook_recover_queue(priv, queue);
		netdev_warn(priv->netdev, "transmit queue %u was stuck: %s\n",
			    queue, works ? "enabled anew" : "the card is reset");
	}
	if (!works)
		igbook_restart(priv);
}

/*
 * The interface may have gone down since, or the system to sleep: what comes
 * after that begins anew anyway.
 */
static void igbook_recover_work(struct work_struct *work)
{
	struct igbook *priv = container_of(work, struct igbook, recover_work);
	unsigned long stuck;

	rtnl_lock();
	stuck = xchg(&priv->stuck, 0);
	/* loom: begin stuck-gone from 10 */
	if (netif_device_present(priv->netdev) && igbook_is_gone(priv))
		stuck = 0;
	/* loom: end stuck-gone */
	if (stuck && netif_running(priv->netdev) &&
	    netif_device_present(priv->netdev))
		igbook_recover(priv, stuck);
	rtnl_unlock();
}

/**
 * igbook_recover_init() - prepare for stuck queues
 * @priv: the device
 *
 * Context: probe.
 */
void igbook_recover_init(struct igbook *priv)
{
	INIT_WORK(&priv->recover_work, igbook_recover_work);
}

/**
 * igbook_recover_end() - see to no stuck queue any more
 * @priv: the device, unregistered
 *
 * Context: remove; sleeps, without RTNL.
 */
void igbook_recover_end(struct igbook *priv)
{
	cancel_work_sync(&priv->recover_work);
}
