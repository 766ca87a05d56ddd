// SPDX-License-Identifier: GPL-2.0
// Where the book has its labels, so that a hint leads to the very section. The book writes it
// (book/tools/index.py).
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace fwts::grader {

/// @param file  build/book/index.json
/// @return for each label its page and section below the book's address:
/// "cov-c9" -> "chapters/01-registration.html#cov-c9". Empty when there is no such file.
std::map<std::string, std::string> book_index(const std::filesystem::path& file);

}  // namespace fwts::grader
