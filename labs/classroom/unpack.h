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
    std::size_t entries = 1000;
};

struct PlainFile {
    std::string name;
    std::string bytes;
};

/// What is in an archive, or why it is refused (one sentence each).
struct Unpacked {
    std::vector<PlainFile> files;
    std::vector<std::string> refused;
};

/// Where an entry of an archive belongs.
struct EntryPath {
    bool skip = false;  ///< clutter or outside the part asked for
    std::string why;    ///< why it is refused; empty when it is not
    std::string path;   ///< relative, "/" between the parts
};

/// Judges an entry's path.
/// @param part only what lies below this directory of the archive; empty: all.
EntryPath judge_path(const std::string& path, const std::string& part);

/// Takes away the directories that all files share, and refuses what still lies in one.
Unpacked without_common_directory(Unpacked found);

/// In the room: reads a zip file. Never throws for what is in it.
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
/// @return why it is refused; empty when the files are there.
/// @throws std::runtime_error when there is no closed room on this machine.
std::vector<std::string> unpack(const Submission& submission, const std::string& part,
                                const std::filesystem::path& into, const UnpackLimits& limits = {});

}  // namespace fwts::classroom
