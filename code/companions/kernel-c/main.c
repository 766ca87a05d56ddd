// SPDX-License-Identifier: GPL-2.0
/*
 * kernel_c: the idioms of kernel C, each done right and done wrong.
 *
 *   echo good >/sys/kernel/debug/kernel_c/list
 *   echo bad >/sys/kernel/debug/kernel_c/list
 *
 * The faults are deliberate. Load this only where a broken kernel costs nothing.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "kernel_c.h"

static const struct kc_example *const kc_examples[] = {
	&kc_list, &kc_unwind, &kc_atomic, &kc_order, &kc_nesting, &kc_bh,
	&kc_percpu, &kc_rtnl, &kc_unlocked, &kc_rcu, &kc_clocks, &kc_timer,
	&kc_bits, &kc_refs,
};

static struct dentry *kc_dir;

static ssize_t kc_write(struct file *file, const char __user *from,
			size_t count, loff_t *pos)
{
	const struct kc_example *example = file->private_data;
	int (*run)(void) = NULL;
	char word[8] = {};
	int err;

	if (count >= sizeof(word))
		return -EINVAL;
	if (copy_from_user(word, from, count))
		return -EFAULT;

	if (sysfs_streq(word, "good"))
		run = example->good;
	else if (sysfs_streq(word, "bad"))
		run = example->bad;
	if (!run)
		return -EINVAL;

	err = run();
	return err ? err : count;
}

static const struct file_operations kc_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = kc_write,
};

static int __init kc_init(void)
{
	int i;

	kc_dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	for (i = 0; i < ARRAY_SIZE(kc_examples); i++)
		debugfs_create_file(kc_examples[i]->name, 0200, kc_dir,
				    (void *)kc_examples[i], &kc_fops);
	return 0;
}
module_init(kc_init);

static void __exit kc_exit(void)
{
	debugfs_remove(kc_dir);
}
module_exit(kc_exit);

MODULE_DESCRIPTION("The idioms of kernel C, done right and done wrong");
MODULE_LICENSE("GPL");
