/* SPDX-License-Identifier: GPL-2.0 */
/*
 * igbook, lab 6: how long a vector is silent, by a table.
 */
#ifndef _IGBOOK_POLICY_H_
#define _IGBOOK_POLICY_H_

#include <linux/types.h>

/**
 * struct igbook_policy - what the policy remembers of one vector
 * @left: so many more must ask for a longer pause; 0: nothing was seen yet
 */
struct igbook_policy {
	unsigned int left;
};

/* igbook_policy.c */
void igbook_policy_start(struct igbook_policy *policy);
u16 igbook_policy_pause(struct igbook_policy *policy, u16 pause,
			unsigned int frames);

#endif /* _IGBOOK_POLICY_H_ */
