// SPDX-License-Identifier: GPL-2.0
// How long somebody else may take, by the clock, less what a busy host kept him waiting.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <vector>

namespace fwts::grader {

class Patience {
  public:
    using Seconds = std::chrono::duration<double>;

    /// Begins now.
    /// @param threads  of QEMU, those that are the guest's processors
    Patience(std::vector<pid_t> threads, Seconds limit);

    /// Whether the limit has passed, not counting what the host kept the longest waiting of them
    /// from running.
    bool over() const;
    Seconds limit() const { return limit_; }

  private:
    std::vector<pid_t> threads_;
    std::vector<std::chrono::milliseconds> waited_;
    Seconds limit_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace fwts::grader
