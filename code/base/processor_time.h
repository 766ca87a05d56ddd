// SPDX-License-Identifier: GPL-2.0
// Processor time: what a part of the work costs, however busy the machine is.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <vector>

namespace fwts {

/// @return the processes there are now, as /proc lists them.
std::vector<pid_t> all_processes();

/// @return the parent of a process, 0 when there is no such process.
pid_t parent_of(pid_t process);

/// Of this process and of every process it has started and waited for.
std::chrono::milliseconds processor_time();

/// Of another process that runs: all its threads, without its children. 0 when there is none.
/// @param thread the id of any of its threads.
std::chrono::milliseconds processor_time_of(pid_t thread);

/// Of another process, of those it has started, and of those that they started, whether they still
/// run or were waited for.
std::chrono::milliseconds processor_time_of_tree(pid_t root);

/// How long a thread could have run so far, but waited for a processor that others had. 0 when
/// there is no such thread, or the kernel does not keep account of it (CONFIG_SCHED_INFO).
std::chrono::milliseconds kept_waiting(pid_t thread);

}  // namespace fwts
