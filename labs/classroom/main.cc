// SPDX-License-Identifier: GPL-2.0
// The program `classroom`: a whole class graded, on one machine or on many.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "all_labs.h"
#include "exchange.h"
#include "feedback.h"
#include "files.h"
#include "generate.h"
#include "grading_one.h"
#include "pool.h"
#include "process_start.h"
#include "roster.h"
#include "similarity.h"
#include "tables.h"
#include "unpack.h"
#include "visible.h"

namespace {

namespace fs = std::filesystem;
using namespace fwts;
using namespace fwts::classroom;

constexpr int exit_incomplete = 1;
constexpr int exit_usage = 2;
constexpr int exit_interrupted = 130;

constexpr const char* footer = R"(
Example:
  classroom grade --lab 01 --submissions handed-in/ --out results/ -j 2
  classroom similarity --out results/
  classroom generate --lab 01 --out trial/ --count 30 --hostile 10

On the machines of a cluster, as labs/classroom/slurm/grade-class does it:
  classroom list --lab 01 --submissions handed-in/ --out results/
  classroom one --out results/ --index 0      each number that list prints
  classroom collect --out results/

Exit status: 0 every submission has a verdict, 1 some have none (the grader failed or was
interrupted there), 2 wrong usage, 130 interrupted.)";

struct Options {
    std::string lab;
    std::vector<std::string> submissions;
    std::string out;
    std::string params;
    std::string part;
    std::string run;
    std::string book_url = "build/book/html";
    std::string grade;
    std::string report;
    std::string format;
    std::string expected;
    std::vector<std::string> kinds;
    std::vector<std::string> in_room;
    std::optional<std::uint64_t> seed;
    std::size_t index = 0;
    std::size_t count = 30;
    std::size_t hostile = 10;
    int at_once = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    int timeout = 1200;
    int threshold = 40;
    bool again = false;
};

Tools tools_for(const Options& options) {
    auto tools = Tools::of_this_program();
    if (!options.grade.empty()) tools.grade = fs::absolute(options.grade);
    tools.timeout = std::chrono::seconds(options.timeout);
    return tools;
}

/// The list, and a lock that keeps others from making another one.
struct Listed {
    Roster roster;
    Lock lock;
};

Listed make_roster(const Options& options, const Tools& tools) {
    const ResultsDirectory out(options.out);
    Roster roster;
    roster.lab =
        grader::read_lab(grader::find_lab(tools.places.labs, options.lab), options.params).name;
    roster.part = options.part;
    roster.seed = options.seed;
    std::vector<std::string> passed_over;
    roster.submissions = find_submissions(options.submissions, passed_over);
    for (const auto& name : passed_over)
        std::cerr << fmt::format("classroom: passed over {}, which is nobody's submission\n", name);
    if (roster.submissions.empty()) throw std::runtime_error("there is no submission in there");
    fs::create_directories(out.path());
    Lock lock(out.lock(), Lock::Kind::exclusive, out.path().string());
    write_roster(out, roster, options.params);
    lock.share();
    return {read_roster(out), std::move(lock)};
}

int finish(const Options& options, const Roster& roster) {
    const ResultsDirectory out(options.out);
    const auto collected = collect(out, roster, options.book_url);
    print_summary(collected, std::cout);
    std::cout << fmt::format("{}: grades.csv, times.csv, junit.xml, class.ktap, students/\n",
                             out.path().string());
    return collected.complete() ? 0 : exit_incomplete;
}

int grade_class(const Options& options, const Signals& signals) {
    const auto tools = tools_for(options);
    const auto listed = make_roster(options, tools);
    const auto& roster = listed.roster;
    PoolPlan plan;
    plan.at_once = options.at_once;
    const auto self = fs::read_symlink("/proc/self/exe").string();
    plan.command = [&](std::size_t index) {
        std::vector<std::string> argv{self,        "one",
                                      "--out",     options.out,
                                      "--run",     roster.run,
                                      "--index",   std::to_string(index),
                                      "--grade",   tools.grade.string(),
                                      "--timeout", std::to_string(options.timeout)};
        if (options.again) argv.emplace_back("--again");
        return argv;
    };
    const auto end = run_pool(roster, plan, signals);
    const int status = finish(options, roster);
    std::cout << fmt::format("{} submissions in {:.0f} s, {} at once\n", end.done, end.seconds,
                             options.at_once);
    if (end.asked_to_end != 0)
        std::cerr << "classroom: interrupted; the same command goes on from here\n";
    return end.asked_to_end != 0 ? exit_interrupted : status;
}

int list_class(const Options& options) {
    const auto roster = make_roster(options, tools_for(options)).roster;
    for (std::size_t i = 0; i < roster.submissions.size(); ++i) {
        const auto& one = roster.submissions[i];
        std::cout << fmt::format("{}\t{}\t{}\t{}\n", i, one.student, to_string(one.form),
                                 grader::name_text(one.place.string()));
    }
    return 0;
}

int grade_index(const Options& options, const Signals& signals) {
    const ResultsDirectory out(options.out);
    const Lock lock(out.lock(), Lock::Kind::shared, out.path().string());
    const auto roster = read_roster(out);
    if (!options.run.empty() && options.run != roster.run)
        throw std::runtime_error(
            fmt::format("{}: the list was made anew meanwhile", out.roster().string()));
    const auto graded =
        grade_one(out, roster, options.index, tools_for(options), signals, options.again);
    if (graded.asked_to_end != 0) return exit_interrupted;
    std::cout << summary(graded) << '\n';
    return graded.result.grader_error ? exit_incomplete : 0;
}

int convert(const Options& options) {
    const auto report = report_from(nlohmann::ordered_json::parse(read_file(options.report)));
    std::ostringstream text;
    Result result;
    result.student = report.submission;
    result.report = report;
    result.grader_error = report.stage == grader::Stage::error;
    if (options.format == "markdown") MarkdownWriter(options.book_url).write(report, text);
    if (options.format == "html") HtmlWriter(options.book_url).write(report, text);
    if (options.format == "gradescope") GradescopeWriter(options.book_url).write(report, text);
    if (options.format == "github") GithubWriter(options.book_url).write(report, text);
    if (options.format == "junit") text << junit({result}, options.book_url);
    if (options.format == "ktap") text << ktap({result});
    if (options.out == "-")
        std::cout << text.str();
    else
        write_file(options.out, text.str());
    return 0;
}

int generate(const Options& options) {
    const auto tools = tools_for(options);
    const auto lab =
        grader::read_lab(grader::find_lab(tools.places.labs, options.lab), options.params);
    const auto scenario = labs::scenario_for(lab.name);
    const ClassPlan plan{options.count, options.hostile, options.kinds};
    const auto expected = generate_class(lab, scenario, tools.places, plan, options.out);
    if (!options.expected.empty()) write_file(options.expected, expected_csv(expected));
    std::cout << fmt::format("{}: {} submissions for lab {}\n", options.out, expected.size(),
                             lab.name);
    return 0;
}

int compare(const Options& options) {
    const ResultsDirectory out(options.out);
    const auto found =
        differences(read_file(options.expected), read_file(out.path() / "grades.csv"));
    for (const auto& line : found) std::cout << line << '\n';
    if (found.empty()) std::cout << "every verdict is as expected\n";
    return found.empty() ? 0 : exit_incomplete;
}

int similar(const Options& options) {
    const ResultsDirectory out(options.out);
    const auto roster = read_roster(out);
    const auto pairs = find_similar(out, roster, tools_for(options), options.threshold);
    for (const auto& pair : pairs)
        std::cout << fmt::format("{:>3} % of {} is also in {}\n", pair.percent, pair.one,
                                 pair.other);
    std::cout << fmt::format("{}: {} pairs with {} % or more\n",
                             (out.path() / "similarity" / "similarity.csv").string(), pairs.size(),
                             options.threshold);
    return 0;
}

/// In the closed room: unpack.h.
int in_room(const Options& options) {
    if (options.in_room.size() < 2) return exit_usage;
    const std::string part = options.in_room.size() > 2 ? options.in_room[2] : "";
    const UnpackLimits limits;
    std::cout << packed(options.in_room[0] == "zip"
                            ? read_zip(options.in_room[1], part, limits)
                            : read_repository(options.in_room[1], part, limits));
    return 0;
}

void add_selection(CLI::App& app, Options& options) {
    app.add_option("--lab", options.lab, "number or name of the lab, for example 01")->required();
    app.add_option("--submissions", options.submissions,
                   "directories with an entry for each student, zip files, bare repositories, "
                   "file:// URLs")
        ->required();
    app.add_option("--params", options.params, "this cohort's constants")->check(CLI::ExistingFile);
    app.add_option("--seed", options.seed, "the same random values for everybody")
        ->default_str("others for each");
    app.add_option("--part", options.part, "take only this directory of each submission");
}

void add_out(CLI::App& app, Options& options) {
    app.add_option("--out", options.out, "directory of the results")->required();
}

void add_work(CLI::App& app, Options& options) {
    app.add_flag("--again", options.again, "grade what was graded before, too");
    app.add_option("--grade", options.grade, "the program that grades one submission")
        ->check(CLI::ExistingFile);
    app.add_option("--timeout", options.timeout, "seconds for one grading; then the grader failed")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
}

void add_book_url(CLI::App& app, Options& options) {
    app.add_option("--book-url", options.book_url, "where hints find the book")
        ->capture_default_str();
}

struct Commands {
    CLI::App *grade, *list, *one, *collect, *similarity, *generate, *compare, *convert, *in_room;
};

Commands add_commands(CLI::App& app, Options& options) {
    Commands commands{};
    commands.grade = app.add_subcommand("grade", "grade a class on this machine");
    add_selection(*commands.grade, options);
    add_out(*commands.grade, options);
    add_work(*commands.grade, options);
    add_book_url(*commands.grade, options);
    commands.grade->add_option("-j,--jobs", options.at_once, "gradings at once")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    commands.list =
        app.add_subcommand("list", "make class.json and print a number for each student");
    add_selection(*commands.list, options);
    add_out(*commands.list, options);
    commands.one = app.add_subcommand("one", "grade one submission of the class");
    add_out(*commands.one, options);
    add_work(*commands.one, options);
    commands.one->add_option("--index", options.index, "its number")->required();
    commands.one->add_option("--run", options.run,
                             "only if class.json has this word, so is still the same list");
    commands.collect = app.add_subcommand("collect", "write tables and feedback from the results");
    add_out(*commands.collect, options);
    add_book_url(*commands.collect, options);
    commands.similarity =
        app.add_subcommand("similarity", "compare the submissions with each other");
    add_out(*commands.similarity, options);
    commands.similarity
        ->add_option("--threshold", options.threshold, "percent, from which a pair is named")
        ->check(CLI::Range(1, 100))
        ->capture_default_str();
    commands.generate = app.add_subcommand("generate", "make a class for trials");
    commands.generate->add_option("--lab", options.lab, "number or name of the lab")->required();
    add_out(*commands.generate, options);
    commands.generate->add_option("--params", options.params, "this cohort's constants")
        ->check(CLI::ExistingFile);
    commands.generate->add_option("--count", options.count, "submissions in all")
        ->capture_default_str();
    commands.generate->add_option("--hostile", options.hostile, "of them, hostile ones")
        ->capture_default_str();
    commands.generate->add_option(
        "--kind", options.kinds,
        "these kinds instead: reference, skeleton, a mutant, a hostile one");
    commands.generate->add_option("--expected", options.expected,
                                  "file for the verdicts to expect");
    commands.compare =
        app.add_subcommand("compare", "compare a trial's grades with what was expected");
    add_out(*commands.compare, options);
    commands.compare->add_option("--expected", options.expected, "the file that generate wrote")
        ->required()
        ->check(CLI::ExistingFile);
    commands.convert = app.add_subcommand("convert", "a report of grade --json in another format");
    commands.convert->add_option("--report", options.report, "the report")
        ->required()
        ->check(CLI::ExistingFile);
    commands.convert->add_option("--format", options.format, "the format")
        ->required()
        ->check(CLI::IsMember({"markdown", "html", "gradescope", "github", "junit", "ktap"}));
    commands.convert->add_option("--out", options.out, "file, or - for stdout")->required();
    add_book_url(*commands.convert, options);
    commands.in_room = app.add_subcommand("in-room", "")->group("");
    commands.in_room->add_option("words", options.in_room);
    return commands;
}

int run(int argc, char** argv) {
    Options options;
    CLI::App app{"Grades a class: one process, one guest and one verdict for each submission."};
    app.footer(footer);
    app.require_subcommand(1, 1);
    const auto commands = add_commands(app, options);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : exit_usage;
    }
    if (commands.in_room->parsed()) return in_room(options);
    if (commands.convert->parsed()) return convert(options);
    if (commands.generate->parsed()) return generate(options);
    if (commands.compare->parsed()) return compare(options);
    if (commands.similarity->parsed()) return similar(options);
    if (commands.list->parsed()) return list_class(options);
    if (commands.collect->parsed())
        return finish(options, read_roster(ResultsDirectory(options.out)));
    const Signals signals;
    return commands.one->parsed() ? grade_index(options, signals) : grade_class(options, signals);
}

}  // namespace

int main(int argc, char** argv) {
    fwts::settle_inherited();
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "classroom: " << grader::visible(error.what(), "\n\t") << '\n';
        return exit_usage;
    }
}
