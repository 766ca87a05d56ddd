// SPDX-License-Identifier: GPL-2.0
#include "grading_one.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "all_labs.h"
#include "content.h"
#include "escape.h"
#include "files.h"
#include "intake.h"
#include "process.h"
#include "scoring.h"
#include "scratch.h"
#include "skeleton.h"
#include "unpack.h"
#include "visible.h"

namespace fwts::classroom {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

/// What was graded lies beside its result, for similarity.h and for whoever doubts a verdict.
void keep_sources(const fs::path& files, const fs::path& student) {
    fs::remove_all(student / "sources");
    fs::create_directories(student);
    fs::copy(files, student / "sources");
}

/// A submission as far as the door: its files in a clean directory, or why it stays outside.
struct TakenIn {
    std::vector<std::string> refused;
    std::vector<std::string> ignored;
    std::string content;  ///< all that decides its result, for the key
};

std::vector<fs::path> files_below(const fs::path& dir) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(dir, error))
        if (entry.is_regular_file(error)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

/// The files below a directory, by content.
std::string contents(const fs::path& dir, const std::string& ending = {}) {
    std::string text;
    for (const auto& file : files_below(dir))
        if (file.string().ends_with(ending))
            text += fmt::format("{} {}\n", file.string(), content_of(file));
    return text;
}

class Door {
  public:
    Door(const grader::Lab& lab, const Tools& tools, const fs::path& scratch)
        : lab_(lab), tools_(tools), scratch_(scratch) {}

    TakenIn take_in(const Submission& submission, const std::string& part) {
        TakenIn taken;
        fs::create_directories(files());
        if (submission.form == Form::unusable)
            taken.refused = {submission.why};
        else
            fill(submission, part, taken);
        for (const auto& why : taken.refused) taken.content += fmt::format("refused {}\n", why);
        for (const auto& file : files_below(files())) {
            const auto text = read_file(file);
            taken.content +=
                fmt::format("file {} {}\n{}", file.filename().string(), text.size(), text);
        }
        return taken;
    }

    fs::path files() const { return scratch_ / "files"; }

  private:
    /// @throws std::runtime_error for whatever is no fault of the student's.
    void fill(const Submission& submission, const std::string& part, TakenIn& taken) {
        require_there(submission.place);
        const auto skeleton = scratch_ / "skeleton";
        grader::make_skeleton(lab_, tools_.places.driver, skeleton);
        auto rules = grader::rules_with(lab_, skeleton);
        fs::path from = submission.place;
        if (submission.form == Form::directory) {
            rules.part = part;
        } else {
            from = scratch_ / "unpacked";
            fs::create_directories(from);
            const auto unpacked = unpack(submission, part, from);
            taken.ignored = unpacked.ignored;
            taken.refused = unpacked.refused;
            if (!taken.refused.empty()) return;
        }
        // The rules `grade` has, applied to a copy nobody else can change.
        const auto intake = grader::take_in(from, rules, files());
        taken.refused = intake.refused;
        taken.ignored.insert(taken.ignored.end(), intake.ignored.begin(), intake.ignored.end());
    }

    static void require_there(const fs::path& place) {
        std::error_code error;
        const auto type = fs::symlink_status(place, error).type();
        if (type == fs::file_type::directory || type == fs::file_type::regular) return;
        throw std::runtime_error(fmt::format(
            "{}: {}; make the list of submissions again", grader::name_text(place.string()),
            type == fs::file_type::not_found ? "it is no longer there"
            : error                          ? error.message()
                                             : "it is no longer what it was"));
    }

    const grader::Lab& lab_;
    const Tools& tools_;
    const fs::path& scratch_;
};

grader::Report refused_report(const grader::Lab& lab, const std::vector<std::string>& refused) {
    grader::Report report;
    report.lab = lab.name;
    report.title = lab.title;
    report.stage = grader::Stage::refused;
    report.message = "the submission was not accepted";
    report.details = refused;
    const auto scenario = labs::scenario_for(lab.name).filled_in(lab.params);
    report.checks = grader::block_all(scenario.checks(), report.message);
    return report;
}

std::string last_lines(const fs::path& log) {
    std::error_code error;
    if (!fs::exists(log, error)) return {};
    std::string text = read_file(log);
    if (text.size() > 600) text = "…" + text.substr(text.size() - 600);
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

/// The stage that an exit status of `grade` speaks of.
bool agree(int status, const grader::Report& report) {
    switch (report.stage) {
        case grader::Stage::refused:
        case grader::Stage::build_failed:
            return status == 3;
        case grader::Stage::graded:
            return status == (report.full_marks() ? 0 : 1);
        case grader::Stage::error:
            break;
    }
    return status == 70;
}

/// Makes a result of what `grade` left, or says what is wrong with it.
void read_report(const Ended& ended, const fs::path& json, const fs::path& log, Result& result) {
    result.grader_error = true;
    if (ended.timed_out) {
        result.trouble = fmt::format("grading did not end within {:.0f} s", ended.seconds);
        return;
    }
    try {
        result.report = report_from(Json::parse(read_file(json)));
        result.grader_error =
            result.report.stage == grader::Stage::error || !agree(ended.status, result.report);
        if (result.grader_error)
            result.trouble = result.report.stage == grader::Stage::error
                                 ? result.report.message
                                 : fmt::format(
                                       "grade ended with status {}, which is not what its "
                                       "report says",
                                       ended.status);
    } catch (const std::exception& error) {
        const auto said = last_lines(log);
        result.trouble = fmt::format("grade ended with status {} and without a report{}{}",
                                     ended.status, said.empty() ? "" : ": ", said);
    }
}

Program grade_for(const fs::path& scratch, const ResultsDirectory& out, const Roster& roster,
                  const Tools& tools) {
    Program grade;
    grade.argv = {tools.grade.string(),
                  "--lab",
                  roster.lab,
                  "--submission",
                  (scratch / "files").string(),
                  "--json",
                  (scratch / "report.json").string()};
    if (roster.has_params) grade.argv.insert(grade.argv.end(), {"--params", out.params(roster)});
    if (roster.seed) grade.argv.insert(grade.argv.end(), {"--seed", std::to_string(*roster.seed)});
    // Whatever grade leaves when it is killed lies in there, and goes with it.
    grade.environment = environment();
    grade.environment["TMPDIR"] = (scratch / "t").string();
    grade.death_signal = SIGKILL;
    fs::create_directories(scratch / "t");
    return grade;
}

}  // namespace

Tools Tools::of_this_program() {
    Tools tools;
    tools.grade = fs::read_symlink("/proc/self/exe").parent_path() / "grade";
    tools.places = grader::Places::of_this_program();
    return tools;
}

std::string digest(const std::string& text) {
    const Scratch scratch("digest");
    write_file(scratch.path() / "text", text);
    const auto sum = run_process({"sha256sum", (scratch.path() / "text").string()}, {},
                                 {{"PATH", "/usr/bin:/bin"}});
    if (!sum.ok() || sum.output.size() < 64)
        throw std::runtime_error("sha256sum does not work: " + sum.output);
    return sum.output.substr(0, 64);
}

std::string describe_grader(const Tools& tools, const grader::Lab& lab) {
    const auto& places = tools.places;
    auto text = fmt::format("grade {}\n", content_of(tools.grade));
    for (const auto& dir : {lab.directory, places.driver, places.programs}) text += contents(dir);
    text += contents(places.modules, ".ko") + contents(places.kernel / "modules", ".ko");
    for (const auto& file :
         {places.labs / "grader" / "imports.txt", places.kernel / "complete",
          places.kernel / "boot", places.kernel / "bzImage", places.kernel / "build" / ".config",
          places.kernel.parent_path().parent_path() / "guest" / "initramfs.cpio"})
        text += fmt::format("{} {}\n", file.string(), content_of(file));
    return text;
}

namespace {

/// What grade_one() does. Whatever it throws is our failure.
void grade_into(Graded& graded, const ResultsDirectory& out, const Roster& roster,
                const Submission& submission, const grader::Lab& lab, const Tools& tools,
                const Signals& signals, bool again) {
    auto& result = graded.result;
    const Scratch scratch("one");
    const auto taken = Door(lab, tools, scratch.path()).take_in(submission, roster.part);
    result.key =
        digest(fmt::format("{}seed {}\n{}\n{}", describe_grader(tools, lab),
                           roster.seed ? std::to_string(*roster.seed) : "any",
                           roster.has_params ? read_file(out.params(roster)) : "", taken.content));
    const auto before = read_result(out, submission.student);
    if (before && before->key == result.key) {
        if (!before->grader_error && !again) {
            graded.result = *before;
            graded.result.run = roster.run;
            graded.kept = true;
            if (before->run != roster.run) write_result(out, graded.result);
            return;
        }
        result.attempts = before->attempts + 1;
    } else {
        // What was handed in before has no say any more, whatever becomes of this.
        fs::remove(out.student(submission.student) / "result.json");
    }
    keep_sources(scratch.path() / "files", out.student(submission.student));
    if (!taken.refused.empty()) {
        result.report = refused_report(lab, taken.refused);
    } else {
        const auto log = scratch.path() / "log";
        const auto ended =
            supervise(grade_for(scratch.path(), out, roster, tools), log, signals, tools.timeout);
        graded.asked_to_end = ended.asked_to_end;
        if (graded.asked_to_end != 0) return;
        read_report(ended, scratch.path() / "report.json", log, result);
    }
    result.report.submission = submission.student;  // not where it lay for a moment
    result.report.ignored = taken.ignored;
}

}  // namespace

Graded grade_one(const ResultsDirectory& out, const Roster& roster, std::size_t index,
                 const Tools& tools, const Signals& signals, bool again) {
    const auto began = std::chrono::steady_clock::now();
    if (index >= roster.submissions.size())
        throw std::runtime_error(
            fmt::format("there is no submission {}; the class has {}, counted from 0", index,
                        roster.submissions.size()));
    const auto& submission = roster.submissions[index];
    const auto lab =
        grader::read_lab(grader::find_lab(tools.places.labs, roster.lab), out.params(roster));
    Graded graded;
    auto& result = graded.result;
    result.student = submission.student;
    result.run = roster.run;
    fs::create_directories(out.student(submission.student));
    const Lock lock(out.student(submission.student) / ".lock", Lock::Kind::exclusive,
                    submission.student);
    try {
        grade_into(graded, out, roster, submission, lab, tools, signals, again);
    } catch (const std::exception& error) {
        result.grader_error = true;
        result.trouble = error.what();
        if (const auto before = read_result(out, submission.student);
            before && before->grader_error && before->key == result.key)
            result.attempts = before->attempts + 1;
    }
    if (graded.kept || graded.asked_to_end != 0) return graded;
    result.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    write_result(out, result);
    return graded;
}

std::string summary(const Graded& graded) {
    const auto& result = graded.result;
    if (result.grader_error)
        return fmt::format("{}: GRADER ERROR, no marks are meant (attempt {}): {}", result.student,
                           result.attempts, one_line(result.trouble));
    const std::string stage =
        result.report.stage == grader::Stage::graded ? "" : fmt::format(" ({})", status_of(result));
    return fmt::format("{}: {} of {} points{}, {:.0f} s{}", result.student, result.report.earned(),
                       result.report.possible(), stage, result.seconds,
                       graded.kept ? ", kept from before" : "");
}

}  // namespace fwts::classroom
