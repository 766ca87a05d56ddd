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

/**
 * struct igbook_gather - when a vector's received frames are served
 * @frames: so many make a batch; 1: each is served at once
 * @usecs: the first of a batch waits no longer than this, in microseconds
 * @since: when the first of those that wait was seen; 0: none waits
 * @due: a batch is being served
 * @timer: looks after those that wait
 */
struct igbook_gather {
	unsigned int frames;
	unsigned int usecs;
	ktime_t since;
	bool due;
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
