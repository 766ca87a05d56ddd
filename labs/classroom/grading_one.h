// SPDX-License-Identifier: GPL-2.0
// One submission: taken in, graded by a `grade` of its own, its result kept.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "grading.h"
#include "supervise.h"
#include "verdict.h"

namespace fwts::classroom {

/// What grading needs beside the class.
struct Tools {
    std::filesystem::path grade;  ///< the program
    grader::Places places;
    std::chrono::seconds timeout{
        1200};  ///< for one grading; what ends it is no fault of the student

    static Tools of_this_program();
};

/// What a result depends on beside the submission: grader, lab, driver, kernel, guest. One line
/// each, found anew in every run.
std::string describe_grader(const Tools& tools, const grader::Lab& lab);

/// sha256sum's word on a text. @throws std::runtime_error
std::string digest(const std::string& text);

/// The graded submission and whether that was done now.
struct Graded {
    Result result;
    bool kept = false;     ///< it was there already
    int asked_to_end = 0;  ///< a signal came: there is no result
};

/// Grades submission `index` of the class and writes its result, unless the same was graded before.
/// @param again grade it all the same.
Graded grade_one(const ResultsDirectory& out, const Roster& roster, std::size_t index,
                 const Tools& tools, const Signals& signals, bool again);

/// One line for people: "alice: 85 of 100 points, 21 s".
std::string summary(const Graded& graded);

}  // namespace fwts::classroom
