// SPDX-License-Identifier: GPL-2.0
#include "patience.h"

#include <algorithm>
#include <utility>

#include "processor_time.h"

namespace fwts::grader {

Patience::Patience(std::vector<pid_t> threads, Seconds limit)
    : threads_(std::move(threads)), limit_(limit) {
    for (const auto thread : threads_) waited_.push_back(kept_waiting(thread));
}

bool Patience::over() const {
    const Seconds passed = std::chrono::steady_clock::now() - start_;
    if (passed <= limit_) return false;
    std::chrono::milliseconds longest{0};
    for (std::size_t i = 0; i < waited_.size(); ++i)
        longest = std::max(longest, kept_waiting(threads_[i]) - waited_[i]);
    return passed - longest > limit_;
}

}  // namespace fwts::grader
