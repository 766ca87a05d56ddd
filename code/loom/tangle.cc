// SPDX-License-Identifier: GPL-2.0
#include "tangle.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace fwts::loom {

namespace {

/// Closes up the blank lines of what was cut.
std::vector<StageLine> tidy(std::vector<StageLine> lines) {
    std::vector<StageLine> kept;
    kept.reserve(lines.size());
    for (StageLine& line : lines) {
        if (is_blank(line.text)) {
            if (kept.empty() || is_blank(kept.back().text) ||
                trimmed(kept.back().text).ends_with('{'))
                continue;
        } else if (trimmed(line.text).starts_with('}')) {
            while (!kept.empty() && is_blank(kept.back().text)) kept.pop_back();
        }
        kept.push_back(std::move(line));
    }
    while (!kept.empty() && is_blank(kept.back().text)) kept.pop_back();
    return kept;
}

StageFile cut(const SourceFile& file, int stage) {
    std::vector<StageLine> lines;
    for (int number = 1; number <= static_cast<int>(file.lines.size()); ++number)
        if (!file.is_mark[number - 1] && file.life_of(number).contains(stage))
            lines.push_back({file.lines[number - 1], number});
    return {file.name, tidy(std::move(lines))};
}

std::string objects_of(const Source& source, int stage) {
    std::string objects;
    for (const SourceFile& file : source.files)
        if (file.life.contains(stage) && file.name.ends_with(".c"))
            objects +=
                (objects.empty() ? "" : " ") + file.name.substr(0, file.name.size() - 2) + ".o";
    return objects;
}

/// Breaks a line that a list of objects made too long, as make allows. Others stay as they are.
Lines wrapped(std::string line) {
    constexpr size_t kWidth = 80;
    Lines lines;
    while (line.size() > kWidth && !line.starts_with('#')) {
        const size_t space = line.rfind(".o ", kWidth - 4);
        if (space == std::string::npos) break;
        lines.push_back(line.substr(0, space + 2) + " \\");
        line = "\t" + line.substr(space + 3);
    }
    lines.push_back(std::move(line));
    return lines;
}

/// Replaces @PLACEHOLDERS@; anything else between two @ is left alone.
class Filler {
  public:
    Filler(const Source& source, int stage) {
        const Stage& s = source.manifest.stages[stage];
        values_ = {{"OBJECTS", objects_of(source, stage)},
                   {"STAGE", s.number},
                   {"NAME", s.name},
                   {"TITLE", s.title}};
    }

    StageFile fill(const Template& from, Errors& errors) const {
        StageFile file{from.name, {}};
        int number = 0;
        for (const std::string& line : from.lines) {
            ++number;
            for (std::string& filled : wrapped(fill_line(line, from.path, number, errors)))
                file.lines.push_back({std::move(filled), number});
        }
        return file;
    }

  private:
    std::string fill_line(const std::string& line, const std::string& path, int number,
                          Errors& errors) const {
        std::string filled;
        for (size_t at = 0; at < line.size();) {
            const size_t end = line.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", at + 1);
            if (line[at] != '@' || end == std::string::npos || end == at + 1 || line[end] != '@') {
                filled += line[at++];
                continue;
            }
            const std::string name = line.substr(at + 1, end - at - 1);
            const auto value = values_.find(name);
            if (value == values_.end())
                errors.push_back({path, number, fmt::format("unknown placeholder '@{}@'", name),
                                  "use @OBJECTS@, @STAGE@, @NAME@ or @TITLE@"});
            else
                filled += value->second;
            at = end + 1;
        }
        return filled;
    }

    std::map<std::string, std::string> values_;
};

}  // namespace

Lines StageFile::texts() const {
    Lines texts;
    texts.reserve(lines.size());
    for (const StageLine& line : lines) texts.push_back(line.text);
    return texts;
}

std::string StageFile::text() const {
    std::string text;
    for (const StageLine& line : lines) {
        text += line.text;
        text += '\n';
    }
    return text;
}

const StageFile* StageTree::find(const std::string& name) const {
    const auto found = std::find_if(files.begin(), files.end(),
                                    [&](const StageFile& file) { return file.name == name; });
    return found == files.end() ? nullptr : &*found;
}

StageTree tangle(const Source& source, int stage) {
    StageTree tree{stage, {}};
    Errors errors;
    for (const SourceFile& file : source.files) {
        if (!file.life.contains(stage)) continue;
        tree.files.push_back(cut(file, stage));
        if (tree.files.back().lines.empty())
            errors.push_back(
                {file.path, 0,
                 fmt::format("has no lines in stage {}", source.manifest.stages[stage].number),
                 "let its lifetime in stages.toml leave that stage out"});
    }
    const Filler filler(source, stage);
    for (const Template& from : source.templates) tree.files.push_back(filler.fill(from, errors));
    throw_if_any(errors);
    return tree;
}

std::vector<StageTree> tangle_all(const Source& source) {
    std::vector<StageTree> trees;
    for (int stage = 0; stage <= source.manifest.last_stage(); ++stage)
        trees.push_back(tangle(source, stage));
    return trees;
}

}  // namespace fwts::loom
