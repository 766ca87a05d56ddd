// SPDX-License-Identifier: GPL-2.0
#include "c_tokens.h"

#include <array>
#include <cctype>
#include <string_view>

namespace fwts::grader {
namespace {

constexpr std::array<std::string_view, 23> long_signs{
    "<<=", ">>=", "...", "->", "++", "--", "<<", ">>", "<=", ">=", "==", "!=",
    "&&",  "||",  "+=",  "-=", "*=", "/=", "%=", "&=", "|=", "^=", "##"};

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

class Lexer {
  public:
    explicit Lexer(const std::string& text) : text_(text) {}

    std::vector<Token> run() {
        while (at_ < text_.size()) step();
        pair_brackets();
        return std::move(tokens_);
    }

  private:
    bool starts(std::string_view what) const { return text_.compare(at_, what.size(), what) == 0; }

    void step() {
        const char c = text_[at_];
        if (c == '\n') {
            ++at_;
            line_begins_ = true;
            directive_ = false;
        } else if (starts("\\\n")) {
            at_ += 2;
        } else if (std::isspace(static_cast<unsigned char>(c)) != 0) {
            ++at_;
        } else if (starts("/*")) {
            skip_past("*/");
        } else if (starts("//")) {
            at_ = std::min(text_.find('\n', at_), text_.size());
        } else if (c == '#' && line_begins_) {
            directive();
        } else {
            line_begins_ = false;
            token();
        }
    }

    void skip_past(std::string_view what) {
        const auto end = text_.find(what, at_ + what.size());
        at_ = end == std::string::npos ? text_.size() : end + what.size();
    }

    /// Past the name and the parameters of a #define; past the end of everything else.
    void directive() {
        line_begins_ = false;
        ++at_;
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
        if (!starts("define")) {
            while (at_ < text_.size() && text_[at_] != '\n') at_ += starts("\\\n") ? 2 : 1;
            return;
        }
        directive_ = true;
        at_ += std::string_view("define").size();
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
        while (at_ < text_.size() && is_word(text_[at_])) ++at_;
        if (at_ < text_.size() && text_[at_] == '(')
            at_ = std::min(text_.find(')', at_) + 1, text_.size());
    }

    void token() {
        const auto begin = at_;
        const char c = text_[at_];
        TokenKind kind = TokenKind::sign;
        if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
            kind = TokenKind::number;
            while (at_ < text_.size() && (is_word(text_[at_]) || text_[at_] == '.')) ++at_;
        } else if (is_word(c)) {
            kind = TokenKind::word;
            while (at_ < text_.size() && is_word(text_[at_])) ++at_;
        } else if (c == '"' || c == '\'') {
            kind = TokenKind::text;
            for (++at_; at_ < text_.size() && text_[at_] != c && text_[at_] != '\n'; ++at_)
                if (text_[at_] == '\\') ++at_;
            at_ = std::min(at_ + 1, text_.size());
        } else {
            std::size_t length = 1;
            for (const auto sign : long_signs)
                if (starts(sign) && sign.size() > length) length = sign.size();
            at_ += length;
        }
        tokens_.push_back(
            {kind, text_.substr(begin, at_ - begin), begin, tokens_.size(), directive_, false});
    }

    void pair_brackets() {
        std::vector<std::size_t> open;
        const std::string_view openers = "([{";
        const std::string_view closers = ")]}";
        for (std::size_t i = 0; i < tokens_.size(); ++i) {
            tokens_[i].in_parentheses = !open.empty() && tokens_[open.back()].is("(");
            if (tokens_[i].kind != TokenKind::sign) continue;
            const char c = tokens_[i].text[0];
            if (openers.find(c) != std::string_view::npos) open.push_back(i);
            const auto closer = closers.find(c);
            if (closer == std::string_view::npos || open.empty()) continue;
            if (tokens_[open.back()].text[0] != openers[closer]) continue;
            tokens_[i].partner = open.back();
            tokens_[open.back()].partner = i;
            open.pop_back();
        }
    }

    const std::string& text_;
    std::size_t at_ = 0;
    bool line_begins_ = true;
    bool directive_ = false;
    std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> c_tokens(const std::string& text) {
    return Lexer(text).run();
}

}  // namespace fwts::grader
