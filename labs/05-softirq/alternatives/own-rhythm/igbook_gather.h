/* SPDX-License-Identifier: GPL-2.0 */
/*
 * igbook, lab 5: receive frames gather until there are enough for a batch.
 */
#ifndef _IGBOOK_GATHER_H_
#define _IGBOOK_GATHER_H_

#include <linux/ethtool.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>

struct igbook_vector;

enum igbook_gather_state {
	IGBOOK_EMPTY,		/* nothing waits */
	IGBOOK_GATHERING,	/* the timer comes back by itself */
	IGBOOK_SERVING,		/* the batch is being taken */
};

/**
 * struct igbook_gather - when a vector's received frames are served
 * @state: what becomes of them
 * @settings: frames in the upper, microseconds in the lower 32 bits
 * @counted: so many of them were seen
 * @next: descriptor that the next of them will be in
 * @first: when the first was seen
 * @timer: looks after those that wait
 */
struct igbook_gather {
	enum igbook_gather_state state;
	u64 settings;
	u16 counted;
	u16 next;
	ktime_t first;
	struct hrtimer timer;
};

/* igbook_gather.c */
void igbook_gather_init(struct igbook_vector *vector);
void igbook_gather_start(struct igbook_vector *vector);
void igbook_gather_stop(struct igbook_vector *vector);
bool igbook_gather_due(struct igbook_vector *vector);
bool igbook_gather_wait(struct igbook_vector *vector);
int igbook_get_coalesce(struct net_device *netdev,
			struct ethtool_coalesce *coalesce,
			struct kernel_ethtool_coalesce *kernel_coalesce,
			struct netlink_ext_ack *extack);
int igbook_set_coalesce(struct net_device *netdev,
			struct ethtool_coalesce *coalesce,
			struct kernel_ethtool_coalesce *kernel_coalesce,
			struct netlink_ext_ack *extack);

#endif /* _IGBOOK_GATHER_H_ */
