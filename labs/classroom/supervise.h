// SPDX-License-Identifier: GPL-2.0
// Starting programs, waiting for them or for a signal, and leaving nobody behind.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>

#include "process.h"

namespace fwts::classroom {

/// Takes SIGINT, SIGTERM, SIGHUP and SIGCHLD one by one instead of being struck by them. One object
/// a process; it lives as long as main() does.
class Signals {
  public:
    Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;
    /// @return the signal that came, or 0 when none did in time.
    int wait(std::chrono::milliseconds timeout) const;
    /// @return true for those that ask this process to end.
    static bool asks_to_end(int signal_number);
};

/// Starts a program; what it writes goes into a file. @throws std::system_error
pid_t start_logged(Program program, const std::filesystem::path& log);

/// How a program ended.
struct Ended {
    int status = -1;            ///< exit status, or 128 + signal as a shell says it
    bool timed_out = false;     ///< it was killed for that
    int asked_to_end = 0;       ///< this process got such a signal, and killed it for that
    double seconds = 0;         ///< by the clock
    std::size_t left_over = 0;  ///< processes it had left behind, which were killed
};

/// Runs one program to its end, and then kills whatever it left behind: also what had moved into a
/// session of its own. Nothing else may be a child of this process.
Ended supervise(const Program& program, const std::filesystem::path& log, const Signals& signals,
                std::chrono::seconds timeout);

/// Kills and collects all children, and what they leave, until there is none.
/// @return how many there were.
std::size_t end_all_children();

}  // namespace fwts::classroom
