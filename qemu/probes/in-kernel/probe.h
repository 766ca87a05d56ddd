/* SPDX-License-Identifier: GPL-2.0 */
/* What the probes share: a place in the kernel, who came by there, and the card's registers. */
#ifndef PROBE_H
#define PROBE_H

#include <linux/io.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/string.h>

#define PROBE_BAR	0x20000		/* how much of BAR 0 has registers */
#define PROBE_RDLEN	0x0c008		/* of queue 0 */
#define PROBE_RDH	0x0c010
#define PROBE_RDT	0x0c018

/**
 * probe_from() - did a module make this call?
 * @cpu: the registers at the function's first instruction
 * @module: its name
 *
 * Most calls come from the kernel itself, and a name is dear: few get as far.
 *
 * Return: whether the return address on the stack lies in the module.
 */
static inline bool probe_from(struct pt_regs *cpu, const char *module)
{
	unsigned long caller = *(unsigned long *)cpu->sp;
	char name[KSYM_SYMBOL_LEN];
	size_t len = strlen(module);
	const char *at;

	if (caller < MODULES_VADDR || caller >= MODULES_END)
		return false;
	sprint_symbol(name, caller);
	at = strrchr(name, '[');
	return at && strncmp(at + 1, module, len) == 0 && at[len + 1] == ']';
}

/* Did igbook? */
static inline bool probe_from_igbook(struct pt_regs *cpu)
{
	return probe_from(cpu, "igbook");
}

/* Its presence keeps a probe from being turned into a plain jump. */
static void __maybe_unused probe_post(struct kprobe *probe, struct pt_regs *cpu,
				      unsigned long flags)
{
}

/**
 * probe_at() - have a handler called at a function's first instruction
 * @probe: what is registered; unregister_kprobe() ends it
 * @symbol: the function
 * @handler: may move the instruction pointer, and then returns 1
 *
 * Return: 0, or what register_kprobe() says.
 */
static inline int probe_at(struct kprobe *probe, const char *symbol,
			   kprobe_pre_handler_t handler)
{
	probe->symbol_name = symbol;
	probe->pre_handler = handler;
	probe->post_handler = probe_post;
	return register_kprobe(probe);
}

#endif
