// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: interrupt moderation: a pause after each interrupt, chosen by the
 * user or, for the traffic, by the kernel's net_dim().
 */
#include <linux/bitfield.h>

#include "igbook.h"

/*
 * CNT_INGR keeps the write from restarting the pause that is running.
 *
 * 82576 datasheet, "Extended Interrupt Throttle Register".
 */
static void igbook_pause_write(struct igbook_vector *vector, u16 usecs)
{
	vector->moderation.usecs = usecs;
	igbook_wr32(vector->priv, REG_EITR(vector->index),
		    EITR_CNT_INGR | FIELD_PREP(EITR_INTERVAL, usecs));
}

/*
 * It looks once in 64 interrupts, at the bytes first, and then has
 * igbook_pause_choose() called. Another processor may be counting what it
 * sends: a number that was torn costs one bad choice.
 */
static void igbook_pause_measure(struct igbook_vector *vector)
{
	struct igbook_moderation *moderation = &vector->moderation;
	u64 bytes = u64_stats_read(&vector->rx->stats.bytes) +
		    u64_stats_read(&vector->tx->stats.bytes);
	struct dim_sample sample = {};

	dim_update_sample(moderation->polls, moderation->frames, bytes,
			  &sample);
	/* 6.12's takes the sample itself, later ones a pointer to it. */
	net_dim(&moderation->dim,
		__builtin_choose_expr(__same_type(net_dim, igbook_net_dim_612),
				      sample, &sample));
}

/* Not in the poll: net_dim() leaves it to a work. */
static void igbook_pause_choose(struct work_struct *work)
{
	struct dim *dim = container_of(work, struct dim, work);
	struct igbook_moderation *moderation =
		container_of(dim, struct igbook_moderation, dim);

	WRITE_ONCE(moderation->wanted,
		   net_dim_get_rx_moderation(dim->mode, dim->profile_ix).usec);
	dim->state = DIM_START_MEASURE;
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
	struct igbook_moderation *moderation = &vector->moderation;
	u16 usecs = READ_ONCE(vector->priv->rx_usecs);

	moderation->polls++;
	if (READ_ONCE(vector->priv->adaptive)) {
		igbook_pause_measure(vector);
		usecs = READ_ONCE(moderation->wanted);
	}
	if (usecs != moderation->usecs)
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
	INIT_WORK(&moderation->dim.work, igbook_pause_choose);
	moderation->dim.mode = DIM_CQ_PERIOD_MODE_START_FROM_EQE;
}

/**
 * igbook_moderation_start() - begin with the user's pause, or with the last
 *                             that was chosen
 * @vector: the vector, not yet running
 *
 * Context: RTNL.
 */
void igbook_moderation_start(struct igbook_vector *vector)
{
	struct igbook_moderation *moderation = &vector->moderation;
	struct dim *dim = &moderation->dim;
	struct igbook *priv = vector->priv;

	moderation->wanted =
		net_dim_get_rx_moderation(dim->mode, dim->profile_ix).usec;
	dim->state = DIM_START_MEASURE;
	igbook_pause_write(vector, priv->adaptive ? moderation->wanted :
						    priv->rx_usecs);
}

/**
 * igbook_moderation_stop() - choose no more
 * @vector: the vector, stopped
 *
 * Context: RTNL; waits for a choice that is being made.
 */
void igbook_moderation_stop(struct igbook_vector *vector)
{
	cancel_work_sync(&vector->moderation.dim.work);
}
