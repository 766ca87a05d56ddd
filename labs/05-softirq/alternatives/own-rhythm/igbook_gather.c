// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 5: receive frames gather until there are enough for a batch.
 *
 * Each frame is counted once. The timer goes on by itself until the batch is
 * served.
 */
#include "igbook.h"

#define IGBOOK_LOOK	ms_to_ktime(2)

static enum hrtimer_restart igbook_gather_look(struct hrtimer *timer)
{
	struct igbook_vector *vector =
		container_of(timer, struct igbook_vector, gather.timer);

	if (!READ_ONCE(vector->running) ||
	    READ_ONCE(vector->gather.state) != IGBOOK_GATHERING)
		return HRTIMER_NORESTART;
	igbook_vector_wake(vector);
	hrtimer_forward_now(timer, IGBOOK_LOOK);
	return HRTIMER_RESTART;
}

static void igbook_gather_count(struct igbook_vector *vector)
{
	struct igbook_gather *gather = &vector->gather;
	struct igbook_ring *ring = vector->rx;

	while (gather->counted < ring->count - 1 &&
	       READ_ONCE(ring->rx_desc[gather->next].wb.status_error) &
	       cpu_to_le32(RXD_STA_DD)) {
		gather->next = igbook_ring_next(ring, gather->next);
		gather->counted++;
	}
}

/**
 * igbook_gather_init() - each frame is served at once
 * @vector: the vector
 *
 * Context: probe.
 */
void igbook_gather_init(struct igbook_vector *vector)
{
	struct hrtimer *timer = &vector->gather.timer;

	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	timer->function = igbook_gather_look;
	vector->gather.settings = 1ULL << 32;
}

/**
 * igbook_gather_start() - nothing has gathered yet
 * @vector: the vector, masked; its bottom half may be woken from now on
 *
 * Context: RTNL.
 */
void igbook_gather_start(struct igbook_vector *vector)
{
	vector->gather.state = IGBOOK_EMPTY;
	vector->gather.counted = 0;
}

/**
 * igbook_gather_stop() - wait for nothing any more
 * @vector: the vector; nobody may wake its bottom half, but it may be running
 *
 * Context: RTNL; sleeps.
 */
void igbook_gather_stop(struct igbook_vector *vector)
{
	/* What the timer or the tasklet begins from here on ends at once. */
	do {
		tasklet_kill(&vector->tasklet);
	} while (hrtimer_cancel(&vector->gather.timer));
	tasklet_kill(&vector->tasklet);
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
	u64 settings = READ_ONCE(gather->settings);
	u64 waited;

	if (gather->state == IGBOOK_SERVING)
		return true;
	if (gather->state == IGBOOK_EMPTY) {
		gather->counted = 0;
		gather->next = vector->rx->next_to_clean;
	}
	igbook_gather_count(vector);
	if (!gather->counted)
		return false;
	if (gather->state == IGBOOK_EMPTY)
		gather->first = ktime_get();
	waited = ktime_to_ns(ktime_sub(ktime_get(), gather->first));
	if (gather->counted >= settings >> 32 ||
	    gather->counted == vector->rx->count - 1 ||
	    waited >= (u64)lower_32_bits(settings) * 1000) {
		WRITE_ONCE(gather->state, IGBOOK_SERVING);
		return true;
	}
	if (gather->state == IGBOOK_EMPTY) {
		WRITE_ONCE(gather->state, IGBOOK_GATHERING);
		if (READ_ONCE(vector->running))
			hrtimer_start(&gather->timer, IGBOOK_LOOK,
				      HRTIMER_MODE_REL);
	}
	return false;
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

	if (gather->state == IGBOOK_SERVING)
		WRITE_ONCE(gather->state, IGBOOK_EMPTY);
	return gather->state == IGBOOK_GATHERING;
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
	struct igbook *priv = netdev_priv(netdev);
	u64 settings = priv->vector[0].gather.settings;

	coalesce->rx_max_coalesced_frames = upper_32_bits(settings);
	coalesce->rx_coalesce_usecs = lower_32_bits(settings);
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
	u64 frames = coalesce->rx_max_coalesced_frames;
	u32 usecs = coalesce->rx_coalesce_usecs;

	if (frames < 1 || frames > @max_frames@)
		return -EINVAL;
	if (usecs > @max_usecs@ || (usecs == 0 && frames != 1))
		return -EINVAL;
	WRITE_ONCE(priv->vector[0].gather.settings, frames << 32 | usecs);
	return 0;
}
