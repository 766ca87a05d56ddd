// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 1: the NVM as a file in sysfs, which reads no more than it is
 * asked for.
 */
#include <linux/rtnetlink.h>

#include "igbook.h"
#include "igbook_lab.h"

static ssize_t nvm_read(struct file *file, struct kobject *kobj,
			struct bin_attribute *attr, char *buf, loff_t offset,
			size_t count)
{
	struct pci_dev *pdev = to_pci_dev(kobj_to_dev(kobj));
	struct igbook *priv = netdev_priv(pci_get_drvdata(pdev));
	size_t done;
	u16 word;
	int err;

	if (offset >= attr->size)
		return 0;
	count = min_t(size_t, count, attr->size - offset);
	for (done = 0; done < count; done++) {
		unsigned int byte = offset + done;

		if (done == 0 || byte % 2 == 0) {
			rtnl_lock();	/* ethtool has it, too */
			err = igbook_nvm_read(priv, byte / 2, 1, &word);
			rtnl_unlock();
			if (err)
				return err;
		}
		buf[done] = byte % 2 ? word >> 8 : word;
	}
	return count;
}

static BIN_ATTR_RO(nvm, 128);

static struct bin_attribute *igbook_lab_attrs[] = {
	&bin_attr_nvm,
	NULL
};

static const struct attribute_group igbook_lab_group = {
	.bin_attrs = igbook_lab_attrs,
};

const struct attribute_group *igbook_lab_groups[] = {
	&igbook_lab_group,
	NULL
};
