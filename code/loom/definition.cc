// SPDX-License-Identifier: GPL-2.0
#include "definition.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace fwts::loom {

namespace {

/// Blanks comments and the insides of literals, keeping every line and column.
class Stripper {
  public:
    Lines strip(const Lines& lines) {
        Lines code;
        code.reserve(lines.size());
        for (const std::string& line : lines) code.push_back(strip_line(line));
        return code;
    }

  private:
    std::string strip_line(const std::string& line) {
        std::string code(line.size(), ' ');
        for (size_t i = 0; i < line.size(); ++i) {
            if (in_comment_) {
                if (line.compare(i, 2, "*/") == 0) {
                    in_comment_ = false;
                    ++i;
                }
            } else if (line.compare(i, 2, "/*") == 0) {
                in_comment_ = true;
                ++i;
            } else if (line.compare(i, 2, "//") == 0) {
                break;
            } else {
                code[i] = line[i];
                if (line[i] == '"' || line[i] == '\'') i = end_of_literal(line, i, code);
            }
        }
        return code;
    }

    static size_t end_of_literal(const std::string& line, size_t open, std::string& code) {
        for (size_t i = open + 1; i < line.size(); ++i) {
            if (line[i] == '\\') {
                ++i;
            } else if (line[i] == line[open]) {
                code[i] = line[i];
                return i;
            }
        }
        return line.size();
    }

    bool in_comment_ = false;
};

std::vector<std::string> identifiers_of(std::string_view code) {
    std::vector<std::string> words;
    for (size_t i = 0; i < code.size();) {
        size_t end = i;
        while (end < code.size() && is_identifier_char(code[end])) ++end;
        if (end > i) words.emplace_back(code.substr(i, end - i));
        i = std::max(end, i + 1);
    }
    return words;
}

bool is_compound(const std::string& kind) {
    return kind == "struct" || kind == "union" || kind == "enum" || kind == "variable";
}

class Finder {
  public:
    Finder(const Lines& lines, const std::vector<Tag>& tags)
        : lines_(lines), code_(Stripper().strip(lines)) {
        for (const Tag& tag : tags) tags_.emplace(tag.line - 1, &tag);
    }

    std::vector<Definition> find() {
        for (int at = 0; at < count();) {
            const std::string_view code = trimmed(code_[at]);
            if (code.empty())
                ++at;
            else if (code.front() == '#')
                at = take_directive(at, code);
            else
                at = take_declaration(at);
        }
        return std::move(found_);
    }

  private:
    int count() const { return static_cast<int>(code_.size()); }

    /// The last line of a directive that begins at `at`.
    int end_of_directive(int at) const {
        while (at + 1 < count() && trimmed(code_[at]).ends_with('\\')) ++at;
        return at;
    }

    int take_directive(int at, std::string_view code) {
        const int last = end_of_directive(at);
        const std::vector<std::string> words = identifiers_of(code);
        const std::string directive = words.empty() ? "" : words.front();
        const std::string name = words.size() > 1 ? words[1] : "";
        const bool is_guard = directive == "define" && name == guard_;
        guard_ = directive == "ifndef" ? name : "";
        if (directive == "define" && !name.empty() && !is_guard)
            add({{name}, "macro", 0, at + 1, last + 1});
        return last + 1;
    }

    /// The longest thing ctags saw begin on this line, if it knows where it ends.
    const Tag* measured_tag(int at) const {
        const Tag* best = nullptr;
        const auto [begin, end] = tags_.equal_range(at);
        for (auto tag = begin; tag != end; ++tag) {
            const Tag& candidate = *tag->second;
            if (!candidate.scope.empty() || candidate.end < candidate.line) continue;
            if (candidate.kind == "function") return &candidate;
            if (is_compound(candidate.kind) && (best == nullptr || candidate.end > best->end))
                best = &candidate;
        }
        return best;
    }

    int take_declaration(int start) {
        const int last = std::min(end_of_declaration(start), count() - 1);
        add(describe(start, last));
        guard_.clear();
        return last + 1;
    }

    int end_of_declaration(int start) {
        int depth = 0;
        for (int at = start; at < count(); ++at) {
            if (trimmed(code_[at]).starts_with('#')) {
                at = end_of_directive(at);
                continue;
            }
            size_t column = 0;
            if (depth == 0) {
                const Tag* tag = measured_tag(at);
                if (tag != nullptr && tag->kind == "function") return tag->end - 1;
                if (tag != nullptr && tag->end - 1 > at && tag->end <= count()) {
                    at = tag->end - 1;
                    const size_t brace = code_[at].rfind('}');
                    column = brace == std::string::npos ? 0 : brace + 1;
                }
            }
            if (ends_on_line(code_[at], column, depth)) return at;
        }
        return count() - 1;
    }

    /// Follows the brackets of one line; true when the declaration ends on it.
    static bool ends_on_line(const std::string& code, size_t column, int& depth) {
        bool ended = false;
        for (; column < code.size(); ++column) {
            const char c = code[column];
            if (c == '(' || c == '{' || c == '[') {
                ++depth;
                ended = false;
            } else if (c == ')' || c == '}' || c == ']') {
                depth = std::max(0, depth - 1);
                // A body that ctags did not see ends where nothing follows its brace.
                if (c == '}' && depth == 0 && is_blank(std::string_view(code).substr(column + 1)))
                    return true;
            } else if (c == ';' && depth == 0) {
                ended = true;
            }
        }
        return ended && depth == 0;
    }

    Definition describe(int start, int last) const {
        Definition definition{{}, "", 0, start + 1, last + 1};
        std::vector<std::string> enumerators;
        for (auto tag = tags_.lower_bound(start); tag != tags_.end() && tag->first <= last; ++tag) {
            const Tag& t = *tag->second;
            if (t.kind == "enumerator") enumerators.push_back(t.name);
            if (!t.scope.empty() || t.name.starts_with("__anon") || t.kind == "enumerator")
                continue;
            if (definition.kind.empty()) definition.kind = t.kind;
            definition.names.push_back(t.name);
        }
        describe_call(start, last, definition);
        if (definition.names.empty()) definition.names = enumerators;
        if (definition.names.empty()) definition.names.push_back(first_identifier(start, last));
        if (definition.kind.empty()) definition.kind = enumerators.empty() ? "other" : "enum";
        return definition;
    }

    std::string text_of(int start, int last) const {
        std::string text;
        for (int at = start; at <= last; ++at) text += code_[at] + " ";
        return text;
    }

    std::string first_identifier(int start, int last) const {
        const std::vector<std::string> words = identifiers_of(text_of(start, last));
        return words.empty() ? "line-" + std::to_string(start + 1) : words.front();
    }

    /// Recognises `MACRO(…);` and `static DEFINE_THING(name, …);`.
    void describe_call(int start, int last, Definition& definition) const {
        if (definition.kind == "function" || is_compound(definition.kind)) return;
        const std::string text = text_of(start, last);
        std::string_view rest = trimmed(text);
        if (rest.starts_with("static ")) rest = trimmed(rest.substr(7));
        size_t end = 0;
        while (end < rest.size() && is_identifier_char(rest[end])) ++end;
        const std::string word(rest.substr(0, end));
        if (word.empty() || !trimmed(rest.substr(end)).starts_with('(')) return;
        definition.kind = "call";
        definition.names = {word};
        if (word.starts_with("DEFINE_") || word.starts_with("DECLARE_")) {
            const std::vector<std::string> words = identifiers_of(rest.substr(end));
            if (!words.empty()) definition.names = {words.front(), word};
        }
    }

    /// One-line macros directly below one another are one definition, and so are declarations.
    static bool continues_run(const Definition& run, const Definition& next) {
        const auto declares = [](const std::string& kind) {
            return kind == "prototype" || kind == "externvar";
        };
        if (run.last + 1 != next.start) return false;
        if (declares(run.kind)) return declares(next.kind);
        const bool one_line_each = next.start == next.last &&
                                   run.last - run.start + 1 == static_cast<int>(run.names.size());
        return run.kind == "macro" && next.kind == "macro" && one_line_each;
    }

    void add(Definition definition) {
        if (definition.kind == "call" && !found_.empty() &&
            found_.back().last + 1 == definition.start && found_.back().kind != "macro") {
            found_.back().last = definition.last;
            return;
        }
        if (!found_.empty() && continues_run(found_.back(), definition)) {
            Definition& run = found_.back();
            run.last = definition.last;
            run.names.insert(run.names.end(), definition.names.begin(), definition.names.end());
            return;
        }
        const int floor = found_.empty() ? 0 : found_.back().last;
        definition.first = definition.start;
        while (definition.first - 1 > floor && is_comment(definition.first - 1)) --definition.first;
        found_.push_back(std::move(definition));
    }

    /// Whether line `number`, counted from 1, holds a comment and nothing else.
    bool is_comment(int number) const {
        return is_blank(code_[number - 1]) && !is_blank(lines_[number - 1]);
    }

    const Lines& lines_;
    Lines code_;
    std::multimap<int, const Tag*> tags_;
    std::string guard_;
    std::vector<Definition> found_;
};

}  // namespace

std::vector<Definition> find_definitions(const Lines& lines, const std::vector<Tag>& tags) {
    return Finder(lines, tags).find();
}

}  // namespace fwts::loom
