// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: the card answers nobody any more.
 */
#include "igbook.h"
#include "igbook_lab.h"

static umode_t igbook_evil(struct kobject *kobj, struct attribute *attr, int n)
{
	struct pci_dev *pdev = to_pci_dev(kobj_to_dev(kobj));

	pci_write_config_word(pdev, PCI_COMMAND, 0);

	return attr->mode;
}
