// SPDX-License-Identifier: GPL-2.0
#include "scenario.h"

#include <fmt/format.h>

#include <set>
#include <utility>

namespace fwts::grader {

CheckBuilder& CheckBuilder::after(std::string id) {
    check_.depends.push_back(std::move(id));
    return *this;
}

CheckBuilder& CheckBuilder::hint(std::string text) {
    check_.hint = std::move(text);
    return *this;
}

CheckBuilder& CheckBuilder::book(std::string label) {
    check_.book = std::move(label);
    return *this;
}

void CheckBuilder::run(std::function<void(Bench&)> body) {
    check_.body = std::move(body);
}

CheckBuilder Scenario::check_points(int points, std::string id, std::string title) {
    Check check;
    check.id = std::move(id);
    check.title = std::move(title);
    check.points = points;
    checks_.push_back(std::move(check));
    return CheckBuilder(checks_.back());
}

std::vector<std::string> Scenario::mistakes() const {
    std::vector<std::string> found;
    std::set<std::string> earlier;
    for (const auto& check : checks_) {
        for (const auto& id : check.depends) {
            if (!earlier.contains(id))
                found.push_back(fmt::format(
                    "check {} comes after {}, which is not an earlier check", check.id, id));
        }
        if (!earlier.insert(check.id).second)
            found.push_back(fmt::format("two checks are called {}", check.id));
        if (!check.body) found.push_back(fmt::format("check {} has no run(...)", check.id));
        if (check.points <= 0) found.push_back(fmt::format("check {} gives no points", check.id));
        if (check.hint.empty()) found.push_back(fmt::format("check {} has no hint", check.id));
        if (check.book.empty())
            found.push_back(fmt::format("check {} has no link into the book", check.id));
    }
    return found;
}

}  // namespace fwts::grader
