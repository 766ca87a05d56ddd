// SPDX-License-Identifier: GPL-2.0
#include "functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

namespace fwts::grader {
namespace {

using Lines = std::vector<std::string>;

Lines lines_of(const std::string& text) {
    Lines lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

/// Lines, counted from 0: the first, and the one after the last.
struct Span {
    std::string name;
    std::size_t first;
    std::size_t end;
};

Span place_of(const loom::Tag& function, const Lines& lines) {
    auto first = static_cast<std::size_t>(function.line) - 1;
    while (first > 0 && !lines[first - 1].empty()) --first;
    return {function.name, first, static_cast<std::size_t>(function.end)};
}

/// The functions of a text, in its order.
std::vector<Span> functions_of(const std::string& text, const Lines& lines, loom::Tagger& tagger) {
    std::vector<Span> all;
    for (const auto& tag : tagger.tags(text))
        if (tag.kind == "function") all.push_back(place_of(tag, lines));
    return all;
}

/// Lines of a text without the blank ones around them.
std::string trimmed(const Lines& lines, std::size_t first, std::size_t end) {
    while (first < end && lines[first].empty()) ++first;
    while (first < end && lines[end - 1].empty()) --end;
    std::string text;
    for (; first < end; ++first) text += lines[first] + "\n";
    return text;
}

}  // namespace

std::string replace_body(const std::string& text, int first, int last, const std::string& body) {
    std::string result;
    bool opened = false;
    bool closed = false;
    int number = 0;
    for (const auto& line : lines_of(text)) {
        ++number;
        const bool inside = number >= first && number <= last;
        if (inside && line == "{") {
            opened = true;
            result += "{\n" + body;
            if (!body.ends_with('\n')) result += '\n';
        }
        closed = closed || (opened && number == last && line == "}");
        if (!opened || !inside || number == last) result += line + "\n";
    }
    if (!closed)
        throw std::runtime_error(
            fmt::format("lines {} to {} hold no function body with its braces in the first column",
                        first, last));
    return result;
}

std::string with_functions(const std::string& text, const std::string& theirs,
                           loom::Tagger& tagger) {
    const auto ours = lines_of(text);
    const auto places = functions_of(text, ours, tagger);
    const auto has = [&](const std::string& name) {
        return std::any_of(places.begin(), places.end(),
                           [&](const Span& place) { return place.name == name; });
    };

    const auto lines = lines_of(theirs);
    auto from = static_cast<std::size_t>(std::find(lines.begin(), lines.end(), "") - lines.begin());
    std::map<std::string, std::string> comes;
    std::string before;  // what waits for the next function that has a place
    for (const auto& function : functions_of(theirs, lines, tagger)) {
        before += trimmed(lines, from, function.end);
        from = function.end;
        if (has(function.name))
            comes[function.name] = std::exchange(before, "");
        else
            before += "\n";
    }
    before += trimmed(lines, from, lines.size());
    if (!before.empty() || comes.empty())
        throw std::runtime_error(
            fmt::format("\"{}\": no function follows that could be replaced; the driver has "
                        "changed, so mend the lab's functions",
                        before.substr(0, before.find('\n'))));

    std::string result;
    std::size_t at = 0;
    for (const auto& place : places) {
        const auto found = comes.find(place.name);
        if (found == comes.end()) continue;
        for (; at < place.first; ++at) result += ours[at] + "\n";
        result += found->second;
        at = place.end;
    }
    for (; at < ours.size(); ++at) result += ours[at] + "\n";
    return result;
}

std::string without_function(const std::string& text, const loom::Tag& function) {
    const auto lines = lines_of(text);
    const auto place = place_of(function, lines);
    std::string result;
    for (std::size_t i = 0; i < lines.size(); ++i)
        if (i < place.first || i > place.end || (i == place.end && !lines[i].empty()))
            result += lines[i] + "\n";
    return result;
}

}  // namespace fwts::grader
