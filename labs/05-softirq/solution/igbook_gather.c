// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 5: receive frames gather until there are enough for a batch.
 *
 * The first frame interrupts, and the vector stays masked. From then on a timer
 * looks at the ring, until the batch is complete or its time is up.
 */
#include "igbook.h"

#define IGBOOK_MAX_FRAMES	@max_frames@
#define IGBOOK_MAX_USECS	@max_usecs@
#define IGBOOK_LOOK_USECS	1000	/* from one look to the next, at most */

/**
 * igbook_gather_look() - time to look at the ring again
 * @timer: that of the vector
 *
 * Context: hard interrupt.
 * Return: HRTIMER_NORESTART; the bottom half knows whether to go on.
 */
static enum hrtimer_restart igbook_gather_look(struct hrtimer *timer)
{
	igbook_vector_wake(container_of(timer, struct igbook_vector,
					gather.timer));
	return HRTIMER_NORESTART;
}

/**
 * igbook_gather_init() - each frame is served at once
 * @vector: the vector
 *
 * Context: probe.
 */
void igbook_gather_init(struct igbook_vector *vector)
{
	struct igbook_gather *gather = &vector->gather;

	gather->frames = 1;
	hrtimer_init(&gather->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	gather->timer.function = igbook_gather_look;
}

/**
 * igbook_gather_start() - nothing has gathered yet
 * @vector: the vector, masked; its bottom half may be woken from now on
 *
 * Context: RTNL.
 */
void igbook_gather_start(struct igbook_vector *vector)
{
	vector->gather.since = 0;
	vector->gather.due = false;
}

/**
 * igbook_gather_stop() - wait for nothing any more
 * @vector: the vector; nobody may wake its bottom half, but it may be running
 *
 * Timer and tasklet start each other. After the first line no timer that saw
 * the vector running is left, after the second no such tasklet; what it may
 * have started finds the vector stopped, and goes with the third.
 *
 * Context: RTNL; sleeps.
 */
void igbook_gather_stop(struct igbook_vector *vector)
{
	hrtimer_cancel(&vector->gather.timer);
	tasklet_kill(&vector->tasklet);
	hrtimer_cancel(&vector->gather.timer);
}

/**
 * igbook_rx_waiting() - how many received frames wait in a ring
 * @ring: the ring
 * @most: count no further; less than the ring has descriptors
 *
 * Context: bottom halves off, one CPU at a time for each ring.
 * Return: 0 to @most.
 */
static unsigned int igbook_rx_waiting(const struct igbook_ring *ring,
				      unsigned int most)
{
	u16 i = ring->next_to_clean;
	unsigned int waiting = 0;

	while (waiting < most &&
	       READ_ONCE(ring->rx_desc[i].wb.status_error) &
	       cpu_to_le32(RXD_STA_DD)) {
		i = igbook_ring_next(ring, i);
		waiting++;
	}
	return waiting;
}

/**
 * igbook_gather_due() - shall the received frames be served now?
 * @vector: the vector
 *
 * When the ring is full there will be no more, whatever makes a batch. A batch
 * that was begun is served to the end of the ring, in however many runs.
 *
 * Context: igbook_tasklet().
 * Return: whether to call igbook_rx_clean().
 */
bool igbook_gather_due(struct igbook_vector *vector)
{
	struct igbook_gather *gather = &vector->gather;
	unsigned int batch = min_t(unsigned int, READ_ONCE(gather->frames),
				   vector->rx->count - 1);
	unsigned int waiting;
	ktime_t now;

	if (gather->due)
		return true;
	waiting = igbook_rx_waiting(vector->rx, batch);
	if (!waiting)
		return false;
	now = ktime_get();
	if (!gather->since)
		gather->since = now;
	gather->due = waiting == batch ||
		      ktime_us_delta(now, gather->since) >=
		      READ_ONCE(gather->usecs);
	return gather->due;
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
	unsigned int usecs = min_t(unsigned int, READ_ONCE(gather->usecs),
				   IGBOOK_LOOK_USECS);

	if (gather->due) {
		gather->due = false;
		gather->since = 0;
	}
	if (!gather->since)
		return false;
	if (READ_ONCE(vector->running))
		hrtimer_start(&gather->timer, ns_to_ktime(usecs * 1000),
			      HRTIMER_MODE_REL);
	return true;
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

	coalesce->rx_max_coalesced_frames = priv->vector[0].gather.frames;
	coalesce->rx_coalesce_usecs = priv->vector[0].gather.usecs;
	return 0;
}

/**
 * igbook_set_coalesce() - "ethtool -C"
 * @netdev: the network device
 * @coalesce: what the user wants
 * @kernel_coalesce: not used
 * @extack: why not, in words
 *
 * Frames that wait are looked at with the new settings next time.
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
	u32 frames = coalesce->rx_max_coalesced_frames;
	u32 usecs = coalesce->rx_coalesce_usecs;
	unsigned int i;

	if (!frames || frames > IGBOOK_MAX_FRAMES || usecs > IGBOOK_MAX_USECS) {
		NL_SET_ERR_MSG_MOD(extack, "too many, too long, or no frame");
		return -EINVAL;
	}
	if (frames > 1 && !usecs) {
		NL_SET_ERR_MSG_MOD(extack, "a batch needs a time as well");
		return -EINVAL;
	}
	for (i = 0; i < priv->num_queues; i++) {
		WRITE_ONCE(priv->vector[i].gather.frames, frames);
		WRITE_ONCE(priv->vector[i].gather.usecs, usecs);
	}
	return 0;
}
