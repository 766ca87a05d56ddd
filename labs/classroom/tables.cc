// SPDX-License-Identifier: GPL-2.0
#include "tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "escape.h"
#include "exchange.h"
#include "feedback.h"
#include "files.h"

namespace fwts::classroom {
namespace fs = std::filesystem;
namespace {

double seconds(std::chrono::milliseconds time) {
    return static_cast<double>(time.count()) / 1000.0;
}

double processor(const grader::Report& report) {
    for (const auto& cost : report.costs)
        if (cost.part == "all together") return seconds(cost.cpu);
    return 0;
}

/// The checks' ids, from the first result that has any.
std::vector<std::string> check_ids(const std::vector<Result>& results) {
    std::vector<std::string> ids;
    for (const auto& result : results) {
        for (const auto& check : result.report.checks) ids.push_back(check.id);
        if (!ids.empty()) break;
    }
    return ids;
}

std::string points_of(const grader::Report& report, const std::string& id) {
    for (const auto& check : report.checks)
        if (check.id == id) return std::to_string(check.earned);
    return {};
}

std::string csv_line(const std::vector<std::string>& fields) {
    std::string line;
    for (const auto& field : fields) line += (line.empty() ? "" : ",") + csv_field(field);
    return line + "\n";
}

std::string message_of(const Result& result) {
    if (result.grader_error) return result.trouble;
    if (result.report.stage == grader::Stage::graded) return {};
    // The first line that says something; how many there are is what the feedback is for.
    for (const auto& line : result.report.details)
        if (line.find_first_not_of(" \t\r\n") != std::string::npos)
            return result.report.message + ": " + line;
    return result.report.message;
}

std::string written(const grader::ReportWriter& writer, const grader::Report& report) {
    std::ostringstream out;
    writer.write(report, out);
    return out.str();
}

/// What an earlier result may have left.
void remove_feedback(const fs::path& dir) {
    for (const char* name : {"feedback.md", "feedback.html", "gradescope.json"})
        fs::remove(dir / name);
}

void write_student(const ResultsDirectory& out, const Result& result, const std::string& book_url) {
    const auto dir = out.student(result.student);
    if (result.grader_error) {
        remove_feedback(dir);
        return;
    }
    replace_file(dir / "feedback.md", written(MarkdownWriter(book_url), result.report));
    replace_file(dir / "feedback.html", written(HtmlWriter(book_url), result.report));
    replace_file(dir / "gradescope.json", written(GradescopeWriter(book_url), result.report));
}

}  // namespace

std::string grades_csv(const std::vector<Result>& results,
                       const std::vector<std::string>& missing) {
    const auto ids = check_ids(results);
    std::vector<std::string> head{"student", "status", "points", "possible"};
    head.insert(head.end(), ids.begin(), ids.end());
    head.insert(head.end(), {"seconds", "processor_seconds", "attempts", "seed", "message"});
    std::string text = csv_line(head);
    for (const auto& result : results) {
        const auto& report = result.report;
        // No number that could be taken for marks where the grader failed.
        const bool marks = !result.grader_error;
        std::vector<std::string> line{result.student, status_of(result),
                                      marks ? std::to_string(report.earned()) : "",
                                      marks ? std::to_string(report.possible()) : ""};
        for (const auto& id : ids) line.push_back(marks ? points_of(report, id) : "");
        line.insert(
            line.end(),
            {fmt::format("{:.1f}", result.seconds), fmt::format("{:.1f}", processor(report)),
             std::to_string(result.attempts), std::to_string(report.seed), message_of(result)});
        text += csv_line(line);
    }
    for (const auto& student : missing) {
        std::vector<std::string> line(head.size());
        line[0] = student;
        line[1] = "not-graded";
        text += csv_line(line);
    }
    return text;
}

std::string times_csv(const std::vector<Result>& results) {
    // Two names of parts are sentences; the table has its own.
    const std::vector<std::pair<std::string, std::string>> parts{
        {"intake", "intake"},
        {"build, while the guest boots", "build"},
        {"rest of the boot", "boot"},
        {"checks", "checks"},
        {"all together", "all"}};
    std::vector<std::string> head{"student", "status", "seconds"};
    for (const auto& [part, name] : parts) {
        head.push_back(name + "_seconds");
        head.push_back(name + "_processor_seconds");
    }
    std::string text = csv_line(head);
    for (const auto& result : results) {
        std::map<std::string, grader::Cost> costs;
        for (const auto& cost : result.report.costs) costs[cost.part] = cost;
        std::vector<std::string> line{result.student, status_of(result),
                                      fmt::format("{:.1f}", result.seconds)};
        for (const auto& [part, name] : parts) {
            line.push_back(fmt::format("{:.1f}", seconds(costs[part].time)));
            line.push_back(fmt::format("{:.1f}", seconds(costs[part].cpu)));
        }
        text += csv_line(line);
    }
    return text;
}

Collected collect(const ResultsDirectory& out, const Roster& roster, const std::string& book_url) {
    Collected collected;
    for (const auto& submission : roster.submissions) {
        auto result = read_result(out, submission.student);
        if (!result || result->run != roster.run) {
            remove_feedback(out.student(submission.student));
            collected.missing.push_back(submission.student);
            continue;
        }
        if (result->grader_error) ++collected.grader_errors;
        write_student(out, *result, book_url);
        collected.results.push_back(std::move(*result));
    }
    replace_file(out.path() / "grades.csv", grades_csv(collected.results, collected.missing));
    replace_file(out.path() / "times.csv", times_csv(collected.results));
    replace_file(out.path() / "junit.xml", junit(collected.results, book_url));
    replace_file(out.path() / "class.ktap", ktap(collected.results));
    return collected;
}

void print_summary(const Collected& collected, std::ostream& out) {
    std::map<std::string, std::size_t> count;
    double wall = 0;
    double cpu = 0;
    std::vector<int> points;
    for (const auto& result : collected.results) {
        ++count[status_of(result)];
        wall += result.seconds;
        cpu += processor(result.report);
        if (!result.grader_error) points.push_back(result.report.earned());
    }
    for (const auto& [status, number] : count) out << fmt::format("{:>5} {}\n", number, status);
    if (!collected.missing.empty())
        out << fmt::format("{:>5} not-graded: {}\n", collected.missing.size(),
                           fmt::join(collected.missing, ", "));
    std::sort(points.begin(), points.end());
    if (!points.empty())
        out << fmt::format("points: lowest {}, median {}, highest {}\n", points.front(),
                           points[points.size() / 2], points.back());
    out << fmt::format(
        "gradings took {:.0f} s by the clock one after the other, {:.0f} s of processor\n", wall,
        cpu);
    if (collected.grader_errors > 0)
        out << "The grader itself failed where it says grader-error: no marks are meant; look into "
               "grades.csv, then run the same command again.\n";
}

}  // namespace fwts::classroom
