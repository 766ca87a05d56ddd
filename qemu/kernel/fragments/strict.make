# SPDX-License-Identifier: GPL-2.0
#
# Variables for make. The watchmen do not watch each other: under TCG half of a run was KASAN and the preemption
# check looking at lockdep's own tables, at the scheduler's and at those of the backtraces, where no driver's memory is.
# Whatever takes a driver's objects (locks, timers, work, slab, sysfs, network) is watched as before.

KASAN_SANITIZE_lockdep.o=n
KASAN_SANITIZE_unwind_frame.o=n
KASAN_SANITIZE_stacktrace.o=n
KASAN_SANITIZE_extable.o=n
KASAN_SANITIZE_debugobjects.o=n
KASAN_SANITIZE_fair.o=n
KASAN_SANITIZE_build_policy.o=n
KASAN_SANITIZE_build_utility.o=n
KASAN_SANITIZE_trace_preemptirq.o=n
CFLAGS_lockdep.o=-include unwatched.h -O3
CFLAGS_trace_preemptirq.o=-include unwatched.h
CFLAGS_kmemleak.o=-include scan.h -O3
CFLAGS_unwind_frame.o=-O3
CFLAGS_stacktrace.o=-O3
