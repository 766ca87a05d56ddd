// SPDX-License-Identifier: GPL-2.0
// An edit: one piece of text replaced in one file, named in a lab's TOML.
//
// Labs need three kinds of small change to the driver as the book prints it (the hook a task hangs
// on, the answer to a task, a mutant's fault). All three are edits, so none copies a driver file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace fwts::grader {

struct Edit {
    std::string file;  ///< name inside the source directory
    std::string find;  ///< must occur exactly once, so an edit cannot go astray unnoticed
    std::string replace;
};

/// Replaces in memory.
/// @throws std::runtime_error naming the file and what was not found, or found more than once.
std::string edited(const Edit& edit, const std::string& text);

/// Replaces in files below `dir`.
void apply_all(const std::vector<Edit>& edits, const std::filesystem::path& dir);

}  // namespace fwts::grader
