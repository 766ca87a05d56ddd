// SPDX-License-Identifier: GPL-2.0
#include <nlohmann/json.hpp>

#include "snippet.h"

namespace fwts::loom {

namespace {

const char* to_string(Snippet::Kind kind) {
    switch (kind) {
        case Snippet::Kind::symbol:
            return "symbol";
        case Snippet::Kind::marker:
            return "marker";
        case Snippet::Kind::file:
            return "file";
    }
    return "";
}

}  // namespace

nlohmann::json to_json(const std::vector<Snippet>& snippets, const Manifest& manifest) {
    nlohmann::json all = nlohmann::json::object();
    for (const Snippet& s : snippets) {
        nlohmann::json elided = nlohmann::json::array();
        for (const Snippet::Elided& e : s.elided)
            elided.push_back({{"line", e.line}, {"id", e.id}});
        all[s.id] = {
            {"id", s.id},
            {"kind", to_string(s.kind)},
            {"file", s.file},
            {"function", s.function.empty() ? nlohmann::json() : nlohmann::json(s.function)},
            {"stage", manifest.stages[s.stage].number},
            {"first_line", s.first_line},
            {"last_line", s.last_line},
            {"before", s.before},
            {"lines", s.lines},
            {"after", s.after},
            {"removed", s.removed},
            {"elided", elided}};
    }
    return {{"snippets", all}};
}

}  // namespace fwts::loom
