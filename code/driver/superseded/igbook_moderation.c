// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: interrupt moderation: a pause after each interrupt, chosen by the
 * user or by the traffic.
 *
 * The rule of the second: pause for as long as a batch of frames takes to
 * arrive. When frames are so rare that the longest pause would not see a batch,
 * waiting has no use and there is no pause.
 */
#include <linux/bitfield.h>

#include "igbook.h"

#define IGBOOK_SAMPLE_US	250	/* least time to measure a rate over */
#define IGBOOK_BATCH_FRAMES	16	/* frames worth one interrupt */
#define IGBOOK_PAUSE_MAX	200	/* us: more would be felt */

static u16 igbook_pause_for(unsigned int frames, s64 usecs)
{
	u64 pause;

	if (!frames)
		return 0;
	pause = div_u64((u64)usecs * IGBOOK_BATCH_FRAMES, frames);
	return pause <= IGBOOK_PAUSE_MAX ? pause : 0;
}

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
 * A change by half of the difference keeps one odd sample from swinging it.
 */
static u16 igbook_pause_wanted(struct igbook_vector *vector)
{
	struct igbook_moderation *moderation = &vector->moderation;
	struct igbook *priv = vector->priv;
	ktime_t now;
	s64 usecs;
	u16 pause;

	if (!READ_ONCE(priv->adaptive))
		return READ_ONCE(priv->rx_usecs);

	now = ktime_get();
	usecs = ktime_us_delta(now, moderation->since);
	if (usecs < IGBOOK_SAMPLE_US)
		return moderation->usecs;

	pause = igbook_pause_for(moderation->frames, usecs);
	moderation->frames = 0;
	moderation->since = now;
	return (moderation->usecs + pause) / 2;
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
	vector->moderation.since = ktime_get();
	igbook_pause_write(vector, priv->adaptive ? 0 : priv->rx_usecs);
}
