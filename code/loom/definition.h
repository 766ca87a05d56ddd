// SPDX-License-Identifier: GPL-2.0
/// @file
/// The top-level definitions of a C text.
///
/// A definition is one of: a function, a struct, union or enum, a typedef, a variable, a prototype,
/// a macro (all its continued lines), a macro call such as module_pci_driver(x). It begins with the
/// comment directly above it and takes in the macro calls directly below it, so that
/// MODULE_DEVICE_TABLE(pci, t) goes with the table t. One-line macros directly below one another
/// are one definition, known by the first of them, and so are prototypes and externs. Names and the
/// ends of functions come from ctags; the end of what ctags does not measure is the `;` outside all
/// brackets.
#pragma once

#include <string>
#include <vector>

#include "tagger.h"
#include "text.h"

namespace fwts::loom {

/// Where a definition lies; lines count from 1 and both ends belong to it.
struct Definition {
    std::vector<std::string> names;  ///< the first is the one it is known by
    std::string kind;                ///< ctags' word, or "call" for a macro call
    int first = 0;                   ///< with the comment above
    int start = 0;                   ///< without it
    int last = 0;

    const std::string& name() const { return names.front(); }
    bool contains(int line) const { return first <= line && line <= last; }
};

/// Finds the definitions of a text, in order; they do not overlap.
/// @param lines the text
/// @param tags what ctags says about it
std::vector<Definition> find_definitions(const Lines& lines, const std::vector<Tag>& tags);

}  // namespace fwts::loom
