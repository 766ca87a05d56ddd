// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 1: the NVM as a file in sysfs, made and removed by hand.
 */
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "igbook.h"
#include "igbook_lab.h"

#define IGBOOK_NVM_BYTES	(2 * IGBOOK_NVM_WORDS)

static ssize_t igbook_nvm_bytes(struct file *file, struct kobject *kobj,
				struct bin_attribute *attr, char *buf,
				loff_t offset, size_t count)
{
	struct net_device *netdev = dev_get_drvdata(kobj_to_dev(kobj));
	u8 *image;
	u16 *words;
	int err;
	int i;

	words = kcalloc(IGBOOK_NVM_WORDS, sizeof(*words) + 2, GFP_KERNEL);
	if (!words)
		return -ENOMEM;
	image = (u8 *)(words + IGBOOK_NVM_WORDS);

	rtnl_lock();
	err = igbook_nvm_read(netdev_priv(netdev), 0, IGBOOK_NVM_WORDS, words);
	rtnl_unlock();
	if (err)
		goto out;
	for (i = 0; i < IGBOOK_NVM_WORDS; i++)
		put_unaligned_le16(words[i], image + 2 * i);
	err = offset < IGBOOK_NVM_BYTES ?
	      min_t(loff_t, count, IGBOOK_NVM_BYTES - offset) : 0;
	memcpy(buf, image + offset, err);
out:
	kfree(words);
	return err;
}

static const struct bin_attribute igbook_nvm_file = {
	.attr = { .name = "nvm", .mode = 0444 },
	.size = IGBOOK_NVM_BYTES,
	.read = igbook_nvm_bytes,
};

int igbook_lab_add(struct igbook *priv)
{
	return sysfs_create_bin_file(&priv->pdev->dev.kobj, &igbook_nvm_file);
}

void igbook_lab_remove(struct igbook *priv)
{
	sysfs_remove_bin_file(&priv->pdev->dev.kobj, &igbook_nvm_file);
}
