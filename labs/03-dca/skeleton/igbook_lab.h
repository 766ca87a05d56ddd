/* SPDX-License-Identifier: GPL-2.0 */
/*
 * igbook, lab 3: what igbook_main.c needs to know of igbook_lab.c.
 */
#ifndef _IGBOOK_LAB_H_
#define _IGBOOK_LAB_H_

#define IGBOOK_TAG_BASE		@tag_base@	/* the tag of CPU 0 */
#define IGBOOK_TAG_STEP		@tag_step@	/* between one CPU's tag and the next's */

int igbook_lab_init(void);
void igbook_lab_exit(void);

#endif /* _IGBOOK_LAB_H_ */
