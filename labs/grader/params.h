// SPDX-License-Identifier: GPL-2.0
// A lab's parameters: constants that an instructor changes for each cohort, so that last year's
// solution is not this year's.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace fwts::grader {

/// Names and values. A value is letters, digits, blanks and "_-.,": it ends up in C and in file
/// names.
using Params = std::map<std::string, std::string>;

/// Replaces each \@name\@ by its value. Other @ are left alone.
/// @throws std::runtime_error when \@name\@ looks like a parameter and there is none.
std::string filled_in(const std::string& text, const Params& params);

/// The lab's defaults with what a TOML file of `name = "value"` lines puts in their place.
/// @throws std::runtime_error naming the file and a parameter the lab does not have, a value that
/// is no text, or characters that may not be in it.
Params changed_by(const std::filesystem::path& file, Params defaults);

/// Demands that a value holds harmless characters only. @throws std::runtime_error
void require_harmless(const std::string& name, const std::string& value);

}  // namespace fwts::grader
