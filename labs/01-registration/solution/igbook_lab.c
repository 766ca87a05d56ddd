// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 1: the NVM as a file in sysfs.
 */
#include <linux/rtnetlink.h>

#include "igbook.h"
#include "igbook_lab.h"

/**
 * igbook_nvm_show() - read some bytes of the NVM image
 * @file: the open file
 * @kobj: the PCI device's kobject
 * @attr: the attribute
 * @buf: where the bytes go
 * @offset: first byte; sysfs has compared it with the attribute's size
 * @count: number of bytes; cut to the attribute's size by sysfs
 *
 * EERD is one register for all readers, and igbook_nvm_read() leaves it to its
 * callers to come one at a time. Whoever reads the NVM otherwise holds RTNL.
 *
 * Context: process context, takes RTNL; sleeps.
 * Return: bytes read, or a negative errno.
 */
static ssize_t igbook_nvm_show(struct file *file, struct kobject *kobj,
			       struct bin_attribute *attr, char *buf,
			       loff_t offset, size_t count)
{
	struct net_device *netdev = dev_get_drvdata(kobj_to_dev(kobj));
	u16 words[IGBOOK_NVM_WORDS];
	__le16 image[IGBOOK_NVM_WORDS];
	int err;
	int i;

	if (rtnl_lock_killable())
		return -EINTR;
	err = igbook_nvm_read(netdev_priv(netdev), 0, ARRAY_SIZE(words), words);
	rtnl_unlock();
	if (err)
		return err;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		image[i] = cpu_to_le16(words[i]);
	return memory_read_from_buffer(buf, count, &offset, image,
				       sizeof(image));
}

static struct bin_attribute igbook_nvm_attr = {
	.attr = { .name = "@nvm_file@", .mode = 0444 },
	.size = IGBOOK_NVM_WORDS * sizeof(__le16),
	.read = igbook_nvm_show,
};

static struct bin_attribute *igbook_lab_bin_attrs[] = {
	&igbook_nvm_attr,
	NULL
};

static const struct attribute_group igbook_lab_group = {
	.bin_attrs = igbook_lab_bin_attrs,
};

const struct attribute_group *igbook_lab_groups[] = {
	&igbook_lab_group,
	NULL
};
