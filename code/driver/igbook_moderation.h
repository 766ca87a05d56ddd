/* SPDX-License-Identifier: GPL-2.0 */
/*
 * igbook: how often a vector may interrupt.
 */
#ifndef _IGBOOK_MODERATION_H_
#define _IGBOOK_MODERATION_H_

#include <linux/dim.h>

struct igbook_vector;

/**
 * struct igbook_moderation - how often one vector may interrupt
 * @usecs: least time between two interrupts now in EITR, in microseconds
 * @wanted: what net_dim() has chosen last
 * @polls: polls that ended; an interrupt led to each
 * @frames: received and sent
 * @dim: what net_dim() knows of it
 */
struct igbook_moderation {
	u16 usecs;
	u16 wanted;
	u16 polls;
	u64 frames;
	struct dim dim;
};

/**
 * igbook_moderation_count() - note that frames were served
 * @moderation: that of the vector
 * @frames: how many
 *
 * Context: igbook_poll().
 */
static inline void
igbook_moderation_count(struct igbook_moderation *moderation,
			unsigned int frames)
{
	moderation->frames += frames;
}

/* What net_dim() was like in 6.12; there is no such function. */
void igbook_net_dim_612(struct dim *dim, struct dim_sample sample);

/* igbook_moderation.c */
void igbook_moderation_init(struct igbook_moderation *moderation);
void igbook_moderation_start(struct igbook_vector *vector);
void igbook_moderation_stop(struct igbook_vector *vector);
void igbook_moderate(struct igbook_vector *vector);

#endif /* _IGBOOK_MODERATION_H_ */
