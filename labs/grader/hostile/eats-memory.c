// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: all memory there is.
 * Laid over the skeleton as igbook_lab.c; the driver core calls is_visible
 * when probe has succeeded.
 */
#include <linux/gfp.h>

#include "igbook.h"
#include "igbook_lab.h"

static umode_t igbook_evil(struct kobject *kobj, struct attribute *attr, int n)
{
	while (__get_free_pages(GFP_KERNEL | __GFP_NOWARN, 4))
		cond_resched();
	while (__get_free_page(GFP_KERNEL | __GFP_NOWARN))
		cond_resched();

	return attr->mode;
}

static ssize_t evil_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	return sysfs_emit(buf, "\n");
}
static DEVICE_ATTR_RO(evil);

static struct attribute *igbook_lab_attrs[] = {
	&dev_attr_evil.attr,
	NULL
};

static const struct attribute_group igbook_lab_group = {
	.is_visible = igbook_evil,
	.attrs = igbook_lab_attrs,
};

const struct attribute_group *igbook_lab_groups[] = {
	&igbook_lab_group,
	NULL
};
