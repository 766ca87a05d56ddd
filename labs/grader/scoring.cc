// SPDX-License-Identifier: GPL-2.0
#include "scoring.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace fwts::grader {
namespace {

CheckResult blank_result(const Check& check) {
    CheckResult result;
    result.id = check.id;
    result.title = check.title;
    result.points = check.points;
    result.depends = check.depends;
    result.hint = check.hint;
    result.book = check.book;
    return result;
}

Verdict blocked(std::string why) {
    Verdict verdict;
    verdict.outcome = Outcome::blocked;
    verdict.what = std::move(why);
    return verdict;
}

int points_for(const Check& check, const Verdict& verdict) {
    switch (verdict.outcome) {
        case Outcome::pass:
            return check.points;
        case Outcome::fail:
            return std::clamp(verdict.partial, 0, check.points);
        case Outcome::blocked:
        case Outcome::error:
            break;
    }
    return 0;
}

}  // namespace

std::vector<CheckResult> run_checks(const std::vector<Check>& checks, const Execute& execute,
                                    const Progress& progress, const ProcessorClock& cpu) {
    std::vector<CheckResult> results;
    std::set<std::string> passed;
    std::string lost_in;
    for (const auto& check : checks) {
        CheckResult result = blank_result(check);
        std::vector<std::string> missing;
        std::copy_if(check.depends.begin(), check.depends.end(), std::back_inserter(missing),
                     [&](const std::string& id) { return !passed.contains(id); });
        if (!lost_in.empty()) {
            result.verdict = blocked(fmt::format("the guest was lost in check {}", lost_in));
        } else if (!missing.empty()) {
            result.verdict = blocked(fmt::format("needs {}", fmt::join(missing, ", ")));
        } else {
            const auto start = std::chrono::steady_clock::now();
            const auto cpu_start = cpu ? cpu() : std::chrono::milliseconds(0);
            result.verdict = execute(check);
            result.time = std::chrono::duration_cast<std::chrono::milliseconds>(
                std::chrono::steady_clock::now() - start);
            if (cpu) result.cpu = cpu() - cpu_start;
        }
        result.earned = points_for(check, result.verdict);
        if (result.verdict.outcome == Outcome::pass) passed.insert(check.id);
        if (result.verdict.guest_lost) lost_in = check.id;
        if (progress) progress(result);
        results.push_back(std::move(result));
    }
    return results;
}

std::vector<CheckResult> block_all(const std::vector<Check>& checks, const std::string& reason) {
    std::vector<CheckResult> results;
    for (const auto& check : checks) {
        CheckResult result = blank_result(check);
        result.verdict = blocked(reason);
        results.push_back(std::move(result));
    }
    return results;
}

}  // namespace fwts::grader
