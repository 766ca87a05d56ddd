// SPDX-License-Identifier: GPL-2.0
// Grading one submission from the door to the report.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "lab.h"
#include "result.h"
#include "scenario.h"
#include "scoring.h"

namespace fwts::grader {

/// Where the pieces of the checkout are.
struct Places {
    std::filesystem::path labs;      ///< labs/
    std::filesystem::path driver;    ///< code/driver
    std::filesystem::path book;      ///< book/, where the labels are
    std::filesystem::path kernel;    ///< build/kernel/strict
    std::filesystem::path modules;   ///< build/modules/strict, for companions and probes
    std::filesystem::path programs;  ///< build/bin/in-guest, for programs that run in the guest
    std::filesystem::path cache;     ///< for what need not be made again

    /// The checkout this program was built in: the directory above build/bin.
    static Places of_this_program();
};

struct Request {
    std::filesystem::path submission;
    std::uint64_t seed = 0;
    std::filesystem::path module;     ///< what is built already: no intake, no build; or empty
    bool first_failure = false;       ///< checks after the first that fails are not tried
    std::vector<std::string> checks;  ///< only these, and what they need; empty: all
    std::filesystem::path keep_logs;  ///< console, register record and build output; empty: none
};

/// What a person watching wants to know; each may be empty.
struct Watcher {
    std::function<void(const std::string&)> step;  ///< "building", "booting", …
    Progress check;
};

/// Grades a submission. Never throws for anything a submission does; what goes wrong on the
/// grader's side gives Stage::error and no points.
Report grade(const Lab& lab, const Scenario& scenario, const Places& places, const Request& request,
             const Watcher& watcher);

}  // namespace fwts::grader
