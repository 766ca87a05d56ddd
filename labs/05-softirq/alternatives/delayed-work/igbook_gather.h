/* SPDX-License-Identifier: GPL-2.0 */
/*
 * igbook, lab 5: receive frames gather until there are enough for a batch.
 */
#ifndef _IGBOOK_GATHER_H_
#define _IGBOOK_GATHER_H_

#include <linux/ethtool.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct igbook_vector;

/**
 * struct igbook_gather - when a vector's received frames are served
 * @vector: the vector
 * @lock: held for the next two
 * @frames: so many make a batch; 1: each is served at once
 * @usecs: the first of a batch waits no longer than this, in microseconds
 * @first: nanoseconds at which the first of those that wait was seen
 * @waiting: some wait
 * @serving: a batch is being served
 * @look: looks after those that wait
 */
struct igbook_gather {
	struct igbook_vector *vector;
	spinlock_t lock;
	u32 frames;
	u32 usecs;
	u64 first;
	bool waiting;
	bool serving;
	struct delayed_work look;
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
