// SPDX-License-Identifier: GPL-2.0
/* RCU: readers that take no lock, and a writer that must wait for them. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "kernel_c.h"

struct kc_route {
	u32 gateway;
	struct rcu_head rcu;
};

static struct kc_route __rcu *kc_default_route;
static bool kc_free_at_once;
static bool kc_replaced;

/* The writer, in a thread of its own: there is one at a time. */
static void kc_route_replace(struct work_struct *work)
{
	struct kc_route *new, *old;

	new = kzalloc(sizeof(*new), GFP_KERNEL);
	if (new)
		new->gateway = 2;
	old = rcu_replace_pointer(kc_default_route, new, true);
	if (kc_free_at_once)
		kfree(old);
	else
		kfree_rcu(old, rcu);
	WRITE_ONCE(kc_replaced, true);
}

static DECLARE_WORK(kc_writer, kc_route_replace);

/* The reader. It calls the writer, who is to come in the middle, and waits. */
static u32 kc_route_read(void)
{
	struct kc_route *route;
	u32 gateway = 0;

	rcu_read_lock();
	route = rcu_dereference(kc_default_route);
	schedule_work(&kc_writer);
	while (!READ_ONCE(kc_replaced))
		cpu_relax();
	if (route)
		gateway = route->gateway;
	rcu_read_unlock();
	return gateway;
}

static int kc_route_read_while_replaced(bool free_at_once)
{
	struct kc_route *route;
	u32 gateway;

	/* Else the writer would wait for our CPU, and we for the writer. */
	if (!IS_ENABLED(CONFIG_PREEMPT_RCU))
		return -EOPNOTSUPP;

	route = kzalloc(sizeof(*route), GFP_KERNEL);
	if (!route)
		return -ENOMEM;
	route->gateway = 1;
	rcu_assign_pointer(kc_default_route, route);

	kc_free_at_once = free_at_once;
	WRITE_ONCE(kc_replaced, false);
	gateway = kc_route_read();
	flush_work(&kc_writer);

	route = rcu_replace_pointer(kc_default_route, NULL, true);
	kfree_rcu(route, rcu);
	return gateway == 1 ? 0 : -EIO;
}

static int kc_rcu_good(void)
{
	return kc_route_read_while_replaced(false);
}

static int kc_rcu_bad(void)
{
	return kc_route_read_while_replaced(true);
}

const struct kc_example kc_rcu = { "rcu", kc_rcu_good, kc_rcu_bad };

static int kc_unlocked_good(void)
{
	bool there;

	rcu_read_lock();
	there = rcu_dereference(kc_default_route);
	rcu_read_unlock();
	return there ? -EBUSY : 0;
}

static int kc_unlocked_bad(void)
{
	return rcu_dereference(kc_default_route) ? -EBUSY : 0;
}

const struct kc_example kc_unlocked = { "unlocked", kc_unlocked_good, kc_unlocked_bad };
