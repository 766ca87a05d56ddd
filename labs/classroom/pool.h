// SPDX-License-Identifier: GPL-2.0
// A whole class on one machine: as many gradings at once as asked for, each a process of its own.
#pragma once

#include <functional>
#include <string>

#include "grading_one.h"

namespace fwts::classroom {

struct PoolPlan {
    int at_once = 1;
    /// The command that grades submission number N; N is appended.
    std::function<std::vector<std::string>(std::size_t)> command;
};

/// How the class went.
struct PoolEnd {
    std::size_t done = 0;  ///< gradings that ended by themselves
    int asked_to_end = 0;  ///< the signal that stopped it, or 0
    double seconds = 0;
};

/// Grades the whole class. On SIGINT, SIGTERM or SIGHUP the running gradings are ended and their
/// directories removed; finished results stay.
PoolEnd run_pool(const Roster& roster, const PoolPlan& plan, const Signals& signals);

}  // namespace fwts::classroom
