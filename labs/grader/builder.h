// SPDX-License-Identifier: GPL-2.0
// The builder: compiles a source directory to igbook.ko with our Kbuild, in the jail.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "process.h"

namespace fwts::grader {

/// What came out of a build.
struct BuildResult {
    bool ok = false;
    std::filesystem::path module;       ///< igbook.ko, when ok
    std::string message;                ///< one sentence for the student, when not ok
    std::vector<std::string> messages;  ///< the compiler's errors, or the whole output
    std::vector<std::string> warnings;  ///< compiler warnings, which are not fatal
    std::vector<std::string> imports;   ///< what the module wants of the kernel, when ok
    std::vector<std::string> usurped;   ///< the kernel's symbols that it has itself (imports.h)
    std::chrono::milliseconds cpu{0};   ///< processor time of all that ran in the room
};

/// Demands a kernel to build against. @throws std::runtime_error saying how to get one.
void require_kernel(const std::filesystem::path& kernel);

/// Compiles every *.c in `sources` into one module.
/// @param sources  a directory that intake.h filled; a Kbuild file is written into it.
/// @param kernel   a kernel as qemu/kernel leaves it (build/kernel/strict).
/// @param objects  what prebuilt() returned, or empty: then everything is compiled. Whether an
/// object is still good is seen by the content of what it was made of.
/// @param out      where igbook.ko goes.
/// @throws std::runtime_error for the grader's own trouble: there is no room or no kernel, the disk
/// is full, the machine killed a compiler or could not start one.
BuildResult build_module(const std::filesystem::path& sources, const std::filesystem::path& kernel,
                         const std::filesystem::path& objects, const std::filesystem::path& out,
                         const Limits& limits);

/// Compiles `sources` and leaves all that make made in `out`, for prebuilt().
/// @return false when they do not compile.
bool build_objects(const std::filesystem::path& sources, const std::filesystem::path& kernel,
                   const std::filesystem::path& out);

/// The rules a submission is built with, whatever it brings along. The skeleton has the same, so a
/// file that a student adds, or forgets there, counts in both places.
std::string build_rules();

/// The compiler's diagnostics out of the build's output, each with the line it speaks of, taken
/// from `sources`: what gcc itself would quote may be another file (#line). A hundred at most, and
/// of each line the beginning.
/// @param kind "error" or "warning".
std::vector<std::string> diagnostics(const std::string& output, const std::string& kind,
                                     const std::filesystem::path& sources);

}  // namespace fwts::grader
