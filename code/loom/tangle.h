// SPDX-License-Identifier: GPL-2.0
/// @file
/// Cuts one stage out of the source, in memory.
#pragma once

#include <string>
#include <vector>

#include "source.h"

namespace fwts::loom {

/// One line of a stage and where it came from.
struct StageLine {
    std::string text;
    int source_line = 0;  ///< in the source file or template, counted from 1
};

/// One file of a stage.
struct StageFile {
    std::string name;
    std::vector<StageLine> lines;

    /// The lines alone.
    Lines texts() const;
    /// What is written to disk.
    std::string text() const;
};

/// The files of one stage: the driver's in the order of the manifest, then Kbuild and Makefile.
struct StageTree {
    int stage = 0;
    std::vector<StageFile> files;

    /// The file called `name`, or null.
    const StageFile* find(const std::string& name) const;
};

/// Cuts stage `stage`: the lines that live in it, without marks, with blank lines closed up where
/// something was cut (never two in a row, none after `{` or before `}`, none at either end).
/// @throw Failure when a template holds an unknown placeholder, or a file would be empty
StageTree tangle(const Source& source, int stage);

/// All stages, in order.
std::vector<StageTree> tangle_all(const Source& source);

}  // namespace fwts::loom
