// SPDX-License-Identifier: GPL-2.0
/// @file
/// Puts stages on disk, touching only what changed and only what loom wrote.
#pragma once

#include <string>
#include <vector>

#include "disk.h"
#include "tangle.h"

namespace fwts::loom {

/// The patch that each stage but the first carries.
inline constexpr const char* kPatchName = "from-previous.patch";
/// The list of loom's files in a stage's directory.
inline constexpr const char* kListName = ".loom-manifest";

/// What happened to one stage's directory.
struct WriteReport {
    std::string directory;
    int files = 0;
    int written = 0;
    int removed = 0;
};

/// Writes one stage below `out`. A file whose text is the same is left alone, one that loom wrote
/// earlier and that is no longer part of the stage is removed, and any other file is not touched.
/// @param previous the stage before, or null
/// @throw Failure when a file that loom did not write stands in the way
WriteReport write_stage(Disk& disk, const std::string& out, const Stage& stage,
                        const StageTree& tree, const StageTree* previous);

/// Removes from `out` what loom wrote for stages that no longer exist.
std::vector<WriteReport> remove_stale_stages(Disk& disk, const std::string& out,
                                             const Manifest& manifest);

}  // namespace fwts::loom
