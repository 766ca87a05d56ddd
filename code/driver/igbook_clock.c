// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: the card's clock as the system sees it, and the time stamps it takes.
 */
#include <linux/bitfield.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ptp_classify.h>
#include <linux/swab.h>

#include "igbook.h"

#define IGBOOK_CLOCK_SHIFT	19	/* SYSTIM counts parts of 2^-19 ns */
#define IGBOOK_CLOCK_STEP	(16 << IGBOOK_CLOCK_SHIFT)	/* each 16 ns */
#define IGBOOK_CLOCK_MAX_ADJ	100000000	/* a tenth, in 10^-9 */
#define IGBOOK_CLOCK_LOOK	HZ	/* how often it is looked at */
#define IGBOOK_STAMP_LIMIT	HZ	/* patience with a stamp */
#define IGBOOK_STAMP_FILTER	7	/* the one of eight that finds PTP */

static struct igbook *igbook_of_clock(struct ptp_clock_info *info)
{
	return container_of(info, struct igbook, clock.info);
}

/*
 * Reading the low half keeps the high half of the same moment. The same order
 * for stamps, where reading the high half lets the card take the next one.
 *
 * 82576 datasheet, "System Time Register Low" and "Tx Timestamp Value High".
 */
static u64 igbook_clock_read(struct igbook *priv, u32 low, u32 high)
{
	u32 value = igbook_rd32(priv, low);

	return value | (u64)igbook_rd32(priv, high) << 32;
}

/* Also the time of a moment that lies behind: a stamp is read later. */
static u64 igbook_clock_at(const struct igbook_clock *clock, u64 systim)
{
	s64 since = systim - clock->systim;

	return clock->time + (since >> IGBOOK_CLOCK_SHIFT);
}

/* The system's clock, from when the card's was last looked at. */
static u64 igbook_clock_without(const struct igbook_clock *clock)
{
	return clock->time + ktime_get_boottime_ns() - clock->boot;
}

/* With @sts it also notes the system's time just before and after. */
static u64 igbook_clock_now(struct igbook *priv,
			    struct ptp_system_timestamp *sts)
{
	struct igbook_clock *clock = &priv->clock;
	u64 now;

	ptp_read_system_prets(sts);
	if (!clock->runs) {
		now = igbook_clock_without(clock);
		ptp_read_system_postts(sts);
		return now;
	}
	now = igbook_rd32(priv, REG_SYSTIML);
	ptp_read_system_postts(sts);
	now |= (u64)igbook_rd32(priv, REG_SYSTIMH) << 32;
	/* loom: begin now-gone from 10 */
	if (unlikely(!READ_ONCE(clock->runs)))
		return igbook_clock_without(clock);
	/* loom: end now-gone */
	return igbook_clock_at(clock, now);
}

static void igbook_clock_set(struct igbook *priv, u64 time)
{
	struct igbook_clock *clock = &priv->clock;

	if (clock->runs)
		clock->systim = igbook_clock_read(priv, REG_SYSTIML,
						  REG_SYSTIMH);
	clock->boot = ktime_get_boottime_ns();
	clock->time = time;
}

/*
 * SYSTIM runs over every nine hours and three quarters, and a difference tells
 * past from future only up to half of that. So the moment from which time is
 * counted follows, by whole nanoseconds: no part of one is ever lost.
 */
static void igbook_clock_follow(struct igbook *priv)
{
	struct igbook_clock *clock = &priv->clock;
	u64 boot = ktime_get_boottime_ns();
	u64 gone = igbook_clock_read(priv, REG_SYSTIML, REG_SYSTIMH);

	/* loom: begin follow-gone from 10 */
	/* It went in this moment: that was no time. */
	if (unlikely(!READ_ONCE(clock->runs)))
		return;
	/* loom: end follow-gone */
	clock->boot = boot;
	gone = (gone - clock->systim) >> IGBOOK_CLOCK_SHIFT;
	clock->systim += gone << IGBOOK_CLOCK_SHIFT;
	clock->time += gone;
}

/*
 * A counter goes on from where it is, at another pace. The emulated one jumps;
 * then the system's clock says how much time has gone by. A card is never found
 * to have jumped: between our two looks it counts no more than the system's
 * clock does around them, give or take a tenth.
 *
 * 82576 datasheet, "Increment Attributes Register".
 */
static void igbook_clock_pace(struct igbook *priv)
{
	struct igbook_clock *clock = &priv->clock;
	u64 systim, most;

	igbook_clock_follow(priv);
	igbook_wr32(priv, REG_TIMINCA, clock->timinca);
	systim = igbook_clock_read(priv, REG_SYSTIML, REG_SYSTIMH);
	/* loom: begin pace-gone from 10 */
	if (unlikely(!READ_ONCE(clock->runs)))
		return;
	/* loom: end pace-gone */
	most = ktime_get_boottime_ns() - clock->boot;
	if (systim - clock->systim <= 2 * most << IGBOOK_CLOCK_SHIFT)
		return;
	clock->systim = systim;
	clock->time += most;
}

static int igbook_clock_gettimex(struct ptp_clock_info *info,
				 struct timespec64 *ts,
				 struct ptp_system_timestamp *sts)
{
	struct igbook *priv = igbook_of_clock(info);
	unsigned long flags;
	u64 now;

	spin_lock_irqsave(&priv->clock.lock, flags);
	now = igbook_clock_now(priv, sts);
	spin_unlock_irqrestore(&priv->clock.lock, flags);
	*ts = ns_to_timespec64(now);
	return 0;
}

static int igbook_clock_settime(struct ptp_clock_info *info,
				const struct timespec64 *ts)
{
	struct igbook *priv = igbook_of_clock(info);
	unsigned long flags;

	spin_lock_irqsave(&priv->clock.lock, flags);
	igbook_clock_set(priv, timespec64_to_ns(ts));
	spin_unlock_irqrestore(&priv->clock.lock, flags);
	return 0;
}

static int igbook_clock_adjtime(struct ptp_clock_info *info, s64 delta)
{
	struct igbook *priv = igbook_of_clock(info);
	unsigned long flags;

	spin_lock_irqsave(&priv->clock.lock, flags);
	priv->clock.time += delta;
	spin_unlock_irqrestore(&priv->clock.lock, flags);
	return 0;
}

static u32 igbook_clock_timinca(long scaled_ppm)
{
	u64 step = adjust_by_scaled_ppm(IGBOOK_CLOCK_STEP, scaled_ppm);

	return FIELD_PREP(TIMINCA_INCPERIOD, 1) |
	       FIELD_PREP(TIMINCA_INCVALUE, step);
}

static int igbook_clock_adjfine(struct ptp_clock_info *info, long scaled_ppm)
{
	struct igbook *priv = igbook_of_clock(info);
	unsigned long flags;

	spin_lock_irqsave(&priv->clock.lock, flags);
	priv->clock.timinca = igbook_clock_timinca(scaled_ppm);
	if (priv->clock.runs)
		igbook_clock_pace(priv);
	spin_unlock_irqrestore(&priv->clock.lock, flags);
	return 0;
}

/* Neither pulses nor stamps of signals: the card's pins are not wired. */
static int igbook_clock_enable(struct ptp_clock_info *info,
			       struct ptp_clock_request *request, int on)
{
	return -EOPNOTSUPP;
}

/*
 * The register holds one stamp, until it is read. If the frame it belongs to is
 * lost, for want of a descriptor or of memory, nobody reads it, and no frame
 * would be stamped any more.
 */
static void igbook_clock_rx_free(struct igbook *priv)
{
	struct igbook_clock *clock = &priv->clock;

	if (clock->rx_filter == HWTSTAMP_FILTER_NONE ||
	    !(igbook_rd32(priv, REG_TSYNCRXCTL) & TSYNCRXCTL_RXTT)) {
		clock->held = 0;
	} else if (!clock->held) {
		clock->held = jiffies ?: 1;
	} else if (time_after_eq(jiffies, clock->held + IGBOOK_STAMP_LIMIT)) {
		igbook_clock_read(priv, REG_RXSTMPL, REG_RXSTMPH);
		igbook_rd32(priv, REG_RXSATRH);
		clock->held = 0;
		clock->rx_unread++;
	}
}

/*
 * A stamp is given up when the ring has given the frame back and it is late. As
 * long as the frame is in the ring the stamp may still come, and would be taken
 * for that of the next one.
 *
 * Return: the frame that waits no longer, with or without a stamp, or NULL.
 */
static struct sk_buff *
igbook_clock_tx_done(struct igbook *priv, struct skb_shared_hwtstamps *stamps)
{
	struct igbook_clock *clock = &priv->clock;
	struct sk_buff *skb = clock->skb;
	bool late;

	if (!skb)
		return NULL;
	/* Before the register is read: what is out has been stamped by then. */
	late = !skb_shared(skb) &&
	       time_after(jiffies, clock->since + IGBOOK_STAMP_LIMIT);
	if (igbook_rd32(priv, REG_TSYNCTXCTL) & TSYNCTXCTL_TXTT) {
		u64 stamp = igbook_clock_read(priv, REG_TXSTMPL, REG_TXSTMPH);

		/* loom: begin done-gone from 10 */
		if (unlikely(!READ_ONCE(clock->runs)))
			return NULL;
		/* loom: end done-gone */
		stamps->hwtstamp = ns_to_ktime(igbook_clock_at(clock, stamp));
		clock->tx_stamps++;
	} else if (late) {
		clock->tx_lost++;
	} else {
		return NULL;
	}
	clock->skb = NULL;
	return skb;
}

/*
 * Run by the clock's own thread, the priority of which is the user's to choose.
 * The card does not interrupt for a stamp: while a frame waits for one, and the
 * clock runs, it is asked at every tick.
 */
static long igbook_clock_work(struct ptp_clock_info *info)
{
	struct igbook *priv = igbook_of_clock(info);
	struct skb_shared_hwtstamps stamps = {};
	struct sk_buff *skb = NULL;
	unsigned long flags;
	bool waits = false;

	spin_lock_irqsave(&priv->clock.lock, flags);
	if (priv->clock.runs) {
		igbook_clock_follow(priv);
		igbook_clock_rx_free(priv);
		skb = igbook_clock_tx_done(priv, &stamps);
		waits = priv->clock.skb;
	}
	spin_unlock_irqrestore(&priv->clock.lock, flags);

	if (stamps.hwtstamp)
		skb_tstamp_tx(skb, &stamps);
	dev_consume_skb_any(skb);
	return waits ? 1 : IGBOOK_CLOCK_LOOK;
}

/**
 * igbook_clock_rx_stamp() - fetch the time at which a frame came
 * @priv: the device
 * @skb: a frame whose descriptor says that it was stamped
 *
 * It is this frame's, for until it is read the card takes no other; unless the
 * frame has lain in the ring for so long that igbook_clock_rx_free() has thrown
 * its stamp away. The emulated card wants RXSATRH to be read as well.
 *
 * Context: any.
 *
 * Source: 82576 datasheet, "Rx Time Sync Control Register".
 */
void igbook_clock_rx_stamp(struct igbook *priv, struct sk_buff *skb)
{
	struct igbook_clock *clock = &priv->clock;
	unsigned long flags;
	u64 stamp;

	spin_lock_irqsave(&clock->lock, flags);
	if (clock->runs &&
	    (igbook_rd32(priv, REG_TSYNCRXCTL) & TSYNCRXCTL_RXTT)) {
		stamp = igbook_clock_read(priv, REG_RXSTMPL, REG_RXSTMPH);
		igbook_rd32(priv, REG_RXSATRH);
		skb_hwtstamps(skb)->hwtstamp =
			ns_to_ktime(igbook_clock_at(clock, stamp));
		clock->held = 0;
		/* loom: begin stamp-gone from 10 */
		if (unlikely(!READ_ONCE(clock->runs)))
			skb_hwtstamps(skb)->hwtstamp = 0;
		/* loom: end stamp-gone */
	}
	spin_unlock_irqrestore(&clock->lock, flags);
}

/**
 * igbook_clock_tx_stamp() - let a frame that asks for it be stamped
 * @priv: the device
 * @skb: the frame, not yet in the ring
 *
 * There is one register, so one frame at a time: we keep a reference to it until
 * its stamp has come. Of a frame that is cut, the datasheet does not say which
 * segment is stamped: it is left alone. A stamp that came after all, too late for
 * its own frame, is thrown away.
 *
 * Context: bottom halves off.
 * Return: TXD_MAC_1588 for its descriptors, or 0.
 *
 * Source: 82576 datasheet, "Tx Time Sync Control Register".
 */
u32 igbook_clock_tx_stamp(struct igbook *priv, struct sk_buff *skb)
{
	struct igbook_clock *clock = &priv->clock;
	unsigned long flags;
	u32 cmd = 0;

	spin_lock_irqsave(&clock->lock, flags);
	if (clock->tx_type != HWTSTAMP_TX_ON) {
		/* Nobody has switched it on. */
	} else if (clock->skb || skb_is_gso(skb)) {
		clock->tx_skipped++;
	} else {
		igbook_rd32(priv, REG_TXSTMPH);
		skb_shinfo(skb)->tx_flags |= SKBTX_IN_PROGRESS;
		clock->skb = skb_get(skb);
		clock->since = jiffies;
		cmd = TXD_MAC_1588;
	}
	spin_unlock_irqrestore(&clock->lock, flags);
	if (cmd)
		ptp_schedule_worker(clock->ptp, 0);
	return cmd;
}

/**
 * igbook_clock_tx_forget() - a frame is not sent after all
 * @priv: the device
 * @skb: the frame, whether or not it was to be stamped; not ours alone
 *
 * Context: bottom halves off.
 */
void igbook_clock_tx_forget(struct igbook *priv, const struct sk_buff *skb)
{
	struct igbook_clock *clock = &priv->clock;
	struct sk_buff *ours = NULL;
	unsigned long flags;

	spin_lock_irqsave(&clock->lock, flags);
	if (clock->skb == skb)
		swap(ours, clock->skb);
	spin_unlock_irqrestore(&clock->lock, flags);
	dev_consume_skb_any(ours);
}

/*
 * PTP on Ethernet is found by its EtherType, PTP on UDP by its port. The card
 * then looks into the frame and stamps only events, the messages whose moment
 * matters. It does not bring it to a queue of its own.
 *
 * 82576 datasheet, "Rx Time Sync Control Register", "EType Queue Filter" and
 * "Five Tuple Queue Filter"; ports there are in network order.
 */
static void igbook_clock_filter(struct igbook *priv)
{
	const struct igbook_clock *clock = &priv->clock;
	u32 etqf = 0, ftqf = FTQF_MASK, rx = 0;

	if (clock->rx_filter != HWTSTAMP_FILTER_NONE) {
		rx = TSYNCRXCTL_EN |
		     FIELD_PREP(TSYNCRXCTL_TYPE, TSYNCRXCTL_TYPE_EVENT_V2);
		etqf = ETQF_FILTER_EN | ETQF_1588 |
		       FIELD_PREP(ETQF_ETYPE, ETH_P_1588);
		ftqf = FTQF_1588 | FTQF_VF_MASK |
		       (FTQF_MASK & ~FTQF_MASK_PROTOCOL) |
		       FIELD_PREP(FTQF_PROTOCOL, IPPROTO_UDP);
	}
	igbook_wr32(priv, REG_TSYNCTXCTL,
		    clock->tx_type == HWTSTAMP_TX_ON ? TSYNCTXCTL_EN : 0);
	igbook_wr32(priv, REG_ETQF(IGBOOK_STAMP_FILTER), etqf);
	igbook_wr32(priv, REG_IMIR(IGBOOK_STAMP_FILTER),
		    FIELD_PREP(IMIR_PORT, swab16(PTP_EV_PORT)));
	igbook_wr32(priv, REG_IMIREXT(IGBOOK_STAMP_FILTER),
		    IMIREXT_SIZE_BP | IMIREXT_CTRL_BP);
	igbook_wr32(priv, REG_FTQF(IGBOOK_STAMP_FILTER), ftqf);
	igbook_wr32(priv, REG_TSYNCRXCTL, rx);
}

/**
 * igbook_hwtstamp_get() - what is stamped
 * @netdev: the network device
 * @config: to be filled in
 *
 * Context: RTNL.
 * Return: 0.
 */
int igbook_hwtstamp_get(struct net_device *netdev,
			struct kernel_hwtstamp_config *config)
{
	struct igbook *priv = netdev_priv(netdev);

	config->flags = 0;
	config->tx_type = priv->clock.tx_type;
	config->rx_filter = priv->clock.rx_filter;
	return 0;
}

/**
 * igbook_hwtstamp_set() - choose what is stamped
 * @netdev: the network device
 * @config: what is wanted; changed to what will be done, which is never less
 * @extack: why not, in words
 *
 * On receive all events of PTP version 2, whichever of them was asked for, or
 * nothing. The card has a mode in which it stamps every frame, but then it does
 * not say which frame a stamp belongs to.
 *
 * Context: RTNL.
 * Return: 0; -ERANGE for what the card cannot do, -EOPNOTSUPP without a clock.
 */
int igbook_hwtstamp_set(struct net_device *netdev,
			struct kernel_hwtstamp_config *config,
			struct netlink_ext_ack *extack)
{
	struct igbook *priv = netdev_priv(netdev);
	unsigned long flags;

	if (!priv->clock.ptp)
		return -EOPNOTSUPP;
	if (config->tx_type > HWTSTAMP_TX_ON) {
		NL_SET_ERR_MSG(extack, "the card puts no stamp into a frame");
		return -ERANGE;
	}
	switch (config->rx_filter) {
	case HWTSTAMP_FILTER_NONE:
		break;
	case HWTSTAMP_FILTER_PTP_V2_L4_EVENT ... HWTSTAMP_FILTER_PTP_V2_DELAY_REQ:
		config->rx_filter = HWTSTAMP_FILTER_PTP_V2_EVENT;
		break;
	default:
		NL_SET_ERR_MSG(extack, "the card stamps events of PTP version 2");
		return -ERANGE;
	}

	spin_lock_irqsave(&priv->clock.lock, flags);
	priv->clock.tx_type = config->tx_type;
	priv->clock.rx_filter = config->rx_filter;
	igbook_clock_filter(priv);
	spin_unlock_irqrestore(&priv->clock.lock, flags);
	return 0;
}

/**
 * igbook_get_ts_info() - "ethtool -T"
 * @netdev: the network device
 * @info: to be filled in
 *
 * Not only ethtool asks: also a socket that wants a certain clock's stamps, with
 * its own lock, and a bonding device for those it is made of, under RCU.
 *
 * Context: any; does not sleep.
 * Return: 0.
 */
int igbook_get_ts_info(struct net_device *netdev,
		       struct kernel_ethtool_ts_info *info)
{
	struct igbook *priv = netdev_priv(netdev);

	ethtool_op_get_ts_info(netdev, info);
	if (!priv->clock.ptp)
		return 0;
	info->so_timestamping |= SOF_TIMESTAMPING_TX_HARDWARE |
				 SOF_TIMESTAMPING_RX_HARDWARE |
				 SOF_TIMESTAMPING_RAW_HARDWARE;
	info->phc_index = ptp_clock_index(priv->clock.ptp);
	info->tx_types = BIT(HWTSTAMP_TX_OFF) | BIT(HWTSTAMP_TX_ON);
	info->rx_filters = BIT(HWTSTAMP_FILTER_NONE) |
			   BIT(HWTSTAMP_FILTER_PTP_V2_EVENT);
	return 0;
}

/**
 * igbook_get_ts_stats() - "ethtool -I -T": what became of transmit stamps
 * @netdev: the network device
 * @stats: to be filled in
 *
 * Context: RTNL.
 */
void igbook_get_ts_stats(struct net_device *netdev,
			 struct ethtool_ts_stats *stats)
{
	struct igbook_clock *clock = &((struct igbook *)netdev_priv(netdev))->clock;
	unsigned long flags;

	spin_lock_irqsave(&clock->lock, flags);
	stats->pkts = clock->tx_stamps;
	stats->lost = clock->tx_lost;
	stats->err = clock->tx_skipped;
	spin_unlock_irqrestore(&clock->lock, flags);
}

/**
 * igbook_clock_counters() - the clock's part of "ethtool -S"
 * @priv: the device
 * @data: room for IGBOOK_CLOCK_COUNTERS numbers
 *
 * Context: any.
 */
void igbook_clock_counters(struct igbook *priv, u64 *data)
{
	struct igbook_clock *clock = &priv->clock;
	unsigned long flags;

	spin_lock_irqsave(&clock->lock, flags);
	data[0] = clock->tx_lost;
	data[1] = clock->tx_skipped;
	data[2] = clock->rx_unread;
	spin_unlock_irqrestore(&clock->lock, flags);
}

/**
 * igbook_clock_stop() - the card is about to forget the time
 * @priv: the device; rings not served; stopping it twice does no harm
 *
 * From now on until igbook_clock_start() the system's clock stands in. If
 * somebody else has reset the card meanwhile, it does so from when the clock was
 * last looked at. The frame whose stamp is outstanding gets none.
 *
 * Context: RTNL, probe or remove.
 */
void igbook_clock_stop(struct igbook *priv)
{
	struct igbook_clock *clock = &priv->clock;
	struct sk_buff *skb = NULL;
	unsigned long flags;

	spin_lock_irqsave(&clock->lock, flags);
	if (clock->runs && igbook_rd32(priv, REG_TIMINCA) == clock->timinca)
		igbook_clock_follow(priv);
	clock->runs = false;
	swap(skb, clock->skb);
	if (skb)
		clock->tx_lost++;
	spin_unlock_irqrestore(&clock->lock, flags);
	dev_kfree_skb_any(skb);
}

/**
 * igbook_clock_start() - the card counts again
 * @priv: the device, freshly reset
 *
 * A reset sets TIMINCA to 0: nothing is added to SYSTIM any more. Where it begins
 * does not matter, for nobody reads it but by its difference to @systim.
 *
 * Context: RTNL or probe.
 *
 * Source: 82576 datasheet, "Increment Attributes Register".
 */
void igbook_clock_start(struct igbook *priv)
{
	struct igbook_clock *clock = &priv->clock;
	unsigned long flags;
	u64 now;

	spin_lock_irqsave(&clock->lock, flags);
	igbook_wr32(priv, REG_TIMINCA, clock->timinca);
	now = igbook_clock_now(priv, NULL);
	clock->runs = true;
	igbook_clock_set(priv, now);
	/* loom: begin start-gone from 10 */
	if (igbook_is_gone(priv))
		clock->runs = false;
	/* loom: end start-gone */
	igbook_clock_filter(priv);
	spin_unlock_irqrestore(&clock->lock, flags);
}

/**
 * igbook_clock_init() - prepare the clock; it shows the system's time at first
 * @priv: the device
 *
 * Context: probe.
 */
void igbook_clock_init(struct igbook *priv)
{
	struct igbook_clock *clock = &priv->clock;

	spin_lock_init(&clock->lock);
	clock->timinca = igbook_clock_timinca(0);
	igbook_clock_set(priv, ktime_get_real_ns());
}

static const struct ptp_clock_info igbook_clock_info = {
	.owner = THIS_MODULE,
	.max_adj = IGBOOK_CLOCK_MAX_ADJ,
	.adjfine = igbook_clock_adjfine,
	.adjtime = igbook_clock_adjtime,
	.gettimex64 = igbook_clock_gettimex,
	.settime64 = igbook_clock_settime,
	.enable = igbook_clock_enable,
	.do_aux_work = igbook_clock_work,
};

/**
 * igbook_clock_add() - show the clock to the system
 * @priv: the device, initialised
 *
 * A kernel may have been built without PTP clocks. Then, or if it fails, the
 * card is a network card without a clock.
 *
 * Context: probe; sleeps.
 */
void igbook_clock_add(struct igbook *priv)
{
	struct igbook_clock *clock = &priv->clock;

	clock->info = igbook_clock_info;
	snprintf(clock->info.name, sizeof(clock->info.name), "%s port %u",
		 IGBOOK_NAME, priv->port);
	clock->ptp = ptp_clock_register(&clock->info, &priv->pdev->dev);
	if (IS_ERR(clock->ptp)) {
		pci_err(priv->pdev, "no clock: %ld\n", PTR_ERR(clock->ptp));
		clock->ptp = NULL;
	}
	if (clock->ptp)
		ptp_schedule_worker(clock->ptp, IGBOOK_CLOCK_LOOK);
}

/**
 * igbook_clock_remove() - take the clock from the system
 * @priv: the device, unregistered
 *
 * Context: probe failed, or remove; sleeps.
 */
void igbook_clock_remove(struct igbook *priv)
{
	if (priv->clock.ptp)
		ptp_clock_unregister(priv->clock.ptp);
	igbook_clock_stop(priv);
}
