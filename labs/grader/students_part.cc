// SPDX-License-Identifier: GPL-2.0
#include "students_part.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "clauses.h"
#include "files.h"
#include "tagger.h"

namespace fwts::grader {
namespace fs = std::filesystem;
namespace {

/// Offsets at which the lines begin, and the end.
std::vector<std::size_t> line_starts(const std::string& text) {
    std::vector<std::size_t> starts{0};
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] == '\n') starts.push_back(i + 1);
    starts.push_back(text.size());
    return starts;
}

std::vector<Region> functions_in(const std::string& text, loom::Tagger& tagger) {
    std::vector<Region> found;
    const auto starts = line_starts(text);
    for (const auto& tag : tagger.tags(text)) {
        if (tag.kind != "function" || tag.end < tag.line) continue;
        found.push_back({tag.name, starts.at(static_cast<std::size_t>(tag.line) - 1),
                         starts.at(static_cast<std::size_t>(tag.end))});
    }
    return found;
}

const Region* holds(const std::vector<Region>& regions, std::size_t begin, std::size_t end) {
    const auto found = std::find_if(regions.begin(), regions.end(), [&](const auto& one) {
        return one.begin <= begin && end <= one.end;
    });
    return found == regions.end() ? nullptr : &*found;
}

/// The parts of one file of the stage.
class StageFile {
  public:
    StageFile(std::string name, std::string text, loom::Tagger& tagger)
        : file_{std::move(name), std::move(text), {}},
          functions_(functions_in(file_.text, tagger)) {}

    void add_function(const std::string& name) {
        for (const auto& one : functions_)
            if (one.function == name) add(one);
    }

    /// @throws std::runtime_error when the text is not there.
    void add_text(const std::string& text) {
        const auto at = file_.text.find(text);
        if (at == std::string::npos)
            throw std::runtime_error(fmt::format(
                "{}: the reference does not hold what the skeleton's gap takes out: \"{}\"",
                file_.name, text.substr(0, text.find('\n'))));
        const auto* function = holds(functions_, at, at + text.size());
        add({function == nullptr ? "file" : function->function, at, at + text.size()});
    }

    const StudentFile& file() const { return file_; }

  private:
    void add(const Region& region) {
        if (holds(file_.regions, region.begin, region.end) == nullptr)
            file_.regions.push_back(region);
    }

    StudentFile file_;
    std::vector<Region> functions_;
};

const StudentFile& file_of(const Mutation& mutation, const std::vector<StudentFile>& files) {
    return *std::find_if(files.begin(), files.end(),
                         [&](const auto& one) { return one.name == mutation.file; });
}

/// The text around a mutation that is called its function.
struct Before {
    std::size_t begin;
    std::size_t end;
};

Before around(const Mutation& mutation, const StudentFile& file) {
    const auto* region = holds(file.regions, mutation.changes.front().at,
                               mutation.changes.back().at + mutation.changes.back().length);
    return {region->begin, region->end};
}

int occurrences(const std::string& text, const std::string& wanted) {
    int count = 0;
    for (auto at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1))
        ++count;
    return count;
}

bool is_meant(const Equivalent& entry, const Mutation& mutation,
              const std::vector<StudentFile>& files) {
    if (!entry.mutant.empty()) return entry.mutant == mutation.name();
    if (entry.file != mutation.file || entry.function != mutation.function) return false;
    const auto& file = file_of(mutation, files);
    const auto [begin, end] = around(mutation, file);
    auto before = folded(file.text.substr(begin, end - begin));
    const auto find = folded(entry.find);
    if (find.empty() || occurrences(before, find) != 1) return false;
    const auto mutated = mutation.applied(file.text);
    const auto after =
        folded(mutated.substr(begin, mutated.size() - file.text.size() + end - begin));
    before.replace(before.find(find), find.size(), folded(entry.replace));
    return folded(before) == after;
}

std::string quoted(const std::string& text) {
    std::string result = "'";
    if (text.find('\'') != std::string::npos) result = "'''";
    return result + text + result;
}

}  // namespace

std::vector<StudentFile> students_part(const Lab& lab, const fs::path& solution) {
    loom::Ctags tagger;
    std::vector<std::string> own;
    for (const auto& entry : fs::directory_iterator(lab.solution_dir()))
        if (entry.path().extension() == ".c") own.push_back(entry.path().filename().string());
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(solution))
        if (entry.path().extension() == ".c") names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());

    std::vector<StudentFile> files;
    for (const auto& name : names) {
        StageFile file(name, read_file(solution / name), tagger);
        if (std::find(own.begin(), own.end(), name) != own.end()) {
            StudentFile whole{name, file.file().text, functions_in(file.file().text, tagger)};
            whole.regions.push_back({"file", 0, whole.text.size()});
            files.push_back(std::move(whole));
            continue;
        }
        for (const auto& blank : lab.blanks) file.add_function(blank.function);
        for (const auto& gap : lab.gaps)
            if (gap.file == name) file.add_text(gap.find);
        for (const auto& answer : lab.answers)
            if (answer.file == name) file.add_text(answer.replace);
        if (!file.file().regions.empty()) files.push_back(file.file());
    }
    return files;
}

std::vector<Mutation> mutations_of(const std::vector<StudentFile>& files) {
    std::vector<Mutation> all;
    for (const auto& file : files)
        for (auto& one : mutations(file.name, file.text, file.regions))
            all.push_back(std::move(one));
    return all;
}

Equivalents equivalents(const Lab& lab, const std::vector<StudentFile>& files,
                        const std::vector<Mutation>& all) {
    Equivalents result;
    for (const auto& entry : lab.equivalents) {
        const auto meant = std::find_if(all.begin(), all.end(), [&](const auto& mutation) {
            return is_meant(entry, mutation, files);
        });
        if (meant != all.end())
            result.reasons[meant->name()] = entry.reason;
        else if (!entry.mutant.empty())
            result.mistakes.push_back(
                fmt::format("equivalent: there is no mutant \"{}\"", entry.mutant));
        else
            result.mistakes.push_back(fmt::format(
                "equivalent: no mutant of {} in {} has \"{}\" in place of \"{}\", or the latter "
                "does not stand there exactly once",
                entry.function, entry.file, folded(entry.replace), folded(entry.find)));
    }
    return result;
}

std::string as_equivalent(const Mutation& mutation, const std::vector<StudentFile>& files) {
    auto by_name = fmt::format("[[equivalent]]\nmutant = \"{}\"\nreason = \"\"\n", mutation.name());
    if (mutation.changes.size() > 1) return by_name;
    const auto& file = file_of(mutation, files);
    const auto [begin, end] = around(mutation, file);
    const auto whole = folded(file.text.substr(begin, end - begin));
    const auto& change = mutation.changes.front();
    auto first = file.text.rfind('\n', change.at) + 1;
    const auto last = std::min(file.text.find('\n', change.at + change.length), end);
    // Lines before it join until the words stand there once.
    for (;;) {
        const auto find = folded(file.text.substr(first, last - first));
        if (occurrences(whole, find) == 1)
            return fmt::format(
                "[[equivalent]]\nfile = \"{}\"\nfunction = \"{}\"\nfind = {}\nreplace = "
                "{}\nreason = \"\"\n",
                mutation.file, mutation.function, quoted(find),
                quoted(folded(file.text.substr(first, change.at - first) + change.text +
                              file.text.substr(change.at + change.length,
                                               last - change.at - change.length))));
        if (first <= begin) return by_name;
        first = first < 2 ? 0 : file.text.rfind('\n', first - 2) + 1;
        first = std::max(first, begin);
    }
}

}  // namespace fwts::grader
