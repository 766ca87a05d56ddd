// SPDX-License-Identifier: GPL-2.0
// From a zip file or a git repository to plain files, without trusting either.
//
// The work is done by this very program in the closed room that submissions are compiled in
// (grader/jail.h): no network, no home, nothing of the host's files but the archive. What comes out
// is a stream of names and bytes, which the host's side checks again before it writes anything. So
// paths that climb, links, sizes that lie, and what a repository's configuration starts, end there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "submission.h"

namespace fwts::classroom {

/// What an archive may hold. The lab's own rules (grader/intake.h) come on top.
struct UnpackLimits {
    std::uint64_t archive_bytes = 8U << 20U;  ///< of a zip file
    std::uint64_t file_bytes = 1U << 20U;     ///< of one file, unpacked
    std::uint64_t total_bytes = 4U << 20U;    ///< of all files, unpacked
    std::size_t entries = 1000;               ///< beside those that are left out
};

struct PlainFile {
    std::string name;
    std::string bytes;
};

/// What is in an archive, or why it is refused (one sentence each).
struct Unpacked {
    std::vector<PlainFile> files;
    std::vector<std::string> refused;
    std::vector<std::string> ignored;  ///< what was left out (grader/intake.h)
    std::string trouble;               ///< what kept us from reading it: no fault of the student's
};

/// In the room: reads a zip file. Never throws for what is in it.
/// @param part only what lies below this directory of the archive; empty: all.
Unpacked read_zip(const std::filesystem::path& zip, const std::string& part,
                  const UnpackLimits& limits);

/// In the room: reads the files at a repository's head. Nothing is checked out.
Unpacked read_repository(const std::filesystem::path& repository, const std::string& part,
                         const UnpackLimits& limits);

/// The stream between the room and the host.
std::string packed(const Unpacked& found);
/// @throws std::runtime_error when the stream is not one.
Unpacked unpacked(const std::string& stream, const UnpackLimits& limits);

/// On the host: runs the reading in the room and writes the files to `into`.
/// @return without files and trouble: these are in `into`, and that is thrown.
/// @throws std::runtime_error when it cannot be read, or there is no closed room on this machine.
Unpacked unpack(const Submission& submission, const std::string& part,
                const std::filesystem::path& into, const UnpackLimits& limits = {});

}  // namespace fwts::classroom
