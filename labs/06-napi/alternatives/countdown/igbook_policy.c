// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 6: how long a vector is silent, by a table.
 */
#include "igbook.h"

/**
 * igbook_policy_start() - nothing was seen yet
 * @policy: that of a vector
 *
 * Context: RTNL.
 */
void igbook_policy_start(struct igbook_policy *policy)
{
	policy->left = @patience_samples@;
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
	u16 asked = 0;

	if (frames == 0)
		return pause;
	if (frames >= @many_frames@)
		asked = @many_usecs@;
	else if (frames >= @some_frames@)
		asked = @some_usecs@;

	/* Gives up the first frames of a burst: they interrupt one by one. */
	if (asked > pause && --policy->left)
		return pause;
	policy->left = @patience_samples@;
	return asked;
}
