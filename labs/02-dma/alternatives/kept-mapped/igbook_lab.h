/* SPDX-License-Identifier: GPL-2.0 */
/*
 * igbook, lab 2: what igbook_handsend.c needs to know of igbook_lab.c.
 */
#ifndef _IGBOOK_LAB_H_
#define _IGBOOK_LAB_H_

struct igbook;

#define IGBOOK_SPLIT	34	/* bytes of a frame in its first buffer */

void igbook_lab_add(struct igbook *priv);
void igbook_lab_remove(struct igbook *priv);

#endif /* _IGBOOK_LAB_H_ */
