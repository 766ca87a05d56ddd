// SPDX-License-Identifier: GPL-2.0
// Prebuilt: the objects of what every submission starts from, kept in the cache.
//
// A student changes four files of a dozen. The others need no compiling: they were compiled from
// our own text in the same room, under the same names and by the same words, and builder.h sees by
// their content which those are. Nothing of a submission ever gets in here.
#pragma once

#include <filesystem>

namespace fwts::grader {

/// Compiles the skeleton unless that was done before.
/// @param skeleton  sources as make_skeleton() leaves them, nothing of a submission among them.
/// @param kernel    build/kernel/strict.
/// @param cache     the cache's directory; the objects go into labs/ below it.
/// @return a directory with sources, objects and make's records, to be given to build_module(); an
/// empty path when the skeleton does not compile.
/// @throws std::runtime_error when the room or the kernel is not there.
std::filesystem::path prebuilt(const std::filesystem::path& skeleton,
                               const std::filesystem::path& kernel,
                               const std::filesystem::path& cache);

/// So many are kept, the ones used last.
constexpr std::size_t prebuilt_kept = 16;

}  // namespace fwts::grader
