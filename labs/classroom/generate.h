// SPDX-License-Identifier: GPL-2.0
// A class for trials: submissions whose verdicts are known, in every form, honest and hostile.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "grading.h"

namespace fwts::classroom {

/// One generated student, and what grading must find.
struct Expected {
    std::string student;
    std::string kind;    ///< "reference", "skeleton", a mutant's name or a hostile one's
    std::string form;    ///< "directory", "zip", "repository"
    std::string status;  ///< "graded", "refused" or "build-failed"
    int at_least = 0;    ///< points
    int at_most = 0;
    bool hostile = false;
};

struct ClassPlan {
    std::size_t count = 30;
    std::size_t hostile = 10;       ///< of them
    std::vector<std::string> only;  ///< kinds, instead of count and hostile
};

/// The hostile kinds this lab has: what the door refuses, and what selftest.h has.
std::vector<std::string> hostile_kinds(const grader::Lab& lab);

/// Makes the class in a new directory.
/// @throws std::runtime_error when the directory is there, or a kind is unknown.
std::vector<Expected> generate_class(const grader::Lab& lab, const grader::Scenario& scenario,
                                     const grader::Places& places, const ClassPlan& plan,
                                     const std::filesystem::path& out);

/// For a file beside the class: student,kind,form,status,at_least,at_most.
std::string expected_csv(const std::vector<Expected>& expected);

/// Compares what was expected with grades.csv's content.
/// @return one sentence a difference.
std::vector<std::string> differences(const std::string& expected_csv,
                                     const std::string& grades_csv);

}  // namespace fwts::classroom
