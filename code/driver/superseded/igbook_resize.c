// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: other rings while the interface is up: "ethtool -G", and the MTU.
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

static void igbook_spare_free(struct igbook *priv, struct igbook_spare *spare)
{
	unsigned int i;

	for (i = 0; i < priv->num_queues; i++) {
		igbook_tx_ring_free(&spare->tx[i]);
		igbook_rx_ring_free(&spare->rx[i]);
	}
	kfree(spare);
}

static struct igbook_spare *igbook_spare_alloc(struct igbook *priv,
					       u16 tx_count, u16 rx_count,
					       unsigned int mtu)
{
	struct igbook_spare *spare = kzalloc(sizeof(*spare), GFP_KERNEL);
	unsigned int i;

	if (!spare)
		return NULL;
	for (i = 0; i < priv->num_queues; i++) {
		igbook_ring_init(&spare->tx[i], priv, i);
		igbook_ring_init(&spare->rx[i], priv, i);
	}
	for (i = 0; i < priv->num_queues; i++) {
		if (igbook_tx_ring_alloc(&spare->tx[i], tx_count) ||
		    igbook_rx_ring_alloc(&spare->rx[i], rx_count, mtu)) {
			igbook_spare_free(priv, spare);
			return NULL;
		}
	}
	return spare;
}

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

	for (i = 0; i < priv->num_queues; i++) {
		err = igbook_ring_disable(&priv->tx_ring[i], REG_TXDCTL(i)) ?:
		      err;
		err = igbook_ring_disable(&priv->rx_ring[i], REG_RXDCTL(i)) ?:
		      err;
	}
	return err;
}

/*
 * The link and all other settings stay as they are. The card takes no frame for
 * which the buffers it knows are too short: a smaller MTU comes before the new
 * rings, a larger one after them. If one queue does not come back the others do.
 */
static int igbook_rings_swap(struct igbook *priv, struct igbook_spare *spare,
			     unsigned int mtu)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < priv->num_queues; i++) {
		igbook_rx_drain(&priv->rx_ring[i]);
		igbook_ring_swap(&priv->tx_ring[i], &spare->tx[i]);
		igbook_ring_swap(&priv->rx_ring[i], &spare->rx[i]);
	}
	priv->tx_count = priv->tx_ring[0].count;
	priv->rx_count = priv->rx_ring[0].count;
	for (i = 0; i < priv->num_queues; i++) {
		err = igbook_tx_ring_enable(&priv->tx_ring[i]) ?: err;
		err = igbook_rx_ring_enable(&priv->rx_ring[i]) ?: err;
	}
	if (!err && mtu > priv->netdev->mtu)
		igbook_mtu_set(priv, mtu);
	return err;
}

/**
 * igbook_rings_change() - change the rings' sizes or the MTU, interface up
 * @priv: the device
 * @tx_count: descriptors in each transmit ring
 * @rx_count: descriptors in each receive ring
 * @mtu: the MTU
 *
 * What can fail for want of memory comes first, while the old rings work. A card
 * that does not let go of these is reset and set up with others of their sizes.
 *
 * Context: RTNL; sleeps.
 * Return: 0; -ENOMEM, or -ETIMEDOUT when not all is sent in time or a queue does
 * not go off, with rings as they were; -ETIMEDOUT with the new ones when a queue
 * does not come back.
 */
int igbook_rings_change(struct igbook *priv, u16 tx_count, u16 rx_count,
			unsigned int mtu)
{
	unsigned int before = priv->netdev->mtu;
	struct igbook_spare *spare;
	bool idle;
	int err;

	spare = igbook_spare_alloc(priv, tx_count, rx_count, mtu);
	if (!spare)
		return -ENOMEM;

	/* In this order: whoever serves the rings may wake a queue. */
	igbook_service_stop(priv);
	netif_tx_disable(priv->netdev);
	err = read_poll_timeout(igbook_tx_idle, idle, idle, 100,
				IGBOOK_DRAIN_US, false, priv);
	if (!err && mtu < before)
		igbook_mtu_set(priv, mtu);
	if (!err && igbook_rings_off(priv)) {
		WRITE_ONCE(priv->netdev->mtu, before);
		igbook_spare_free(priv, spare);
		igbook_restart(priv);
		return -ETIMEDOUT;
	}
	if (!err)
		err = igbook_rings_swap(priv, spare, mtu);
	netif_tx_wake_all_queues(priv->netdev);
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
	u16 tx = ALIGN(param->tx_pending, IGBOOK_MIN_DESC);
	u16 rx = ALIGN(param->rx_pending, IGBOOK_MIN_DESC);

	if (!tx || !rx) {
		NL_SET_ERR_MSG(extack, "a ring needs at least one descriptor");
		return -EINVAL;
	}
	if (netif_running(netdev))
		return igbook_rings_change(priv, tx, rx, netdev->mtu);
	priv->tx_count = tx;
	priv->rx_count = rx;
	return 0;
}
