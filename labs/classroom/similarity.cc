// SPDX-License-Identifier: GPL-2.0
#include "similarity.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>
#include <string_view>
#include <unordered_set>

#include "escape.h"
#include "files.h"
#include "scratch.h"
#include "skeleton.h"

namespace fwts::classroom {
namespace fs = std::filesystem;
namespace {

constexpr const char* reference = "(reference solution)";
constexpr std::size_t run_length = 20;    // tokens in a row that count as the same
constexpr std::size_t given_length = 30;  // and as given: own code is not taken away by chance

constexpr std::array<std::string_view, 25> keywords{
    "break",  "case",   "char",   "const", "continue", "default", "do",    "else",   "enum",
    "for",    "goto",   "if",     "int",   "long",     "return",  "short", "signed", "sizeof",
    "static", "struct", "switch", "union", "unsigned", "void",    "while"};

constexpr std::array<std::string_view, 20> operators{"==", "!=", "<=", ">=", "+=", "-=", "*=",
                                                     "/=", "%=", "&=", "|=", "^=", "++", "--",
                                                     "&&", "||", "<<", ">>", "->", "##"};

bool in_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// A keyword has a code of its own; all names have one, and all numbers.
char code_of_word(std::string_view word) {
    const auto* found = std::find(keywords.begin(), keywords.end(), word);
    if (found != keywords.end()) return static_cast<char>(128 + (found - keywords.begin()));
    return std::isdigit(static_cast<unsigned char>(word[0])) != 0 ? '0' : 'a';
}

/// Where the string or character constant that begins at `at` ends.
std::size_t end_of_quoted(const std::string& code, std::size_t at) {
    const char quote = code[at++];
    while (at < code.size() && code[at] != quote && code[at] != '\n')
        at += code[at] == '\\' ? 2 : 1;
    return std::min(at + 1, code.size());
}

/// A code that no character of C has for an operator of two characters, 0 when there is none.
char code_of_double(const std::string& code, std::size_t at) {
    const auto* found =
        std::find(operators.begin(), operators.end(), std::string_view(code).substr(at, 2));
    return found == operators.end() ? '\0' : static_cast<char>(found - operators.begin() + 1);
}

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
    for (const auto& file : files) texts.push_back(read_file(file));
    return texts;
}

/// What everybody has: the skeleton, and the stage as the book prints it.
Given given_to_all(const grader::Lab& lab, const grader::Places& places, const fs::path& scratch) {
    grader::make_skeleton(lab, places.driver, scratch / "skeleton");
    grader::cut_stage(places.driver, lab.stage, scratch / "stage");
    auto given = texts_in(scratch / "skeleton");
    for (auto& text : texts_in(scratch / "stage")) given.push_back(std::move(text));
    for (auto& text : given) text = without_comments(text);
    return Given(given);
}

std::string own_code(const fs::path& dir, const Given& given) {
    std::string own;
    for (const auto& text : texts_in(dir)) own += given.own_lines(without_comments(text));
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

using Runs = std::unordered_set<std::string>;

void add_runs(Runs& runs, const std::string& tokens, std::size_t length) {
    for (std::size_t at = 0; at + length <= tokens.size(); ++at)
        runs.insert(tokens.substr(at, length));
}

Runs runs_of(const std::string& tokens) {
    Runs runs;
    add_runs(runs, tokens, run_length);
    return runs;
}

/// Which tokens lie in one of the runs.
std::vector<bool> covered(const std::string& tokens, const Runs& runs, std::size_t length) {
    std::vector<bool> result(tokens.size());
    for (std::size_t at = 0; at + length <= tokens.size(); ++at)
        if (runs.count(tokens.substr(at, length)) != 0)
            std::fill_n(result.begin() + static_cast<std::ptrdiff_t>(at), length, true);
    return result;
}

/// How much of `tokens` lies in runs that the other has too.
int percent_in(const std::string& tokens, const Runs& runs) {
    const auto same = covered(tokens, runs, run_length);
    const auto count = static_cast<std::size_t>(std::count(same.begin(), same.end(), true));
    return tokens.empty() ? 0 : static_cast<int>(100 * count / tokens.size());
}

/// Every student against every other and the reference, the most similar first.
std::vector<Similar> compare(const std::vector<Author>& all, int threshold) {
    std::vector<std::string> tokens;
    tokens.reserve(all.size());
    for (const auto& author : all) tokens.push_back(tokens_of(author.code));
    std::vector<Similar> result;
    for (std::size_t other = 0; other < all.size(); ++other) {
        const auto runs = runs_of(tokens[other]);
        for (std::size_t one = 1; one < all.size(); ++one) {
            const int percent = one == other ? 0 : percent_in(tokens[one], runs);
            if (percent > 0 && percent >= threshold)
                result.push_back({all[one].name, all[other].name, percent});
        }
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

Given::Given(const std::vector<std::string>& texts) {
    for (const auto& text : texts) {
        std::istringstream in(text);
        for (std::string line; std::getline(in, line);) lines_.insert(without_space(line));
        add_runs(runs_, tokens_of(text), given_length);
    }
}

std::string Given::own_lines(const std::string& text) const {
    std::vector<std::string> lines;
    std::vector<std::size_t> ends;  // of each line, in tokens
    std::string tokens;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line); lines.push_back(line)) {
        tokens += tokens_of(line);
        ends.push_back(tokens.size());
    }
    const auto given = covered(tokens, runs_, given_length);
    std::string own;
    bool taken = false;
    for (std::size_t i = 0, begin = 0; i < lines.size(); begin = ends[i++]) {
        const auto bare = without_space(lines[i]);
        const auto from = given.begin() + static_cast<std::ptrdiff_t>(begin);
        const auto to = given.begin() + static_cast<std::ptrdiff_t>(ends[i]);
        if (!says_nothing(bare))
            taken = lines_.count(bare) == 0 && std::find(from, to, false) != to;
        if (taken && !bare.empty()) own += lines[i] + "\n";
    }
    return own;
}

std::string tokens_of(const std::string& code) {
    std::string tokens;
    for (std::size_t at = 0; at < code.size();) {
        const char c = code[at];
        auto end = at + 1;
        if (in_word(c)) {
            while (end < code.size() && in_word(code[end])) ++end;
            tokens += code_of_word(std::string_view(code).substr(at, end - at));
        } else if (c == '"' || c == '\'') {
            end = end_of_quoted(code, at);
            tokens += c;
        } else if (const char pair = code_of_double(code, at); pair != 0) {
            end = at + 2;
            tokens += pair;
        } else if (std::isspace(static_cast<unsigned char>(c)) == 0) {
            tokens += c;
        }
        at = end;
    }
    return tokens;
}

int percent_shared(const std::string& one, const std::string& other) {
    const auto tokens = tokens_of(other);
    return percent_in(tokens_of(one), runs_of(tokens));
}

std::vector<Similar> find_similar(const ResultsDirectory& out, const Roster& roster,
                                  const Tools& tools, int threshold) {
    const Scratch scratch("similar");
    const auto all = authors(out, roster, tools, scratch.path());
    const auto place = out.path() / "similarity";
    fs::remove_all(place / "own-code");
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto name = i == 0 ? "(reference)" : directory_name(all[i].name);
        write_file(place / "own-code" / (name + ".c"), all[i].code);
    }
    auto pairs = compare(all, threshold);
    std::string csv = "student,percent,also_in\n";
    for (const auto& pair : pairs)
        csv += fmt::format("{},{},{}\n", csv_field(pair.one), pair.percent, csv_field(pair.other));
    replace_file(place / "similarity.csv", csv);
    return pairs;
}

}  // namespace fwts::classroom
