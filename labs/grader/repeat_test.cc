// SPDX-License-Identifier: GPL-2.0
#include "repeat.h"

#include <gmock/gmock.h>

#include <cstdint>

namespace fwts::grader {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

CheckResult result(const std::string& id, Outcome outcome, int earned) {
    CheckResult check;
    check.id = id;
    check.points = 10;
    check.earned = earned;
    check.verdict.outcome = outcome;
    return check;
}

Report report(std::uint64_t seed, Outcome outcome, int earned) {
    Report report;
    report.seed = seed;
    report.checks = {result("steady", Outcome::pass, 10), result("luck", outcome, earned)};
    return report;
}

TEST(Repeated, EqualRunsDifferInNothing) {
    Repeated repeated;
    for (std::uint64_t seed = 1; seed <= 3; ++seed) repeated.add(report(seed, Outcome::fail, 0));
    EXPECT_EQ(repeated.runs(), 3U);
    EXPECT_THAT(repeated.differences(), IsEmpty());
}

TEST(Repeated, TheRareVerdictIsNamedWithItsSeeds) {
    Repeated repeated;
    repeated.add(report(4, Outcome::pass, 10));
    repeated.add(report(5, Outcome::fail, 0));
    repeated.add(report(6, Outcome::pass, 10));
    repeated.add(report(7, Outcome::pass, 10));
    repeated.add(report(8, Outcome::fail, 0));
    EXPECT_THAT(repeated.differences(),
                ElementsAre("check luck: pass 10/10 in 3 of 5 runs, fail 0/10 in 2 (seed 5, 8)"));
}

TEST(Repeated, PointsOfAFailedCheckCount) {
    Repeated repeated;
    repeated.add(report(1, Outcome::fail, 0));
    repeated.add(report(2, Outcome::fail, 4));
    repeated.add(report(3, Outcome::fail, 4));
    EXPECT_THAT(repeated.differences(),
                ElementsAre("check luck: fail 4/10 in 2 of 3 runs, fail 0/10 in 1 (seed 1)"));
}

TEST(Repeated, ARunWithoutVerdictsDiffers) {
    Repeated repeated;
    repeated.add(report(1, Outcome::pass, 10));
    repeated.add(report(2, Outcome::pass, 10));
    Report trouble;
    trouble.seed = 3;
    trouble.stage = Stage::error;
    repeated.add(trouble);
    EXPECT_THAT(repeated.differences(),
                ElementsAre("stage: graded in 2 of 3 runs, error in 1 (seed 3)",
                            "check steady: pass 10/10 in 2 of 3 runs, missing in 1",
                            "check luck: pass 10/10 in 2 of 3 runs, missing in 1"));
}

}  // namespace
}  // namespace fwts::grader
