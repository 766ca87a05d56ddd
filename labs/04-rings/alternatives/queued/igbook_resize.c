// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 4: other rings while the interface is up: "ethtool -G", and the
 * MTU.
 */
#include <linux/ethtool.h>
#include <linux/slab.h>

#include "igbook.h"

/* A frame that waits, on its way from one ring to the other. */
struct waiting {
	union igbook_tx_desc desc;
	struct igbook_tx_buffer note;
};

/* Forward: where a ring's memory was, the other's is. */
static void exchange(struct igbook_ring *one, struct igbook_ring *other)
{
	struct igbook_ring kept = *one;

	one->desc = other->desc;
	one->buffers = other->buffers;
	one->dma = other->dma;
	one->count = other->count;
	one->buffer_size = other->buffer_size;
	one->next_to_use = other->next_to_use;
	one->next_to_clean = other->next_to_clean;
	one->skip = false;

	other->desc = kept.desc;
	other->buffers = kept.buffers;
	other->dma = kept.dma;
	other->count = kept.count;
	other->buffer_size = kept.buffer_size;
	other->next_to_use = kept.next_to_use;
	other->next_to_clean = kept.next_to_clean;
}

static unsigned int waiting(struct igbook_ring *ring)
{
	return (ring->next_to_use + ring->count - ring->next_to_clean) %
	       ring->count;
}

/* Cleaning wakes queues, so first it is done and then they are stopped. */
static void hold_senders(struct igbook *priv)
{
	unsigned int i;

	netif_tx_disable(priv->netdev);
	for (i = 0; i < priv->num_queues; i++) {
		local_bh_disable();
		igbook_tx_clean(&priv->tx_ring[i], U16_MAX, 0);
		local_bh_enable();
	}
	netif_tx_disable(priv->netdev);
	/* What came between the two is out by now, or waits. */
	for (i = 0; i < priv->num_queues; i++) {
		netif_tx_lock_bh(priv->netdev);
		igbook_tx_clean(&priv->tx_ring[i], U16_MAX, 0);
		netif_stop_subqueue(priv->netdev, i);
		netif_tx_unlock_bh(priv->netdev);
	}
}

static int send_from(struct igbook *priv, struct igbook_ring *spare,
		     struct waiting *list)
{
	struct igbook_ring *ring = &priv->tx_ring[0];
	unsigned int n = 0, i;
	int err;

	igbook_ring_disable(ring, REG_TXDCTL(0));
	hold_senders(priv);
	while (waiting(ring)) {
		list[n].desc = ring->tx_desc[ring->next_to_clean];
		list[n].note = ring->tx_buffer[ring->next_to_clean];
		ring->next_to_clean = igbook_ring_next(ring, ring->next_to_clean);
		n++;
	}
	exchange(ring, spare);
	for (i = 0; i < n; i++) {
		ring->tx_desc[i] = list[i].desc;
		ring->tx_buffer[i] = list[i].note;
	}
	ring->next_to_use = n;
	err = igbook_tx_ring_enable(ring);
	if (!err) {
		dma_wmb();
		igbook_wr32(priv, REG_TDT(0), n);
	}
	return err;
}

static int receive_into(struct igbook *priv, struct igbook_ring *spare, unsigned int mtu)
{
	struct igbook_ring *ring = &priv->rx_ring[0];

	igbook_ring_disable(ring, REG_RXDCTL(0));
	for (;;) {
		int taken;

		local_bh_disable();
		taken = igbook_rx_clean(ring, 16);
		local_bh_enable();
		if (!taken)
			break;
	}
	exchange(ring, spare);
	WRITE_ONCE(priv->netdev->mtu, mtu);
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
	bool sending = priv->tx_count != tx_count;
	bool receiving = priv->rx_count != rx_count || priv->netdev->mtu != mtu;
	struct igbook_ring *tx, *rx;
	struct waiting *list;
	int err = -ENOMEM;

	tx = kzalloc(sizeof(*tx), GFP_KERNEL);
	rx = kzalloc(sizeof(*rx), GFP_KERNEL);
	list = kvcalloc(priv->tx_count, sizeof(*list), GFP_KERNEL);
	if (!tx || !rx || !list)
		goto free;
	igbook_ring_init(tx, priv, 0);
	igbook_ring_init(rx, priv, 0);
	if (receiving)
		err = igbook_rx_ring_alloc(rx, rx_count, mtu);
	else
		err = 0;
	if (!err && sending)
		err = igbook_tx_ring_alloc(tx, tx_count);
	if (err)
		goto free;

	igbook_service_stop(priv);
	if (sending) {
		hold_senders(priv);
		if (waiting(&priv->tx_ring[0]) >= tx_count)
			err = -ENOSPC;
		else
			err = send_from(priv, tx, list);
		if (!err)
			priv->tx_count = tx_count;
		netif_tx_wake_all_queues(priv->netdev);
	}
	if (receiving && !err) {
		err = receive_into(priv, rx, mtu);
		priv->rx_count = rx_count;
	}
	igbook_service_start(priv);
free:
	if (tx)
		igbook_tx_ring_free(tx);
	if (rx)
		igbook_rx_ring_free(rx);
	kfree(tx);
	kfree(rx);
	kvfree(list);
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
	const struct igbook *priv = netdev_priv(netdev);

	*param = (struct ethtool_ringparam){
		.cmd = param->cmd,
		.rx_pending = priv->rx_count,
		.tx_pending = priv->tx_count,
		.rx_max_pending = 2048,
		.tx_max_pending = 2048,
	};
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
	u32 sizes[] = { param->rx_pending, param->tx_pending };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (sizes[i] < 32 || sizes[i] > 2048 ||
		    sizes[i] % 32) {
			NL_SET_ERR_MSG(extack, "no such ring");
			return -EINVAL;
		}
	}
	if (!netif_running(netdev)) {
		priv->rx_count = sizes[0];
		priv->tx_count = sizes[1];
		return 0;
	}
	return igbook_rings_change(priv, sizes[1], sizes[0], netdev->mtu);
}
