/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KERNEL_C_H
#define KERNEL_C_H

/**
 * struct kc_example - an idiom, done right and done wrong
 * @name: the name of its file in debugfs
 * @good: what runs when "good" is written there
 * @bad: what runs when "bad" is written; NULL: nothing can go wrong while it runs
 *
 * Both run in the context of the process that writes, which gets their result.
 */
struct kc_example {
	const char *name;
	int (*good)(void);
	int (*bad)(void);
};

extern const struct kc_example kc_list;
extern const struct kc_example kc_unwind;
extern const struct kc_example kc_atomic;
extern const struct kc_example kc_order;
extern const struct kc_example kc_nesting;
extern const struct kc_example kc_bh;
extern const struct kc_example kc_percpu;
extern const struct kc_example kc_rtnl;
extern const struct kc_example kc_unlocked;
extern const struct kc_example kc_rcu;
extern const struct kc_example kc_clocks;
extern const struct kc_example kc_timer;
extern const struct kc_example kc_bits;
extern const struct kc_example kc_refs;

#endif /* KERNEL_C_H */
