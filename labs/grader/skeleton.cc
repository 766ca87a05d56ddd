// SPDX-License-Identifier: GPL-2.0
#include "skeleton.h"

#include <fmt/format.h>

#include <functional>
#include <stdexcept>

#include "builder.h"
#include "files.h"
#include "functions.h"
#include "source.h"
#include "tagger.h"
#include "tangle.h"

namespace fwts::grader {
namespace fs = std::filesystem;
namespace {

using Change = std::function<std::string(const std::string& text, const loom::Tag& function)>;

/// Changes the file that has the function, whichever that is.
void change_function(const fs::path& dir, const std::string& name, loom::Tagger& tagger,
                     const Change& changed) {
    for (const auto& entry : fs::directory_iterator(dir)) {
        if (entry.path().extension() != ".c") continue;
        const std::string text = read_file(entry.path());
        for (const auto& tag : tagger.tags(text)) {
            if (tag.kind != "function" || tag.name != name) continue;
            write_file(entry.path(), changed(text, tag));
            return;
        }
    }
    throw std::runtime_error(
        fmt::format("{}: there is no function {}; the driver has changed, so mend the lab",
                    dir.string(), name));
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

/// Puts the functions of one file in the place of those of the file of the same name.
void lay_functions_over(const fs::path& from, const Params& params, const fs::path& onto,
                        loom::Tagger& tagger) {
    if (!fs::exists(onto))
        throw std::runtime_error(
            fmt::format("{}: the skeleton has no file of that name", from.string()));
    try {
        write_file(onto,
                   with_functions(read_file(onto), filled_in(read_file(from), params), tagger));
    } catch (const std::runtime_error& error) {
        throw std::runtime_error(fmt::format("{}: {}", from.string(), error.what()));
    }
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

void make_skeleton(const Lab& lab, const fs::path& driver, const fs::path& out) {
    make_base(lab, driver, out);
    loom::Ctags tagger;
    for (const auto& blank : lab.blanks)
        change_function(out, blank.function, tagger,
                        [&](const std::string& text, const loom::Tag& function) {
                            return replace_body(text, function.line, function.end, blank.body);
                        });
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

void make_alternative(const Lab& lab, const Alternative& alternative, const fs::path& driver,
                      const fs::path& out) {
    Lab less = lab;
    for (const auto& name : alternative.book)
        if (std::erase_if(less.blanks, [&](const auto& blank) { return blank.function == name; }) ==
            0)
            throw std::runtime_error(fmt::format("alternative {}: {} is no blank of lab {}",
                                                 alternative.name, name, lab.name));
    make_skeleton(less, driver, out);
    const auto from = lab.alternative_dir(alternative.name);
    lay_over(from, lab.params, out);
    loom::Ctags tagger;
    for (const auto& name : alternative.without)
        change_function(out, name, tagger, without_function);
    if (fs::is_directory(from / "functions"))
        for (const auto& entry : fs::directory_iterator(from / "functions"))
            lay_functions_over(entry.path(), lab.params, out / entry.path().filename(), tagger);
    apply_all(alternative.edits, out);
}

void make_mutant(const Lab& lab, const Mutant& mutant, const fs::path& driver,
                 const fs::path& out) {
    make_solution(lab, driver, out);
    apply_all(mutant.edits, out);
}

}  // namespace fwts::grader
