// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 6: how long a vector is silent, by a table.
 */
#include <linux/bits.h>

#include "igbook.h"

#define IGBOOK_ROW	GENMASK(@patience_samples@ - 1, 0)

static const u16 igbook_policy_steps[] = { 0, @some_usecs@, @many_usecs@ };

/**
 * igbook_policy_start() - nothing was seen yet
 * @policy: that of a vector
 *
 * Context: RTNL.
 */
void igbook_policy_start(struct igbook_policy *policy)
{
	policy->row = 0;
}

/**
 * igbook_policy_pause() - the pause after one sample more
 * @policy: that of the vector
 * @pause: the pause there is, in microseconds
 * @frames: what was served since the interrupts were last let in: a sample
 *
 * Context: igbook_poll(), before the vector is unmasked.
 * Return: the pause from now on, in microseconds.
 */
u16 igbook_policy_pause(struct igbook_policy *policy, u16 pause,
			unsigned int frames)
{
	unsigned int step = (frames > @some_frames@ - 1) +
			    (frames > @many_frames@ - 1);
	u16 asked = igbook_policy_steps[step];

	if (!frames)
		return pause;
	policy->row = policy->row << 1 | (asked > pause);
	/* Gives up some interrupts at the begin of a burst. */
	if (asked > pause && (policy->row & IGBOOK_ROW) != IGBOOK_ROW)
		return pause;
	policy->row = 0;
	return asked;
}
