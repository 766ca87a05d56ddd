// SPDX-License-Identifier: GPL-2.0
// Intake: decides which files of a submission are accepted and copies them to a clean directory.
//
// Sources only. A submission cannot bring its own build rules, nor point outside itself.
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
    /// Build rules that came with the skeleton: passed over while they are unchanged.
    std::map<std::string, std::string> handed_out;
    std::uint64_t file_bytes = 256U << 10U;
    std::uint64_t total_bytes = 1U << 20U;
    std::size_t files = 64;
};

/// What became of a submission at the door.
struct Intake {
    std::vector<std::string> accepted;  ///< file names, sorted
    std::vector<std::string> refused;   ///< one sentence each; empty when all is well
    bool ok() const { return refused.empty(); }
};

/// Looks at a submission and, if nothing in it is refused, copies its files to `into`.
///
/// Files are opened without following symbolic links and read from the very descriptor that was
/// examined, so nothing can be swapped between the look and the copy.
/// @param into an existing directory; files of the same name there are replaced (overlay).
/// @throws std::runtime_error when the directory itself cannot be read or written.
Intake take_in(const std::filesystem::path& submission, const IntakeRules& rules,
               const std::filesystem::path& into);

/// Leftovers of editors, version control and Kbuild, which are passed over.
bool is_clutter(const std::string& name);

/// Shell-like match of a whole name where only '*' is special.
bool matches(const std::string& name, const std::string& pattern);

}  // namespace fwts::grader
