// SPDX-License-Identifier: GPL-2.0
// The room a submission is compiled in: bubblewrap with no network, no home and no secrets.
//
// The compiler is the only program that reads a student's text, but text can name files
// (#include, .incbin) and can be made to compile for ever. So the room holds nothing worth reading
// and has limits. Inside are the compiler and its libraries, the kernel build tree, the sources and
// a small scratch file system; what the room writes is gone when it closes, except what lands in
// the one directory given as `out`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "process.h"

namespace fwts::grader {

/// What the room contains besides the tools.
struct Room {
    std::vector<std::filesystem::path> readable;  ///< directories seen at their own path, read only
    std::filesystem::path sources;                ///< seen as /submission, read only
    std::filesystem::path out = {};               ///< seen as /out, writable
    std::filesystem::path base = {};              ///< seen as /base, read only
    std::uint64_t scratch_bytes = 256U << 20U;    ///< size of /room
};

/// The limits a build gets unless a test says otherwise.
Limits build_limits();

/// The bubblewrap command line, for --verbose and for tests.
std::vector<std::string> jail_command(const Room& room, const std::vector<std::string>& argv);

/// Runs argv inside the room.
ProcessResult run_in_jail(const Room& room, const std::vector<std::string>& argv,
                          const Limits& limits);

/// Proves that bubblewrap works on this machine.
/// @throws std::runtime_error with what is wrong and what to do; nothing is ever built without it.
void require_jail();

}  // namespace fwts::grader
