// SPDX-License-Identifier: GPL-2.0
// Scoring: runs checks in order and turns verdicts into points, respecting dependencies.
//
// Knows nothing of guests: the caller says how a single check is executed.
#pragma once

#include <functional>
#include <vector>

#include "result.h"
#include "scenario.h"

namespace fwts::grader {

/// Executes one check and returns its verdict. Must not throw.
using Execute = std::function<Verdict(const Check&)>;
/// Told about every result as soon as it is known, for progress.
using Progress = std::function<void(const CheckResult&)>;
/// Processor time used so far, for what each check costs.
using ProcessorClock = std::function<std::chrono::milliseconds()>;

/// Runs the checks of a scenario.
///
/// A check whose dependency did not pass is blocked without being tried. Once a verdict says that
/// the guest is lost, every later check is blocked. Only a pass earns the full points; a failed
/// check earns its verdict's partial credit; blocked and error earn nothing.
std::vector<CheckResult> run_checks(const std::vector<Check>& checks, const Execute& execute,
                                    const Progress& progress = {}, const ProcessorClock& cpu = {});

/// The results of a submission that never reached a guest: every check blocked for `reason`.
std::vector<CheckResult> block_all(const std::vector<Check>& checks, const std::string& reason);

}  // namespace fwts::grader
