// SPDX-License-Identifier: GPL-2.0
#include "report.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace fwts::grader {
namespace {

using testing::HasSubstr;
using testing::Not;

Report sample() {
    Report report;
    report.lab = "01-registration";
    report.title = "Registration";
    report.submission = "some/dir";
    report.seed = 7;
    report.kernel = "6.12.1";
    CheckResult good;
    good.id = "loads";
    good.title = "it loads";
    good.points = good.earned = 5;
    good.hint = "not shown when all is well";
    CheckResult bad;
    bad.id = "mac";
    bad.title = "it has its address";
    bad.points = 15;
    bad.depends = {"loads"};
    bad.hint = "read RAL0";
    bad.book = "cov-c9";
    bad.link = "chapters/01-registration.html#cov-c9";
    bad.verdict.outcome = Outcome::fail;
    bad.verdict.what = "the address";
    bad.verdict.expected = "02:00:00:00:00:07";
    bad.verdict.seen = "\x1b[31mred";
    bad.verdict.evidence = {"line \xff one"};
    report.checks = {good, bad};
    report.costs = {{"boot", std::chrono::milliseconds(1500), std::chrono::milliseconds(700)}};
    return report;
}

std::string terminal(const Report& report, bool verbose = false) {
    std::ostringstream out;
    TerminalWriter({false, verbose, "book"}).write(report, out);
    return out.str();
}

TEST(TerminalWriter, ShowsPointsExpectedSeenHintAndBook) {
    const auto text = terminal(sample());
    EXPECT_THAT(text, HasSubstr("  5/5   pass    loads: it loads"));
    EXPECT_THAT(text, HasSubstr("  0/15  fail    mac"));
    EXPECT_THAT(text, HasSubstr("expected: 02:00:00:00:00:07"));
    EXPECT_THAT(text, HasSubstr("hint: read RAL0"));
    EXPECT_THAT(text, HasSubstr("book: book/chapters/01-registration.html#cov-c9"));
    EXPECT_THAT(text, HasSubstr("5 of 20 points"));
    EXPECT_THAT(text, Not(HasSubstr("not shown when all is well")));
}

TEST(TerminalWriter, ValuesOfSeveralLinesStandSideBySide) {
    Report report = sample();
    report.checks[1].verdict.expected = "2 bytes\n0000  41 [42]";
    report.checks[1].verdict.seen = "1 bytes\n0000  41 ";
    EXPECT_THAT(terminal(report), HasSubstr("          expected       | seen\n"
                                            "          2 bytes        | 1 bytes\n"
                                            "          0000  41 [42]  | 0000  41 \n"));
}

TEST(TerminalWriter, TextFromTheGuestCannotSteerTheTerminal) {
    EXPECT_THAT(terminal(sample()), Not(HasSubstr("\x1b")));
}

TEST(TerminalWriter, VerboseSaysWhatEachPartCost) {
    EXPECT_THAT(terminal(sample(), true), HasSubstr("1.50 s"));
    EXPECT_THAT(terminal(sample()), Not(HasSubstr("1.50 s")));
}

TEST(TerminalWriter, ABuildThatFailedShowsTheCompilersWordsNotTheChecks) {
    Report report = sample();
    report.stage = Stage::build_failed;
    report.message = "it does not compile";
    report.details = {"igbook_main.c:12:3: error: expected ';'"};
    const auto text = terminal(report);
    EXPECT_THAT(text, HasSubstr("build-failed: it does not compile"));
    EXPECT_THAT(text, HasSubstr("igbook_main.c:12:3"));
    EXPECT_THAT(text, Not(HasSubstr("it has its address")));
}

TEST(TerminalWriter, AFailureOfTheGraderShowsNoMarks) {
    Report report = sample();
    report.stage = Stage::error;
    report.message = "guest did not reach the agent in 180 s";
    const auto text = terminal(report);
    EXPECT_THAT(text, HasSubstr("error: guest did not reach the agent"));
    EXPECT_THAT(text, HasSubstr("No marks: the grader itself failed"));
    EXPECT_THAT(text, Not(HasSubstr("of 20 points")));
}

TEST(JsonWriter, SchemaIsStable) {
    std::ostringstream out;
    JsonWriter().write(sample(), out);
    const auto json = nlohmann::ordered_json::parse(out.str());
    std::string keys;
    for (const auto& [key, value] : json.items()) keys += key + " ";
    EXPECT_EQ(
        keys,
        "schema lab title submission seed kernel stage message details ignored warnings earned "
        "points checks costs ");
    std::string check_keys;
    for (const auto& [key, value] : json["checks"][1].items()) check_keys += key + " ";
    EXPECT_EQ(
        check_keys,
        "id title outcome earned points depends what expected seen evidence hint book link ms "
        "cpu_ms ");
    EXPECT_EQ(json["schema"], "fwts-grade/1");
    EXPECT_EQ(json["stage"], "graded");
    EXPECT_EQ(json["earned"], 5);
    EXPECT_EQ(json["points"], 20);
    EXPECT_EQ(json["checks"][1]["outcome"], "fail");
    EXPECT_EQ(json["costs"][0]["ms"], 1500);
    EXPECT_EQ(json["costs"][0]["cpu_ms"], 700);
}

TEST(JsonWriter, BytesThatAreNoTextDoNotStopIt) {
    std::ostringstream out;
    JsonWriter().write(sample(), out);
    EXPECT_TRUE(nlohmann::json::accept(out.str()));
}

}  // namespace
}  // namespace fwts::grader
