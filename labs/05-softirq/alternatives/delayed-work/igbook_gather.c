// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 5: receive frames gather until there are enough for a batch.
 *
 * A work looks at the ring in every jiffy, and as often as somebody changes the
 * settings.
 */
#include "igbook.h"

static void igbook_gather_look(struct work_struct *work)
{
	struct igbook_gather *gather =
		container_of(work, struct igbook_gather, look.work);

	igbook_vector_wake(gather->vector);
}

/* Counts to the first that is not done; a full ring has none that could be. */
static u16 igbook_gather_count(const struct igbook_ring *ring)
{
	u16 room = ring->count - 1;
	u16 found;

	for (found = 0; found < room; found++) {
		u16 at = (ring->next_to_clean + found) % ring->count;

		if (!(le32_to_cpu(READ_ONCE(ring->rx_desc[at].wb.status_error)) &
		      RXD_STA_DD))
			break;
	}
	return found;
}

/**
 * igbook_gather_init() - each frame is served at once
 * @vector: the vector
 *
 * Context: probe.
 */
void igbook_gather_init(struct igbook_vector *vector)
{
	vector->gather.vector = vector;
	vector->gather.frames = 1;
	spin_lock_init(&vector->gather.lock);
	INIT_DELAYED_WORK(&vector->gather.look, igbook_gather_look);
}

/**
 * igbook_gather_start() - nothing has gathered yet
 * @vector: the vector, masked; its bottom half may be woken from now on
 *
 * Context: RTNL.
 */
void igbook_gather_start(struct igbook_vector *vector)
{
	vector->gather.waiting = false;
	vector->gather.serving = false;
}

/**
 * igbook_gather_stop() - wait for nothing any more
 * @vector: the vector; nobody may wake its bottom half, but it may be running
 *
 * Context: RTNL; sleeps.
 */
void igbook_gather_stop(struct igbook_vector *vector)
{
	/* Once for what is there, once more for what the tasklet made of it. */
	cancel_delayed_work_sync(&vector->gather.look);
	tasklet_kill(&vector->tasklet);
	cancel_delayed_work_sync(&vector->gather.look);
}

/**
 * igbook_gather_due() - shall the received frames be served now?
 * @vector: the vector
 *
 * Context: igbook_tasklet().
 * Return: whether to call igbook_rx_clean().
 */
bool igbook_gather_due(struct igbook_vector *vector)
{
	struct igbook_gather *gather = &vector->gather;
	u64 now = ktime_get_ns();
	u32 frames, usecs;
	u16 there;

	if (gather->serving)
		return true;
	there = igbook_gather_count(vector->rx);
	if (there == 0)
		return false;
	spin_lock(&gather->lock);
	frames = gather->frames;
	usecs = gather->usecs;
	spin_unlock(&gather->lock);
	if (!gather->waiting) {
		gather->waiting = true;
		gather->first = now;
	}
	if (there >= frames || there == vector->rx->count - 1 ||
	    now >= gather->first + (u64)usecs * NSEC_PER_USEC)
		gather->serving = true;
	return gather->serving;
}

/**
 * igbook_gather_wait() - the rings were looked at: must somebody look again?
 * @vector: the vector
 *
 * Context: igbook_tasklet(), when nothing that is due is left.
 * Return: whether the timer will; then the vector stays masked.
 */
bool igbook_gather_wait(struct igbook_vector *vector)
{
	struct igbook_gather *gather = &vector->gather;

	if (gather->serving) {
		gather->serving = false;
		gather->waiting = false;
	}
	if (gather->waiting && READ_ONCE(vector->running))
		queue_delayed_work(system_highpri_wq, &gather->look, 1);
	return gather->waiting;
}

/**
 * igbook_get_coalesce() - "ethtool -c"
 * @netdev: the network device
 * @coalesce: to be filled in
 * @kernel_coalesce: not used
 * @extack: not used
 *
 * Context: RTNL.
 * Return: 0.
 */
int igbook_get_coalesce(struct net_device *netdev,
			struct ethtool_coalesce *coalesce,
			struct kernel_ethtool_coalesce *kernel_coalesce,
			struct netlink_ext_ack *extack)
{
	const struct igbook *priv = netdev_priv(netdev);
	const struct igbook_gather *gather = &priv->vector->gather;

	coalesce->rx_coalesce_usecs = gather->usecs;
	coalesce->rx_max_coalesced_frames = gather->frames;
	return 0;
}

/**
 * igbook_set_coalesce() - "ethtool -C"
 * @netdev: the network device
 * @coalesce: what the user wants
 * @kernel_coalesce: not used
 * @extack: why not, in words
 *
 * 1 to 100 frames, 0 to 60000000 microseconds, and no batch
 * without a time.
 *
 * Context: RTNL.
 * Return: 0, or -EINVAL with the old settings in force.
 */
int igbook_set_coalesce(struct net_device *netdev,
			struct ethtool_coalesce *coalesce,
			struct kernel_ethtool_coalesce *kernel_coalesce,
			struct netlink_ext_ack *extack)
{
	struct igbook *priv = netdev_priv(netdev);
	struct igbook_gather *gather = &priv->vector->gather;
	u32 least = coalesce->rx_max_coalesced_frames == 1 ? 0 : 1;

	if (coalesce->rx_max_coalesced_frames - 1 >= @max_frames@ ||
	    coalesce->rx_coalesce_usecs < least ||
	    coalesce->rx_coalesce_usecs > @max_usecs@)
		return -EINVAL;
	spin_lock_bh(&gather->lock);
	gather->frames = coalesce->rx_max_coalesced_frames;
	gather->usecs = coalesce->rx_coalesce_usecs;
	spin_unlock_bh(&gather->lock);
	return 0;
}
