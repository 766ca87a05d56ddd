// SPDX-License-Identifier: GPL-2.0
// Clauses: every demand of the handout, tied to checks that look at it and to mutants that break
// it.
//
// A demand without a check is a demand that nobody has to meet; a check without a mutant is one
// that nobody has seen to notice anything.
#pragma once

#include <string>
#include <vector>

#include "lab.h"
#include "scenario.h"

namespace fwts::grader {

/// What is wrong with a lab's clauses, remarks and mutants: one sentence each, empty when nothing
/// is. Among them each piece of the handout's tasks that neither a clause nor a remark quotes.
/// @param handout  the text of handout.md, parameters not filled in.
std::vector<std::string> clause_mistakes(const Lab& lab, const Scenario& scenario,
                                         const std::string& handout);

/// Words with one blank between any two, none before and after.
std::string folded(const std::string& text);

}  // namespace fwts::grader
