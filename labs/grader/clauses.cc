// SPDX-License-Identifier: GPL-2.0
#include "clauses.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <regex>
#include <set>
#include <sstream>

namespace fwts::grader {
namespace {

using Texts = std::vector<std::string>;

const std::string tasks_heading = "## Tasks ";
const std::string end_heading = "## How it is graded";

bool has(const Texts& list, const std::string& item) {
    return std::find(list.begin(), list.end(), item) != list.end();
}

bool has_letter(const std::string& text) {
    return std::any_of(text.begin(), text.end(),
                       [](unsigned char c) { return std::isalpha(c) != 0; });
}

/// The handout, and which of its letters somebody has quoted.
class Sheet {
  public:
    explicit Sheet(const std::string& handout) : text_(folded(handout)), quoted_(text_.size()) {}

    /// @return whether the words are there.
    bool quote(const std::string& words) {
        const auto wanted = folded(words);
        auto at = wanted.empty() ? std::string::npos : text_.find(wanted);
        const bool found = at != std::string::npos;
        for (; at != std::string::npos; at = text_.find(wanted, at + 1)) cover(at, wanted.size());
        return found;
    }

    /// A task's number and title, and file and function names in parentheses, demand nothing.
    void cover_titles() {
        static const std::regex title(R"(\d+\. \*\*[^*]+\*\*)");
        static const std::regex names(R"(\((`[^`]+`(, | and )?)+\))");
        for (const auto* pattern : {&title, &names})
            for (std::sregex_iterator one(text_.begin(), text_.end(), *pattern), end; one != end;
                 ++one)
                cover(static_cast<std::size_t>(one->position()),
                      static_cast<std::size_t>(one->length()));
    }

    /// Pieces of the tasks that nobody quoted and that hold letters.
    Texts left() const {
        const auto begin = text_.find(tasks_heading);
        const auto end = text_.find(end_heading, begin);
        if (end == std::string::npos) return {};
        Texts pieces;
        std::string piece;
        for (auto at = begin + tasks_heading.size(); at <= end; ++at) {
            if (at < end && !quoted_[at]) {
                piece += text_[at];
                continue;
            }
            if (has_letter(piece)) pieces.push_back(folded(piece));
            piece.clear();
        }
        return pieces;
    }

    bool has_tasks() const {
        const auto begin = text_.find(tasks_heading);
        return begin != std::string::npos && text_.find(end_heading, begin) != std::string::npos;
    }

  private:
    void cover(std::size_t at, std::size_t length) {
        std::fill_n(quoted_.begin() + static_cast<std::ptrdiff_t>(at), length, true);
    }

    std::string text_;
    std::vector<bool> quoted_;
};

class Validation {
  public:
    Validation(const Lab& lab, const Scenario& scenario, const std::string& handout)
        : lab_(lab), sheet_(handout) {
        for (const auto& check : scenario.checks()) checks_.push_back(check.id);
        for (const auto& mutant : lab.mutants) mutants_.push_back(mutant.name);
    }

    Texts run() {
        if (lab_.clauses.empty())
            mistake("there is no [[clause]]; name every demand of handout.md");
        twice("clause", [&] {
            Texts names;
            for (const auto& clause : lab_.clauses) names.push_back(clause.name);
            return names;
        }());
        twice("mutant", mutants_);
        for (const auto& clause : lab_.clauses) look_at(clause);
        for (const auto& remark : lab_.remarks)
            if (!sheet_.quote(remark))
                mistake("remarks: \"{}\" does not stand in handout.md", folded(remark));
        look_at_general();
        for (const auto& mutant : lab_.mutants) look_at(mutant);
        for (const auto& check : checks_) look_at(check);
        look_at_sheet();
        return std::move(mistakes_);
    }

  private:
    template <typename... Args>
    void mistake(fmt::format_string<Args...> text, Args&&... args) {
        mistakes_.push_back(fmt::format(text, std::forward<Args>(args)...));
    }

    void twice(const std::string& what, Texts names) {
        std::sort(names.begin(), names.end());
        for (std::size_t i = 1; i < names.size(); ++i)
            if (names[i] == names[i - 1] && (i < 2 || names[i] != names[i - 2]))
                mistake("there is more than one {} \"{}\"", what, names[i]);
    }

    const Mutant* mutant(const std::string& name) const {
        const auto found = std::find_if(lab_.mutants.begin(), lab_.mutants.end(),
                                        [&](const auto& one) { return one.name == name; });
        return found == lab_.mutants.end() ? nullptr : &*found;
    }

    void look_at(const Clause& clause) {
        if (clause.says.empty()) mistake("clause {}: quotes no words of handout.md", clause.name);
        for (const auto& words : clause.says)
            if (!sheet_.quote(words))
                mistake("clause {}: \"{}\" does not stand in handout.md", clause.name,
                        folded(words));
        if (clause.checks.empty()) mistake("clause {}: no check looks at it", clause.name);
        if (clause.mutants.empty()) mistake("clause {}: no mutant breaks it", clause.name);
        for (const auto& id : clause.checks) {
            looked_at_.insert(id);
            if (!has(checks_, id)) mistake("clause {}: there is no check \"{}\"", clause.name, id);
        }
        for (const auto& name : clause.mutants) {
            broken_by_.insert(name);
            const auto* one = mutant(name);
            if (one == nullptr)
                mistake("clause {}: there is no mutant \"{}\"", clause.name, name);
            else if (std::none_of(one->fails.begin(), one->fails.end(),
                                  [&](const auto& id) { return has(clause.checks, id); }))
                mistake("clause {}: mutant {} fails none of its checks; it fails: {}", clause.name,
                        name, fmt::join(one->fails, ", "));
        }
    }

    void look_at_general() {
        for (const auto& id : lab_.general) {
            if (!has(checks_, id)) mistake("general: there is no check \"{}\"", id);
            if (looked_at_.contains(id))
                mistake("general: check {} belongs to a clause; take it off this list", id);
        }
    }

    void look_at(const Mutant& mutant) {
        for (const auto& id : mutant.fails)
            if (!has(checks_, id)) mistake("mutant {}: there is no check \"{}\"", mutant.name, id);
        for (const auto& id : mutant.blocked)
            if (!has(checks_, id)) mistake("mutant {}: there is no check \"{}\"", mutant.name, id);
        const bool general = !mutant.fails.empty() &&
                             std::all_of(mutant.fails.begin(), mutant.fails.end(),
                                         [&](const auto& id) { return has(lab_.general, id); });
        if (!broken_by_.contains(mutant.name) && !general)
            mistake("mutant {}: no clause names it", mutant.name);
    }

    void look_at(const std::string& check) {
        if (!looked_at_.contains(check) && !has(lab_.general, check))
            mistake("check {}: no clause names it", check);
        const auto fails_it = [&](const Mutant& one) { return has(one.fails, check); };
        if (std::none_of(lab_.mutants.begin(), lab_.mutants.end(), fails_it))
            mistake("check {}: no mutant fails it", check);
        else if (std::none_of(lab_.mutants.begin(), lab_.mutants.end(),
                              [&](const auto& one) { return fails_it(one) && !one.soak; }))
            mistake("check {}: every mutant that fails it has soak = true; leave one without",
                    check);
    }

    void look_at_sheet() {
        if (!sheet_.has_tasks()) {
            mistake("handout.md: there are no headings \"## Tasks\" and, after it, \"{}\"",
                    end_heading);
            return;
        }
        sheet_.cover_titles();
        for (const auto& piece : sheet_.left())
            mistake("handout.md: neither a clause nor a remark quotes \"{}\"", piece);
    }

    const Lab& lab_;
    Sheet sheet_;
    Texts checks_;
    Texts mutants_;
    std::set<std::string> looked_at_;
    std::set<std::string> broken_by_;
    Texts mistakes_;
};

}  // namespace

std::string folded(const std::string& text) {
    std::istringstream in(text);
    std::string result;
    for (std::string word; in >> word;) {
        if (!result.empty()) result += ' ';
        result += word;
    }
    return result;
}

std::vector<std::string> clause_mistakes(const Lab& lab, const Scenario& scenario,
                                         const std::string& handout) {
    return Validation(lab, scenario, handout).run();
}

}  // namespace fwts::grader
