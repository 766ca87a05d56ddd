// SPDX-License-Identifier: GPL-2.0
// Who may have copied from whom: the tokens of C that students wrote themselves, compared. A number
// is a reason to look, never a verdict.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "grading_one.h"

namespace fwts::classroom {

/// So much of one student's own code is also in another's.
struct Similar {
    std::string one;
    std::string other;
    int percent = 0;
};

/// What everybody was given, to be taken away from what was handed in.
class Given {
  public:
    /// @param texts C without comments.
    explicit Given(const std::vector<std::string>& texts);

    /// The lines of `text` that were not given: compared without regard to white space, and where a
    /// longer stretch was given, also without regard to names, numbers and ends of lines. What
    /// stands alone on its line and says nothing (braces, "else") goes with its neighbours.
    std::string own_lines(const std::string& text) const;

  private:
    std::unordered_set<std::string> lines_;  // without white space
    std::unordered_set<std::string> runs_;   // of tokens
};

/// C without its comments.
std::string without_comments(const std::string& text);

/// C without white space, one character for each token: another name, number or string changes
/// nothing, another keyword or operator does.
std::string tokens_of(const std::string& code);

/// Per cent of the tokens of `one` that lie in a run of twenty or more which `other` has too.
int percent_shared(const std::string& one, const std::string& other);

/// Takes away what the skeleton handed out and what the book prints, compares the rest, and writes
/// similarity/similarity.csv and similarity/own-code/STUDENT.c below the results.
/// @return pairs with `threshold` percent or more, the most similar first.
std::vector<Similar> find_similar(const ResultsDirectory& out, const Roster& roster,
                                  const Tools& tools, int threshold);

}  // namespace fwts::classroom
