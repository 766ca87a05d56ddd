// SPDX-License-Identifier: GPL-2.0
/// @file
/// The marks an author writes into the source, each a comment on a line of its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "error.h"

namespace fwts::loom {

/// One mark, as written.
struct Mark {
    enum class Kind {
        lifetime,  ///< `from 02 [until 05]`, above a definition
        begin,     ///< `begin NAME [from 02] [until 05]`
        end        ///< `end NAME`
    };
    Kind kind = Kind::lifetime;
    int line = 0;
    std::string name;                  ///< of a block
    std::optional<std::string> from;   ///< stage number
    std::optional<std::string> until;  ///< stage number
    bool hidden = false;               ///< the mark stands on `#if 0` or `#endif`
};

/// Whether a line speaks to loom at all, rightly or wrongly.
bool mentions_loom(std::string_view line);

/// Reads the mark on a line that mentions loom.
/// @param file,number where the line stands
/// @param errors receives a complaint when the line is not a mark
std::optional<Mark> parse_mark(std::string_view line, const std::string& file, int number,
                               Errors& errors);

}  // namespace fwts::loom
