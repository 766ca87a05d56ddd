// SPDX-License-Identifier: GPL-2.0
#include "selftest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <regex>
#include <stdexcept>

#include "files.h"
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

const std::string hostile_prefix = "hostile-";
const std::string alternative_prefix = "alternative-";

const Hostile* hostile(const std::string& subject) {
    for (const auto& one : hostile_submissions())
        if (subject == hostile_prefix + one.name) return &one;
    return nullptr;
}

void make_subject(const Lab& lab, const Places& places, const std::string& subject,
                  const fs::path& out) {
    if (subject == "skeleton")
        make_skeleton(lab, places.driver, out);
    else if (subject == "does-not-compile")
        write_file(out / "igbook_lab.c",
                   "// SPDX-License-Identifier: GPL-2.0\n"
                   "int igbook_oops(void) { return nothing_of_that_name; }\n");
    else if (subject.starts_with(alternative_prefix))
        make_alternative(lab, lab.alternative(subject.substr(alternative_prefix.size())),
                         places.driver, out);
    else if (const auto* one = hostile(subject))
        make_hostile(*one, places, out);
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
    if (stated.never != nullptr && says(report, stated.never))
        differences.push_back(fmt::format("the report says \"{}\"", stated.never));
    if (!says(report, stated.words))
        differences.push_back(fmt::format("the report does not say \"{}\"", stated.words));
    return differences;
}

Texts compare_with_stated(const Lab& lab, const std::string& subject, const Report& report) {
    if (subject == "solution" || subject.starts_with(alternative_prefix))
        return compare_points(report, report.possible());
    if (subject == "skeleton") return compare_points(report, lab.floor);
    if (subject == "does-not-compile") return compare_build_failure(report, "nothing_of_that_name");
    if (const auto* one = hostile(subject)) return compare_hostile(report, *one);
    return compare(report, lab.mutant(subject));
}

/// Where directories for a while are made, as long as this lives.
class Temporary {
  public:
    explicit Temporary(const fs::path& place) : before_(fs::temp_directory_path()) {
        fs::create_directory(place);
        setenv("TMPDIR", place.c_str(), 1);
    }
    ~Temporary() { setenv("TMPDIR", before_.c_str(), 1); }
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;

  private:
    fs::path before_;
};

}  // namespace

const std::vector<Hostile>& hostile_submissions() {
    static const std::vector<Hostile> all{
        {"panics", Stage::graded, 0, "the guest's kernel panicked"},
        {"compile-bomb", Stage::build_failed, 0, "does not compile|was stopped"},
        {"loops-in-probe", Stage::graded, 0, "of the guest's processor time"},
        // The skeleton's points: it is one, with words.
        {"forges-the-report", Stage::graded, 15, "address of the interface"},
        {"reboots", Stage::graded, 0, "the guest rebooted"},
        {"loops-in-interrupt", Stage::graded, 0, "of the guest's processor time"},
        // The whole guest dies of it, or insmod alone: whom the kernel takes first is not ours to
        // say.
        {"eats-memory", Stage::graded, 0, "the guest did not survive|^status 137: "},
        {"silences-the-log", Stage::graded, 0, "the log was silenced"},
        {"stops-lockdep", Stage::graded, 0, "debug_locks was 0x1, is 0x0"},
        {"changes-the-kernel", Stage::graded, 0, "what the other checks saw earns nothing"},
        {"stops-decoding", Stage::graded, 10, "against the same registers read from outside"},
        {"moves-bars", Stage::graded, 0, "Cannot access memory"},
        {"agent-port", Stage::graded, 0,
         "something else than the agent wrote to its port|the agent in the guest was restarted"},
        {"register-flood", Stage::graded, 0,
         "the guest did not survive|of the guest's processor time"},
        {"hides-from-lockdep", Stage::build_failed, 0, "poisoned .*lockdep_recursion"},
        {"hides-from-kasan", Stage::build_failed, 0, "poisoned .*no_sanitize_address"},
        {"unseen-by-kasan", Stage::graded, 0, "BUG: KASAN: slab-out-of-bounds"},
        {"answers-for-kasan", Stage::build_failed, 0,
         "__asan_report_store1_noabort: the kernel has one of that name"},
        {"lock-without-class", Stage::build_failed, 0, "__lockdep_no_track__: not to be used"},
        {"starts-programs", Stage::build_failed, 0, "call_usermodehelper: not to be used"},
        {"asks-by-name", Stage::build_failed, 0, "__symbol_get: not to be used"},
        {"includes-a-file", Stage::build_failed, 0, "/etc/passwd", "root:"},
        {"waits-for-a-terminal", Stage::build_failed, 0, "/dev/ptmx: No such file"},
        {"steals-a-file", Stage::build_failed, 0, "/etc/passwd", "root:"},
        {"line-directive", Stage::build_failed, 0, "mountinfo:1:.*error: .*nothing_of_that_name",
         "rw,|root:"},
    };
    return all;
}

void make_hostile(const Hostile& one, const Places& places, const fs::path& out) {
    const auto from = places.labs / "grader" / "hostile";
    auto text = read_file(from / (std::string(one.name) + ".c"));
    // What does not compile has no need of it.
    if (text.find("igbook_evil") != std::string::npos) text += "\n" + read_file(from / "hook.inc");
    write_file(out / "igbook_lab.c", text);
}

Texts subjects(const Lab& lab) {
    Texts names{"solution", "skeleton", "does-not-compile"};
    for (const auto& one : lab.alternatives) names.push_back(alternative_prefix + one.name);
    for (const auto& mutant : lab.mutants) names.push_back(mutant.name);
    return names;
}

Texts telling_checks(const Lab& lab, const std::string& subject) {
    const auto mutant = std::find_if(lab.mutants.begin(), lab.mutants.end(),
                                     [&](const Mutant& one) { return one.name == subject; });
    return mutant == lab.mutants.end() ? Texts{} : mutant->fails;
}

Texts compare(const Report& report, const Mutant& mutant) {
    Texts differences;
    Texts blocked = mutant.blocked;
    std::erase_if(blocked, [&](const std::string& id) {
        return std::none_of(report.checks.begin(), report.checks.end(),
                            [&](const CheckResult& check) { return check.id == id; });
    });
    if (report.stage != Stage::graded)
        differences.push_back(fmt::format("{}: {}", to_string(report.stage), report.message));
    expect_ids(differences, "failed", mutant.fails, ids_with(report, Outcome::fail));
    expect_ids(differences, "blocked", blocked, ids_with(report, Outcome::blocked));
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
        const Temporary temporary(scratch.path() / "t");
        request.submission = lab.solution_dir();
        if (subject != "solution") {
            request.submission = scratch.path() / "submission";
            make_subject(lab, places, subject, request.submission);
        }
        test.report = grade(lab, scenario, places, request, watcher);
        if (!fs::is_empty(fs::temp_directory_path()))
            test.differences.emplace_back("a temporary directory was left");
    }
    if (waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD)
        test.differences.emplace_back("a process was left");
    const auto found = compare_with_stated(lab, subject, test.report);
    test.differences.insert(test.differences.end(), found.begin(), found.end());
    return test;
}

}  // namespace fwts::grader
