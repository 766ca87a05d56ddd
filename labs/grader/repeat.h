// SPDX-License-Identifier: GPL-2.0
// Are verdicts equal from run to run? A submission graded again and again with other seeds must get
// the same marks each time; what depends on luck or on the machine's load shows here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "result.h"

namespace fwts::grader {

/// The verdicts of many runs of one submission.
class Repeated {
  public:
    void add(const Report& report);

    std::size_t runs() const { return runs_; }

    /// What was not the same in every run, a sentence each: how often each verdict was given, and
    /// after which seeds all but the commonest. Empty when all runs agree.
    std::vector<std::string> differences() const;

  private:
    using Seeds = std::vector<std::uint64_t>;

    void note(const std::string& what, const std::string& verdict, std::uint64_t seed);

    std::size_t runs_ = 0;
    std::vector<std::string> order_;  ///< of what was looked at, as first seen
    std::map<std::string, std::map<std::string, Seeds>> seen_;  ///< what, verdict, seeds
};

}  // namespace fwts::grader
