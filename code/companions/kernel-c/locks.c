// SPDX-License-Identifier: GPL-2.0
/* Who excludes whom: spinlocks, bottom halves, a CPU's own data, RTNL. */
#include <linux/completion.h>
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/rtnetlink.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include "kernel_c.h"

/* Two locks ---------------------------------------------------------------- */

static DEFINE_SPINLOCK(kc_ring_lock);
static DEFINE_SPINLOCK(kc_stats_lock);

static noinline void kc_ring_then_stats(void)
{
	spin_lock(&kc_ring_lock);
	spin_lock(&kc_stats_lock);
	spin_unlock(&kc_stats_lock);
	spin_unlock(&kc_ring_lock);
}

static noinline void kc_stats_then_ring(void)
{
	spin_lock(&kc_stats_lock);
	spin_lock(&kc_ring_lock);
	spin_unlock(&kc_ring_lock);
	spin_unlock(&kc_stats_lock);
}

static int kc_nesting_good(void)
{
	kc_ring_then_stats();
	kc_ring_then_stats();
	return 0;
}

static int kc_nesting_bad(void)
{
	kc_ring_then_stats();
	kc_stats_then_ring();
	return 0;
}

const struct kc_example kc_nesting = { "nesting", kc_nesting_good, kc_nesting_bad };

/* A lock shared with a softirq --------------------------------------------- */

static DEFINE_SPINLOCK(kc_ticks_lock);
static DECLARE_COMPLETION(kc_ticked);
static unsigned long kc_ticks;

static void kc_tick(struct timer_list *timer)
{
	spin_lock(&kc_ticks_lock);
	kc_ticks++;
	spin_unlock(&kc_ticks_lock);
	complete(&kc_ticked);
}

static DEFINE_TIMER(kc_ticker, kc_tick);

static void kc_wait_for_tick(void)
{
	reinit_completion(&kc_ticked);
	mod_timer(&kc_ticker, jiffies + 1);
	wait_for_completion(&kc_ticked);
	timer_delete_sync(&kc_ticker);
}

static int kc_bh_good(void)
{
	kc_wait_for_tick();
	spin_lock_bh(&kc_ticks_lock);
	kc_ticks = 0;
	spin_unlock_bh(&kc_ticks_lock);
	return 0;
}

static int kc_bh_bad(void)
{
	kc_wait_for_tick();
	spin_lock(&kc_ticks_lock);
	kc_ticks = 0;
	spin_unlock(&kc_ticks_lock);
	return 0;
}

const struct kc_example kc_bh = { "bh", kc_bh_good, kc_bh_bad };

/* A CPU's own data --------------------------------------------------------- */

static DEFINE_PER_CPU(unsigned long, kc_frames);

static int kc_percpu_good(void)
{
	this_cpu_inc(kc_frames);
	return 0;
}

static int kc_percpu_bad(void)
{
	per_cpu(kc_frames, smp_processor_id())++;
	return 0;
}

const struct kc_example kc_percpu = { "percpu", kc_percpu_good, kc_percpu_bad };

/* The configuration of network devices ------------------------------------- */

static int kc_rtnl_good(void)
{
	rtnl_lock();
	netdev_update_features(init_net.loopback_dev);
	rtnl_unlock();
	return 0;
}

static int kc_rtnl_bad(void)
{
	netdev_update_features(init_net.loopback_dev);
	return 0;
}

const struct kc_example kc_rtnl = { "rtnl", kc_rtnl_good, kc_rtnl_bad };
