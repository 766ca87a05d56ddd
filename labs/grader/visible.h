// SPDX-License-Identifier: GPL-2.0
// Bytes chosen by strangers, as text that can be shown: names of files and students, a compiler's
// words, a kernel's log.
#pragma once

#include <string>

namespace fwts::grader {

/// Text that steers no terminal, ends no line and hides nothing. A control character, one that
/// turns the writing round or cannot be seen, and a byte that is no UTF-8 become \xNN.
/// @param kept control characters that stay, for example "\n\t".
std::string visible(const std::string& bytes, const std::string& kept = "");

/// A name as text: visible(), with each backslash doubled, so that two names never become one.
std::string name_text(const std::string& bytes);
/// The name that name_text() made the text of.
std::string name_bytes(const std::string& text);

}  // namespace fwts::grader
