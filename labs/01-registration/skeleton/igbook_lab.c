// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 1: the NVM as a file in sysfs.
 *
 * The driver core adds these groups to the PCI device after igbook_probe() has
 * succeeded, and takes them away before it calls igbook_remove().
 */
#include "igbook.h"
#include "igbook_lab.h"

/*
 * TODO 5: a binary attribute "@nvm_file@", readable by everybody, writable by nobody:
 * the 64 words of the NVM, each with its low byte first. A reader may begin
 * anywhere and ask for any number of bytes, and several may read at once.
 */
static const struct attribute_group igbook_lab_group = {
};

const struct attribute_group *igbook_lab_groups[] = {
	&igbook_lab_group,
	NULL
};
