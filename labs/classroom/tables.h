// SPDX-License-Identifier: GPL-2.0
// The class's tables, and every file made from the results.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "roster.h"
#include "verdict.h"

namespace fwts::classroom {

/// One line a student: status, points, points of each check, what it cost.
/// @param missing students without a result; they get a line, too.
std::string grades_csv(const std::vector<Result>& results, const std::vector<std::string>& missing);

/// One line a student: seconds by the clock and of processor for each part of the work.
std::string times_csv(const std::vector<Result>& results);

/// What became of the class.
struct Collected {
    std::vector<Result> results;       ///< in the class's order
    std::vector<std::string> missing;  ///< students not graded yet
    std::size_t grader_errors = 0;
    bool complete() const { return missing.empty() && grader_errors == 0; }
};

/// Reads all results of this list (those of an earlier one are missing) and writes grades.csv,
/// times.csv, junit.xml, class.ktap and, for each student, feedback.md, feedback.html and
/// gradescope.json (not when the grader failed).
Collected collect(const ResultsDirectory& out, const Roster& roster, const std::string& book_url);

/// For people: how many of what, and what it took.
void print_summary(const Collected& collected, std::ostream& out);

}  // namespace fwts::classroom
