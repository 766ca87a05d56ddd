// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: the bottom half as a NAPI instance, one for each vector.
 */
#include "igbook.h"

#define IGBOOK_TX_LIMIT		256	/* sent frames taken back in one poll */

/*
 * Taking back what was sent costs little and frees memory: it comes first and
 * is not counted against the budget.
 */
static bool igbook_serve(struct igbook_vector *vector, int budget, int *work)
{
	int sent;

	igbook_dca_update(vector->priv, vector->index, smp_processor_id());
	sent = igbook_tx_clean(vector->tx, IGBOOK_TX_LIMIT, budget);
	*work = igbook_rx_clean(vector->rx, budget);
	igbook_moderation_count(&vector->moderation, sent + *work);
#if 0 /* loom: begin serve-more-old until 08 */
	return sent == IGBOOK_TX_LIMIT || *work == budget;
#endif /* loom: end serve-more-old */
	/* loom: begin serve-more from 08 */
	return sent >= IGBOOK_TX_LIMIT || *work == budget;
	/* loom: end serve-more */
}

/*
 * To return @budget means: call again, interrupts stay masked, and the core
 * keeps the instance. To return less is allowed only after
 * napi_complete_done(), which gives the instance back. If that says false
 * it will be polled again by who asked meanwhile: the vector stays masked.
 */
static int igbook_poll(struct napi_struct *napi, int budget)
{
	struct igbook_vector *vector =
		container_of(napi, struct igbook_vector, napi);
	int work;

	if (igbook_serve(vector, budget, &work))
		return budget;
	if (napi_complete_done(napi, work)) {
		igbook_moderate(vector);
		igbook_vector_unmask(vector);
	}
	return work;
}

/**
 * igbook_vector_init() - show the vector's NAPI instance to the core
 * @vector: the vector
 *
 * It is disabled until igbook_vector_start(), and goes with the net_device.
 *
 * Context: probe, before register_netdev().
 */
void igbook_vector_init(struct igbook_vector *vector)
{
	netif_napi_add(vector->priv->netdev, &vector->napi, igbook_poll);
	vector->rx->napi = &vector->napi;
	igbook_moderation_init(&vector->moderation);
}

/*
 * User space can then ask which interrupt and which queues an instance has.
 */
static void igbook_vector_describe(struct igbook_vector *vector,
				   struct napi_struct *napi)
{
	struct net_device *netdev = vector->priv->netdev;

	netif_queue_set_napi(netdev, vector->rx->index, NETDEV_QUEUE_TYPE_RX,
			     napi);
	netif_queue_set_napi(netdev, vector->tx->index, NETDEV_QUEUE_TYPE_TX,
			     napi);
}

/**
 * igbook_vector_start() - from now on the vector may be polled
 * @vector: the vector, masked
 *
 * The first poll needs no interrupt. With MSI or INTx a handler that was called
 * for the link may have read, and so cleared, the cause of a frame that came
 * before there was anybody to poll for it.
 *
 * Context: RTNL; sleeps.
 */
void igbook_vector_start(struct igbook_vector *vector)
{
	struct pci_dev *pdev = vector->priv->pdev;

	igbook_moderation_start(vector);
	netif_napi_set_irq(&vector->napi, pci_irq_vector(pdev, vector->index));
	napi_enable(&vector->napi);
	igbook_vector_describe(vector, &vector->napi);
	vector->running = true;

	local_bh_disable();
	napi_schedule(&vector->napi);
	local_bh_enable();
}

/**
 * igbook_vector_wake() - the queues of a vector want to be polled
 * @vector: the vector, masked
 *
 * Context: hard interrupt.
 */
void igbook_vector_wake(struct igbook_vector *vector)
{
	napi_schedule_irqoff(&vector->napi);
}

/**
 * igbook_vector_stop() - wait for the last poll; there is no other
 * @vector: the vector; stopping it twice does no harm
 *
 * napi_disable() takes the instance for itself, which it could not do a second
 * time. It waits until the last poll has given the instance back, and that poll
 * has then still to unmask. Whoever polls has bottom halves off, and so
 * synchronize_net() waits until it has returned. A handler that comes later
 * masks the vector and cannot schedule.
 *
 * Context: RTNL; sleeps.
 */
void igbook_vector_stop(struct igbook_vector *vector)
{
	if (!vector->running)
		return;
	vector->running = false;
	igbook_vector_describe(vector, NULL);
	napi_disable(&vector->napi);
	synchronize_net();
	/* loom: begin stop-moderation from 10 */
	igbook_moderation_stop(vector);
	/* loom: end stop-moderation */
}
