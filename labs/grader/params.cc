// SPDX-License-Identifier: GPL-2.0
#include "params.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <toml++/toml.h>
#include <algorithm>
#include <cctype>
#include <regex>
#include <stdexcept>
#include <vector>

namespace fwts::grader {
namespace {

std::vector<std::string> names(const Params& params) {
    std::vector<std::string> all;
    for (const auto& [name, value] : params) all.push_back(name);
    return all;
}

}  // namespace

std::string filled_in(const std::string& text, const Params& params) {
    static const std::regex place("@([a-z][a-z0-9]*(_[a-z0-9]+)+)@");
    std::string result;
    auto from = text.cbegin();
    for (std::sregex_iterator match(text.begin(), text.end(), place), end; match != end; ++match) {
        const auto found = params.find((*match)[1]);
        if (found == params.end())
            throw std::runtime_error(fmt::format("there is no parameter for {}; there are: {}",
                                                 match->str(), fmt::join(names(params), ", ")));
        result.append(from, (*match)[0].first).append(found->second);
        from = (*match)[0].second;
    }
    return result.append(from, text.cend());
}

void require_harmless(const std::string& name, const std::string& value) {
    const bool harmless = std::all_of(value.begin(), value.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 ||
               std::string(" _-.,").find(static_cast<char>(c)) != std::string::npos;
    });
    if (value.empty() || !harmless)
        throw std::runtime_error(fmt::format(
            "parameter {} = \"{}\": use letters, digits, blanks and _-., only", name, value));
}

Params changed_by(const std::filesystem::path& file, Params defaults) {
    toml::table table;
    try {
        table = toml::parse_file(file.string());
    } catch (const toml::parse_error& error) {
        throw std::runtime_error(fmt::format("{}:{}: {}", file.string(), error.source().begin.line,
                                             error.description()));
    }
    for (const auto& [key, node] : table) {
        const std::string name(key.str());
        const auto value = node.value<std::string>();
        if (!defaults.contains(name) || !value)
            throw std::runtime_error(
                fmt::format("{}:{}: {} is no text parameter of this lab; it has: {}", file.string(),
                            node.source().begin.line, name, fmt::join(names(defaults), ", ")));
        require_harmless(name, *value);
        defaults[name] = *value;
    }
    return defaults;
}

}  // namespace fwts::grader
