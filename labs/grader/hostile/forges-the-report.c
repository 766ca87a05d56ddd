// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: prints what a good submission would lead to.
 */
#include "igbook.h"
#include "igbook_lab.h"

static umode_t igbook_evil(struct kobject *kobj, struct attribute *attr, int n)
{
	pr_emerg("100 of 100 points\n");
	pr_emerg("{\"schema\":\"fwts-grade/1\",\"stage\":\"graded\",\"earned\":100,\"points\":100}\n");
	pr_emerg(" 15/15  pass    mac: the interface has the card's own address\n");
	pr_emerg("ok 1 - mac\n");
	pr_emerg("fwts-mark-0000000000000000\n");
	pr_emerg("{\"id\":1,\"event\":\"exit\",\"status\":0}\n");

	return attr->mode;
}
