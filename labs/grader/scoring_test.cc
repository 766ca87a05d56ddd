// SPDX-License-Identifier: GPL-2.0
#include "scoring.h"

#include <gmock/gmock.h>

#include "expect.h"
#include "selftest.h"

namespace fwts::grader {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Scenario three_checks() {
    Scenario scenario("99-test");
    scenario.check_points(10, "first").id("a").hint("h").book("b").run([](Testbed&) {});
    scenario.check_points(20, "second").id("b").after("a").hint("h").book("b").run([](Testbed&) {});
    scenario.check_points(30, "third").id("c").hint("h").book("b").run([](Testbed&) {});
    return scenario;
}

Verdict verdict(Outcome outcome) {
    Verdict result;
    result.outcome = outcome;
    return result;
}

std::vector<Outcome> outcomes(const std::vector<CheckResult>& results) {
    std::vector<Outcome> all;
    for (const auto& result : results) all.push_back(result.verdict.outcome);
    return all;
}

int sum(const std::vector<CheckResult>& results) {
    Report report;
    report.checks = results;
    return report.earned();
}

std::vector<std::string> ids(const Scenario& scenario) {
    std::vector<std::string> all;
    for (const auto& check : scenario.checks()) all.push_back(check.id);
    return all;
}

TEST(Scenario, PartOfItKeepsWhatItsChecksNeed) {
    const Scenario all = three_checks();
    EXPECT_THAT(ids(all.only({})), ElementsAre("a", "b", "c"));
    EXPECT_THAT(ids(all.only({"c"})), ElementsAre("c"));
    EXPECT_THAT(ids(all.only({"b"})), ElementsAre("a", "b"));
    EXPECT_THAT(ids(all.only({"c", "a"})), ElementsAre("a", "c"));
    EXPECT_THROW(all.only({"d"}), std::runtime_error);
}

TEST(SelfTest, AMutantIsComparedByTheChecksThatWereTried) {
    Mutant mutant;
    mutant.fails = {"a"};
    mutant.blocked = {"b"};
    Report report;
    report.checks = run_checks(three_checks().only({"a"}).checks(),
                               [](const Check&) { return verdict(Outcome::fail); });
    EXPECT_THAT(compare(report, mutant), IsEmpty());
    report.checks = run_checks(three_checks().only({"b"}).checks(),
                               [](const Check&) { return verdict(Outcome::fail); });
    EXPECT_THAT(compare(report, mutant), IsEmpty());
    mutant.blocked.clear();
    EXPECT_THAT(compare(report, mutant), ElementsAre(HasSubstr("blocked")));
}

TEST(Scoring, AllPassedEarnsEverything) {
    const auto results =
        run_checks(three_checks().checks(), [](const Check&) { return verdict(Outcome::pass); });
    EXPECT_EQ(sum(results), 60);
}

TEST(Scoring, ACheckWhoseDependencyFailedIsBlockedAndNotTried) {
    std::vector<std::string> tried;
    const auto results = run_checks(three_checks().checks(), [&](const Check& check) {
        tried.push_back(check.id);
        return verdict(check.id == "a" ? Outcome::fail : Outcome::pass);
    });
    EXPECT_THAT(tried, ElementsAre("a", "c"));
    EXPECT_THAT(outcomes(results), ElementsAre(Outcome::fail, Outcome::blocked, Outcome::pass));
    EXPECT_THAT(results[1].verdict.what, HasSubstr("needs a"));
    EXPECT_EQ(sum(results), 30);
}

TEST(Scoring, ABlockedDependencyBlocksInTurn) {
    Scenario scenario = three_checks();
    scenario.check_points(5, "fourth").id("d").after("b").hint("h").book("b").run([](Testbed&) {});
    const auto results = run_checks(scenario.checks(), [](const Check& check) {
        return verdict(check.id == "a" ? Outcome::fail : Outcome::pass);
    });
    EXPECT_EQ(results[3].verdict.outcome, Outcome::blocked);
}

TEST(Scoring, ALostGuestBlocksEverythingAfterIt) {
    const auto results = run_checks(three_checks().checks(), [](const Check&) {
        Verdict lost = verdict(Outcome::fail);
        lost.guest_lost = true;
        return lost;
    });
    EXPECT_THAT(outcomes(results), ElementsAre(Outcome::fail, Outcome::blocked, Outcome::blocked));
    EXPECT_THAT(results[2].verdict.what, HasSubstr("lost in check a"));
}

TEST(Scoring, PartialCreditStaysWithinTheChecksPoints) {
    const auto results = run_checks(three_checks().checks(), [](const Check& check) {
        Verdict part = verdict(Outcome::fail);
        part.partial = check.id == "a" ? 4 : 1000;
        return part;
    });
    EXPECT_EQ(results[0].earned, 4);
    EXPECT_EQ(results[2].earned, 30);
}

TEST(Scoring, AnErrorOfTheGraderEarnsNothing) {
    const auto results = run_checks(three_checks().checks(), [](const Check&) {
        Verdict error = verdict(Outcome::error);
        error.partial = 10;
        return error;
    });
    EXPECT_EQ(sum(results), 0);
}

TEST(Scoring, BlockAllNamesTheReasonAndEarnsNothing) {
    const auto results = block_all(three_checks().checks(), "it does not compile");
    EXPECT_EQ(results.size(), 3U);
    EXPECT_EQ(results[2].verdict.what, "it does not compile");
    EXPECT_EQ(sum(results), 0);
}

TEST(Scenario, ASoundOneHasNoMistakes) {
    EXPECT_TRUE(three_checks().mistakes().empty());
}

TEST(Scenario, TellsItsAuthorWhatIsWrong) {
    Scenario scenario("99-test");
    scenario.check_points(10, "first").id("a").after("z");
    scenario.check_points(0, "again").id("a").hint("h").book("b").run([](Testbed&) {});
    EXPECT_THAT(
        scenario.mistakes(),
        ElementsAre(HasSubstr("not an earlier check"), HasSubstr("no run"), HasSubstr("no hint"),
                    HasSubstr("no link"), HasSubstr("name of another"), HasSubstr("no points")));
}

TEST(Expect, FailureCarriesBothSides) {
    try {
        expect_register("CTRL", 0x40, 0x4000040);
        FAIL() << "did not throw";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.verdict().expected, "0x00000040");
        EXPECT_EQ(failure.verdict().seen, "0x04000040");
        EXPECT_EQ(failure.verdict().outcome, Outcome::fail);
    }
}

TEST(Credit, KeepsWhatHeldAndTellsWhatDidNot) {
    Credit credit;
    credit.part(7, [] {});
    credit.part(5, [] { expect_equal("permanent address", 1, 2); });
    credit.part(3, [] { expect_equal("type", 3, 4); });
    try {
        credit.done();
        FAIL() << "did not throw";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.verdict().partial, 7);
        EXPECT_EQ(failure.verdict().what, "permanent address");
        EXPECT_THAT(failure.verdict().evidence, ElementsAre("also: type: expected 3, seen 4"));
    }
}

TEST(Credit, AllPartsHeldIsAPass) {
    Credit credit;
    credit.part(7, [] {});
    EXPECT_NO_THROW(credit.done());
}

TEST(Expect, HexdumpMarksTheBytesThatDiffer) {
    EXPECT_EQ(hexdump("AB", "AC"), "2 bytes\n0000  41 [42]");
    EXPECT_EQ(hexdump("A", ""), "1 bytes\n0000 [41]");
}

}  // namespace
}  // namespace fwts::grader
