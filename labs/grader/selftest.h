// SPDX-License-Identifier: GPL-2.0
// The grader graded: known submissions whose verdicts are known.
//
// A lab's subjects are its reference solution (full marks), correct solutions in another style
// (full marks, too), its skeleton (the stated floor), each mutant (exactly the checks named beside
// it), and one that does not compile. Hostile submissions (hostile/*.c, for lab 1) must end with a
// clear verdict, no more points than the skeleton, and neither a process nor a directory left.
#pragma once

#include <string>
#include <vector>

#include "grading.h"

namespace fwts::grader {

/// Names of a lab's subjects: "solution", "skeleton", "does-not-compile", "alternative-NAME", and
/// the mutants'.
std::vector<std::string> subjects(const Lab& lab);

/// What grading a subject gave, and where that differs from what it had to be.
struct SelfTest {
    std::string subject;
    Report report;
    std::vector<std::string> differences;  ///< one sentence each; empty when all is as stated
};

/// What a hostile submission comes to. Its subject is "hostile-NAME".
struct Hostile {
    const char* name;
    Stage stage;
    int earned;                   ///< what an honest one of its worth would get
    const char* words;            ///< a regular expression; somewhere in the report
    const char* never = nullptr;  ///< another one, which stands nowhere in it
};

const std::vector<Hostile>& hostile_submissions();

/// Writes its files to a new directory.
void make_hostile(const Hostile& one, const Places& places, const std::filesystem::path& out);

/// Grades one subject and compares.
/// @param request its submission is ignored. If it asks for some checks only, a mutant is compared
/// by these.
/// @throws std::runtime_error when there is no such subject.
SelfTest self_test(const Lab& lab, const Scenario& scenario, const Places& places,
                   const std::string& subject, Request request, const Watcher& watcher);

/// The checks that show what is wrong with a subject: those a mutant is to fail; of others all,
/// which is said by an empty list.
std::vector<std::string> telling_checks(const Lab& lab, const std::string& subject);

/// Compares a report with what a mutant's entry in lab.toml states of the checks that are in it.
std::vector<std::string> compare(const Report& report, const Mutant& mutant);

}  // namespace fwts::grader
