// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: the card's registers are no longer where they were.
 */
#include "igbook.h"
#include "igbook_lab.h"

static umode_t igbook_evil(struct kobject *kobj, struct attribute *attr, int n)
{
	struct pci_dev *pdev = to_pci_dev(kobj_to_dev(kobj));

	pci_write_config_dword(pdev, PCI_BASE_ADDRESS_0, 0xc0000000);
	pci_write_config_dword(pdev, PCI_BASE_ADDRESS_2, 0x0000d001);

	return attr->mode;
}
