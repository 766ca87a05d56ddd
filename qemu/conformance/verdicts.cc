// SPDX-License-Identifier: GPL-2.0
#include "verdicts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace fwts::conformance {
namespace {

constexpr int kSkipped = 4;   // the exit status by which selftests say so
constexpr int kTimeUp = 124;  // timeout's

std::string_view trim(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

/// Takes a prefix away. @return whether it was there
bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

struct Said {
    std::string_view name;
    Verdict verdict;
    std::string_view why;
};

/// "ok 3 stats.check_down # SKIP qstats not supported"
std::optional<Said> ktap(std::string_view line) {
    const bool failed = take(line, "not ok ");
    if (!failed && !take(line, "ok ")) return std::nullopt;
    const auto digits = line.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos) return std::nullopt;
    line = trim(line.substr(digits));
    take(line, "- ");
    const auto hash = line.find(" # ");
    Said said{trim(line.substr(0, hash)), failed ? Verdict::fail : Verdict::pass, {}};
    if (hash != std::string_view::npos) {
        said.why = trim(line.substr(hash + 3));
        if (said.why.starts_with("SKIP")) said.verdict = Verdict::skip;
        if (said.why.starts_with("XFAIL")) said.verdict = Verdict::expected_fail;
    }
    return said;
}

/// "TEST: force speed 10 on both ends                 [FAIL]"
std::optional<Said> forwarding(std::string_view line) {
    if (!take(line, "TEST: ")) return std::nullopt;
    const auto bracket = line.rfind('[');
    if (bracket == std::string_view::npos) return std::nullopt;
    const auto mark = trim(line.substr(bracket + 1, line.rfind(']') - bracket - 1));
    const auto name = trim(line.substr(0, bracket));
    if (mark == "FAIL") return Said{name, Verdict::fail, {}};
    if (mark == "SKIP" || name.starts_with("SKIP")) return Said{name, Verdict::skip, {}};
    if (mark == "XFAIL") return Said{name, Verdict::expected_fail, {}};
    if (mark == "OK") return Said{name, Verdict::pass, {}};
    return std::nullopt;
}

/// A driver chooses whether a feature is on at first; that it can be brought back is the test.
std::string_view without_state(std::string_view name) {
    for (const std::string_view state : {" on", " off"})
        if (name.ends_with(state) && name.find(" to initial state ") != std::string_view::npos)
            name.remove_suffix(state.size());
    return name;
}

/// "PASS: eth0: set interface up"
std::optional<Said> netdevice(std::string_view line) {
    for (const auto& [mark, verdict] : {std::pair{"PASS: ", Verdict::pass},
                                        {"FAIL: ", Verdict::fail},
                                        {"SKIP: ", Verdict::skip},
                                        {"XFAIL: ", Verdict::expected_fail}})
        if (auto rest = line; take(rest, mark)) return Said{without_state(trim(rest)), verdict, {}};
    return std::nullopt;
}

/// @return where the case stands in a list, whatever came of it there; or the list's end
auto find_same(auto& list, const Case& one) {
    return std::ranges::find_if(
        list, [&](const Case& it) { return it.test == one.test && it.name == one.name; });
}

}  // namespace

std::string_view word(Verdict verdict) {
    switch (verdict) {
        case Verdict::pass:
            return "pass";
        case Verdict::skip:
            return "skip";
        case Verdict::expected_fail:
            return "xfail";
        case Verdict::fail:
            break;
    }
    return "fail";
}

void Listener::add(std::string name, Verdict verdict, std::string why) {
    const int before = seen_[name]++;
    if (before > 0) name += fmt::format(" ({})", before + 1);
    cases_.push_back({test_, std::move(name), verdict, std::move(why)});
    any_ = true;
    failed_ = failed_ || verdict == Verdict::fail;
}

/// A test that fails must have a case that says so.
void Listener::end(int status) {
    if (status == kSkipped && !failed_) {
        if (!any_) add(test_, Verdict::skip, last_);
    } else if (status != 0 && !failed_) {
        add(test_, Verdict::fail,
            status == kTimeUp ? "ran into its limit" : fmt::format("status {}: {}", status, last_));
    } else if (!any_) {
        add(test_, Verdict::pass, {});
    }
}

std::string Listener::hear(std::string_view line) {
    line = trim(line);
    if (take(line, "@ complaint ") || line.starts_with("@ failed")) {
        complaints_.emplace_back(line);
        return {};
    }
    if (take(line, "@ begin ")) {
        test_ = line;
        seen_.clear();
        last_.clear();
        any_ = failed_ = false;
        return {};
    }
    if (line == "@ done") {
        done_ = true;
        return {};
    }
    if (test_.empty()) return {};
    if (take(line, "@ end ")) {
        const auto blank = line.rfind(' ');
        int status = 99;
        if (blank != std::string_view::npos)
            std::from_chars(line.data() + blank + 1, line.data() + line.size(), status);
        end(status);
        return std::exchange(test_, {});
    }
    auto said = ktap(line);
    if (!said) said = forwarding(line);
    if (!said) said = netdevice(line);
    if (said)
        add(std::string(said->name), said->verdict, std::string(said->why));
    else if (!line.empty())
        last_ = line;
    return {};
}

Comparison compare(const std::vector<Case>& standard, const std::vector<Case>& tried) {
    Comparison result;
    for (const auto& one : standard) {
        if (one.verdict != Verdict::pass) continue;
        const auto other = find_same(tried, one);
        if (other != tried.end()) {
            if (other->verdict != Verdict::pass) result.behind.push_back(*other);
            continue;
        }
        const bool broken_off = std::ranges::none_of(tried, [&](const Case& it) {
            return it.test == one.test && it.verdict == Verdict::pass;
        });
        const bool failed = std::ranges::any_of(tried, [&](const Case& it) {
            return it.test == one.test && it.name == it.test && it.verdict == Verdict::fail;
        });
        auto& list = broken_off || failed ? result.behind : result.absent;
        list.push_back({one.test, one.name, Verdict::fail, "not tried"});
    }
    return result;
}

std::size_t take_better(std::vector<Case>& cases, const std::vector<Case>& again) {
    std::size_t changed = 0;
    for (const auto& one : again) {
        if (one.verdict != Verdict::pass) continue;
        const auto same = find_same(cases, one);
        if (same == cases.end())
            cases.push_back(one);
        else if (same->verdict != Verdict::pass)
            same->verdict = Verdict::pass;
        else
            continue;
        changed++;
    }
    // "It ran into its limit" holds no longer of a test that did not do so again.
    std::erase_if(cases, [&](const Case& one) {
        if (one.name != one.test || one.verdict != Verdict::fail) return false;
        const auto same = find_same(again, one);
        return std::ranges::find(again, one.test, &Case::test) != again.end() &&
               (same == again.end() || same->verdict != Verdict::fail);
    });
    return changed;
}

}  // namespace fwts::conformance
