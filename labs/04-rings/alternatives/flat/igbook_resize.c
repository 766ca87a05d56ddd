// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 4: other rings while the interface is up: "ethtool -G", and the
 * MTU.
 */
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "igbook.h"

enum { OUT, IN, DIRECTIONS };

/* Once the rings are there nothing can fail for want of memory. */
struct plan {
	struct igbook_ring ring[DIRECTIONS];	/* of queue 0, the only one */
	bool wanted[DIRECTIONS];
	unsigned int mtu;
};

static void plan_drop(struct plan *plan)
{
	igbook_tx_ring_free(&plan->ring[OUT]);
	igbook_rx_ring_free(&plan->ring[IN]);
	kfree(plan);
}

static struct plan *plan_make(struct igbook *priv, u16 out, u16 in,
			      unsigned int mtu)
{
	struct plan *plan = kzalloc(sizeof(*plan), GFP_KERNEL);

	if (!plan)
		return NULL;
	plan->mtu = mtu;
	igbook_ring_init(&plan->ring[OUT], priv, 0);
	igbook_ring_init(&plan->ring[IN], priv, 0);
	plan->wanted[OUT] = out != priv->tx_count;
	plan->wanted[IN] = in != priv->rx_count || mtu != priv->netdev->mtu;
	if (plan->wanted[OUT] && igbook_tx_ring_alloc(&plan->ring[OUT], out))
		goto drop;
	if (plan->wanted[IN] && igbook_rx_ring_alloc(&plan->ring[IN], in, mtu))
		goto drop;
	return plan;
drop:
	plan_drop(plan);
	return NULL;
}

/* Index and counters are the queue's and stay; all else is the ring's. */
static void take_over(struct igbook_ring *old, struct igbook_ring *new)
{
	struct igbook_ring_stats stats = old->stats;
	u16 index = old->index;

	swap(*old, *new);
	old->stats = stats;
	old->index = index;
	old->skip = false;
}

static u16 count_waiting(const struct igbook_ring *ring)
{
	u16 n = 0, i;

	for (i = ring->next_to_clean; i != ring->next_to_use;
	     i = igbook_ring_next(ring, i))
		n++;
	return n;
}

/* With the transmit lock held: nobody sends, and nobody is woken. */
static void take_back(struct igbook *priv)
{
	struct igbook_ring *ring = &priv->tx_ring[0];

	while (igbook_tx_clean(ring, 32, 0) == 32)
		;
	netif_stop_queue(priv->netdev);
}

static void copy_waiting(struct igbook_ring *from, struct igbook_ring *to)
{
	u16 n = count_waiting(from);
	u16 first = min_t(u16, n, from->count - from->next_to_clean);

	memcpy(to->tx_desc, from->tx_desc + from->next_to_clean,
	       first * sizeof(*to->tx_desc));
	memcpy(to->tx_desc + first, from->tx_desc,
	       (n - first) * sizeof(*to->tx_desc));
	memcpy(to->tx_buffer, from->tx_buffer + from->next_to_clean,
	       first * sizeof(*to->tx_buffer));
	memcpy(to->tx_buffer + first, from->tx_buffer,
	       (n - first) * sizeof(*to->tx_buffer));
	to->next_to_use = n;
	from->next_to_clean = from->next_to_use;
}

static int change_out(struct igbook *priv, struct igbook_ring *new)
{
	struct igbook_ring *ring = &priv->tx_ring[0];
	bool room;
	int err;

	netif_tx_lock_bh(priv->netdev);
	take_back(priv);
	room = count_waiting(ring) < new->count;
	netif_tx_unlock_bh(priv->netdev);
	if (!room) {
		netif_wake_queue(priv->netdev);
		return -EAGAIN;
	}
	igbook_ring_disable(ring, REG_TXDCTL(0));
	netif_tx_lock_bh(priv->netdev);
	take_back(priv);
	copy_waiting(ring, new);
	take_over(ring, new);
	netif_tx_unlock_bh(priv->netdev);
	priv->tx_count = ring->count;
	err = igbook_tx_ring_enable(ring);
	wmb();
	igbook_wr32(priv, REG_TDT(0), ring->next_to_use);
	netif_wake_queue(priv->netdev);
	return err;
}

static int change_in(struct igbook *priv, struct plan *plan)
{
	struct igbook_ring *ring = &priv->rx_ring[0];

	igbook_ring_disable(ring, REG_RXDCTL(0));
	local_bh_disable();
	while (igbook_rx_clean(ring, 1)) {
		local_bh_enable();
		local_bh_disable();
	}
	local_bh_enable();
	take_over(ring, &plan->ring[IN]);
	priv->rx_count = ring->count;
	priv->netdev->mtu = plan->mtu;
	netif_addr_lock_bh(priv->netdev);
	igbook_set_frame_size(priv);
	netif_addr_unlock_bh(priv->netdev);
	return igbook_rx_ring_enable(ring);
}

/**
 * igbook_rings_change() - change the rings' sizes or the MTU, interface up
 * @priv: the device
 * @tx_count: descriptors in each transmit ring
 * @rx_count: descriptors in each receive ring
 * @mtu: the MTU
 *
 * Context: RTNL; sleeps.
 * Return: 0, or a negative errno with the old rings at work.
 */
int igbook_rings_change(struct igbook *priv, u16 tx_count, u16 rx_count,
			unsigned int mtu)
{
	struct plan *plan;
	int err = 0;

	ASSERT_RTNL();
	plan = plan_make(priv, tx_count, rx_count, mtu);
	if (!plan)
		return -ENOMEM;
	igbook_service_stop(priv);
	if (plan->wanted[OUT])
		err = change_out(priv, &plan->ring[OUT]);
	if (!err && plan->wanted[IN])
		err = change_in(priv, plan);
	igbook_service_start(priv);
	plan_drop(plan);
	return err;
}

static bool is_size(u32 count)
{
	return count && count <= 2048 && count >= 32 &&
	       !(count % 32);
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

	/* The core refuses what is larger. */
	param->tx_max_pending = 2048;
	param->rx_max_pending = 2048;
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
 * Context: RTNL; sleeps.
 * Return: 0, or a negative errno with the old sizes in force.
 */
int igbook_set_ringparam(struct net_device *netdev,
			 struct ethtool_ringparam *param,
			 struct kernel_ethtool_ringparam *kernel_param,
			 struct netlink_ext_ack *extack)
{
	struct igbook *priv = netdev_priv(netdev);

	if (!is_size(param->rx_pending) || !is_size(param->tx_pending))
		return -EINVAL;
	if (netif_running(netdev))
		return igbook_rings_change(priv, param->tx_pending,
					   param->rx_pending, netdev->mtu);
	priv->tx_count = param->tx_pending;
	priv->rx_count = param->rx_pending;
	return 0;
}
