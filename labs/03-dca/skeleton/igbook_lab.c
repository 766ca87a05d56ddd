// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 3: a provider of tags that knows which CPUs there are.
 */
#include <linux/module.h>

#include "igbook_lab.h"

static bool provider;
module_param(provider, bool, 0444);
MODULE_PARM_DESC(provider, "hand out DCA tags as well (default: no)");

/**
 * igbook_lab_init() - offer tags, if that is wanted
 *
 * Context: module load, no device probed yet; sleeps.
 * Return: 0, or a negative errno and the module is not loaded.
 */
int igbook_lab_init(void)
{
	if (!provider)
		return 0;
	/*
	 * TODO 5: register a provider for the host bridge, 0000:00:00.0, that
	 * takes every device. The tag of a CPU that is online is
	 * IGBOOK_TAG_BASE and IGBOOK_TAG_STEP for each CPU before it, that of
	 * any other is 0. Whenever a CPU comes or goes, every requester has to
	 * ask anew.
	 */
	return -EOPNOTSUPP;
}

/**
 * igbook_lab_exit() - offer tags no longer
 *
 * Context: module unload, all devices gone; sleeps.
 */
void igbook_lab_exit(void)
{
}
