// SPDX-License-Identifier: GPL-2.0
#include "verdicts.h"

#include <gmock/gmock.h>

namespace fwts::conformance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<Case> heard(std::initializer_list<const char*> lines) {
    Listener listener;
    for (const auto* line : lines) listener.hear(line);
    return listener.cases();
}

TEST(Verdicts, KtapSaysEachCase) {
    EXPECT_THAT(
        heard({"@ begin stats", "KTAP version 1", "1..3", "# Check| something",
               "not ok 1 stats.check_pause",
               "ok 2 stats.check_fec # XFAIL FEC not supported by the device",
               "ok 3 stats.check_down # SKIP qstats not supported", "@ end stats 0"}),
        ElementsAre(Case{"stats", "stats.check_pause", Verdict::fail, ""},
                    Case{"stats", "stats.check_fec", Verdict::expected_fail,
                         "XFAIL FEC not supported by the device"},
                    Case{"stats", "stats.check_down", Verdict::skip, "SKIP qstats not supported"}));
}

TEST(Verdicts, ShellTestsSayItAtTheEndOfALine) {
    EXPECT_THAT(heard({"@ begin loopback",
                       "TEST: SKIP: dev eut0 does not support loopback feature   [ OK ]",
                       "TEST: force speed 10 on both ends     [FAIL]", "\terror in configuration",
                       "TEST: again  [ OK ]", "TEST: again  [ OK ]", "@ end loopback 1"}),
                ElementsAre(Case{"loopback", "SKIP: dev eut0 does not support loopback feature",
                                 Verdict::skip, ""},
                            Case{"loopback", "force speed 10 on both ends", Verdict::fail, ""},
                            Case{"loopback", "again", Verdict::pass, ""},
                            Case{"loopback", "again (2)", Verdict::pass, ""}));
}

TEST(Verdicts, AStatusSpeaksForATestThatSaysNothing) {
    EXPECT_THAT(
        heard({"@ begin a", "@ end a 0", "@ begin b", "no clock", "@ end b 4", "@ begin c", "bad",
               "@ end c 1"}),
        ElementsAre(Case{"a", "a", Verdict::pass, ""}, Case{"b", "b", Verdict::skip, "no clock"},
                    Case{"c", "c", Verdict::fail, "status 1: bad"}));
}

TEST(Verdicts, ATestThatFailsAfterGoodCasesHasFailed) {
    EXPECT_THAT(heard({"@ begin a", "PASS: eth0: set interface up", "@ end a 124"}),
                ElementsAre(Case{"a", "eth0: set interface up", Verdict::pass, ""},
                            Case{"a", "a", Verdict::fail, "ran into its limit"}));
}

TEST(Verdicts, InWhichStateAFeatureBeginsIsNotTheTest) {
    for (const auto* state : {"on", "off"})
        EXPECT_THAT(
            heard({"@ begin a",
                   (std::string("PASS: eth0: Restore feature tx-udp-segmentation to "
                                "initial state ") +
                    state)
                       .c_str(),
                   "PASS: eth0: Turned on", "@ end a 0"}),
            ElementsAre(Case{"a", "eth0: Restore feature tx-udp-segmentation to initial state",
                             Verdict::pass, ""},
                        Case{"a", "eth0: Turned on", Verdict::pass, ""}));
}

TEST(Verdicts, BeforeAndBetweenTestsNothingCounts) {
    Listener listener;
    for (const auto* line :
         {"ok 1 stray", "@ begin a", "ok 1 a.b", "@ end a 0", "ok 2 stray", "@ complaint BUG: x"})
        listener.hear(line);
    EXPECT_THAT(listener.cases(), ElementsAre(Case{"a", "a.b", Verdict::pass, ""}));
    EXPECT_THAT(listener.complaints(), ElementsAre("BUG: x"));
    EXPECT_FALSE(listener.done());
    listener.hear("@ done");
    EXPECT_TRUE(listener.done());
}

TEST(Verdicts, ATossThatFallsWellOnceIsNoFault) {
    std::vector<Case> cases = {{"t", "a", Verdict::fail, "no link"},
                               {"t", "b", Verdict::pass, ""},
                               {"t", "c", Verdict::fail, ""}};
    const std::vector<Case> again = {{"t", "a", Verdict::pass, ""},
                                     {"t", "b", Verdict::fail, ""},
                                     {"t", "c", Verdict::skip, ""},
                                     {"t", "d", Verdict::pass, ""}};
    EXPECT_EQ(take_better(cases, again), 2U);
    EXPECT_THAT(
        cases,
        ElementsAre(Case{"t", "a", Verdict::pass, "no link"}, Case{"t", "b", Verdict::pass, ""},
                    Case{"t", "c", Verdict::fail, ""}, Case{"t", "d", Verdict::pass, ""}));
    EXPECT_EQ(take_better(cases, again), 0U);

    cases = {{"t", "a", Verdict::pass, ""}, {"t", "t", Verdict::fail, "ran into its limit"}};
    EXPECT_EQ(take_better(cases, {{"t", "a", Verdict::pass, ""}}), 0U);
    EXPECT_THAT(cases, ElementsAre(Case{"t", "a", Verdict::pass, ""}));
}

TEST(Verdicts, BehindIsWhatOnlyTheStandardPasses) {
    const std::vector<Case> standard = {{"t", "a", Verdict::pass, ""},
                                        {"t", "b", Verdict::pass, ""},
                                        {"t", "c", Verdict::fail, ""},
                                        {"t", "d", Verdict::pass, ""}};
    std::vector<Case> tried = {{"t", "a", Verdict::pass, ""},
                               {"t", "b", Verdict::skip, "no"},
                               {"t", "c", Verdict::fail, ""}};
    auto comparison = compare(standard, tried);
    EXPECT_THAT(comparison.behind, ElementsAre(Case{"t", "b", Verdict::skip, "no"}));
    EXPECT_THAT(comparison.absent, ElementsAre(Case{"t", "d", Verdict::fail, "not tried"}));
    EXPECT_THAT(compare(tried, standard).behind, IsEmpty());

    // A test that was ended has not come to the rest.
    tried.push_back({"t", "t", Verdict::fail, "ran into its limit"});
    comparison = compare(standard, tried);
    EXPECT_THAT(comparison.behind, ElementsAre(Case{"t", "b", Verdict::skip, "no"},
                                               Case{"t", "d", Verdict::fail, "not tried"}));
    EXPECT_THAT(comparison.absent, IsEmpty());
}

}  // namespace
}  // namespace fwts::conformance
