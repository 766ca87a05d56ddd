// SPDX-License-Identifier: GPL-2.0
// Functions of a C file in kernel style, found by their names and put in each other's place.
//
// A function is what stands from the line after the blank one above it (its comment, its return
// type) to its closing brace in the first column.
#pragma once

#include <string>

#include "tagger.h"

namespace fwts::grader {

/// Replaces the body of the named function.
/// @param text   a C source in kernel style: the body's braces stand in the first column.
/// @param lines  first and last line of the function, counted from 1.
/// @throws std::runtime_error when no such braces are there.
std::string replace_body(const std::string& text, int first, int last, const std::string& body);

/// Puts functions in the place of those of the same name.
/// @param text    the file whose functions go.
/// @param theirs  the functions that come, after a head that ends with the first blank line and is
///                left out. What is between two of them belongs to the second; one that is not in
///                `text` goes in before the next that is.
/// @throws std::runtime_error when nothing is replaced, or when text has no such function below it.
std::string with_functions(const std::string& text, const std::string& theirs,
                           loom::Tagger& tagger);

/// Takes one function out, and the blank line below it.
std::string without_function(const std::string& text, const loom::Tag& function);

}  // namespace fwts::grader
