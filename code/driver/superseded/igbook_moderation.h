/* SPDX-License-Identifier: GPL-2.0 */
/*
 * igbook: how often a vector may interrupt.
 */
#ifndef _IGBOOK_MODERATION_H_
#define _IGBOOK_MODERATION_H_

#include <linux/ktime.h>

struct igbook_vector;

/**
 * struct igbook_moderation - how often one vector may interrupt
 * @usecs: least time between two interrupts now in EITR, in microseconds
 * @frames: received and sent since @since
 * @since: begin of the sample
 */
struct igbook_moderation {
	u16 usecs;
	unsigned int frames;
	ktime_t since;
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

/* igbook_moderation.c */
void igbook_moderation_init(struct igbook_moderation *moderation);
void igbook_moderation_start(struct igbook_vector *vector);
void igbook_moderate(struct igbook_vector *vector);

#endif /* _IGBOOK_MODERATION_H_ */
