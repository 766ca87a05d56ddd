// SPDX-License-Identifier: GPL-2.0
#include <gmock/gmock.h>

#include <set>
#include <sstream>

#include "escape.h"
#include "exchange.h"
#include "feedback.h"
#include "similarity.h"
#include "tables.h"

namespace fwts::classroom {
namespace {

using grader::CheckResult;
using grader::Outcome;
using grader::Report;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

CheckResult check(const std::string& id, Outcome outcome, int earned, int points) {
    CheckResult result;
    result.id = id;
    result.title = "it does " + id;
    result.earned = earned;
    result.points = points;
    result.hint = "look at RAL0";
    result.book = "cov-c9";
    result.link = "chapters/01.html#cov-c9";
    result.verdict.outcome = outcome;
    return result;
}

Report report() {
    Report it;
    it.lab = "01-registration";
    it.title = "Registration";
    it.submission = "dora";
    it.seed = 7;
    it.kernel = "6.12";
    it.checks = {check("loads", Outcome::pass, 5, 5), check("mac", Outcome::fail, 2, 15),
                 check("filter", Outcome::blocked, 0, 5)};
    it.checks[1].verdict.what = "address of <script>alert(1)</script>";
    it.checks[1].verdict.expected = "52:54\n00";
    it.checks[1].verdict.seen = "```\n# you win\n\x1b[2J";
    it.costs = {{"all together", std::chrono::milliseconds(1500), std::chrono::milliseconds(900)}};
    return it;
}

Result result_of(const Report& it, const std::string& student) {
    Result result;
    result.student = student;
    result.report = it;
    return result;
}

template <typename Writer>
std::string written(const Report& it) {
    std::ostringstream out;
    Writer("https://book").write(it, out);
    return out.str();
}

TEST(Text, ASpreadsheetStartsNothing) {
    EXPECT_EQ(csv_field("=cmd|'/c calc'!A1"), "'=cmd|'/c calc'!A1");
    EXPECT_EQ(csv_field("+1"), "'+1");
    EXPECT_EQ(csv_field("O\"Neil, Tip"), "\"O\"\"Neil, Tip\"");
    EXPECT_EQ(csv_field("plain"), "plain");
}

TEST(Text, MarkupIsText) {
    EXPECT_EQ(escaped("<a href='x'>&"), "&lt;a href=&#39;x&#39;&gt;&amp;");
    EXPECT_EQ(escaped_markdown("[a](b) `c`\n# d"), "\\[a\\]\\(b\\) \\`c\\` \\# d");
    EXPECT_EQ(plain("a\x1b[31m\xff\n"), "a\\x1B[31m\\xFF\n");
    EXPECT_EQ(code_block("one\n```\n"), "    one\n    ```\n");
}

TEST(Feedback, MarkdownHasTheHintItsLinkAndNothingOfTheStrangers) {
    const auto page = written<MarkdownWriter>(report());
    EXPECT_THAT(page, HasSubstr("# Lab Registration: 7 of 25 points"));
    EXPECT_THAT(page, HasSubstr("Hint: look at RAL0"));
    EXPECT_THAT(page, HasSubstr("(https://book/chapters/01.html#cov-c9)"));
    EXPECT_THAT(page, HasSubstr("    # you win"));
    EXPECT_THAT(page, Not(HasSubstr("\n# you win")));
    EXPECT_THAT(page, Not(HasSubstr("<script>")));
    EXPECT_THAT(page, Not(HasSubstr("\x1b")));
}

TEST(Feedback, HtmlRunsNothing) {
    const auto page = written<HtmlWriter>(report());
    EXPECT_THAT(page, HasSubstr("default-src 'none'"));
    EXPECT_THAT(page, HasSubstr("&lt;script&gt;"));
    EXPECT_THAT(page, Not(HasSubstr("<script")));
    EXPECT_THAT(page, HasSubstr("href=\"https://book/chapters/01.html#cov-c9\""));
}

TEST(Gradescope, PointsAddUp) {
    const auto json = nlohmann::json::parse(written<GradescopeWriter>(report()));
    EXPECT_EQ(json.at("score"), 7);
    EXPECT_EQ(json.at("tests").size(), 3U);
    double score = 0;
    double all = 0;
    for (const auto& test : json.at("tests")) {
        score += test.at("score").get<double>();
        all += test.at("max_score").get<double>();
        EXPECT_THAT(test.at("status").get<std::string>(), testing::AnyOf("passed", "failed"));
    }
    EXPECT_EQ(score, 7);
    EXPECT_EQ(all, 25);
    EXPECT_THAT(json.at("tests")[1].at("output").get<std::string>(),
                HasSubstr("hint: look at RAL0"));
}

TEST(Gradescope, TheGradersFailureGivesNoMarks) {
    auto it = report();
    it.stage = grader::Stage::error;
    EXPECT_THROW(written<GradescopeWriter>(it), std::runtime_error);
    EXPECT_THROW(written<GithubWriter>(it), std::runtime_error);
}

TEST(Github, OneLineOfBase64) {
    const auto line = written<GithubWriter>(report());
    EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(Junit, CountsWhatIsThere) {
    const auto xml = junit({result_of(report(), "dora <x>")}, "https://book");
    EXPECT_THAT(xml, HasSubstr("tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\""));
    EXPECT_THAT(xml, HasSubstr("name=\"dora &lt;x&gt;\""));
    Result failed;
    failed.student = "rita";
    failed.grader_error = true;
    failed.trouble = "no room";
    EXPECT_THAT(junit({failed}, ""), HasSubstr("<error message=\"no room\"/>"));
}

TEST(Ktap, IsNested) {
    EXPECT_EQ(ktap({result_of(report(), "dora")}),
              "KTAP version 1\n1..1\n  KTAP version 1\n  1..3\n  ok 1 loads\n  not ok 2 mac\n"
              "  ok 3 filter # SKIP \nnot ok 1 dora\n");
}

TEST(Tables, AGraderErrorHasNoPoints) {
    Result failed;
    failed.student = "rita";
    failed.grader_error = true;
    failed.trouble = "no room";
    failed.attempts = 2;
    const auto csv = grades_csv({result_of(report(), "dora"), failed}, {"zoe"});
    EXPECT_THAT(csv, HasSubstr("student,status,points,possible,loads,mac,filter,seconds"));
    EXPECT_THAT(csv, HasSubstr("dora,graded,7,25,5,2,0,0.0,0.9,1,7,\n"));
    EXPECT_THAT(csv, HasSubstr("rita,grader-error,,,,,,0.0,0.0,2,0,no room\n"));
    EXPECT_THAT(csv, HasSubstr("zoe,not-graded,,"));
}

TEST(Tables, ARefusalSaysWhyWhateverItsFirstLineIs) {
    auto it = report();
    it.stage = grader::Stage::build_failed;
    it.message = "it does not compile";
    it.details = {"", " ", "igbook_main.c:1:1: error: no", "more"};
    EXPECT_THAT(grades_csv({result_of(it, "dora")}, {}),
                HasSubstr("it does not compile: igbook_main.c:1:1: error: no\n"));
}

TEST(Feedback, SaysWhatWasLeftOut) {
    auto it = report();
    it.ignored = {"__MACOSX/", "<b>.txt"};
    EXPECT_THAT(written<MarkdownWriter>(it), HasSubstr("\\_\\_MACOSX/, \\<b\\>.txt"));
    EXPECT_THAT(written<HtmlWriter>(it), HasSubstr("__MACOSX/, &lt;b&gt;.txt"));
    const auto json = nlohmann::json::parse(written<GradescopeWriter>(it));
    EXPECT_THAT(json.at("output").get<std::string>(), HasSubstr("__MACOSX/, <b>.txt"));
}

TEST(OwnLines, WhatWasHandedOutIsLeftOut) {
    const std::string given = "int f(void)\n{\n\treturn 0;\n}\n";
    EXPECT_EQ(Given({given}).own_lines(given), "");
    EXPECT_EQ(Given({given}).own_lines("int  f( void )\n{\n\tcompute(17);\n}\n"),
              "\tcompute(17);\n}\n");
}

TEST(OwnLines, WhatWasHandedOutIsLeftOutUnderOtherNames) {
    const std::string given =
        "static int sum(struct ring *ring)\n{\n\tint i, all = 0;\n\n"
        "\tfor (i = 0; i < ring->count; i++)\n\t\tall += ring->desc[i].length;\n"
        "\treturn all;\n}\n";
    const std::string renamed =
        "static int total(struct queue *q)\n{\n\tint n, bytes = 0;\n\n"
        "\tfor (n = 0;\n\t     n < q->size; n++)\n\t\tbytes += q->entry[n].len;\n"
        "\treturn bytes;\n}\n";
    EXPECT_EQ(Given({given}).own_lines(renamed), "");
    const std::string own = "\tif (device_is_gone(q))\n\t\treset_it_and_wait(q, 10);\n";
    EXPECT_EQ(Given({given}).own_lines(own + renamed), own);
    EXPECT_EQ(Given({given}).own_lines("int other;\n" + own), "int other;\n" + own);
}

TEST(OwnLines, CommentsGoAndStringsStay) {
    EXPECT_EQ(without_comments("a /* b\n */ c // d\ne \"/* f */\" '\"'"),
              "a  c \ne \"/* f */\" '\"'");
    EXPECT_EQ(without_comments("x /*"), "x ");
}

TEST(Tokens, ANameIsANameAndAKeywordAKeyword) {
    EXPECT_EQ(tokens_of("u32 x = readl(hw + 0x10);"), tokens_of("int_t  y=f( a+7 ) ;\n"));
    EXPECT_EQ(tokens_of(R"(f("a \" b", 'c');)"), tokens_of(R"(g("", '\'');)"));
    EXPECT_NE(tokens_of("if (x) y();"), tokens_of("while (x) y();"));
    EXPECT_NE(tokens_of("a->b"), tokens_of("a.b"));
    EXPECT_EQ(tokens_of("\"not closed\nx").size(), 2U);
    EXPECT_THAT(tokens_of(""), IsEmpty());
}

TEST(Tokens, NoTwoOperatorsAreTheSame) {
    std::set<std::string> seen;
    const std::vector<std::string> operators{
        "+",  "-",  "*",  "/",  "%",  "&",  "|",  "^",  "!",  "=",  "<",
        ">",  "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "%=", "&=",
        "|=", "^=", "++", "--", "&&", "||", "<<", ">>", "->"};
    for (const auto& one : operators) {
        EXPECT_EQ(tokens_of(one).size(), 1U) << one;
        EXPECT_TRUE(seen.insert(tokens_of(one)).second) << one;
    }
}

TEST(Shared, RunsOfTokensCountAndShorterOnesDoNot) {
    const std::string loop = "for (i = 0; i < 8; i++) { sum += table[i] & 0xff; check(sum); }\n";
    const std::string renamed =
        "for(n=1;n<4;n++){all|=\n0;} for (j = 0; j < 9; j++) "
        "{ total += words[j] & 7; look(total); }";
    EXPECT_EQ(percent_shared(loop, loop), 100);
    EXPECT_EQ(percent_shared(loop, "x = 1; " + renamed), 100);
    EXPECT_LT(percent_shared(renamed, loop), 70);
    EXPECT_GT(percent_shared(renamed, loop), 50);
    EXPECT_EQ(percent_shared("return a ? b : c;", "return a ? b : c;"), 0);
    EXPECT_EQ(percent_shared("", loop), 0);
}

}  // namespace
}  // namespace fwts::classroom
