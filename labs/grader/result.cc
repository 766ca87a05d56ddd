// SPDX-License-Identifier: GPL-2.0
#include "result.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <numeric>

namespace fwts::grader {

const char* to_string(Outcome outcome) {
    switch (outcome) {
        case Outcome::pass:
            return "pass";
        case Outcome::fail:
            return "fail";
        case Outcome::blocked:
            return "blocked";
        case Outcome::error:
            break;
    }
    return "error";
}

const char* to_string(Stage stage) {
    switch (stage) {
        case Stage::refused:
            return "refused";
        case Stage::build_failed:
            return "build-failed";
        case Stage::graded:
            return "graded";
        case Stage::error:
            break;
    }
    return "error";
}

int Report::earned() const {
    return std::accumulate(checks.begin(), checks.end(), 0,
                           [](int sum, const CheckResult& check) { return sum + check.earned; });
}

int Report::possible() const {
    return std::accumulate(checks.begin(), checks.end(), 0,
                           [](int sum, const CheckResult& check) { return sum + check.points; });
}

std::string Report::left_out() const {
    if (ignored.empty()) return {};
    return fmt::format("Left out, because it is no source of the lab: {}",
                       fmt::join(ignored, ", "));
}

}  // namespace fwts::grader
