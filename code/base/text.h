// SPDX-License-Identifier: GPL-2.0
// Lines and words of text. A line never holds its newline.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fwts {

using Lines = std::vector<std::string>;

/// Splits `text` at newlines; a final newline does not make another line.
Lines split_lines(std::string_view text);

/// Splits `text` at each `mark`; as with lines, a final one makes no further part.
std::vector<std::string> split(std::string_view text, char mark);

/// Every line followed by a newline.
std::string join_lines(const Lines& lines);

/// `text` without white space at either end.
std::string_view trimmed(std::string_view text);

/// True when `text` holds nothing but white space.
bool is_blank(std::string_view text);

/// The words of `text`, separated by any white space.
std::vector<std::string_view> words_of(std::string_view text);

/// Whether `c` may stand in a C identifier.
bool is_identifier_char(char c);

}  // namespace fwts
