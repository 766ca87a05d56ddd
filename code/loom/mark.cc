// SPDX-License-Identifier: GPL-2.0
#include "mark.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "text.h"

namespace fwts::loom {

namespace {

constexpr const char* kForms =
    "write /* loom: from 02 [until 05] */, /* loom: begin NAME [from 02] [until 05] */ or "
    "/* loom: end NAME */ on a line of its own";

bool is_name(std::string_view word) {
    if (word.empty() || word.front() == '-' || word.back() == '-') return false;
    return std::all_of(word.begin(), word.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

/// The words between `loom:` and the end of the comment; nothing when the line has another shape.
std::optional<std::vector<std::string_view>> words_of_mark(std::string_view line,
                                                           std::string_view& directive) {
    std::string_view rest = trimmed(line);
    const size_t comment = rest.find("/*");
    if (comment == std::string_view::npos || !rest.ends_with("*/")) return std::nullopt;
    directive = trimmed(rest.substr(0, comment));
    rest = trimmed(rest.substr(comment + 2, rest.size() - comment - 4));
    if (!rest.starts_with("loom:")) return std::nullopt;
    return words_of(rest.substr(5));
}

/// Takes `from A` and `until B` from `words`, starting at `next`; false when anything else is
/// there.
bool take_lifetime(const std::vector<std::string_view>& words, size_t next, Mark& mark) {
    if (next + 1 < words.size() && words[next] == "from") {
        mark.from = std::string(words[next + 1]);
        next += 2;
    }
    if (next + 1 < words.size() && words[next] == "until") {
        mark.until = std::string(words[next + 1]);
        next += 2;
    }
    return next == words.size();
}

bool take_words(const std::vector<std::string_view>& words, Mark& mark) {
    if (words.empty()) return false;
    if (words[0] == "from" || words[0] == "until") {
        mark.kind = Mark::Kind::lifetime;
        return take_lifetime(words, 0, mark);
    }
    if (words.size() < 2 || !is_name(words[1])) return false;
    mark.name = std::string(words[1]);
    if (words[0] == "begin") {
        mark.kind = Mark::Kind::begin;
        return take_lifetime(words, 2, mark);
    }
    mark.kind = Mark::Kind::end;
    return words[0] == "end" && words.size() == 2;
}

bool directive_fits(std::string_view directive, Mark& mark) {
    if (directive.empty()) return true;
    mark.hidden = true;
    const std::vector<std::string_view> words = words_of(directive);
    if (mark.kind == Mark::Kind::begin)
        return words.size() == 2 && words[0] == "#if" && words[1] == "0";
    return mark.kind == Mark::Kind::end && words.size() == 1 && words[0] == "#endif";
}

}  // namespace

bool mentions_loom(std::string_view line) {
    return line.find("loom:") != std::string_view::npos;
}

std::optional<Mark> parse_mark(std::string_view line, const std::string& file, int number,
                               Errors& errors) {
    Mark mark;
    mark.line = number;
    std::string_view directive;
    const auto words = words_of_mark(line, directive);
    if (words && take_words(*words, mark) && directive_fits(directive, mark)) return mark;
    errors.push_back({file, number, fmt::format("unknown marker '{}'", trimmed(line)), kForms});
    return std::nullopt;
}

}  // namespace fwts::loom
