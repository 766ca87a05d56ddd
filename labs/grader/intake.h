// SPDX-License-Identifier: GPL-2.0
// Intake: decides which files of a submission are accepted and copies them to a clean directory.
//
// Sources only. A submission cannot bring its own build rules, nor point outside itself. What could
// be part of the build is accepted or refused with a sentence; what could not (a README, objects,
// what systems and editors leave behind) is left out, and the report lists it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace fwts::grader {

/// What a lab accepts.
struct IntakeRules {
    std::vector<std::string> allow;  ///< file names, with * for any run of characters
    /// The skeleton's files. Its build rules are left out while they are unchanged.
    std::map<std::string, std::string> handed_out;
    std::uint64_t file_bytes = 256U << 10U;
    std::uint64_t total_bytes = 1U << 20U;
    std::size_t files = 64;
    std::string part;  ///< only what lies in this directory of the submission; empty: all
};

/// What became of a submission at the door.
struct Intake {
    std::vector<std::string> accepted;  ///< file names, sorted
    std::vector<std::string> ignored;   ///< what was left out; a directory ends in '/'
    std::vector<std::string> refused;   ///< one sentence each; empty when all is well
    bool ok() const { return refused.empty(); }
};

/// Looks at a submission and, if nothing in it is refused, copies its files to `into`.
///
/// Files are opened without following symbolic links and read from the very descriptor that was
/// examined, so nothing can be swapped between the look and the copy.
/// @param into an existing directory; files of the same name there are replaced (overlay).
/// @throws std::runtime_error when something cannot be read or written: no fault of the student's.
Intake take_in(const std::filesystem::path& submission, const IntakeRules& rules,
               const std::filesystem::path& into);

/// The paths of a submission, sorted out by their names, before any file is read.
struct Sorted {
    struct File {
        std::size_t index;  ///< of its path
        std::string name;   ///< without the directories that all files share
    };
    std::vector<File> files;
    std::vector<std::string> ignored;
    std::vector<std::string> refused;
};

/// Sorts out the paths of a directory, a zip file or a repository; the lab's own rules come later.
/// @param paths with '/' or, from Windows, '\' between the parts; a directory's ends in one.
/// @param part only what lies below this directory; empty: all.
Sorted sort_out(const std::vector<std::string>& paths, const std::string& part = "");

/// Reads a regular file of limited size; a link is not followed.
/// @param dir descriptor of the directory that `path` starts from, or AT_FDCWD.
/// @return why it is refused, or nothing.
/// @throws std::runtime_error when it cannot be read.
std::string read_regular(int dir, const std::string& path, std::uint64_t limit, std::string& text);

/// What systems and tools put beside people's files: .DS_Store, ._x, __MACOSX, .git.
bool is_clutter(const std::string& name);

/// Whether a file of that name could be part of a build: a source, or build rules.
bool could_be_built(const std::string& name);

/// Shell-like match of a whole name where only '*' is special.
bool matches(const std::string& name, const std::string& pattern);

}  // namespace fwts::grader
