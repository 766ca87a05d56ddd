/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For what runs at every lock and at every change of the interrupt flag: its own
 * per-CPU accesses are not checked, nor whether RCU watches its own tracepoints.
 */
#include <linux/rcupdate.h>
#undef CONFIG_DEBUG_PREEMPT
#define rcu_is_watching() true
