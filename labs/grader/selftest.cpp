// SPDX-License-Identifier: GPL-2.0
#include "selftest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>

#include "scratch.h"
#include "skeleton.h"

namespace fwts::grader {
namespace fs = std::filesystem;
namespace {

using Texts = std::vector<std::string>;

Texts ids_with(const Report& report, Outcome outcome) {
    Texts ids;
    for (const auto& check : report.checks)
        if (check.verdict.outcome == outcome) ids.push_back(check.id);
    std::sort(ids.begin(), ids.end());
    return ids;
}

void expect_ids(Texts& differences, const char* what, Texts stated, const Texts& found) {
    std::sort(stated.begin(), stated.end());
    if (stated != found)
        differences.push_back(fmt::format("{}: stated [{}], found [{}]", what,
                                          fmt::join(stated, ", "), fmt::join(found, ", ")));
}

/// Nothing but comments and one statement, so that the compiler's words are easy to foresee.
void spoil(const fs::path& dir, const std::string& source) {
    fs::create_directories(dir);
    write_file(dir / "igbook_lab.c", "// SPDX-License-Identifier: GPL-2.0\n" + source);
}

void make_subject(const Lab& lab, const Places& places, const std::string& subject,
                  const fs::path& out) {
    if (subject == "skeleton")
        make_skeleton(lab, places.driver, out);
    else if (subject == "does-not-compile")
        spoil(out, "int igbook_oops(void) { return nothing_of_that_name; }\n");
    else if (subject == "steals-a-file")
        spoil(out, "__asm__(\".incbin \\\"/etc/passwd\\\"\");\n");
    else
        make_mutant(lab, lab.mutant(subject), places.driver, out);
}

Texts compare_points(const Report& report, int stated) {
    Texts differences;
    if (report.stage != Stage::graded)
        differences.push_back(fmt::format("{}: {}", to_string(report.stage), report.message));
    if (report.earned() != stated)
        differences.push_back(fmt::format("points: stated {}, found {}", stated, report.earned()));
    return differences;
}

Texts compare_build_failure(const Report& report, const std::string& complaint) {
    Texts differences;
    if (report.stage != Stage::build_failed)
        differences.push_back(fmt::format("stage: stated build-failed, found {} {}",
                                          to_string(report.stage), report.message));
    if (report.earned() != 0) differences.emplace_back("it earned points");
    const bool said =
        std::any_of(report.details.begin(), report.details.end(),
                    [&](const auto& line) { return line.find(complaint) != std::string::npos; });
    if (!said)
        differences.push_back(fmt::format("the report does not quote the compiler on \"{}\": {}",
                                          complaint, fmt::join(report.details, " / ")));
    return differences;
}

}  // namespace

Texts subjects(const Lab& lab) {
    Texts names{"solution", "skeleton", "does-not-compile", "steals-a-file"};
    for (const auto& mutant : lab.mutants) names.push_back(mutant.name);
    return names;
}

Texts compare(const Report& report, const Mutant& mutant) {
    Texts differences;
    if (report.stage != Stage::graded)
        differences.push_back(fmt::format("{}: {}", to_string(report.stage), report.message));
    expect_ids(differences, "failed", mutant.fails, ids_with(report, Outcome::fail));
    expect_ids(differences, "blocked", mutant.blocked, ids_with(report, Outcome::blocked));
    return differences;
}

SelfTest self_test(const Lab& lab, const Scenario& scenario, const Places& places,
                   const std::string& subject, Request request, const Watcher& watcher) {
    const Scratch scratch("selftest");
    request.submission = lab.solution_dir();
    if (subject != "solution") {
        request.submission = scratch.path() / "submission";
        make_subject(lab, places, subject, request.submission);
    }
    SelfTest test;
    test.subject = subject;
    test.report = grade(lab, scenario, places, request, watcher);
    if (subject == "solution")
        test.differences = compare_points(test.report, test.report.possible());
    else if (subject == "skeleton")
        test.differences = compare_points(test.report, lab.floor);
    else if (subject == "does-not-compile")
        test.differences = compare_build_failure(test.report, "nothing_of_that_name");
    else if (subject == "steals-a-file")
        test.differences = compare_build_failure(test.report, "/etc/passwd");
    else
        test.differences = compare(test.report, lab.mutant(subject));
    return test;
}

}  // namespace fwts::grader
