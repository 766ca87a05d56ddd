// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: a register is written, again and again, so that the
 * record of register writes grows.
 */
#include "igbook.h"
#include "igbook_lab.h"

static umode_t igbook_evil(struct kobject *kobj, struct attribute *attr, int n)
{
	struct igbook *priv = netdev_priv(dev_get_drvdata(kobj_to_dev(kobj)));

	for (;;)
		writel(0, priv->regs + 0x0e00);

	return attr->mode;
}
