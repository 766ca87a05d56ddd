// SPDX-License-Identifier: GPL-2.0
#include "selftest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <regex>
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

/// What a hostile submission comes to.
struct Hostile {
    const char* name;
    Stage stage;
    int earned;         // what an honest one of its worth would get
    const char* words;  // a regular expression; somewhere in the report
};

constexpr std::array hostile_ones{
    Hostile{"loops-in-probe", Stage::graded, 0, "of the guest's processor time"},
    Hostile{"loops-in-interrupt", Stage::graded, 0, "of the guest's processor time"},
    Hostile{"panics", Stage::graded, 0, "the guest's kernel panicked"},
    Hostile{"reboots", Stage::graded, 0, "the guest rebooted"},
    // The whole guest dies of it, or insmod alone: whom the kernel takes first is not ours to say.
    Hostile{"eats-memory", Stage::graded, 0, "the guest did not survive|^status 137: "},
    Hostile{"silences-the-log", Stage::graded, 0, "the log was silenced"},
    Hostile{"starts-programs", Stage::build_failed, 0, "call_usermodehelper: not to be used"},
    // The skeleton's points: it is one, with words.
    Hostile{"forges-the-report", Stage::graded, 15, "address of the interface"},
};

const std::string hostile_prefix = "hostile-";
const std::string alternative_prefix = "alternative-";

const Hostile* hostile(const std::string& subject) {
    const auto* found =
        std::find_if(hostile_ones.begin(), hostile_ones.end(),
                     [&](const Hostile& one) { return subject == hostile_prefix + one.name; });
    return found == hostile_ones.end() ? nullptr : found;
}

/// Nothing but comments and one statement, so that the compiler's words are easy to foresee.
void spoil(const fs::path& dir, const std::string& source) {
    fs::create_directories(dir);
    write_file(dir / "igbook_lab.c", "// SPDX-License-Identifier: GPL-2.0\n" + source);
}

void make_subject(const Lab& lab, const Places& places, const std::string& subject,
                  const fs::path& out) {
    const auto hostile_files = places.labs / "grader/hostile";
    if (subject == "skeleton")
        make_skeleton(lab, places.driver, out);
    else if (subject == "does-not-compile")
        spoil(out, "int igbook_oops(void) { return nothing_of_that_name; }\n");
    else if (subject == "steals-a-file")
        spoil(out, "__asm__(\".incbin \\\"/etc/passwd\\\"\");\n");
    else if (subject.starts_with(alternative_prefix))
        make_alternative(lab, subject.substr(alternative_prefix.size()), out);
    else if (const auto* one = hostile(subject))
        write_file(out / "igbook_lab.c",
                   read_file(hostile_files / (std::string(one->name) + ".c")) + "\n" +
                       read_file(hostile_files / "hook.inc"));
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

bool says(const Report& report, const std::string& words) {
    const std::regex wanted(words);
    const auto in = [&](const std::string& text) { return std::regex_search(text, wanted); };
    return std::any_of(report.details.begin(), report.details.end(), in) ||
           std::any_of(report.checks.begin(), report.checks.end(), [&](const auto& check) {
               return in(check.verdict.what) || in(check.verdict.seen);
           });
}

Texts compare_hostile(const Report& report, const Hostile& stated) {
    Texts differences;
    if (report.stage != stated.stage)
        differences.push_back(fmt::format("stage: stated {}, found {} {}", to_string(stated.stage),
                                          to_string(report.stage), report.message));
    if (report.earned() != stated.earned)
        differences.push_back(
            fmt::format("points: stated {}, found {}", stated.earned, report.earned()));
    if (!says(report, stated.words))
        differences.push_back(fmt::format("the report does not say \"{}\"", stated.words));
    if (waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD)
        differences.emplace_back("a process was left");
    return differences;
}

}  // namespace

Texts hostile_subjects() {
    Texts names;
    for (const auto& one : hostile_ones) names.push_back(hostile_prefix + one.name);
    return names;
}

Texts subjects(const Lab& lab) {
    Texts names{"solution", "skeleton", "does-not-compile", "steals-a-file"};
    for (const auto& name : lab.alternatives()) names.push_back(alternative_prefix + name);
    for (const auto& mutant : lab.mutants) names.push_back(mutant.name);
    return names;
}

Texts compare(const Report& report, const Mutant& mutant) {
    Texts differences;
    if (report.stage != Stage::graded)
        differences.push_back(fmt::format("{}: {}", to_string(report.stage), report.message));
    expect_ids(differences, "failed", mutant.fails, ids_with(report, Outcome::fail));
    expect_ids(differences, "blocked", mutant.blocked, ids_with(report, Outcome::blocked));
    for (const auto& check : report.checks)
        if (check.verdict.outcome == Outcome::fail && check.earned >= check.points)
            differences.push_back(fmt::format(
                "check {} failed with full points: its parts add up to more", check.id));
    return differences;
}

SelfTest self_test(const Lab& lab, const Scenario& scenario, const Places& places,
                   const std::string& subject, Request request, const Watcher& watcher) {
    SelfTest test;
    test.subject = subject;
    {
        const Scratch scratch("selftest", Scratch::Care::watched);
        request.submission = lab.solution_dir();
        if (subject != "solution") {
            request.submission = scratch.path() / "submission";
            make_subject(lab, places, subject, request.submission);
        }
        test.report = grade(lab, scenario, places, request, watcher);
    }
    if (subject == "solution" || subject.starts_with(alternative_prefix))
        test.differences = compare_points(test.report, test.report.possible());
    else if (subject == "skeleton")
        test.differences = compare_points(test.report, lab.floor);
    else if (subject == "does-not-compile")
        test.differences = compare_build_failure(test.report, "nothing_of_that_name");
    else if (subject == "steals-a-file")
        test.differences = compare_build_failure(test.report, "/etc/passwd");
    else if (const auto* one = hostile(subject))
        test.differences = compare_hostile(test.report, *one);
    else
        test.differences = compare(test.report, lab.mutant(subject));
    return test;
}

}  // namespace fwts::grader
