// SPDX-License-Identifier: GPL-2.0
#include "verdict.h"

#include <fmt/format.h>

#include <sstream>
#include <stdexcept>

#include "files.h"
#include "report.h"

namespace fwts::classroom {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;
constexpr const char* schema = "fwts-class-result/1";

template <typename Word>
Word word_from(const std::string& text, std::initializer_list<Word> words) {
    for (const Word word : words)
        if (text == grader::to_string(word)) return word;
    throw std::runtime_error(fmt::format("\"{}\" is no word of fwts-grade/1", text));
}

grader::CheckResult check_from(const Json& json) {
    using grader::Outcome;
    grader::CheckResult check;
    check.id = json.at("id");
    check.title = json.at("title");
    check.earned = json.at("earned");
    check.points = json.at("points");
    check.depends = json.at("depends").get<std::vector<std::string>>();
    check.hint = json.at("hint");
    check.book = json.at("book");
    check.link = json.at("link");
    check.verdict.outcome = word_from(
        json.at("outcome"), {Outcome::pass, Outcome::fail, Outcome::blocked, Outcome::error});
    check.verdict.what = json.at("what");
    check.verdict.expected = json.at("expected");
    check.verdict.seen = json.at("seen");
    check.verdict.evidence = json.at("evidence").get<std::vector<std::string>>();
    check.time = std::chrono::milliseconds(json.at("ms").get<long>());
    check.cpu = std::chrono::milliseconds(json.at("cpu_ms").get<long>());
    return check;
}

Json to_json(const Result& result) {
    std::ostringstream report;
    grader::JsonWriter().write(result.report, report);
    return Json{{"schema", schema},
                {"student", result.student},
                {"run", result.run},
                {"key", result.key},
                {"grader_error", result.grader_error},
                {"trouble", result.trouble},
                {"attempts", result.attempts},
                {"seconds", result.seconds},
                {"report", Json::parse(report.str())}};
}

}  // namespace

grader::Report report_from(const Json& json) {
    using grader::Stage;
    if (json.at("schema") != "fwts-grade/1") throw std::runtime_error("not of schema fwts-grade/1");
    grader::Report report;
    report.lab = json.at("lab");
    report.title = json.at("title");
    report.submission = json.at("submission");
    report.seed = json.at("seed");
    report.kernel = json.at("kernel");
    report.stage = word_from(json.at("stage"),
                             {Stage::refused, Stage::build_failed, Stage::graded, Stage::error});
    report.message = json.at("message");
    report.details = json.at("details").get<std::vector<std::string>>();
    report.ignored = json.at("ignored").get<std::vector<std::string>>();
    report.warnings = json.at("warnings").get<std::vector<std::string>>();
    for (const auto& check : json.at("checks")) report.checks.push_back(check_from(check));
    for (const auto& cost : json.at("costs"))
        report.costs.push_back({cost.at("part"),
                                std::chrono::milliseconds(cost.at("ms").get<long>()),
                                std::chrono::milliseconds(cost.at("cpu_ms").get<long>())});
    if (report.earned() != json.at("earned").get<int>() ||
        report.possible() != json.at("points").get<int>())
        throw std::runtime_error("the points of its checks do not add up to its points");
    return report;
}

std::string status_of(const Result& result) {
    return result.grader_error ? "grader-error" : grader::to_string(result.report.stage);
}

void write_result(const ResultsDirectory& out, const Result& result) {
    fs::create_directories(out.student(result.student));
    replace_file(out.student(result.student) / "result.json",
                 to_json(result).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::optional<Result> read_result(const ResultsDirectory& out, const std::string& student) {
    const auto path = out.student(student) / "result.json";
    std::error_code error;
    if (!fs::is_regular_file(path, error)) return {};
    try {
        const auto json = Json::parse(read_file(path));
        if (json.at("schema") != schema) return {};
        Result result;
        result.student = json.at("student");
        result.run = json.value("run", "");
        result.key = json.at("key");
        result.grader_error = json.at("grader_error");
        result.trouble = json.at("trouble");
        result.attempts = json.at("attempts");
        result.seconds = json.at("seconds");
        result.report = report_from(json.at("report"));
        return result;
    } catch (const std::exception&) {
        return {};  // of another version, or damaged: it is graded again
    }
}

}  // namespace fwts::classroom
