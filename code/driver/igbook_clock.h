/* SPDX-License-Identifier: GPL-2.0 */
/*
 * igbook: the card's clock, and the time stamps it takes.
 */
#ifndef _IGBOOK_CLOCK_H_
#define _IGBOOK_CLOCK_H_

#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/netdevice.h>
#include <linux/ptp_clock_kernel.h>
#include <linux/spinlock.h>

struct igbook;

/**
 * struct igbook_clock - the card's clock
 * @info: what the PTP core may ask of it
 * @ptp: the clock as that core knows it, or NULL
 * @lock: protects all that follows, and the clock's registers
 * @runs: the card counts; while it does not, the system's clock stands in
 * @timinca: what TIMINCA is to be: how fast it counts
 * @systim: SYSTIM as it was at some moment ...
 * @time: ... the time at that moment, in nanoseconds since 1970 ...
 * @boot: ... and the system's clock, the one that goes on in sleep
 * @tx_type: what is stamped on its way out, HWTSTAMP_TX_*
 * @rx_filter: and on its way in, HWTSTAMP_FILTER_*
 * @skb: the frame that waits for its stamp, or NULL
 * @since: when it was put into a ring, in jiffies
 * @held: since when the receive stamp has not been fetched, in jiffies, or 0
 * @tx_stamps: transmit stamps handed to the stack
 * @tx_lost: stamps that never came
 * @tx_skipped: frames not stamped though stamping was on: another one waited,
 *              or they are to be cut
 * @rx_unread: receive stamps thrown away, for their frames seemed to be lost
 */
struct igbook_clock {
	struct ptp_clock_info info;
	struct ptp_clock *ptp;
	spinlock_t lock;	/* two registers, one time; one frame waits */
	bool runs;
	u32 timinca;
	u64 systim;
	u64 time;
	u64 boot;
	int tx_type;
	int rx_filter;
	struct sk_buff *skb;
	unsigned long since;
	unsigned long held;
	u64 tx_stamps;
	u64 tx_lost;
	u64 tx_skipped;
	u64 rx_unread;
};

/* igbook_clock.c */
#define IGBOOK_CLOCK_COUNTERS	3	/* of them in "ethtool -S" */
void igbook_clock_init(struct igbook *priv);
void igbook_clock_add(struct igbook *priv);
void igbook_clock_remove(struct igbook *priv);
void igbook_clock_stop(struct igbook *priv);
void igbook_clock_start(struct igbook *priv);
void igbook_clock_rx_stamp(struct igbook *priv, struct sk_buff *skb);
u32 igbook_clock_tx_stamp(struct igbook *priv, struct sk_buff *skb);
void igbook_clock_tx_forget(struct igbook *priv, const struct sk_buff *skb);
int igbook_hwtstamp_get(struct net_device *netdev,
			struct kernel_hwtstamp_config *config);
int igbook_hwtstamp_set(struct net_device *netdev,
			struct kernel_hwtstamp_config *config,
			struct netlink_ext_ack *extack);
int igbook_get_ts_info(struct net_device *netdev,
		       struct kernel_ethtool_ts_info *info);
void igbook_get_ts_stats(struct net_device *netdev,
			 struct ethtool_ts_stats *stats);
void igbook_clock_counters(struct igbook *priv, u64 *data);

#endif /* _IGBOOK_CLOCK_H_ */
