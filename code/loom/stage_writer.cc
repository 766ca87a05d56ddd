// SPDX-License-Identifier: GPL-2.0
#include "stage_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "patch.h"

namespace fwts::loom {

namespace {

std::set<std::string> listed_files(Disk& disk, const std::string& directory) {
    std::set<std::string> names;
    for (const std::string& line : split_lines(disk.read(directory + "/" + kListName).value_or("")))
        // A path in the list would let it reach out of the directory.
        if (!line.empty() && line.find('/') == std::string::npos) names.insert(line);
    return names;
}

std::map<std::string, std::string> texts_of(const StageTree& tree, const StageTree* previous) {
    std::map<std::string, std::string> texts;
    for (const StageFile& file : tree.files) texts[file.name] = file.text();
    if (previous != nullptr) texts[kPatchName] = diff_trees(*previous, tree);
    return texts;
}

}  // namespace

WriteReport write_stage(Disk& disk, const std::string& out, const Stage& stage,
                        const StageTree& tree, const StageTree* previous) {
    WriteReport report{out + "/" + stage.directory(), 0, 0, 0};
    const std::set<std::string> ours = listed_files(disk, report.directory);
    const auto texts = texts_of(tree, previous);
    Errors errors;
    std::map<std::string, std::string> changed;
    std::string list;
    for (const auto& [name, text] : texts) {
        list += name + "\n";
        const std::string path = report.directory + "/" + name;
        const auto present = disk.read(path);
        if (present == text) continue;
        if (present && !ours.contains(name))
            errors.push_back({path, 0, "is in the way and was not written by loom",
                              "move it elsewhere or remove it"});
        changed[path] = text;
    }
    throw_if_any(errors);
    for (const std::string& name : ours) {
        if (texts.contains(name)) continue;
        disk.remove(report.directory + "/" + name);
        ++report.removed;
    }
    // The list comes first: if the run is cut short, the next one still knows the files as its own.
    const std::string list_path = report.directory + "/" + kListName;
    if (disk.read(list_path) != list) disk.write(list_path, list);
    for (const auto& [path, text] : changed) disk.write(path, text);
    report.files = static_cast<int>(texts.size());
    report.written = static_cast<int>(changed.size());
    return report;
}

std::vector<WriteReport> remove_stale_stages(Disk& disk, const std::string& out,
                                             const Manifest& manifest) {
    std::vector<WriteReport> reports;
    for (const std::string& name : disk.list(out)) {
        const std::string directory = fmt::format("{}/{}", out, name);
        const bool current =
            std::any_of(manifest.stages.begin(), manifest.stages.end(),
                        [&](const Stage& stage) { return stage.directory() == name; });
        if (current || !disk.read(directory + "/" + kListName)) continue;
        WriteReport report{directory, 0, 0, 0};
        for (const std::string& file : listed_files(disk, directory)) {
            disk.remove(fmt::format("{}/{}", directory, file));
            ++report.removed;
        }
        disk.remove(directory + "/" + kListName);
        disk.remove_empty_directory(directory);
        reports.push_back(report);
    }
    return reports;
}

}  // namespace fwts::loom
