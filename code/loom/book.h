// SPDX-License-Identifier: GPL-2.0
/// @file
/// Whether the book shows the driver: every line of every stage, once, in the chapter of the stage
/// that brings it or in an appendix.
#pragma once

#include <string>
#include <vector>

#include "disk.h"
#include "snippet.h"
#include "source.h"

namespace fwts::loom {

/// One `.. snippet:: ID` in a chapter or an appendix.
struct Showing {
    std::string id;
    std::string document;  ///< "01-registration"
    std::string path;      ///< for messages
    int line = 0;
    bool appendix = false;  ///< an appendix may show lines of any stage
};

/// The snippet directives of every document in `book`/chapters and `book`/appendix, in order of
/// document and line.
std::vector<Showing> read_showings(Disk& disk, const std::string& book);

/// Compares the book with the pieces.
/// @return every complaint: an unknown piece, one shown twice or in another stage's chapter, a line
///         shown twice, a block named but never shown, lines that no chapter shows
Errors check_book(Disk& disk, const std::string& book, const Source& source,
                  const std::vector<Snippet>& snippets);

}  // namespace fwts::loom
