// SPDX-License-Identifier: GPL-2.0
// The program `grade`: grades a submission, or makes what a lab hands out.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <stdexcept>

#include "all_labs.h"
#include "clauses.h"
#include "files.h"
#include "grading.h"
#include "mutate.h"
#include "process_start.h"
#include "progress.h"
#include "repeat.h"
#include "report.h"
#include "selftest.h"
#include "skeleton.h"
#include "visible.h"

namespace {

namespace fs = std::filesystem;
using namespace fwts::grader;

constexpr int exit_marks_lost = 1;
constexpr int exit_usage = 2;
constexpr int exit_not_built = 3;
constexpr int exit_grader_trouble = 70;

constexpr const char* footer = R"(
Example:
  grade skeleton --lab 01 --out ~/lab1        make what a student starts from
  grade --lab 01 --submission ~/lab1          build it, run it, show points and hints
  grade --lab 01 --submission ~/lab1 --json result.json --seed 7
  grade handout --lab 01 --params autumn.toml the lab with this cohort's constants

Exit status: 0 full marks, 1 graded with marks lost, 2 wrong usage, 3 not accepted or not
compiled, 70 the grader itself failed (no marks are meant by that).)";

struct Options {
    std::string lab;
    std::string submission;
    std::string json;
    std::string keep_logs;
    std::string out;
    std::string name;
    std::string params;
    std::string book_url = "build/book/html";
    std::vector<std::string> only;
    std::uint64_t seed = 0;
    int repeat = 1;
    bool list = false;
    bool verbose = false;
    bool telling = false;
    MutateOptions mutate;
    Places places = Places::of_this_program();
};

/// What is done now; without a terminal, for whoever reads the log.
void show(const fwts::ProgressLine& progress, const std::string& step) {
    if (progress.terminal())
        progress.show(step + " …");
    else
        progress.say(step);
}

TerminalWriter::Style style_for(const Options& options) {
    TerminalWriter::Style style;
    style.colour = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
    style.verbose = options.verbose;
    style.book_url = options.book_url;
    return style;
}

Lab open_lab(const Options& options) {
    return read_lab(find_lab(options.places.labs, options.lab), options.params);
}

Request request_for(const Options& options) {
    Request request;
    request.submission = options.submission;
    request.seed = options.seed;
    request.keep_logs = options.keep_logs;
    return request;
}

int list_checks(const Options& options) {
    const Lab lab = open_lab(options);
    const auto scenario = fwts::labs::scenario_for(lab.name).filled_in(lab.params);
    std::cout << fmt::format("Lab {} \"{}\": about {} minutes; the skeleton scores {} points\n",
                             lab.name, lab.title, lab.minutes, lab.floor);
    for (const auto& check : scenario.checks())
        std::cout << fmt::format("{:>4}  {:<12} {}\n", check.points, check.id, check.title);
    for (const auto& [name, value] : lab.params)
        if (!lab.secret.contains(name))
            std::cout << fmt::format("parameter {} = \"{}\"\n", name, value);
    for (const auto& one : lab.alternatives)
        std::cout << fmt::format("alternative {}: {}\n", one.name, one.style);
    for (const auto& mutant : lab.mutants)
        std::cout << fmt::format("mutant {}: {}\n", mutant.name, mutant.story);
    return 0;
}

void write_json(const Report& report, const std::string& path) {
    if (path.empty()) return;
    if (path == "-") {
        JsonWriter().write(report, std::cout);
        return;
    }
    std::ofstream out(path);
    JsonWriter().write(report, out);
    out.close();
    if (!out) throw std::runtime_error(fmt::format("{}: cannot be written", path));
}

int exit_status(const Report& report) {
    switch (report.stage) {
        case Stage::error:
            return exit_grader_trouble;
        case Stage::refused:
        case Stage::build_failed:
            return exit_not_built;
        case Stage::graded:
            break;
    }
    return report.full_marks() ? 0 : exit_marks_lost;
}

int grade_one(const Options& options) {
    if (options.lab.empty() || options.submission.empty()) {
        std::cerr << "grade: needs --lab NN and --submission DIR; see grade --help\n";
        return exit_usage;
    }
    if (!fs::is_directory(options.submission)) {
        std::cerr << fmt::format("grade: {}: {}\n", visible(options.submission),
                                 fs::exists(options.submission)
                                     ? "this is no directory; unpack it first, or let classroom "
                                       "grade it"
                                     : "there is no such directory; name the one with the files "
                                       "you changed");
        return exit_usage;
    }
    const Lab lab = open_lab(options);
    const Scenario scenario = fwts::labs::scenario_for(lab.name);
    const fwts::ProgressLine progress;
    const Watcher watcher{[&](const std::string& step) { show(progress, step); }, {}};
    const Report report = grade(lab, scenario, options.places, request_for(options), watcher);
    progress.clear();
    if (options.json != "-") TerminalWriter(style_for(options)).write(report, std::cout);
    write_json(report, options.json);
    return exit_status(report);
}

/// @return whether the verdict is as stated.
bool show(const Options& options, const SelfTest& test) {
    const bool as_stated = test.differences.empty();
    const auto& cost = test.report.costs.back();
    std::cout << fmt::format("{:<4} {:<28} {:>3} of {} points, {:.1f} s, {:.1f} s of processor\n",
                             as_stated ? "ok" : "BAD", test.subject, test.report.earned(),
                             test.report.possible(),
                             static_cast<double>(cost.time.count()) / 1000.0,
                             static_cast<double>(cost.cpu.count()) / 1000.0);
    for (const auto& difference : test.differences) std::cout << "     " << difference << '\n';
    if (!as_stated || options.verbose)
        TerminalWriter(style_for(options)).write(test.report, std::cout);
    std::cout << std::flush;
    return as_stated;
}

/// Grades one subject as often as asked, each time with the next seed.
/// @return whether each verdict is as stated and all are equal.
bool run_subject(const Options& options, const Lab& lab, const Scenario& scenario,
                 const std::string& subject) {
    Repeated repeated;
    bool good = true;
    for (int i = 0; i < options.repeat; ++i) {
        Request request = request_for(options);
        request.seed += static_cast<std::uint64_t>(i);
        if (options.telling) request.checks = telling_checks(lab, subject);
        auto test = self_test(lab, scenario, options.places, subject, request, Watcher{});
        if (!request.checks.empty() && !test.differences.empty()) {
            // What one check provokes another may be the one to see.
            request.checks.clear();
            test = self_test(lab, scenario, options.places, subject, request, Watcher{});
        }
        repeated.add(test.report);
        good = show(options, test) && good;
    }
    const auto differences = repeated.differences();
    if (options.repeat > 1)
        std::cout << fmt::format("{} {}: {} runs, {}\n", differences.empty() ? "same" : "DIFF",
                                 subject, repeated.runs(),
                                 differences.empty() ? "equal verdicts" : "verdicts differ");
    for (const auto& difference : differences) std::cout << "     " << difference << '\n';
    std::cout << std::flush;
    return good && differences.empty();
}

bool clauses_are_sound(const Lab& lab, const Scenario& scenario) {
    if (lab.clauses.empty()) return true;
    const auto mistakes =
        clause_mistakes(lab, scenario, fwts::read_file(lab.directory / "handout.md"));
    for (const auto& mistake : mistakes) std::cout << fmt::format("BAD  {}\n", mistake);
    return mistakes.empty();
}

int run_selftest(const Options& options) {
    const Lab lab = open_lab(options);
    const Scenario scenario = fwts::labs::scenario_for(lab.name);
    bool good = true;
    // Whoever works on one subject need not have the rest in order yet.
    if (options.only.empty()) good = clauses_are_sound(lab, scenario);
    std::cout << fmt::format("seed {}\n", options.seed);
    for (const auto& subject : options.only.empty() ? subjects(lab) : options.only)
        good = run_subject(options, lab, scenario, subject) && good;
    return good ? 0 : exit_marks_lost;
}

int run_mutate(Options& options) {
    const Lab lab = open_lab(options);
    const Scenario scenario = fwts::labs::scenario_for(lab.name);
    options.mutate.json = options.json;
    options.mutate.list = options.list;
    options.mutate.file = options.places.cache / "mutation" / (lab.name + ".jsonl");
    const fwts::ProgressLine progress;
    options.mutate.progress = [&](const std::string& text) {
        if (text.empty())
            progress.clear();
        else
            show(progress, text);
    };
    return mutate(lab, scenario, options.places, options.mutate, std::cout) ? 0 : exit_marks_lost;
}

int print_handout(const Options& options) {
    const Lab lab = open_lab(options);
    std::cout << filled_in(fwts::read_file(lab.directory / "handout.md"), lab.params);
    return 0;
}

/// Those for whom the patients are want to look at them in the guest of every day.
int make_patients_for(const Options& options, bool kernel_named) {
    const Lab lab = open_lab(options);
    const auto& places = options.places;
    make_patients(lab, places.driver,
                  kernel_named ? places.kernel : places.kernel.parent_path() / "trace",
                  places.cache, options.out);
    std::cout << fmt::format("{}: {} patients of lab {}, and a healthy driver\n", options.out,
                             lab.patients.size(), lab.name);
    return 0;
}

/// What each patient has, for the instructor.
int print_diagnoses(const Options& options) {
    const Lab lab = open_lab(options);
    for (const auto& patient : lab.patients) {
        const auto& fault = lab.ward.faults.at(patient.fault - 1);
        std::cout << fmt::format("patient {}: {} {}: {}\n", patient.letter, fault.name,
                                 patient.number, fault.story);
    }
    return 0;
}

int make_directory(const Options& options, const std::string& what) {
    const Lab lab = open_lab(options);
    if (what == "skeleton")
        make_skeleton(lab, options.places.driver, options.out);
    else if (what == "solution")
        make_solution(lab, options.places.driver, options.out);
    else if (what == "alternative")
        make_alternative(lab, lab.alternative(options.name), options.places.driver, options.out);
    else
        make_mutant(lab, lab.mutant(options.name), options.places.driver, options.out);
    std::cout << fmt::format("{}: {} of lab {}\n", options.out, what, lab.name);
    return 0;
}

void add_places(CLI::App& app, Options& options) {
    app.add_option("--kernel", options.places.kernel, "strict kernel to grade with")
        ->capture_default_str();
    app.add_option("--labs", options.places.labs, "directory of the labs")->capture_default_str();
    app.add_option("--driver", options.places.driver, "source of the driver")
        ->capture_default_str();
}

void add_common(CLI::App& app, Options& options) {
    app.add_option("--lab", options.lab, "number or name of the lab, for example 01");
    app.add_option("--seed", options.seed, "what is random in the run follows from it")
        ->default_str("a new one each time");
    app.add_option("--keep-logs", options.keep_logs,
                   "directory for console, register record and sources");
    app.add_option("--params", options.params,
                   "file of name = \"value\" lines that changes the lab's constants (see --list)")
        ->check(CLI::ExistingFile);
    app.add_option("--book-url", options.book_url, "where hints find the book")
        ->capture_default_str();
    app.add_flag("--verbose", options.verbose, "all evidence, and what each part cost");
}

int run(int argc, char** argv) {
    Options options;
    options.seed = std::random_device{}();
    CLI::App app{"Grades a lab submission in a fresh guest, or makes what a lab hands out."};
    app.footer(footer);
    app.require_subcommand(0, 1);
    app.fallthrough();
    add_common(app, options);
    add_places(app, options);
    app.add_option("--submission", options.submission,
                   "directory with the files that were changed");
    app.add_option("--json", options.json,
                   "also write the report there as JSON; - for stdout alone");
    app.add_flag("--list", options.list, "show the lab's checks and stop");

    auto* selftest = app.add_subcommand("selftest", "grade what has a known verdict, and compare");
    selftest->add_option(
        "--only", options.only,
        "one subject: solution, skeleton, alternative-NAME, a mutant or hostile-NAME");
    selftest
        ->add_option("--repeat", options.repeat,
                     "grade each subject so often, with the seeds that follow --seed, and say "
                     "which verdicts differ")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    selftest->add_flag("--telling", options.telling,
                       "of a mutant try only the checks it is to fail, and what they need; all, if "
                       "these say otherwise");
    auto* mutate = app.add_subcommand(
        "mutate", "grade mutations of the reference, and name those that no check noticed");
    mutate->add_option("--sample", options.mutate.sample, "so many of them only");
    mutate->add_option("--only", options.mutate.only, "a mutation's name, or a regular expression");
    mutate->add_flag("--survivors", options.mutate.survivors, "only those that survived last time");
    mutate->add_option("-j,--jobs", options.mutate.at_once, "so many at a time")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    const auto* handout = app.add_subcommand("handout", "print what the student is given to read");
    std::vector<CLI::App*> makers;
    makers.push_back(app.add_subcommand("skeleton", "make the directory a student starts from"));
    makers.push_back(app.add_subcommand("solution", "make the complete reference solution"));
    makers.push_back(app.add_subcommand("mutant", "make the solution with a known fault"));
    makers.back()->add_option("--name", options.name, "which fault; see --list")->required();
    makers.push_back(app.add_subcommand("alternative", "make a solution in another style"));
    makers.back()->add_option("--name", options.name, "which one; see --list")->required();
    makers.push_back(app.add_subcommand(
        "patients", "make the drivers that are ill, one for each letter (lab 10)"));
    const auto* diagnoses =
        app.add_subcommand("diagnoses", "print what the patients have: for instructors");
    for (auto* maker : makers)
        maker->add_option("--out", options.out, "new directory to make")->required();
    CLI11_PARSE(app, argc, argv);

    if (mutate->parsed()) {
        if (app.get_option("--seed")->count() > 0) options.mutate.seed = options.seed;
        return run_mutate(options);
    }
    if (options.list) return list_checks(options);
    if (handout->parsed()) return print_handout(options);
    if (selftest->parsed()) return run_selftest(options);
    if (diagnoses->parsed()) return print_diagnoses(options);
    if (makers.back()->parsed())
        return make_patients_for(options, app.get_option("--kernel")->count() > 0);
    for (const auto* maker : makers)
        if (maker->parsed()) return make_directory(options, maker->get_name());
    return grade_one(options);
}

}  // namespace

int main(int argc, char** argv) {
    fwts::settle_inherited();
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "grade: " << visible(error.what(), "\n\t") << '\n';
        return exit_grader_trouble;
    } catch (...) {
        std::cerr << "grade: stopped by an error nobody had foreseen\n";
        return exit_grader_trouble;
    }
}
