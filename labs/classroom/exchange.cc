// SPDX-License-Identifier: GPL-2.0
#include "exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <stdexcept>

#include "base64.h"
#include "escape.h"
#include "feedback.h"

namespace fwts::classroom {
namespace {

using grader::CheckResult;
using grader::Outcome;
using grader::Report;
using Json = nlohmann::ordered_json;

double seconds(const std::vector<grader::Cost>& costs) {
    for (const auto& cost : costs)
        if (cost.part == "all together") return static_cast<double>(cost.time.count()) / 1000.0;
    return 0;
}

void demand_marks(const Report& report) {
    if (report.stage == grader::Stage::error)
        throw std::runtime_error("the grader failed, there are no marks to write: " +
                                 report.message);
}

Json gradescope_test(const CheckResult& check, std::size_t number, const std::string& book_url) {
    return Json{{"name", fmt::format("{}: {}", check.id, check.title)},
                {"number", std::to_string(number)},
                {"score", check.earned},
                {"max_score", check.points},
                {"status", check.verdict.outcome == Outcome::pass ? "passed" : "failed"},
                {"output_format", "text"},
                {"output", explained(check, book_url)}};
}

Json github_test(const CheckResult& check, const std::string& book_url) {
    const bool passed = check.verdict.outcome == Outcome::pass;
    return Json{{"name", fmt::format("{}: {}", check.id, check.title)},
                {"status", passed ? "pass" : "fail"},
                {"score", check.earned},
                {"message", passed ? Json() : Json(explained(check, book_url))},
                {"test_code", check.id},
                {"filename", ""},
                {"line_no", 0},
                {"execution_time",
                 fmt::format("{:.1f}s", static_cast<double>(check.time.count()) / 1000.0)}};
}

std::string junit_case(const CheckResult& check, const std::string& student,
                       const std::string& book_url) {
    std::string text = fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"",
                                   escaped(student), escaped(check.id + ": " + check.title),
                                   static_cast<double>(check.time.count()) / 1000.0);
    const auto message = escaped(check.verdict.what);
    const auto body = escaped(explained(check, book_url));
    switch (check.verdict.outcome) {
        case Outcome::pass:
            return text + "/>\n";
        case Outcome::blocked:
            return text +
                   fmt::format(">\n      <skipped message=\"{}\"/>\n    </testcase>\n", message);
        case Outcome::fail:
            return text +
                   fmt::format(">\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n",
                               message, body);
        case Outcome::error:
            break;
    }
    return text + fmt::format(">\n      <error message=\"{}\">{}</error>\n    </testcase>\n",
                              message, body);
}

std::size_t count(const Report& report, Outcome outcome) {
    return static_cast<std::size_t>(
        std::count_if(report.checks.begin(), report.checks.end(),
                      [&](const auto& check) { return check.verdict.outcome == outcome; }));
}

std::string junit_suite(const Result& result, const std::string& book_url) {
    const auto& report = result.report;
    const bool extra = result.grader_error && report.checks.empty();
    std::string text = fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" "
        "time=\"{:.3f}\">\n",
        escaped(result.student), report.checks.size() + (extra ? 1 : 0),
        count(report, Outcome::fail), count(report, Outcome::error) + (extra ? 1 : 0),
        count(report, Outcome::blocked), result.seconds);
    if (extra)
        text += fmt::format(
            "    <testcase classname=\"{0}\" name=\"grading\">\n      <error "
            "message=\"{1}\"/>\n    </testcase>\n",
            escaped(result.student), escaped(result.trouble));
    for (const auto& check : report.checks) text += junit_case(check, result.student, book_url);
    return text + "  </testsuite>\n";
}

std::string ktap_line(const CheckResult& check, std::size_t number) {
    const auto& verdict = check.verdict;
    std::string line = fmt::format(
        "{} {} {}",
        verdict.outcome == Outcome::fail || verdict.outcome == Outcome::error ? "not ok" : "ok",
        number, one_line(check.id));
    if (verdict.outcome == Outcome::blocked) line += " # SKIP " + one_line(verdict.what);
    return line;
}

}  // namespace

void GradescopeWriter::write(const Report& report, std::ostream& out) const {
    demand_marks(report);
    Json json{{"score", report.earned()},
              {"execution_time", seconds(report.costs)},
              {"output_format", "text"},
              {"output", fmt::format("Lab {}: {} of {} points\n{}", report.title, report.earned(),
                                     report.possible(), explained(report))},
              {"visibility", "visible"},
              {"stdout_visibility", "hidden"},
              {"tests", Json::array()},
              {"extra_data", Json{{"seed", report.seed},
                                  {"stage", to_string(report.stage)},
                                  {"kernel", report.kernel}}}};
    std::size_t number = 0;
    for (const auto& check : report.checks)
        json["tests"].push_back(gradescope_test(check, ++number, book_url_));
    out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

void GithubWriter::write(const Report& report, std::ostream& out) const {
    demand_marks(report);
    Json json{{"version", 1},
              {"status", report.full_marks() ? "pass" : "fail"},
              {"max_score", report.possible()},
              {"tests", Json::array()}};
    // No check was tried: the first says why.
    const auto why = report.stage == grader::Stage::graded ? "" : explained(report);
    for (const auto& check : report.checks) {
        json["tests"].push_back(github_test(check, book_url_));
        if (!why.empty() && &check == &report.checks.front()) json["tests"].back()["message"] = why;
    }
    out << base64_encode(json.dump(-1, ' ', false, Json::error_handler_t::replace)) << '\n';
}

std::string junit(const std::vector<Result>& results, const std::string& book_url) {
    std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
    for (const auto& result : results) text += junit_suite(result, book_url);
    return text + "</testsuites>\n";
}

std::string ktap(const std::vector<Result>& results) {
    std::string text = fmt::format("KTAP version 1\n1..{}\n", results.size());
    std::size_t number = 0;
    for (const auto& result : results) {
        const auto& report = result.report;
        text += fmt::format("  KTAP version 1\n  1..{}\n", report.checks.size());
        for (std::size_t i = 0; i < report.checks.size(); ++i)
            text += "  " + ktap_line(report.checks[i], i + 1) + "\n";
        text +=
            fmt::format("{} {} {}\n", !result.grader_error && report.full_marks() ? "ok" : "not ok",
                        ++number, one_line(result.student));
    }
    return text;
}

}  // namespace fwts::classroom
