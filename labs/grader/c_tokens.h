// SPDX-License-Identifier: GPL-2.0
// The tokens of a C text: what mutation needs to know of the language, and no more.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace fwts::grader {

enum class TokenKind { word, number, text, sign };

/// One token. Comments, blanks and preprocessor lines are none, except for what a #define stands
/// for.
struct Token {
    TokenKind kind = TokenKind::sign;
    std::string text;
    std::size_t at = 0;  ///< offset in the text
    /// Of a bracket: the index of its partner; of everything else, and of a bracket without
    /// partner, its own.
    std::size_t partner = 0;
    bool directive = false;  ///< stands in a #define
    bool in_parentheses = false;

    std::size_t end() const { return at + text.size(); }
    bool is(const char* wanted) const { return text == wanted; }
};

std::vector<Token> c_tokens(const std::string& text);

}  // namespace fwts::grader
