// SPDX-License-Identifier: GPL-2.0
#include "scenario.h"

#include <fmt/format.h>

#include <set>
#include <stdexcept>
#include <utility>

namespace fwts::grader {

CheckBuilder& CheckBuilder::id(std::string text) {
    check_.id = std::move(text);
    return *this;
}

CheckBuilder& CheckBuilder::at(const char* file, int line) {
    const std::string path = file;
    check_.place = fmt::format("{}:{}", path.substr(path.rfind('/') + 1), line);
    return *this;
}

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

void CheckBuilder::run(std::function<void(Testbed&)> body) {
    check_.body = std::move(body);
}

CheckBuilder Scenario::check_points(int points, std::string title) {
    Check check;
    check.title = std::move(title);
    check.points = points;
    checks_.push_back(std::move(check));
    return CheckBuilder(checks_.back());
}

Scenario Scenario::filled_in(const Params& params) const {
    Scenario copy = *this;
    for (auto& check : copy.checks_) {
        check.title = grader::filled_in(check.title, params);
        check.hint = grader::filled_in(check.hint, params);
    }
    return copy;
}

Scenario Scenario::only(const std::vector<std::string>& ids) const {
    if (ids.empty()) return *this;
    std::set<std::string> wanted(ids.begin(), ids.end());
    Scenario part(lab_);
    // From the last to the first: what a check needs comes before it.
    for (auto check = checks_.rbegin(); check != checks_.rend(); ++check) {
        if (!wanted.contains(check->id)) continue;
        wanted.erase(check->id);
        wanted.insert(check->depends.begin(), check->depends.end());
        part.checks_.insert(part.checks_.begin(), *check);
    }
    if (!wanted.empty())
        throw std::runtime_error(fmt::format("{} has no check {}", lab_, *wanted.begin()));
    return part;
}

std::vector<std::string> Scenario::mistakes() const {
    std::vector<std::string> found;
    std::set<std::string> earlier;
    for (const auto& check : checks_) {
        const auto wrong = [&](const std::string& what) {
            found.push_back(fmt::format("{}{}check {} {}", check.place,
                                        check.place.empty() ? "" : ": ", check.id, what));
        };
        for (const auto& id : check.depends)
            if (!earlier.contains(id))
                wrong(fmt::format("comes after {}, which is not an earlier check", id));
        if (check.id.empty()) wrong(fmt::format("\"{}\" has no id(...)", check.title));
        if (!earlier.insert(check.id).second) wrong("has the name of another check");
        if (!check.body) wrong("has no run(...)");
        if (check.points <= 0) wrong("gives no points");
        if (check.hint.empty()) wrong("has no hint");
        if (check.book.empty()) wrong("has no link into the book");
    }
    return found;
}

}  // namespace fwts::grader
