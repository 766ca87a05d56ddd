// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 6: how long a vector is silent, by a table.
 *
 * A pause that is too short costs interrupts, one that is too long is felt at
 * once: so it becomes shorter by a single sample, and longer only by several.
 */
#include "igbook.h"

#define IGBOOK_PATIENCE		@patience_samples@

/* From so many frames on, this pause; the last that fits counts. Else none. */
static const struct {
	unsigned int frames;
	u16 usecs;
} igbook_policy_table[] = {
	{ @some_frames@, @some_usecs@ },
	{ @many_frames@, @many_usecs@ },
};

/**
 * igbook_policy_start() - nothing was seen yet
 * @policy: that of a vector
 *
 * Context: RTNL.
 */
void igbook_policy_start(struct igbook_policy *policy)
{
	policy->longer = 0;
}

/**
 * igbook_policy_asked() - what a sample asks for
 * @frames: its frames
 *
 * Return: microseconds.
 */
static u16 igbook_policy_asked(unsigned int frames)
{
	u16 usecs = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(igbook_policy_table); i++)
		if (frames >= igbook_policy_table[i].frames)
			usecs = igbook_policy_table[i].usecs;
	return usecs;
}

/**
 * igbook_policy_pause() - the pause after one sample more
 * @policy: that of the vector
 * @pause: the pause there is, in microseconds
 * @frames: what was served since the interrupts were last let in: a sample
 *
 * A cause noted while the vector was masked brings an interrupt for frames that
 * were served already. Such a sample is empty and says nothing.
 *
 * Context: igbook_poll(), before the vector is unmasked.
 * Return: the pause from now on, in microseconds.
 */
u16 igbook_policy_pause(struct igbook_policy *policy, u16 pause,
			unsigned int frames)
{
	u16 asked = igbook_policy_asked(frames);

	if (!frames)
		return pause;
	if (asked <= pause) {
		policy->longer = 0;
		return asked;
	}
	if (++policy->longer < IGBOOK_PATIENCE)
		return pause;
	policy->longer = 0;
	return asked;
}
