// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 4: other rings while the interface is up: "ethtool -G", and the
 * MTU.
 */
#include <linux/ethtool.h>
#include <linux/slab.h>

#include "igbook.h"

#define IGBOOK_RING_LEAST	@ring_least@	/* descriptors of a ring */
#define IGBOOK_RING_MOST	@ring_most@
#define IGBOOK_RING_STEP	@ring_step@
#define IGBOOK_DRAIN		64	/* frames the backlog gets at once */

/**
 * struct igbook_spare - rings the card does not know yet
 * @tx: transmit rings, by queue; without memory if those do not change
 * @rx: receive rings, by queue; the same
 */
struct igbook_spare {
	struct igbook_ring tx[IGBOOK_MAX_QUEUES];
	struct igbook_ring rx[IGBOOK_MAX_QUEUES];
};

/**
 * igbook_spare_free() - free a set of rings
 * @priv: the device
 * @spare: the set
 *
 * Context: RTNL; sleeps.
 */
static void igbook_spare_free(struct igbook *priv, struct igbook_spare *spare)
{
	unsigned int i;

	for (i = 0; i < priv->num_queues; i++) {
		igbook_tx_ring_free(&spare->tx[i]);
		igbook_rx_ring_free(&spare->rx[i]);
	}
	kfree(spare);
}

/**
 * igbook_spare_alloc() - allocate a set of rings
 * @priv: the device
 * @tx_count: descriptors in each transmit ring; 0: no such rings
 * @rx_count: descriptors in each receive ring; 0: no such rings
 * @mtu: the MTU whose frames the receive buffers must take
 *
 * Context: RTNL; sleeps.
 * Return: the set, or NULL for want of memory.
 */
static struct igbook_spare *igbook_spare_alloc(struct igbook *priv,
					       u16 tx_count, u16 rx_count,
					       unsigned int mtu)
{
	struct igbook_spare *spare = kzalloc(sizeof(*spare), GFP_KERNEL);
	unsigned int i;
	int err = 0;

	if (!spare)
		return NULL;
	for (i = 0; i < priv->num_queues; i++) {
		igbook_ring_init(&spare->tx[i], priv, i);
		igbook_ring_init(&spare->rx[i], priv, i);
	}
	for (i = 0; i < priv->num_queues && !err; i++) {
		if (tx_count)
			err = igbook_tx_ring_alloc(&spare->tx[i], tx_count);
		if (rx_count && !err)
			err = igbook_rx_ring_alloc(&spare->rx[i], rx_count,
						   mtu);
	}
	if (!err)
		return spare;
	igbook_spare_free(priv, spare);
	return NULL;
}

/**
 * igbook_ring_swap() - let two rings change their memory
 * @ring: a ring the card does not know at the moment
 * @spare: another
 *
 * Context: RTNL; nobody uses either.
 */
static void igbook_ring_swap(struct igbook_ring *ring,
			     struct igbook_ring *spare)
{
	swap(ring->desc, spare->desc);
	swap(ring->buffers, spare->buffers);
	swap(ring->dma, spare->dma);
	swap(ring->count, spare->count);
	swap(ring->buffer_size, spare->buffer_size);
	swap(ring->next_to_use, spare->next_to_use);
	swap(ring->next_to_clean, spare->next_to_clean);
	ring->skip = false;
}

/**
 * igbook_tx_settle() - let nobody send, and take back what is out
 * @priv: the device, rings not served
 *
 * Cleaning a ring may wake its queue. With the transmit lock held that has no
 * consequences before the queue is stopped again.
 *
 * Context: RTNL; takes the transmit lock.
 */
static void igbook_tx_settle(struct igbook *priv)
{
	unsigned int i;

	netif_tx_lock_bh(priv->netdev);
	for (i = 0; i < priv->num_queues; i++)
		igbook_tx_clean(&priv->tx_ring[i], priv->tx_ring[i].count, 0);
	netif_tx_stop_all_queues(priv->netdev);
	netif_tx_unlock_bh(priv->netdev);
}

/**
 * igbook_tx_fits() - would the frames that wait find room?
 * @priv: the device, transmit settled
 * @spare: the rings they would go to
 *
 * The card may still send some of them: then there are fewer than we say.
 *
 * Return: whether they would.
 */
static bool igbook_tx_fits(struct igbook *priv, struct igbook_spare *spare)
{
	unsigned int i;

	for (i = 0; i < priv->num_queues; i++) {
		struct igbook_ring *ring = &priv->tx_ring[i];

		if (ring->count - 1 - igbook_ring_unused(ring) >
		    igbook_ring_unused(&spare->tx[i]))
			return false;
	}
	return true;
}

/**
 * igbook_tx_move() - carry the frames that wait into another ring
 * @from: a ring the card has let go of, transmit settled
 * @to: an empty ring with room for them
 *
 * They stay mapped where they are; descriptor and note are all there is of
 * them. The card wrote to none of these descriptors, or it would be done.
 *
 * Context: RTNL; nobody uses either.
 */
static void igbook_tx_move(struct igbook_ring *from, struct igbook_ring *to)
{
	while (from->next_to_clean != from->next_to_use) {
		u16 old = from->next_to_clean;
		u16 new = to->next_to_use;

		to->tx_buffer[new] = from->tx_buffer[old];
		to->tx_desc[new] = from->tx_desc[old];
		from->next_to_clean = igbook_ring_next(from, old);
		to->next_to_use = igbook_ring_next(to, new);
	}
}

/**
 * igbook_tx_change() - let the card send from other rings
 * @priv: the device, rings not served
 * @spare: the other rings; afterwards the old ones
 *
 * Context: RTNL; sleeps.
 * Return: 0; -EBUSY with the old rings at work if the new ones cannot take
 * what waits to be sent; -ETIMEDOUT when a queue does not come back.
 */
static int igbook_tx_change(struct igbook *priv, struct igbook_spare *spare)
{
	unsigned int i;
	int err = 0;

	igbook_tx_settle(priv);
	if (!igbook_tx_fits(priv, spare)) {
		netif_tx_wake_all_queues(priv->netdev);
		return -EBUSY;
	}
	for (i = 0; i < priv->num_queues; i++)
		igbook_ring_disable(&priv->tx_ring[i], REG_TXDCTL(i));
	/* The card's last word: what is not done now it will never send. */
	igbook_tx_settle(priv);
	for (i = 0; i < priv->num_queues && !err; i++) {
		igbook_tx_move(&priv->tx_ring[i], &spare->tx[i]);
		igbook_ring_swap(&priv->tx_ring[i], &spare->tx[i]);
		err = igbook_tx_ring_enable(&priv->tx_ring[i]);
		if (!err)
			igbook_wr32(priv, REG_TDT(i),
				    priv->tx_ring[i].next_to_use);
	}
	netif_tx_wake_all_queues(priv->netdev);
	return err;
}

/**
 * igbook_rx_drain() - take back what the card has written
 * @ring: a ring the card has let go of
 *
 * In portions: what the backlog has no room for would be dropped.
 *
 * Context: RTNL; nobody else serves the ring.
 */
static void igbook_rx_drain(struct igbook_ring *ring)
{
	int taken;

	do {
		local_bh_disable();
		taken = igbook_rx_clean(ring, IGBOOK_DRAIN);
		local_bh_enable();
	} while (taken == IGBOOK_DRAIN);
}

/**
 * igbook_rx_change() - let the card receive into other rings
 * @priv: the device, rings not served
 * @spare: the other rings; afterwards the old ones
 * @mtu: the MTU from now on
 *
 * Context: RTNL; sleeps.
 * Return: 0, or -ETIMEDOUT when a queue does not come back.
 */
static int igbook_rx_change(struct igbook *priv, struct igbook_spare *spare,
			    unsigned int mtu)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < priv->num_queues; i++) {
		igbook_ring_disable(&priv->rx_ring[i], REG_RXDCTL(i));
		igbook_rx_drain(&priv->rx_ring[i]);
		igbook_ring_swap(&priv->rx_ring[i], &spare->rx[i]);
	}
	WRITE_ONCE(priv->netdev->mtu, mtu);
	netif_addr_lock_bh(priv->netdev);
	igbook_set_frame_size(priv);
	netif_addr_unlock_bh(priv->netdev);
	for (i = 0; i < priv->num_queues && !err; i++)
		err = igbook_rx_ring_enable(&priv->rx_ring[i]);
	return err;
}

/**
 * igbook_rings_change() - change the rings' sizes or the MTU, interface up
 * @priv: the device
 * @tx_count: descriptors in each transmit ring
 * @rx_count: descriptors in each receive ring
 * @mtu: the MTU
 *
 * What can fail for want of memory comes first, while the old rings work. A
 * direction that does not change is left alone.
 *
 * Context: RTNL; sleeps.
 * Return: 0, or a negative errno with the old rings at work.
 */
int igbook_rings_change(struct igbook *priv, u16 tx_count, u16 rx_count,
			unsigned int mtu)
{
	bool tx = tx_count != priv->tx_count;
	bool rx = rx_count != priv->rx_count || mtu != priv->netdev->mtu;
	struct igbook_spare *spare;
	int err = 0;

	spare = igbook_spare_alloc(priv, tx ? tx_count : 0, rx ? rx_count : 0,
				   mtu);
	if (!spare)
		return -ENOMEM;

	igbook_service_stop(priv);
	if (tx)
		err = igbook_tx_change(priv, spare);
	if (!err)
		priv->tx_count = tx_count;
	if (rx && !err)
		err = igbook_rx_change(priv, spare, mtu);
	if (!err)
		priv->rx_count = rx_count;
	igbook_service_start(priv);
	igbook_spare_free(priv, spare);
	return err;
}

/**
 * igbook_get_ringparam() - "ethtool -g"
 * @netdev: the network device
 * @param: sizes to fill in
 * @kernel_param: not used
 * @extack: not used
 *
 * Context: RTNL.
 */
void igbook_get_ringparam(struct net_device *netdev,
			  struct ethtool_ringparam *param,
			  struct kernel_ethtool_ringparam *kernel_param,
			  struct netlink_ext_ack *extack)
{
	struct igbook *priv = netdev_priv(netdev);

	param->tx_max_pending = IGBOOK_RING_MOST;
	param->rx_max_pending = IGBOOK_RING_MOST;
	param->tx_pending = priv->tx_count;
	param->rx_pending = priv->rx_count;
}

/**
 * igbook_ring_allowed() - may a ring have this size?
 * @count: descriptors; not more than IGBOOK_RING_MOST
 *
 * Return: whether it may.
 */
static bool igbook_ring_allowed(u32 count)
{
	return count >= IGBOOK_RING_LEAST && count % IGBOOK_RING_STEP == 0;
}

/**
 * igbook_set_ringparam() - "ethtool -G"
 * @netdev: the network device
 * @param: sizes; the core has checked them against the maximum
 * @kernel_param: not used
 * @extack: why not, in words
 *
 * Context: RTNL; sleeps.
 * Return: 0, or a negative errno with the old sizes in force.
 */
int igbook_set_ringparam(struct net_device *netdev,
			 struct ethtool_ringparam *param,
			 struct kernel_ethtool_ringparam *kernel_param,
			 struct netlink_ext_ack *extack)
{
	struct igbook *priv = netdev_priv(netdev);

	if (!igbook_ring_allowed(param->tx_pending) ||
	    !igbook_ring_allowed(param->rx_pending)) {
		NL_SET_ERR_MSG(extack,
			       "a ring has a multiple of @ring_step@ descriptors, and at least @ring_least@");
		return -EINVAL;
	}
	if (netif_running(netdev))
		return igbook_rings_change(priv, param->tx_pending,
					   param->rx_pending, netdev->mtu);
	priv->tx_count = param->tx_pending;
	priv->rx_count = param->rx_pending;
	return 0;
}
