// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: other rings while the interface is up: "ethtool -G" and "-L", and the
 * MTU.
 */
#include <linux/ethtool.h>
#include <linux/iopoll.h>
#include <linux/slab.h>

#include "igbook.h"

#define IGBOOK_DRAIN_US		100000	/* patience with frames under way */

/**
 * struct igbook_spare - a set of rings the card does not know yet
 * @tx: transmit rings, by queue
 * @rx: receive rings, by queue
 */
struct igbook_spare {
	struct igbook_ring tx[IGBOOK_MAX_QUEUES];
	struct igbook_ring rx[IGBOOK_MAX_QUEUES];
};

/**
 * igbook_rings_shape() - what the rings are like now
 * @priv: the device
 *
 * Context: RTNL.
 * Return: their number, lengths and MTU.
 */
struct igbook_shape igbook_rings_shape(struct igbook *priv)
{
	return (struct igbook_shape) {
		.queues = priv->num_queues,
		.tx_count = priv->tx_count,
		.rx_count = priv->rx_count,
		.mtu = priv->netdev->mtu,
	};
}

static void igbook_spare_free(struct igbook_spare *spare)
{
	unsigned int i;

	if (!spare)
		return;
	for (i = 0; i < IGBOOK_MAX_QUEUES; i++) {
		igbook_tx_ring_free(&spare->tx[i]);
		igbook_rx_ring_free(&spare->rx[i]);
	}
	kfree(spare);
}

static int igbook_spare_alloc(struct igbook *priv, struct igbook_spare *spare,
			      const struct igbook_shape *to)
{
	unsigned int i;
	int err = 0;

	if (!spare)
		return -ENOMEM;
	for (i = 0; i < IGBOOK_MAX_QUEUES; i++) {
		igbook_ring_init(&spare->tx[i], priv, i);
		igbook_ring_init(&spare->rx[i], priv, i);
	}
	for (i = 0; i < to->queues && !err; i++) {
		err = igbook_tx_ring_alloc(&spare->tx[i], to->tx_count);
		if (!err)
			err = igbook_rx_ring_alloc(&spare->rx[i], to->rx_count,
						   to->mtu);
	}
	return err;
}

/*
 * They get their interrupts, and the stack hears of them. It may choose them for
 * a frame at once, so they begin as stopped queues.
 */
static int igbook_queues_add(struct igbook *priv, unsigned int queues)
{
	unsigned int i;
	int err;

	for (i = priv->num_queues; i < queues; i++) {
		netif_stop_subqueue(priv->netdev, i);
		err = igbook_irq_add_queue(priv, i);
		if (err)
			return err;
	}
	if (queues <= priv->num_queues)
		return 0;
	return netif_set_real_num_queues(priv->netdev, queues, queues);
}

static void igbook_queues_settle(struct igbook *priv)
{
	unsigned int i;

	/* Fewer than before, or as many: that does not fail. */
	netif_set_real_num_queues(priv->netdev, priv->num_queues,
				  priv->num_queues);
	for (i = priv->num_queues; i < priv->max_queues; i++)
		igbook_irq_remove(&priv->vector[i]);
}

static void igbook_ring_swap(struct igbook_ring *ring,
			     struct igbook_ring *spare)
{
	swap(ring->desc, spare->desc);
	swap(ring->buffers, spare->buffers);
	swap(ring->dma, spare->dma);
	swap(ring->count, spare->count);
	swap(ring->buffer_size, spare->buffer_size);
	swap(ring->piece_size, spare->piece_size);
	swap(ring->next_to_use, spare->next_to_use);
	swap(ring->next_to_clean, spare->next_to_clean);
	swap(ring->pool, spare->pool);
	swap(ring->skb, spare->skb);
	/* loom: begin swap-slots from 08 */
	swap(ring->slots, spare->slots);
	swap(ring->slots_dma, spare->slots_dma);
	/* loom: end swap-slots */
	ring->skip = false;
}

/*
 * Descriptors are written back in their order, so the last one tells. The head
 * would not do: it moves when a descriptor is fetched.
 */
static bool igbook_tx_idle(struct igbook *priv)
{
	unsigned int i;

	for (i = 0; i < priv->num_queues; i++) {
		struct igbook_ring *ring = &priv->tx_ring[i];
		u16 last = (ring->next_to_use ?: ring->count) - 1;

		if (ring->next_to_clean != ring->next_to_use &&
		    !igbook_tx_done(&ring->tx_desc[last]))
			return false;
	}
	return true;
}

/*
 * Frames it wrote before that go to the stack, all at once. New buffers take
 * their places, but nobody waits for them: the doorbell stays silent.
 */
static void igbook_rx_drain(struct igbook_ring *ring)
{
	ring->silent = true;
	local_bh_disable();
	igbook_rx_clean(ring, ring->count);
	local_bh_enable();
	ring->silent = false;
}

static void igbook_mtu_set(struct igbook *priv, unsigned int mtu)
{
	WRITE_ONCE(priv->netdev->mtu, mtu);
	netif_addr_lock_bh(priv->netdev);
	igbook_set_frame_size(priv);
	netif_addr_unlock_bh(priv->netdev);
}

static int igbook_rings_off(struct igbook *priv)
{
	unsigned int i;
	int err = 0;

	igbook_units_disable(priv);
	for (i = 0; i < priv->num_queues; i++) {
		err = igbook_ring_disable(&priv->tx_ring[i], REG_TXDCTL(i)) ?:
		      err;
		err = igbook_ring_disable(&priv->rx_ring[i], REG_RXDCTL(i)) ?:
		      err;
	}
	return err;
}

/*
 * The link and all other settings stay as they are. No frame comes in meanwhile;
 * those that the card has still in it go by the old rings, or it drops them when
 * it finds their queue off. It takes no frame for which the buffers it knows are
 * too short: a smaller MTU comes before the new rings, a larger one after them.
 * If one queue does not come back the others do, and each knows its doorbell: the
 * stack sends by all of them.
 *
 * 82576 datasheet, "Dynamic Enabling and Disabling of Receive Queues".
 */
static int igbook_rings_swap(struct igbook *priv, struct igbook_spare *spare,
			     const struct igbook_shape *to)
{
	unsigned int most = max(priv->num_queues, to->queues);
	unsigned int i;
	int err = 0;

	if (to->mtu < priv->netdev->mtu)
		igbook_mtu_set(priv, to->mtu);
	for (i = 0; i < priv->num_queues; i++)
		igbook_rx_drain(&priv->rx_ring[i]);
	for (i = 0; i < most; i++) {
		igbook_ring_swap(&priv->tx_ring[i], &spare->tx[i]);
		igbook_ring_swap(&priv->rx_ring[i], &spare->rx[i]);
	}
	priv->num_queues = to->queues;
	priv->tx_count = to->tx_count;
	priv->rx_count = to->rx_count;
	igbook_irq_route(priv);
	igbook_rss_spread(priv);
	/* loom: begin xps-swap from 08 */
	igbook_tx_spread(priv);
	/* loom: end xps-swap */
	igbook_rss_write(priv);
	for (i = 0; i < priv->num_queues; i++) {
		err = igbook_tx_ring_enable(&priv->tx_ring[i]) ?: err;
		err = igbook_rx_ring_enable(&priv->rx_ring[i]) ?: err;
	}
	if (!err && to->mtu > priv->netdev->mtu)
		igbook_mtu_set(priv, to->mtu);
	igbook_units_enable(priv);
	return err;
}

/**
 * igbook_rings_change() - change the rings or the MTU, interface up
 * @priv: the device
 * @to: what the rings are to be like
 *
 * What can fail for want of memory comes first, while the old rings work. Rings
 * that are not needed, the old ones or the new, are freed while no vector runs:
 * their pools ask for that. A card that does not let go of the old ones is reset,
 * and has them still.
 *
 * Context: RTNL; sleeps.
 * Return: 0; a negative errno with the old rings: -ENOMEM, -ETIMEDOUT when not
 * all is sent in time or a queue does not go off; -ETIMEDOUT too when one does not
 * come back.
 */
int igbook_rings_change(struct igbook *priv, const struct igbook_shape *to)
{
	struct igbook_spare *spare = kzalloc(sizeof(*spare), GFP_KERNEL);
	bool idle;
	int err;

	err = igbook_spare_alloc(priv, spare, to);
	if (!err)
		err = igbook_queues_add(priv, to->queues);

	/* In this order: whoever serves the rings may wake a queue. */
	igbook_service_stop(priv);
	netif_tx_disable(priv->netdev);
	if (!err)
		err = read_poll_timeout(igbook_tx_idle, idle, idle, 100,
					IGBOOK_DRAIN_US, false, priv);
	if (!err && igbook_rings_off(priv)) {
		igbook_spare_free(spare);
		igbook_queues_settle(priv);
		igbook_restart(priv);
		return -ETIMEDOUT;
	}
	if (!err)
		err = igbook_rings_swap(priv, spare, to);
	igbook_spare_free(spare);
	igbook_queues_settle(priv);
	netif_tx_wake_all_queues(priv->netdev);
	igbook_service_start(priv);
	return err;
}

/**
 * igbook_get_channels() - "ethtool -l"
 * @netdev: the network device
 * @channels: numbers to fill in
 *
 * Context: RTNL.
 */
void igbook_get_channels(struct net_device *netdev,
			 struct ethtool_channels *channels)
{
	struct igbook *priv = netdev_priv(netdev);

	channels->max_combined = priv->max_queues;
	channels->combined_count = priv->num_queues;
	channels->max_other = priv->num_vectors - priv->max_queues;
	channels->other_count = channels->max_other;
}

/**
 * igbook_set_channels() - "ethtool -L eth0 combined ..."
 * @netdev: the network device
 * @channels: numbers; the core has checked them against the maximum, and that
 *	      the user's own table of "ethtool -X" names no queue that would go
 *
 * Context: RTNL; sleeps.
 * Return: 0, or a negative errno; see igbook_rings_change().
 */
int igbook_set_channels(struct net_device *netdev,
			struct ethtool_channels *channels)
{
	struct igbook *priv = netdev_priv(netdev);
	struct igbook_shape to = igbook_rings_shape(priv);
	int err;

	if (channels->other_count != priv->num_vectors - priv->max_queues)
		return -EINVAL;
	to.queues = channels->combined_count;
	if (netif_running(netdev))
		return igbook_rings_change(priv, &to);
	err = netif_set_real_num_queues(netdev, to.queues, to.queues);
	if (err)
		return err;
	priv->num_queues = to.queues;
	igbook_rss_spread(priv);
	/* loom: begin xps-channels from 08 */
	igbook_tx_spread(priv);
	/* loom: end xps-channels */
	return 0;
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

	param->tx_max_pending = IGBOOK_MAX_DESC;
	param->rx_max_pending = IGBOOK_MAX_DESC;
	param->tx_pending = priv->tx_count;
	param->rx_pending = priv->rx_count;
}

/**
 * igbook_set_ringparam() - "ethtool -G"
 * @netdev: the network device
 * @param: sizes; the core has checked them against the maximum
 * @kernel_param: not used
 * @extack: why not, in words
 *
 * The card counts a ring's bytes in units of 128, eight descriptors: sizes
 * between are rounded up.
 *
 * Context: RTNL; sleeps.
 * Return: 0, or a negative errno; see igbook_rings_change().
 */
int igbook_set_ringparam(struct net_device *netdev,
			 struct ethtool_ringparam *param,
			 struct kernel_ethtool_ringparam *kernel_param,
			 struct netlink_ext_ack *extack)
{
	struct igbook *priv = netdev_priv(netdev);
	struct igbook_shape to = igbook_rings_shape(priv);

	to.tx_count = ALIGN(param->tx_pending, IGBOOK_MIN_DESC);
	to.rx_count = ALIGN(param->rx_pending, IGBOOK_MIN_DESC);
	if (!to.tx_count || !to.rx_count) {
		NL_SET_ERR_MSG(extack, "a ring needs at least one descriptor");
		return -EINVAL;
	}
	/* loom: begin tx-least from 08 */
	/* Less would not take the largest frame. */
	to.tx_count = max_t(u16, to.tx_count, IGBOOK_TX_LEAST);
	/* loom: end tx-least */
	if (netif_running(netdev))
		return igbook_rings_change(priv, &to);
	priv->tx_count = to.tx_count;
	priv->rx_count = to.rx_count;
	return 0;
}
