// SPDX-License-Identifier: GPL-2.0
/// @file
/// The program: its commands and what they print.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <string>

#include "book.h"
#include "disk.h"
#include "error.h"
#include "patch.h"
#include "process_start.h"
#include "snippet.h"
#include "source.h"
#include "stage_writer.h"
#include "tangle.h"

namespace {

using namespace fwts::loom;  // NOLINT(google-build-using-namespace): the program is loom

/// What the user asked for.
struct Request {
    std::string source = "code/driver";
    std::string out = "build/stages";
    std::string stage = "all";
    std::string woven;
    std::string book;
    std::string from;
    std::string to;
    bool json = false;
};

int stage_index(const Manifest& manifest, const std::string& number) {
    if (const auto found = manifest.find(number)) return *found;
    throw Failure({manifest.path, 0, fmt::format("there is no stage '{}'", number),
                   fmt::format("use one of {}", manifest.numbers())});
}

void list_stages(const Request& request, RealDisk& disk) {
    const std::string path = request.source + "/stages.toml";
    const auto text = disk.read(path);
    if (!text) throw Failure({path, 0, "is missing", "name the driver's directory with --source"});
    const Manifest manifest = parse_manifest(*text, path);
    if (request.json) {
        nlohmann::json stages = nlohmann::json::array();
        for (const Stage& stage : manifest.stages)
            stages.push_back({{"number", stage.number},
                              {"name", stage.name},
                              {"title", stage.title},
                              {"chapter", stage.chapter},
                              {"directory", stage.directory()}});
        fmt::print("{}\n", stages.dump(2));
        return;
    }
    for (int i = 0; i <= manifest.last_stage(); ++i) {
        const Stage& stage = manifest.stages[i];
        const auto files =
            std::count_if(manifest.files.begin(), manifest.files.end(),
                          [&](const ManifestFile& file) { return file.life.contains(i); });
        fmt::print("{:<20} {:>2} files  {}\n", stage.directory(), files, stage.title);
    }
}

void write_stages(const Request& request, RealDisk& disk) {
    Ctags tagger;
    const Source source = read_source(disk, request.source, tagger);
    const int only = request.stage == "all" ? -1 : stage_index(source.manifest, request.stage);
    const std::vector<StageTree> trees = tangle_all(source);
    for (const StageTree& tree : trees) {
        if (only >= 0 && tree.stage != only) continue;
        const WriteReport report =
            write_stage(disk, request.out, source.manifest.stages[tree.stage], tree,
                        tree.stage == 0 ? nullptr : &trees[tree.stage - 1]);
        fmt::print("{}: {} files, {} written, {} removed\n", report.directory, report.files,
                   report.written, report.removed);
    }
    if (only >= 0) return;
    for (const WriteReport& report : remove_stale_stages(disk, request.out, source.manifest))
        fmt::print("{}: no longer a stage, {} removed\n", report.directory, report.removed);
}

/// What the book says of itself; nothing when none is named.
BookIndex book_of(const Request& request, RealDisk& disk) {
    return request.book.empty() ? BookIndex{} : read_book_index(disk, request.book);
}

void write_snippets(const Request& request, RealDisk& disk) {
    Ctags tagger;
    const Source source = read_source(disk, request.source, tagger, book_of(request, disk).cuts);
    const std::vector<Snippet> snippets = weave(source, tangle_all(source), tagger);
    if (!request.json) {
        for (const Snippet& s : snippets)
            fmt::print("{}  {:<32} {}:{}\n", source.manifest.stages[s.stage].number, s.id, s.file,
                       s.first_line);
        return;
    }
    const std::string text = to_json(snippets, source.manifest).dump(1) + "\n";
    if (request.woven.empty())
        fmt::print("{}", text);
    else if (disk.read(request.woven) != text)
        disk.write(request.woven, text);
}

void check(const Request& request, RealDisk& disk) {
    Ctags tagger;
    const BookIndex book = book_of(request, disk);
    const Source source = read_source(disk, request.source, tagger, book.cuts);
    const std::vector<Snippet> snippets = weave(source, tangle_all(source), tagger);
    if (request.book.empty()) {
        fmt::print("{}: {} stages, {} files, {} pieces: every mark is sound\n", request.source,
                   source.manifest.stages.size(), source.files.size(), snippets.size());
        return;
    }
    throw_if_any(check_book(book, source, snippets));
    fmt::print("{}: every line of {} stages is shown once in the book\n", request.source,
               source.manifest.stages.size());
}

void show_diff(const Request& request, RealDisk& disk) {
    Ctags tagger;
    const Source source = read_source(disk, request.source, tagger);
    const std::string diff = diff_trees(tangle(source, stage_index(source.manifest, request.from)),
                                        tangle(source, stage_index(source.manifest, request.to)));
    fmt::print("{}", ::isatty(STDOUT_FILENO) == 1 ? coloured(diff) : diff);
}

CLI::App* add_command(CLI::App& app, Request& request, const char* name, const char* what,
                      const char* example) {
    CLI::App* command = app.add_subcommand(name, what);
    command->add_option("--source", request.source, "The driver's directory")
        ->capture_default_str();
    command->footer(std::string("Example:\n  ") + example);
    return command;
}

int run(int argc, char** argv) {
    Request request;
    RealDisk disk;
    CLI::App app(
        "Cuts the driver's stages out of its one literate source and hands its lines to "
        "the book.",
        "loom");
    app.require_subcommand(1);
    app.footer(
        "Example:\n  loom tangle --stage all --out build/stages\n"
        "Reference for authors: code/loom/README.md");

    CLI::App* stages = add_command(app, request, "stages", "List the stages", "loom stages --json");
    stages->add_flag("--json", request.json, "Print JSON");
    stages->callback([&] { list_stages(request, disk); });

    CLI::App* tangle = add_command(app, request, "tangle", "Write the stages as clean code",
                                   "loom tangle --stage 02 --out build/stages");
    tangle->add_option("--stage", request.stage, "A stage's number, or all")->capture_default_str();
    tangle->add_option("--out", request.out, "Where the stages go")->capture_default_str();
    tangle->callback([&] { write_stages(request, disk); });

    CLI::App* weave = add_command(app, request, "weave", "List the pieces the book can show",
                                  "loom weave --json --out build/book/snippets.json");
    CLI::Option* json = weave->add_flag("--json", request.json, "Print them whole, as JSON");
    weave->add_option("--out", request.woven, "Write the JSON to this file, if it changed")
        ->needs(json);
    weave->add_option("--book", request.book,
                      "What the book says of itself: pieces that a chapter names by their lines");
    weave->callback([&] { write_snippets(request, disk); });

    CLI::App* check_command =
        add_command(app, request, "check", "Check the marks and that the book shows every line",
                    "loom check --book build/book/index.json");
    check_command->add_option(
        "--book", request.book,
        "What the book says of itself; without it only the marks are checked");
    check_command->callback([&] { check(request, disk); });

    CLI::App* diff = add_command(app, request, "diff", "Show what one stage changes in another",
                                 "loom diff 01 02");
    diff->add_option("FROM", request.from, "A stage's number")->required();
    diff->add_option("TO", request.to, "A stage's number")->required();
    diff->callback([&] { show_diff(request, disk); });

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    } catch (const Failure& failure) {
        fmt::print(stderr, "{}\n", failure.what());
        return 1;
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    fwts::settle_inherited();
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "loom: error: %s\n", error.what());
        return 1;
    }
}
