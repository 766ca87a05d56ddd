// SPDX-License-Identifier: GPL-2.0
#include "similarity.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>

#include "edit.h"
#include "jail.h"
#include "scratch.h"
#include "skeleton.h"
#include "text.h"

namespace fwts::classroom {
namespace fs = std::filesystem;
namespace {

constexpr const char* reference = "(reference solution)";
constexpr int run_length = 20;  // tokens in a row that count as the same

std::string without_space(const std::string& line) {
    std::string result;
    std::copy_if(line.begin(), line.end(), std::back_inserter(result),
                 [](unsigned char c) { return std::isspace(c) == 0; });
    return result;
}

/// Braces, "else", "*/" and the like.
bool says_nothing(const std::string& line) {
    return std::count_if(line.begin(), line.end(),
                         [](unsigned char c) { return std::isalnum(c) != 0; }) < 5;
}

std::vector<std::string> texts_in(const fs::path& dir) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(dir, error))
        if (entry.is_regular_file() &&
            (entry.path().extension() == ".c" || entry.path().extension() == ".h"))
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::vector<std::string> texts;
    texts.reserve(files.size());
    for (const auto& file : files) texts.push_back(grader::read_file(file));
    return texts;
}

/// What everybody has: the skeleton, and the stage as the book prints it.
std::vector<std::string> given_to_all(const grader::Lab& lab, const grader::Places& places,
                                      const fs::path& scratch) {
    grader::make_skeleton(lab, places.driver, scratch / "skeleton");
    grader::cut_stage(places.driver, lab.stage, scratch / "stage");
    auto given = texts_in(scratch / "skeleton");
    for (auto& text : texts_in(scratch / "stage")) given.push_back(std::move(text));
    for (auto& text : given) text = without_comments(text);
    return given;
}

std::string own_code(const fs::path& dir, const std::vector<std::string>& given) {
    std::string own;
    for (const auto& text : texts_in(dir)) own += own_lines(without_comments(text), given);
    return own;
}

struct Author {
    std::string name;
    std::string code;
};

std::vector<Author> authors(const ResultsDirectory& out, const Roster& roster, const Tools& tools,
                            const fs::path& scratch) {
    const auto lab =
        grader::read_lab(grader::find_lab(tools.places.labs, roster.lab), out.params(roster));
    const auto given = given_to_all(lab, tools.places, scratch);
    grader::make_solution(lab, tools.places.driver, scratch / "solution");
    std::vector<Author> all{{reference, own_code(scratch / "solution", given)}};
    for (const auto& submission : roster.submissions) {
        auto code = own_code(out.student(submission.student) / "sources", given);
        if (!code.empty()) all.push_back({submission.student, std::move(code)});
    }
    return all;
}

std::string run_sim(const fs::path& dir, std::size_t files) {
    grader::Room room;
    room.sources = dir;
    std::vector<std::string> argv{
        "sim_c", "-p", "-a", "-e", "-T", "-t", "1", "-r", std::to_string(run_length)};
    for (std::size_t i = 0; i < files; ++i) argv.push_back(fmt::format("/submission/{}.c", i));
    auto limits = grader::build_limits();
    limits.output_bytes = 64U << 20U;
    const auto result = grader::run_in_jail(room, argv, limits);
    if (result.output.find("execvp sim_c") != std::string::npos)
        throw std::runtime_error(
            "sim_c is not installed; install Debian's package similarity-tester");
    if (!result.ok())
        throw std::runtime_error(
            fmt::format("sim_c failed with status {}: {}", result.status, result.output));
    return result.output;
}

/// sim_c saw numbered files; back to names, and only where somebody should look.
std::vector<Similar> named(const std::vector<Similar>& pairs, const std::vector<Author>& all,
                           int threshold) {
    std::vector<Similar> result;
    for (const auto& pair : pairs) {
        const auto one = std::stoul(pair.one);
        const auto other = std::stoul(pair.other);
        if (pair.percent < threshold || one == 0 || one >= all.size() || other >= all.size())
            continue;
        result.push_back({all[one].name, all[other].name, pair.percent});
    }
    std::stable_sort(result.begin(), result.end(),
                     [](const auto& a, const auto& b) { return a.percent > b.percent; });
    return result;
}

}  // namespace

std::string without_comments(const std::string& text) {
    std::string code;
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quote != 0) {
            code += c;
            if (c == '\\' && i + 1 < text.size())
                code += text[++i];
            else if (c == quote || c == '\n')
                quote = 0;
        } else if (text.compare(i, 2, "/*") == 0) {
            i = std::min(text.find("*/", i + 2), text.size() - 2) + 1;
        } else if (text.compare(i, 2, "//") == 0) {
            i = std::min(text.find('\n', i), text.size()) - 1;
        } else {
            if (c == '"' || c == '\'') quote = c;
            code += c;
        }
    }
    return code;
}

std::string own_lines(const std::string& text, const std::vector<std::string>& given) {
    std::set<std::string> known;
    for (const auto& one : given) {
        std::istringstream in(one);
        for (std::string line; std::getline(in, line);) known.insert(without_space(line));
    }
    std::string own;
    bool taken = false;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        const auto bare = without_space(line);
        if (!says_nothing(bare)) taken = known.count(bare) == 0;
        if (taken && !bare.empty()) own += line + "\n";
    }
    return own;
}

std::vector<Similar> parse_sim(const std::string& output) {
    static const std::regex line_form(
        R"(/submission/(\d+)\.c consists for (\d+) % of /submission/(\d+)\.c material)");
    std::vector<Similar> pairs;
    std::istringstream in(output);
    for (std::string line; std::getline(in, line);) {
        std::smatch match;
        if (std::regex_search(line, match, line_form))
            pairs.push_back({match[1], match[3], std::stoi(match[2])});
    }
    return pairs;
}

std::vector<Similar> find_similar(const ResultsDirectory& out, const Roster& roster,
                                  const Tools& tools, int threshold) {
    grader::require_jail();
    const grader::Scratch scratch("similar");
    const auto all = authors(out, roster, tools, scratch.path());
    const auto place = out.path() / "similarity";
    fs::remove_all(place / "own-code");
    for (std::size_t i = 0; i < all.size(); ++i) {
        grader::write_file(scratch.path() / "own" / fmt::format("{}.c", i), all[i].code);
        const auto name = i == 0 ? "(reference)" : directory_name(all[i].name);
        grader::write_file(place / "own-code" / (name + ".c"), all[i].code);
    }
    auto pairs = named(parse_sim(run_sim(scratch.path() / "own", all.size())), all, threshold);
    std::string csv = "student,percent,also_in\n";
    for (const auto& pair : pairs)
        csv += fmt::format("{},{},{}\n", csv_field(pair.one), pair.percent, csv_field(pair.other));
    write_whole(place / "similarity.csv", csv);
    return pairs;
}

}  // namespace fwts::classroom
