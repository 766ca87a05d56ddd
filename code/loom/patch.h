// SPDX-License-Identifier: GPL-2.0
/// @file
/// The difference between two stages, as a unified diff that `patch -p1` applies.
#pragma once

#include <string>

#include "tangle.h"

namespace fwts::loom {

/// The diff of one file's lines, without its `---` and `+++`; empty when they are equal.
std::string diff_lines(const Lines& before, const Lines& after);

/// The diff that turns one stage into another. New and removed files stand against /dev/null.
std::string diff_trees(const StageTree& before, const StageTree& after);

/// `diff` with the colours that git gives its lines, for a terminal.
std::string coloured(const std::string& diff);

}  // namespace fwts::loom
