/* SPDX-License-Identifier: GPL-2.0 */
/*
 * igbook, lab 1: the NVM as a file in sysfs, made and removed by hand.
 */
#ifndef _IGBOOK_LAB_H_
#define _IGBOOK_LAB_H_

struct igbook;

int igbook_lab_add(struct igbook *priv);
void igbook_lab_remove(struct igbook *priv);

#endif /* _IGBOOK_LAB_H_ */
