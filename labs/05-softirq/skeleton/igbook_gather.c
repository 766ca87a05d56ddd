// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 5: receive frames gather until there are enough for a batch.
 *
 * TODO 6. igbook_vector_init(), _start() and _stop() call the functions of the
 * same name here, ethtool_ops the two at the end. Have igbook_tasklet() call
 * igbook_gather_due() and igbook_gather_wait(), or do it in another way.
 */
#include "igbook.h"

/**
 * igbook_gather_init() - each frame is served at once
 * @vector: the vector
 *
 * Context: probe.
 */
void igbook_gather_init(struct igbook_vector *vector)
{
	vector->gather.frames = 1;
}

/**
 * igbook_gather_start() - nothing has gathered yet
 * @vector: the vector, masked; its bottom half may be woken from now on
 *
 * Context: RTNL.
 */
void igbook_gather_start(struct igbook_vector *vector)
{
}

/**
 * igbook_gather_stop() - wait for nothing any more
 * @vector: the vector; nobody may wake its bottom half, but it may be running
 *
 * Context: RTNL; sleeps.
 */
void igbook_gather_stop(struct igbook_vector *vector)
{
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
	return true;
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
	return false;
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
	return -EOPNOTSUPP;
}

/**
 * igbook_set_coalesce() - "ethtool -C"
 * @netdev: the network device
 * @coalesce: what the user wants
 * @kernel_coalesce: not used
 * @extack: why not, in words
 *
 * 1 to @max_frames@ frames, 0 to @max_usecs@ microseconds, and no batch
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
	return -EOPNOTSUPP;
}
