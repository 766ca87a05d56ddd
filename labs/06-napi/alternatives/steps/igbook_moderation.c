// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: interrupt moderation: a pause after each interrupt, chosen by the
 * user or by the traffic.
 *
 * The rule of the second is in igbook_policy.c.
 */
#include <linux/bitfield.h>

#include "igbook.h"

/**
 * igbook_pause_write() - tell the card
 * @vector: the vector
 * @usecs: least time between two interrupts, in microseconds; 0: none
 *
 * CNT_INGR keeps the write from restarting the pause that is running.
 *
 * Context: igbook_poll(), or RTNL with the vector not yet running.
 *
 * Source: 82576 datasheet, "Extended Interrupt Throttle Register".
 */
static void igbook_pause_write(struct igbook_vector *vector, u16 usecs)
{
	struct igbook *priv = vector->priv;

	vector->moderation.usecs = usecs;
	igbook_wr32(priv, REG_EITR(0) + 4 * vector->index,
		    FIELD_PREP(EITR_INTERVAL, usecs) | EITR_CNT_INGR);
}

/**
 * igbook_pause_wanted() - the pause the vector should have from now on
 * @vector: the vector
 *
 * Context: igbook_poll().
 * Return: the pause in microseconds.
 */
static u16 igbook_pause_wanted(struct igbook_vector *vector)
{
	struct igbook_moderation *moderation = &vector->moderation;
	struct igbook *priv = vector->priv;
	unsigned int frames = moderation->frames;

	moderation->frames = 0;
	if (!READ_ONCE(priv->adaptive))
		return READ_ONCE(priv->rx_usecs);
	return igbook_policy_pause(&moderation->policy, moderation->usecs,
				   frames);
}

/**
 * igbook_moderate() - choose the pause before interrupts come back
 * @vector: the vector, masked, its rings served
 *
 * Only this writes EITR while the vector runs, so a change by "ethtool -C" and
 * one by the traffic never meet.
 *
 * Context: igbook_poll().
 */
void igbook_moderate(struct igbook_vector *vector)
{
	u16 usecs = igbook_pause_wanted(vector);

	if (usecs != vector->moderation.usecs)
		igbook_pause_write(vector, usecs);
}

/**
 * igbook_moderation_init() - nothing measured yet
 * @moderation: that of a vector
 *
 * Context: probe.
 */
void igbook_moderation_init(struct igbook_moderation *moderation)
{
	moderation->frames = 0;
	moderation->usecs = 0;
}

/**
 * igbook_moderation_start() - begin with the user's pause, or with none
 * @vector: the vector, not yet running
 *
 * Context: RTNL.
 */
void igbook_moderation_start(struct igbook_vector *vector)
{
	struct igbook *priv = vector->priv;

	vector->moderation.frames = 0;
	igbook_policy_start(&vector->moderation.policy);
	igbook_pause_write(vector, priv->adaptive ? 0 : priv->rx_usecs);
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

	coalesce->use_adaptive_rx_coalesce = priv->adaptive;
	coalesce->rx_coalesce_usecs = priv->adaptive ?
		READ_ONCE(priv->vector[0].moderation.usecs) : priv->rx_usecs;
	return 0;
}

/**
 * igbook_set_coalesce() - "ethtool -C"
 * @netdev: the network device
 * @coalesce: what the user wants
 * @kernel_coalesce: not used
 * @extack: why not, in words
 *
 * Every vector takes it over at the end of its next poll.
 *
 * Context: RTNL.
 * Return: 0, or -EINVAL when the card cannot wait that long.
 */
int igbook_set_coalesce(struct net_device *netdev,
			struct ethtool_coalesce *coalesce,
			struct kernel_ethtool_coalesce *kernel_coalesce,
			struct netlink_ext_ack *extack)
{
	struct igbook *priv = netdev_priv(netdev);

	if (coalesce->rx_coalesce_usecs > IGBOOK_MODERATION_MAX) {
		NL_SET_ERR_MSG_MOD(extack, "rx-usecs is at most 8191");
		return -EINVAL;
	}
	WRITE_ONCE(priv->rx_usecs, coalesce->rx_coalesce_usecs);
	WRITE_ONCE(priv->adaptive, !!coalesce->use_adaptive_rx_coalesce);
	return 0;
}
