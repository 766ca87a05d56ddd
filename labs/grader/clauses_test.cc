// SPDX-License-Identifier: GPL-2.0
#include "clauses.h"

#include <gmock/gmock.h>

namespace fwts::grader {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* handout =
    "# Lab\n\nBefore it: nobody quotes this.\n\n## Tasks\n\n"
    "1. **Sizes.** (`a.c`, `size` and `check`) From 1 to 8, in\n   steps of @ring_step@. Mind the "
    "step.\n"
    "2. **Order** (`b.c`). First in,\n   first out.\n\n"
    "## How it is graded\n\nNobody quotes this either.\n";

Mutant mutant(const std::string& name, std::vector<std::string> fails, bool soak = false) {
    Mutant one;
    one.name = name;
    one.fails = std::move(fails);
    one.soak = soak;
    return one;
}

/// A lab without a mistake, for a test to spoil.
class Clauses : public testing::Test {
  protected:
    Clauses() {
        lab_.mutants = {mutant("rounds", {"limits"}), mutant("shuffles", {"order"}),
                        mutant("dies", {"loads"})};
        lab_.clauses = {
            {"steps", {"From 1 to 8", "in steps of @ring_step@"}, {"limits"}, {"rounds"}},
            {"order", {"First in, first out"}, {"order"}, {"shuffles"}}};
        lab_.remarks = {"Mind the step."};
        lab_.general = {"loads"};
        for (const char* id : {"loads", "limits", "order"}) scenario_.check_points(1, id).id(id);
    }
    std::vector<std::string> mistakes() const { return clause_mistakes(lab_, scenario_, handout_); }
    Lab lab_;
    Scenario scenario_{"99-test"};
    std::string handout_ = handout;
};

TEST_F(Clauses, SoundOnesHaveNoMistakes) {
    EXPECT_THAT(mistakes(), IsEmpty());
}

TEST_F(Clauses, NoneAtAllIsAMistake) {
    lab_.clauses.clear();
    EXPECT_THAT(mistakes(), Contains(HasSubstr("there is no [[clause]]")));
}

TEST_F(Clauses, WordsMustStandInTheHandout) {
    lab_.clauses[0].says.push_back("in steps of 8");
    lab_.remarks.push_back("Mind the gap.");
    EXPECT_THAT(mistakes(),
                ElementsAre("clause steps: \"in steps of 8\" does not stand in handout.md",
                            "remarks: \"Mind the gap.\" does not stand in handout.md"));
}

TEST_F(Clauses, EachNeedsWordsCheckAndMutant) {
    lab_.clauses.push_back({"empty", {}, {}, {}});
    EXPECT_THAT(mistakes(), ElementsAre("clause empty: quotes no words of handout.md",
                                        "clause empty: no check looks at it",
                                        "clause empty: no mutant breaks it"));
}

TEST_F(Clauses, UnknownNamesAreMistakes) {
    lab_.clauses[0].checks.push_back("speed");
    lab_.clauses[0].mutants.push_back("slow");
    lab_.general.push_back("shine");
    lab_.mutants[0].blocked.push_back("later");
    EXPECT_THAT(mistakes(), ElementsAre("clause steps: there is no check \"speed\"",
                                        "clause steps: there is no mutant \"slow\"",
                                        "general: there is no check \"shine\"",
                                        "mutant rounds: there is no check \"later\""));
}

TEST_F(Clauses, NamesAreGivenOnce) {
    lab_.mutants.push_back(mutant("rounds", {"limits"}));
    lab_.clauses.push_back(lab_.clauses[1]);
    EXPECT_THAT(mistakes(), ElementsAre("there is more than one clause \"order\"",
                                        "there is more than one mutant \"rounds\""));
}

TEST_F(Clauses, AMutantFailsACheckOfItsClause) {
    lab_.clauses[0].mutants.push_back("shuffles");
    EXPECT_THAT(
        mistakes(),
        ElementsAre("clause steps: mutant shuffles fails none of its checks; it fails: order"));
}

TEST_F(Clauses, NoCheckAndNoMutantIsLeftOver) {
    lab_.mutants.push_back(mutant("lonely", {"limits"}));
    lab_.general.clear();
    EXPECT_THAT(mistakes(),
                ElementsAre("mutant dies: no clause names it", "mutant lonely: no clause names it",
                            "check loads: no clause names it"));
}

TEST_F(Clauses, WhatIsGeneralBelongsToNoClause) {
    lab_.general.push_back("order");
    EXPECT_THAT(mistakes(), ElementsAre(HasSubstr("general: check order belongs to a clause")));
}

TEST_F(Clauses, EveryCheckHasAMutantThatIsTriedEachTime) {
    lab_.mutants[0].soak = true;
    lab_.mutants.pop_back();
    EXPECT_THAT(
        mistakes(),
        ElementsAre("check loads: no mutant fails it",
                    "check limits: every mutant that fails it has soak = true; leave one without"));
}

TEST_F(Clauses, NoDemandIsForgotten) {
    lab_.clauses[0].says = {"From 1 to 8"};
    lab_.remarks.clear();
    EXPECT_THAT(mistakes(),
                ElementsAre("handout.md: neither a clause nor a remark quotes \", in steps of "
                            "@ring_step@. Mind the step.\""));
}

TEST_F(Clauses, TheTasksMustBeFound) {
    handout_ = "First in, first out. From 1 to 8, in steps of @ring_step@. Mind the step.";
    EXPECT_THAT(mistakes(), ElementsAre(HasSubstr("there are no headings \"## Tasks\"")));
}

}  // namespace
}  // namespace fwts::grader
