// SPDX-License-Identifier: GPL-2.0
#include "repeat.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace fwts::grader {

void Repeated::add(const Report& report) {
    ++runs_;
    note("stage", to_string(report.stage), report.seed);
    for (const auto& check : report.checks)
        note("check " + check.id,
             fmt::format("{} {}/{}", to_string(check.verdict.outcome), check.earned, check.points),
             report.seed);
}

void Repeated::note(const std::string& what, const std::string& verdict, std::uint64_t seed) {
    if (!seen_.contains(what)) order_.push_back(what);
    seen_[what][verdict].push_back(seed);
}

std::vector<std::string> Repeated::differences() const {
    std::vector<std::string> result;
    for (const auto& what : order_) {
        const auto& verdicts = seen_.at(what);
        const auto usual = std::max_element(
            verdicts.begin(), verdicts.end(),
            [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
        std::size_t noted = 0;
        std::string others;
        for (const auto& [verdict, seeds] : verdicts) {
            noted += seeds.size();
            if (verdict != usual->first)
                others += fmt::format(", {} in {} (seed {})", verdict, seeds.size(),
                                      fmt::join(seeds, ", "));
        }
        if (noted < runs_) others += fmt::format(", missing in {}", runs_ - noted);
        if (!others.empty())
            result.push_back(fmt::format("{}: {} in {} of {} runs{}", what, usual->first,
                                         usual->second.size(), runs_, others));
    }
    return result;
}

}  // namespace fwts::grader
