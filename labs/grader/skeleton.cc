// SPDX-License-Identifier: GPL-2.0
#include "skeleton.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sstream>
#include <stdexcept>

#include "builder.h"
#include "files.h"
#include "source.h"
#include "tagger.h"
#include "tangle.h"

namespace fwts::grader {
namespace fs = std::filesystem;
namespace {

/// Replaces the body of one function, wherever in the stage it is.
void empty_blank(const fs::path& dir, const Blank& blank, loom::Tagger& tagger) {
    for (const auto& entry : fs::directory_iterator(dir)) {
        if (entry.path().extension() != ".c") continue;
        const std::string text = read_file(entry.path());
        for (const auto& tag : tagger.tags(text)) {
            if (tag.kind != "function" || tag.name != blank.function) continue;
            write_file(entry.path(), replace_body(text, tag.line, tag.end, blank.body));
            return;
        }
    }
    throw std::runtime_error(
        fmt::format("stage {} has no function {}; the driver has changed, so mend the lab's blank",
                    dir.string(), blank.function));
}

bool is_source(const fs::path& path) {
    return path.extension() == ".c" || path.extension() == ".h";
}

void lay_over(const fs::path& from, const Params& params, const fs::path& onto) {
    if (!fs::is_directory(from)) return;
    for (const auto& entry : fs::directory_iterator(from))
        if (entry.is_regular_file() && is_source(entry.path()))
            write_file(onto / entry.path().filename(), filled_in(read_file(entry.path()), params));
}

void write_kbuild(const fs::path& dir) {
    write_file(dir / "Kbuild", build_rules());
}

/// The stage with the lab's hooks and own files, nothing taken out yet.
void make_base(const Lab& lab, const fs::path& driver, const fs::path& out) {
    fs::create_directories(out);
    if (!fs::is_empty(out))
        throw std::runtime_error(fmt::format(
            "{}: is not empty; name a new directory, nothing is overwritten", out.string()));
    cut_stage(driver, lab.stage, out);
    apply_all(lab.hooks, out);
    lay_over(lab.skeleton_dir(), lab.params, out);
}

}  // namespace

void cut_stage(const fs::path& driver, const std::string& stage, const fs::path& out) {
    fs::create_directories(out);
    if (stage == "none") return;
    const auto companion = driver.parent_path() / "companions" / stage;
    if (fs::is_directory(companion)) {
        for (const auto& entry : fs::directory_iterator(companion))
            if (is_source(entry.path()))
                write_file(out / entry.path().filename(), read_file(entry.path()));
        return;
    }
    loom::RealDisk disk;
    loom::Ctags tagger;
    const auto source = loom::read_source(disk, driver.string(), tagger);
    const auto index = source.manifest.find(stage);
    if (!index)
        throw std::runtime_error(fmt::format("{}: the driver has no stage \"{}\"; there are {}",
                                             driver.string(), stage, source.manifest.numbers()));
    for (const auto& file : loom::tangle(source, *index).files)
        write_file(out / file.name, file.text());
}

std::string replace_body(const std::string& text, int first, int last, const std::string& body) {
    std::istringstream in(text);
    std::string result;
    std::string line;
    bool opened = false;
    bool closed = false;
    for (int number = 1; std::getline(in, line); ++number) {
        const bool inside = number >= first && number <= last;
        if (inside && line == "{") {
            opened = true;
            result += "{\n" + body;
            if (!body.ends_with('\n')) result += '\n';
        }
        closed = closed || (opened && number == last && line == "}");
        if (!opened || !inside || number == last) result += line + "\n";
    }
    if (!closed)
        throw std::runtime_error(
            fmt::format("lines {} to {} hold no function body with its braces in the first column",
                        first, last));
    return result;
}

void make_skeleton(const Lab& lab, const fs::path& driver, const fs::path& out) {
    make_base(lab, driver, out);
    loom::Ctags tagger;
    for (const auto& blank : lab.blanks) empty_blank(out, blank, tagger);
    apply_all(lab.gaps, out);
    write_kbuild(out);
    const auto handout = lab.directory / "handout.md";
    if (fs::exists(handout))
        write_file(out / "handout.md", filled_in(read_file(handout), lab.params));
}

IntakeRules rules_with(const Lab& lab, const fs::path& skeleton) {
    IntakeRules rules = lab.intake;
    for (const auto& entry : fs::directory_iterator(skeleton))
        rules.handed_out[entry.path().filename().string()] = read_file(entry.path());
    return rules;
}

void make_solution(const Lab& lab, const fs::path& driver, const fs::path& out) {
    make_base(lab, driver, out);
    apply_all(lab.answers, out);
    lay_over(lab.solution_dir(), lab.params, out);
    write_kbuild(out);
}

void make_alternative(const Lab& lab, const std::string& name, const fs::path& out) {
    const auto from = lab.alternative_dir(name);
    if (!fs::is_directory(from))
        throw std::runtime_error(fmt::format("{}: there is no such alternative; lab {} has: {}",
                                             from.string(), lab.name,
                                             fmt::join(lab.alternatives(), ", ")));
    fs::create_directories(out);
    lay_over(from, lab.params, out);
}

void make_mutant(const Lab& lab, const Mutant& mutant, const fs::path& driver,
                 const fs::path& out) {
    make_solution(lab, driver, out);
    apply_all(mutant.edits, out);
}

}  // namespace fwts::grader
