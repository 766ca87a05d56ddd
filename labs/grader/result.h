// SPDX-License-Identifier: GPL-2.0
// The result model: what grading one submission found out.
//
// Plain data, filled by scoring.h and grading.h and read by the report writers. Nothing here knows
// about guests, files or terminals, so a new report format needs this header only.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace fwts::grader {

/// How one check ended.
enum class Outcome {
    pass,     ///< what was demanded was seen
    fail,     ///< something else was seen; the submission is at fault
    blocked,  ///< not tried: a check it depends on did not pass, or the guest was already lost
    error     ///< the grader itself could not decide; earns nothing and needs an instructor
};

/// @return the outcome's word as it appears in every report ("pass", "fail", "blocked", "error").
const char* to_string(Outcome outcome);

/// What a check found. `expected` and `seen` stand side by side in the reports.
struct Verdict {
    Outcome outcome = Outcome::pass;
    std::string what;      ///< one sentence: the thing that was looked at, or why it is blocked
    std::string expected;  ///< empty when there is nothing to compare
    std::string seen;
    std::vector<std::string> evidence;  ///< kernel log, backtrace, compiler output
    /// The guest is gone (panic, hang, reboot): no later check can run.
    bool guest_lost = false;
    /// Points earned although the check failed; for checks that give credit in parts.
    int partial = 0;
};

/// One line of the report: the check as the lab sheet states it, and its verdict.
struct CheckResult {
    std::string id;
    std::string title;
    int points = 0;
    int earned = 0;
    std::vector<std::string> depends;
    std::string hint;  ///< for the student, shown when the check did not pass
    std::string book;  ///< label of the section of the book that explains it
    std::string link;  ///< page and section below the book's address: "chapters/x.html#label"
    Verdict verdict;
    std::chrono::milliseconds time{0};
    std::chrono::milliseconds cpu{0};  ///< processor time of guest, compiler and grader together
};

/// How far grading came.
enum class Stage {
    refused,       ///< the submission was not accepted (intake.h)
    build_failed,  ///< it does not compile
    graded,        ///< every check has a verdict of the submission's own making
    error          ///< the grader failed; the marks mean nothing
};

/// @return "refused", "build-failed", "graded" or "error".
const char* to_string(Stage stage);

/// What one part of the work cost, for --verbose and for keeping grading quick.
struct Cost {
    std::string part;
    std::chrono::milliseconds time{0};
    std::chrono::milliseconds cpu{0};  ///< processor time of guest, compiler and grader together
};

/// Everything known about one graded submission.
struct Report {
    std::string lab;         ///< "01-registration"
    std::string title;       ///< "Registration"
    std::string submission;  ///< the directory as it was named
    std::uint64_t seed = 0;
    std::string kernel;  ///< release of the guest's kernel, empty when it never booted
    Stage stage = Stage::graded;
    std::string message;                ///< why it was refused, did not build or went wrong
    std::vector<std::string> details;   ///< one line each: refusals or compiler messages
    std::vector<std::string> ignored;   ///< what of the submission was left out (intake.h)
    std::vector<std::string> warnings;  ///< compiler warnings of a build that succeeded
    std::vector<CheckResult> checks;
    std::vector<Cost> costs;

    int earned() const;    ///< points earned in all
    int possible() const;  ///< points the lab gives in all
    /// A sentence that names what was left out of the submission, or nothing.
    std::string left_out() const;
    bool full_marks() const { return stage == Stage::graded && earned() == possible(); }
};

}  // namespace fwts::grader
