// SPDX-License-Identifier: GPL-2.0
// What is kept of one graded submission, and how `grade`'s report is read back.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "result.h"
#include "roster.h"

namespace fwts::classroom {

/// Reads schema fwts-grade/1. @throws std::exception when it is not one.
grader::Report report_from(const nlohmann::ordered_json& json);

/// The class's word on one submission: result.json, schema fwts-class-result/1.
struct Result {
    std::string student;
    std::string run;  ///< the list it was graded for, or found to be the same for; see roster.h
    std::string key;  ///< what was graded, with what; see key.h
    /// The grader failed: `report` may be empty and no marks are meant.
    bool grader_error = false;
    std::string trouble;  ///< what went wrong then
    int attempts = 1;     ///< how often this very submission was graded
    double seconds = 0;   ///< by the clock, with unpacking
    grader::Report report;
};

/// "graded", "refused", "build-failed" or "grader-error".
std::string status_of(const Result& result);

void write_result(const ResultsDirectory& out, const Result& result);
/// @return nothing when there is none, or none that can be read.
std::optional<Result> read_result(const ResultsDirectory& out, const std::string& student);

}  // namespace fwts::classroom
