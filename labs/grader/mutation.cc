// SPDX-License-Identifier: GPL-2.0
#include "mutation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <random>
#include <regex>
#include <set>
#include <sstream>

#include "c_tokens.h"
#include "text.h"

namespace fwts::grader {
namespace {

using Index = std::size_t;

bool matches_word(const std::string& word, const char* pattern) {
    return std::regex_match(word, std::regex(pattern));
}

bool one_of(const Token& token, std::initializer_list<const char*> texts) {
    return std::any_of(texts.begin(), texts.end(), [&](const char* t) { return token.is(t); });
}

/// A statement: its first token and its last.
struct Statement {
    Index first = 0;
    Index last = 0;
};

class Mutator {
  public:
    Mutator(const std::string& file, const std::string& text, const std::vector<Region>& regions)
        : file_(file), text_(text), regions_(regions), tokens_(c_tokens(text)) {}

    std::vector<Mutation> run() {
        find_quiet();
        for (Index i = 0; i < tokens_.size(); ++i) {
            if (quiet_[i]) continue;
            signs(i);
            constants(i);
            words(i);
            statements(i);
        }
        return std::move(found_);
    }

  private:
    const Token& token(Index i) const {
        static const Token none;
        return i < tokens_.size() ? tokens_[i] : none;
    }

    const Region* region_of(std::size_t begin, std::size_t end) const {
        const auto found = std::find_if(regions_.begin(), regions_.end(), [&](const Region& one) {
            return one.begin <= begin && end <= one.end;
        });
        return found == regions_.end() ? nullptr : &*found;
    }

    void add(const std::string& op, std::vector<Change> changes) {
        const auto* region =
            region_of(changes.front().at, changes.back().at + changes.back().length);
        if (region == nullptr) return;
        Mutation one{file_, region->function, op, 0, std::move(changes)};
        if (!texts_.insert(one.applied(text_)).second) return;
        one.ordinal = ++counted_[{one.function, op}];
        found_.push_back(std::move(one));
    }

    void replace(const std::string& op, Index i, const std::string& by) {
        add(op, {{token(i).at, token(i).text.size(), by}});
    }

    /// The tokens from one to another give way; newlines stay.
    Change removal(Index first, Index last, const std::string& by) const {
        const auto at = token(first).at;
        const auto length = token(last).end() - at;
        const auto gone = text_.substr(at, length);
        return {
            at, length,
            by + std::string(static_cast<std::size_t>(std::count(gone.begin(), gone.end(), '\n')),
                             '\n')};
    }

    bool is_call(Index name) const {
        return token(name).kind == TokenKind::word && token(name + 1).is("(");
    }

    /// What is only said to a person is nobody's demand: calls that print. And calls that wait.
    void find_quiet() {
        quiet_.assign(tokens_.size(), false);
        for (Index i = 0; i < tokens_.size(); ++i) {
            if (!is_call(i) ||
                !matches_word(token(i).text,
                              "NL_SET_ERR_MSG\\w*|(netdev|dev|netif|pci)_(dbg|info|notice|warn|err|"
                              "crit)(_once)?|pr_[a-z]+|MODULE_\\w+"))
                continue;
            const auto last = token(i + 1).partner;
            for (Index k = i; k <= last; ++k) quiet_[k] = true;
        }
        waits_.assign(tokens_.size(), false);
        for (Index i = 0; i < tokens_.size(); ++i) {
            if (!is_call(i) ||
                !matches_word(token(i).text, "\\w*(timeout|sleep|delay|jiffies)\\w*"))
                continue;
            for (Index k = i; k <= token(i + 1).partner; ++k) waits_[k] = true;
        }
    }

    bool is_value(Index i) const {
        const auto& one = token(i);
        if (one.kind == TokenKind::number || one.kind == TokenKind::text) return true;
        if (one.kind == TokenKind::word) return !one.is("return") && !one.is("case");
        return one.is(")") || one.is("]");
    }

    bool is_binary(Index i) const { return i > 0 && is_value(i - 1); }

    void signs(Index i) {
        static const std::map<std::string, const char*> compared{
            {"<", "<="}, {"<=", "<"}, {">", ">="}, {">=", ">"}, {"==", "!="}, {"!=", "=="}};
        const auto& one = token(i);
        if (one.kind != TokenKind::sign) return;
        if (const auto found = compared.find(one.text); found != compared.end())
            replace("compare", i, found->second);
        if (one.is("&&")) replace("logic", i, "||");
        if (one.is("||")) replace("logic", i, "&&");
        if (one.is("+=")) replace("arithmetic", i, "-=");
        if (one.is("-=")) replace("arithmetic", i, "+=");
        if (one.is("+") && is_binary(i)) replace("arithmetic", i, "-");
        if (one.is("-") && is_binary(i) && !is_error(i + 1)) replace("arithmetic", i, "+");
        if (one.is("|")) flags(i);
    }

    bool is_error(Index i) const { return matches_word(token(i).text, "E[A-Z0-9]{2,}"); }

    /// Whether an operand of an or-expression ends before this token.
    static bool ends_operand(const Token& one) {
        return one_of(one, {"|",  ",",  ";", ")",  "]",  "}",  "{",  "(", "[", "?",     ":",
                            "&&", "||", "=", "|=", "&=", "==", "!=", "<", ">", "return"});
    }

    void flags(Index i) {
        Index last = i + 1;
        while (last < tokens_.size() && !ends_operand(token(last + 1)))
            last = token(last + 1).partner > last + 1 ? token(last + 1).partner : last + 1;
        // An operand may end in a call's arguments.
        if (token(last + 1).is("(")) last = token(last + 1).partner;
        add("flag", {removal(i, last, "")});
        Index first = i - 1;
        if (one_of(token(first), {")", "]"})) first = token(first).partner;
        while (first > 0 && !ends_operand(token(first - 1)))
            first = token(first - 1).partner < first - 1 ? token(first - 1).partner : first - 1;
        if (first == 0 || !token(first - 1).is("|")) add("flag", {removal(first, i, "")});
    }

    static std::optional<std::uint64_t> value_of(const std::string& number) {
        const auto digits_end = number.find_last_not_of("uUlL") + 1;
        const auto digits = number.substr(0, digits_end);
        if (digits.find('.') != std::string::npos) return std::nullopt;
        try {
            std::size_t used = 0;
            const auto value = std::stoull(digits, &used, 0);
            if (used != digits.size()) return std::nullopt;
            return value;
        } catch (const std::logic_error&) {
            return std::nullopt;
        }
    }

    /// In the base and with the suffix of another.
    static std::string like(const std::string& number, std::uint64_t value) {
        const auto suffix = number.substr(number.find_last_not_of("uUlL") + 1);
        if (number.starts_with("0x") || number.starts_with("0X"))
            return fmt::format("0x{:x}{}", value, suffix);
        if (number.size() > 1 && number[0] == '0' && value != 0)
            return fmt::format("0{:o}{}", value, suffix);
        return fmt::format("{}{}", value, suffix);
    }

    void constants(Index i) {
        const auto& one = token(i);
        if (one.is("true")) replace("constant", i, "false");
        if (one.is("false")) replace("constant", i, "true");
        if (one.kind != TokenKind::number) return;
        const auto value = value_of(one.text);
        if (!value) return;
        if (*value <= 1) {
            replace("constant", i, like(one.text, 1 - *value));
            if (*value == 1) replace("off-by-one", i, like(one.text, 2));
            return;
        }
        // A microsecond more or less is nothing that anybody could see.
        if (waits_[i]) return replace("constant", i, like(one.text, *value * 4));
        replace("off-by-one", i, like(one.text, *value + 1));
        replace("off-by-one", i, like(one.text, *value - 1));
    }

    void words(Index i) {
        const auto& one = token(i);
        if (one.kind != TokenKind::word) return;
        if (one.is("DMA_TO_DEVICE")) replace("direction", i, "DMA_FROM_DEVICE");
        if (one.is("DMA_FROM_DEVICE")) replace("direction", i, "DMA_TO_DEVICE");
        if (i > 0 && is_error(i) && token(i - 1).is("-") && !is_binary(i - 1)) {
            replace("error-code", i, one.is("EINVAL") ? "EIO" : "EINVAL");
            add("error-code", {removal(i - 1, i, "0")});
        }
        if (is_call(i)) lengths(i);
    }

    /// Arguments of a call that say how long something is.
    void lengths(Index name) {
        if (one_of(token(name), {"if", "while", "for", "switch", "return", "sizeof", "swap",
                                 "READ_ONCE", "WRITE_ONCE"}))
            return;
        const Index close = token(name + 1).partner;
        Index first = name + 2;
        for (Index i = first; i <= close; ++i) {
            if (i < close && token(i).partner > i) {
                i = token(i).partner;
                continue;
            }
            if (i < close && !token(i).is(",")) continue;
            if (i > first) length(first, i - 1);
            first = i + 1;
        }
    }

    void length(Index first, Index last) {
        static const char* const words =
            "(.*_)?(len|length|size|count|bytes|mtu|headlen)|[A-Z0-9_]+_(SIZE|LEN|BYTES)";
        const bool is_sizeof = token(first).is("sizeof") && token(first + 1).partner == last;
        bool plain = matches_word(token(last).text, words);
        for (Index i = first; i <= last; ++i)
            plain = plain && (token(i).kind == TokenKind::word || one_of(token(i), {"->", "."}));
        // In a declaration, or in the head of a function, stands a type before it.
        for (Index i = first; i < last; ++i)
            plain = plain &&
                    !(token(i).kind == TokenKind::word && token(i + 1).kind == TokenKind::word);
        if (!is_sizeof && !plain) return;
        const auto at = token(first).at;
        const auto text = text_.substr(at, token(last).end() - at);
        add("length", {{at, text.size(), text + " - 1"}});
    }

    /// Whether a statement may begin here.
    bool begins(Index i) const {
        if (i == 0 || token(i).directive || token(i).in_parentheses) return false;
        const auto& before = token(i - 1);
        if (one_of(before, {";", "{", "}", "else", "do"})) return true;
        if (before.is(":"))
            return i > 1 && token(i - 2).kind == TokenKind::word &&
                   (i < 3 || one_of(token(i - 3), {";", "{", "}", "case"}));
        if (!before.is(")") || before.partner == i - 1 || before.partner == 0) return false;
        return matches_word(token(before.partner - 1).text, "if|while|for|switch|\\w*for_each\\w*");
    }

    /// The statement that begins here and ends with a semicolon.
    std::optional<Statement> simple(Index i) const {
        if (!begins(i)) return std::nullopt;
        if (one_of(token(i), {"if", "for", "while", "do", "switch", "else", "{", "}", "case",
                              "default", "return", "goto", "break", "continue", ";"}))
            return std::nullopt;
        for (Index k = i; k < tokens_.size(); ++k) {
            if (token(k).is(";")) return Statement{i, k};
            if (token(k).is("{") || token(k).is("}")) return std::nullopt;
            if (token(k).partner > k) k = token(k).partner;
        }
        return std::nullopt;
    }

    /// The sign by which a statement assigns, at the top level; the end when it does not.
    Index assigns(const Statement& one) const {
        for (Index k = one.first; k < one.last; ++k) {
            if (token(k).partner > k) k = token(k).partner;
            if (one_of(token(k), {"=", "|=", "&=", "+=", "-=", "^=", "<<=", ">>="})) return k;
        }
        return one.last;
    }

    /// A declaration has two words side by side, or a word, a star and a word.
    bool declares(const Statement& one) const {
        const auto end = assigns(one);
        for (Index k = one.first; k + 1 < end; ++k) {
            if (token(k).partner > k) k = token(k).partner;
            if (token(k).kind != TokenKind::word) continue;
            Index next = k + 1;
            while (token(next).is("*")) ++next;
            if (token(next).kind == TokenKind::word && next < one.last) return true;
        }
        return false;
    }

    /// A call and nothing else: its result is not looked at.
    bool calls(const Statement& one) const {
        return token(one.last - 1).is(")") && token(one.last - 1).partner > one.first &&
               token(token(one.last - 1).partner - 1).kind == TokenKind::word &&
               assigns(one) == one.last && !declares(one);
    }

    /// The name in "a->b.name(...);".
    const std::string& called(const Statement& one) const {
        return token(token(one.last - 1).partner - 1).text;
    }

    void statements(Index i) {
        if (token(i).is("if") && begins(i)) conditional(i);
        if (token(i).is(".") && one_of(token(i - 1), {"{", ","})) member(i);
        const auto one = simple(i);
        if (!one) return;
        if (calls(*one))
            call(*one);
        else if (assigns(*one) < one->last && !declares(*one))
            add("assignment", {removal(one->first, one->last, ";")});
        swapped(*one);
    }

    /// ".read = show," in an initialiser.
    void member(Index i) {
        if (!token(i + 2).is("=")) return;
        Index last = i + 3;
        while (last < tokens_.size() && !one_of(token(last), {",", "}"}))
            last = std::max(token(last).partner, last) + 1;
        if (token(last).is("}")) --last;
        add("assignment", {removal(i, last, "")});
    }

    static std::string opposite(const std::string& lock) {
        for (const auto& [on, off] : {std::pair("lock", "unlock"), std::pair("disable", "enable"),
                                      std::pair("irqsave", "irqrestore")})
            if (const auto at = lock.find(on); at != std::string::npos)
                return lock.substr(0, at) + off + lock.substr(at + std::string(on).size());
        return {};
    }

    static bool is_lock(const std::string& name) {
        return matches_word(name,
                            "(rtnl|mutex|spin|read|write|raw_spin|rcu_read|netif_tx|netif_addr|"
                            "\\w+)_lock(_bh|_irq|_nested)?|local_bh_disable|"
                            "(local|preempt)_(irq_)?disable");
    }

    static bool is_unlock(const std::string& name) {
        return matches_word(name,
                            "\\w+_unlock(_\\w+)?|local_bh_enable|(local|preempt)_(irq_)?enable");
    }

    void call(const Statement& one) {
        const auto& name = called(one);
        if (is_unlock(name)) return;
        if (is_lock(name))
            pair(one);
        else if (matches_word(name, "(dma_|smp_)?[rw]?mb|smp_\\w+mb\\w*|barrier"))
            add("barrier", {removal(one.first, one.last, ";")});
        else
            add("call", {removal(one.first, one.last, ";")});
    }

    /// A lock and all that give it back, in the same function.
    void pair(const Statement& lock) {
        std::vector<Change> changes{removal(lock.first, lock.last, ";")};
        const auto wanted = opposite(called(lock));
        const auto* region = region_of(token(lock.first).at, token(lock.last).end());
        if (region == nullptr) return;
        for (Index i = lock.last + 1; i < tokens_.size() && token(i).at < region->end; ++i) {
            const auto one = simple(i);
            if (one && calls(*one) && called(*one) == wanted)
                changes.push_back(removal(one->first, one->last, ";"));
        }
        if (changes.size() > 1) add("lock", std::move(changes));
    }

    std::string words_of(const Statement& one) const {
        return text_.substr(token(one.first).at, token(one.last).end() - token(one.first).at);
    }

    bool has_call(const Statement& one) const {
        for (Index k = one.first; k < one.last; ++k)
            if (is_call(k) && !one_of(token(k), {"sizeof", "swap", "READ_ONCE", "WRITE_ONCE"}))
                return true;
        return false;
    }

    void swapped(const Statement& one) {
        const auto next = simple(one.last + 1);
        if (!next || declares(one) || declares(*next) || !has_call(one) || !has_call(*next)) return;
        if (quiet_[next->first]) return;
        add("swap", {{token(one.first).at, words_of(one).size(), words_of(*next)},
                     {token(next->first).at, words_of(*next).size(), words_of(one)}});
    }

    void conditional(Index i) {
        const Index open = i + 1;
        const Index close = token(open).partner;
        if (!token(open).is("(") || close == open) return;
        negated(open, close);
        const Index last = last_of_body(close + 1);
        if (!leaves_in(close + 1, last))
            add("guard", {removal(open + 1, close - 1, "1")});
        else if (!token(last + 1).is("else"))
            add("path", {removal(close + 1, last, ";")});
    }

    /// The last token of a block, or of one statement up to its semicolon.
    Index last_of_body(Index i) const {
        if (token(i).is("{")) return token(i).partner;
        while (i < tokens_.size() && !token(i).is(";")) ++i;
        return i;
    }

    /// Whether the statement, or the last one of the block, leaves where it stands.
    bool leaves_in(Index first, Index last) const {
        if (!token(first).is("{")) return leaves(first);
        if (last < first + 3) return false;
        Index leave = last - 2;
        while (leave > first && !one_of(token(leave), {";", "{", "}"})) --leave;
        return leaves(leave + 1);
    }

    bool leaves(Index i) const { return one_of(token(i), {"return", "goto", "break", "continue"}); }

    void negated(Index open, Index close) {
        int compares = 0;
        int others = 0;
        for (Index k = open + 1; k < close; ++k) {
            if (one_of(token(k), {"==", "!="})) ++compares;
            if (one_of(token(k), {"&&", "||", "&", "!", "?"})) ++others;
        }
        // There the other comparison is the negation.
        if (compares == 1 && others == 0) return;
        const auto at = token(open).end();
        const auto length = token(close).at - at;
        add("negation", {{at, length, fmt::format("!({})", text_.substr(at, length))}});
    }

    const std::string& file_;
    const std::string& text_;
    const std::vector<Region>& regions_;
    const std::vector<Token> tokens_;
    std::vector<bool> quiet_;
    std::vector<bool> waits_;
    std::vector<Mutation> found_;
    std::set<std::string> texts_;
    std::map<std::pair<std::string, std::string>, int> counted_;
};

}  // namespace

std::string Mutation::name() const {
    return fmt::format("{}:{}:{}-{}", file, function, op, ordinal);
}

std::string Mutation::applied(const std::string& text) const {
    std::string result;
    std::size_t at = 0;
    for (const auto& change : changes) {
        result += text.substr(at, change.at - at) + change.text;
        at = change.at + change.length;
    }
    return result + text.substr(at);
}

std::vector<Mutation> mutations(const std::string& file, const std::string& text,
                                const std::vector<Region>& regions) {
    return Mutator(file, text, regions).run();
}

std::string small_diff(const Mutation& mutation, const std::string& text) {
    const auto before = split_lines(text);
    const auto after = split_lines(mutation.applied(text));
    std::string removed;
    std::string added;
    std::string result;
    const auto flush = [&] {
        result += removed + added;
        removed.clear();
        added.clear();
    };
    for (std::size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
        const std::string old_line = i < before.size() ? before[i] : "";
        const std::string new_line = i < after.size() ? after[i] : "";
        if (old_line == new_line) {
            flush();
            continue;
        }
        removed += fmt::format("-{}\n", old_line);
        if (new_line.find_first_not_of(" \t") != std::string::npos)
            added += fmt::format("+{}\n", new_line);
    }
    flush();
    return result;
}

std::vector<Mutation> sample(std::vector<Mutation> all, std::size_t how_many, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[random() % i]);
    std::map<std::string, int> used;
    std::vector<Mutation> chosen;
    while (chosen.size() < how_many && !all.empty()) {
        const auto weight = [&](const Mutation& one) {
            return used[one.file + ":" + one.function] + used[one.op];
        };
        const auto best =
            std::min_element(all.begin(), all.end(),
                             [&](const auto& a, const auto& b) { return weight(a) < weight(b); });
        ++used[best->file + ":" + best->function];
        ++used[best->op];
        chosen.push_back(std::move(*best));
        all.erase(best);
    }
    return chosen;
}

}  // namespace fwts::grader
