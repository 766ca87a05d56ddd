// SPDX-License-Identifier: GPL-2.0
// Words of a submission, made harmless for where they go. A compiler's message, a kernel's log and
// a student's name are chosen by strangers.
#pragma once

#include <string>

namespace fwts::classroom {

/// As grader/visible.h has it; line ends and tabs stay.
std::string plain(const std::string& text);
/// For the inside of an HTML or XML element or a quoted attribute.
std::string escaped(const std::string& text);
/// For Markdown outside of a code block: nothing in it is markup.
std::string escaped_markdown(const std::string& text);
/// As an indented code block, which no text can end.
std::string code_block(const std::string& text);
/// A field of a CSV file: quoted, and no formula for the spreadsheet that opens it.
std::string csv_field(const std::string& text);
/// For one line of TAP: no line end, no '#'.
std::string one_line(const std::string& text);

}  // namespace fwts::classroom
