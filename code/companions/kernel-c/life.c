// SPDX-License-Identifier: GPL-2.0
/* Lifetime: an object that several own, and that goes with the last of them. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/printk.h>
#include <linux/refcount.h>

#include "kernel_c.h"

/* It is never freed, so that only the count can be wrong. */
static struct {
	refcount_t users;
} kc_session;

static void kc_session_begin(void)
{
	refcount_set(&kc_session.users, 1);
}

static void kc_session_get(void)
{
	refcount_inc(&kc_session.users);
}

static void kc_session_put(const char *who)
{
	if (refcount_dec_and_test(&kc_session.users))
		pr_info("%s was the last\n", who);
	else
		pr_info("%s leaves, somebody stays\n", who);
}

static int kc_refs_good(void)
{
	kc_session_begin();
	kc_session_get();
	kc_session_put("the first");
	kc_session_put("the second");
	return 0;
}

static int kc_refs_bad(void)
{
	kc_session_begin();
	kc_session_put("the first");
	kc_session_put("the second");
	return 0;
}

const struct kc_example kc_refs = { "refs", kc_refs_good, kc_refs_bad };
