// SPDX-License-Identifier: GPL-2.0
/// @file
/// The pieces of the driver that the book shows, each in the stage that brings it.
///
/// A piece is a definition (by its symbol), a block (by the name in its marks), a file, or a file's
/// head (all before its first definition). What a named block inside a piece brings in the same
/// stage is taken out and leaves one line, `/* … NAME … */`, so that each line is shown once.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "source.h"
#include "tagger.h"
#include "tangle.h"

namespace fwts::loom {

/// One piece.
struct Snippet {
    enum class Kind { symbol, marker, file };

    /// A line of `lines` that stands for another piece.
    struct Elided {
        int line = 0;    ///< index into `lines`, from 0
        std::string id;  ///< of the piece; empty where `#endif` closes the head's include guard
    };

    std::string id;
    Kind kind = Kind::symbol;
    std::string file;      ///< "igbook_main.c"
    std::string path;      ///< of the source file or template that `covers` speaks of
    std::string function;  ///< what encloses a block: "igbook_probe", "struct igbook", "variable
                           ///< igbook_ops"; or empty
    int stage = 0;         ///< index
    int first_line = 0;    ///< in the file as cut for that stage
    int last_line = 0;
    Lines before;   ///< the lines above, for orientation
    Lines lines;    ///< what is shown
    Lines after;    ///< the lines below
    Lines removed;  ///< what `lines` takes the place of
    std::vector<Elided> elided;
    std::vector<int> covers;  ///< the source lines shown
    int region = -1;          ///< of a block: its index in the source file
};

/// All pieces of the driver, ordered by id.
std::vector<Snippet> weave(const Source& source, const std::vector<StageTree>& trees,
                           Tagger& tagger);

/// The pieces as the book reads them: {"snippets": {id: {…}}}.
nlohmann::json to_json(const std::vector<Snippet>& snippets, const Manifest& manifest);

}  // namespace fwts::loom
