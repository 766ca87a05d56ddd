// SPDX-License-Identifier: GPL-2.0
/// @file
/// Whether the book shows the driver: every line of every stage, once, in the chapter of the stage
/// that brings it or in an appendix.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "disk.h"
#include "snippet.h"
#include "source.h"

namespace fwts::loom {

/// One piece that a chapter or an appendix shows.
struct Showing {
    std::string id;
    std::string document;  ///< "01-registration"
    std::string path;      ///< for messages
    int line = 0;
    bool appendix = false;  ///< an appendix may show lines of any stage
};

/// What a showing cuts out of a file.
/// @param of  "FILE", or "FILE:SYMBOL" for the lines of one definition
Cut make_cut(const Showing& showing, const std::string& of, std::string from, std::string to);

/// What the book says of itself (book/tools/index.py).
struct BookIndex {
    std::string chapters;  ///< their directory
    std::set<std::string> documents;
    std::vector<Showing> showings;  ///< in order of document and line
    std::vector<Cut> cuts;          ///< what is shown by naming its lines
};

/// @param path  build/book/index.json
/// @throws Failure when it is not there or cannot be read
BookIndex read_book_index(Disk& disk, const std::string& path);

/// Compares the book with the pieces.
/// @return every complaint: an unknown piece, one shown twice or in another stage's chapter, a line
///         shown twice, lines that no chapter shows
Errors check_book(const BookIndex& book, const Source& source,
                  const std::vector<Snippet>& snippets);

}  // namespace fwts::loom
