// SPDX-License-Identifier: GPL-2.0
/* Memory: who may wait for it, and how much of it comes in one piece. */
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "kernel_c.h"

static DEFINE_SPINLOCK(kc_pool_lock);
static void *kc_pool;

static int kc_pool_fill(gfp_t gfp)
{
	int err = 0;

	spin_lock(&kc_pool_lock);
	kc_pool = kmalloc(256, gfp);
	if (!kc_pool)
		err = -ENOMEM;
	kfree(kc_pool);
	kc_pool = NULL;
	spin_unlock(&kc_pool_lock);
	return err;
}

static int kc_atomic_good(void)
{
	return kc_pool_fill(GFP_ATOMIC);
}

static int kc_atomic_bad(void)
{
	return kc_pool_fill(GFP_KERNEL);
}

const struct kc_example kc_atomic = { "atomic", kc_atomic_good, kc_atomic_bad };

static int kc_order_good(void)
{
	void *table = kvmalloc(SZ_8M, GFP_KERNEL);

	if (!table)
		return -ENOMEM;
	kvfree(table);
	return 0;
}

static int kc_order_bad(void)
{
	void *table = kmalloc(SZ_8M, GFP_KERNEL);

	if (!table)
		return -ENOMEM;
	kfree(table);
	return 0;
}

const struct kc_example kc_order = { "order", kc_order_good, kc_order_bad };
