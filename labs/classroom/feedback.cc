// SPDX-License-Identifier: GPL-2.0
#include "feedback.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "escape.h"

namespace fwts::classroom {
namespace {

using grader::CheckResult;
using grader::Outcome;
using grader::Report;

constexpr std::size_t evidence_lines = 40;

std::string first_lines(const std::vector<std::string>& lines) {
    std::string text;
    const auto shown = std::min(lines.size(), evidence_lines);
    for (std::size_t i = 0; i < shown; ++i) text += lines[i] + "\n";
    if (shown < lines.size()) text += fmt::format("… {} more lines\n", lines.size() - shown);
    return text;
}

std::string link(const CheckResult& check, const std::string& book_url) {
    if (check.book.empty()) return {};
    return book_url + "/" + (check.link.empty() ? "#" + check.book : check.link);
}

/// One sentence on how it came to its points.
std::string how_far(const Report& report) {
    switch (report.stage) {
        case grader::Stage::refused:
            return "The submission was not accepted, so nothing was compiled.";
        case grader::Stage::build_failed:
            return "The submission did not become a module: " + report.message + ".";
        case grader::Stage::error:
            return "The grader failed. These are no marks: the instructor will grade it again.";
        case grader::Stage::graded:
            break;
    }
    return fmt::format("Compiled, and tried in a guest with Linux {}.", report.kernel);
}

bool multiline(const std::string& text) {
    return text.find('\n') != std::string::npos;
}

void markdown_value(std::ostream& out, const char* name, const std::string& value) {
    if (value.empty()) return;
    if (multiline(value))
        out << name << ":\n\n" << code_block(value) << '\n';
    else
        out << name << ": " << escaped_markdown(value) << "\n\n";
}

void markdown_check(std::ostream& out, const CheckResult& check, const std::string& book_url) {
    out << fmt::format("## {}: {} of {} points\n\n", escaped_markdown(check.id), check.earned,
                       check.points);
    out << escaped_markdown(check.title) << ".\n\n";
    markdown_value(out, "**What happened**", check.verdict.what);
    if (check.verdict.outcome == Outcome::blocked) return;
    markdown_value(out, "Expected", check.verdict.expected);
    markdown_value(out, "Seen", check.verdict.seen);
    if (!check.verdict.evidence.empty())
        out << code_block(first_lines(check.verdict.evidence)) << '\n';
    if (!check.hint.empty()) out << "Hint: " << escaped_markdown(check.hint) << "\n\n";
    if (!check.book.empty())
        out << fmt::format("[The section of the book that explains it]({})\n\n",
                           link(check, book_url));
}

constexpr const char* style =
    R"(body{font:16px/1.5 sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color:#1c1c1e;background:#fff}
table{border-collapse:collapse}td,th{padding:.2rem .8rem;border-bottom:1px solid #ccc;text-align:left}
.pair{display:flex;flex-wrap:wrap;gap:1rem}.pair>div{flex:1 1 24rem;min-width:0}
pre{background:#f3f3f5;padding:.6rem;overflow-x:auto}.fail{color:#a40000}.pass{color:#0a5c2b}.blocked,.error{color:#6b4e00}
@media(prefers-color-scheme:dark){body{color:#e6e6e8;background:#18181b}pre{background:#26262b}.fail{color:#ff8a80}.pass{color:#7bd88f}
.blocked,.error{color:#e3c16f}a{color:#8ab4ff}})";

void html_value(std::ostream& out, const char* name, const std::string& value) {
    if (value.empty()) return;
    if (multiline(value))
        out << fmt::format("<p>{}:</p>\n<pre tabindex=\"0\">{}</pre>\n", name, escaped(value));
    else
        out << fmt::format("<p>{}: {}</p>\n", name, escaped(value));
}

/// Expected and seen: two lines, or side by side when they are long.
void html_pair(std::ostream& out, const std::string& expected, const std::string& seen) {
    if (expected.empty() || seen.empty() || !(multiline(expected) || multiline(seen))) {
        html_value(out, "Expected", expected);
        html_value(out, "Seen", seen);
        return;
    }
    out << fmt::format(
        "<div class=\"pair\">\n<div>Expected\n<pre tabindex=\"0\">{}</pre></div>\n<div>Seen\n<pre "
        "tabindex=\"0\">{}</pre></div>\n</div>\n",
        escaped(expected), escaped(seen));
}

void html_check(std::ostream& out, const CheckResult& check, const std::string& book_url) {
    out << fmt::format("<h2 id=\"{0}\">{0}: {1} of {2} points</h2>\n<p>{3}.</p>\n",
                       escaped(check.id), check.earned, check.points, escaped(check.title));
    html_value(out, "<strong>What happened</strong>", check.verdict.what);
    if (check.verdict.outcome == Outcome::blocked) return;
    html_pair(out, check.verdict.expected, check.verdict.seen);
    if (!check.verdict.evidence.empty())
        out << fmt::format("<pre tabindex=\"0\">{}</pre>\n",
                           escaped(first_lines(check.verdict.evidence)));
    html_value(out, "Hint", check.hint);
    if (!check.book.empty())
        out << fmt::format("<p><a href=\"{}\">The section of the book that explains it</a></p>\n",
                           escaped(link(check, book_url)));
}

void html_table(std::ostream& out, const Report& report) {
    out << "<table>\n<thead><tr><th>check</th><th>points</th><th>result</th><th>what is "
           "demanded</th></tr></thead>\n<tbody>\n";
    for (const auto& check : report.checks)
        out << fmt::format(
            "<tr><td>{}</td><td>{} of {}</td><td class=\"{}\">{}</td><td>{}</td></tr>\n",
            escaped(check.id), check.earned, check.points, to_string(check.verdict.outcome),
            to_string(check.verdict.outcome), escaped(check.title));
    out << "</tbody>\n</table>\n";
}

}  // namespace

std::string explained(const CheckResult& check, const std::string& book_url) {
    if (check.verdict.outcome == Outcome::pass) return {};
    std::string text = check.verdict.what + "\n";
    if (check.verdict.outcome == Outcome::blocked) return plain(text);
    if (!check.verdict.expected.empty()) text += "expected: " + check.verdict.expected + "\n";
    if (!check.verdict.seen.empty()) text += "seen: " + check.verdict.seen + "\n";
    text += first_lines(check.verdict.evidence);
    if (!check.hint.empty()) text += "hint: " + check.hint + "\n";
    if (!check.book.empty()) text += "book: " + link(check, book_url) + "\n";
    return plain(text);
}

std::string explained(const Report& report) {
    std::string text;
    if (report.stage != grader::Stage::graded)
        text = how_far(report) + "\n" + first_lines(report.details);
    if (!report.ignored.empty()) text += report.left_out() + "\n";
    return plain(text);
}

void MarkdownWriter::write(const Report& report, std::ostream& out) const {
    out << fmt::format("# Lab {}: {} of {} points\n\n", escaped_markdown(report.title),
                       report.earned(), report.possible());
    out << escaped_markdown(how_far(report)) << "\n\n";
    if (!report.details.empty()) out << code_block(first_lines(report.details)) << '\n';
    if (!report.ignored.empty()) out << escaped_markdown(report.left_out()) << "\n\n";
    if (report.stage == grader::Stage::graded) {
        out << "| check | points | result | what is demanded |\n|---|---|---|---|\n";
        for (const auto& check : report.checks)
            out << fmt::format("| {} | {} of {} | {} | {} |\n", escaped_markdown(check.id),
                               check.earned, check.points, to_string(check.verdict.outcome),
                               escaped_markdown(check.title));
        out << '\n';
        for (const auto& check : report.checks)
            if (check.verdict.outcome != Outcome::pass) markdown_check(out, check, book_url_);
    }
    if (!report.warnings.empty())
        out << fmt::format("## Compiler warnings: {}\n\nThey cost no points.\n\n{}",
                           report.warnings.size(), code_block(first_lines(report.warnings)));
    if (report.seed != 0)
        out << fmt::format("\nThe same run again: `grade --lab {} --submission DIR --seed {}`\n",
                           report.lab.substr(0, 2), report.seed);
}

void HtmlWriter::write(const Report& report, std::ostream& out) const {
    out << fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width\">\n"
        "<title>Lab {0}: {1} of {2} points</title>\n<style>{3}</style>\n</head>\n<body>\n"
        "<h1>Lab {0}: {1} of {2} points</h1>\n<p>{4}</p>\n",
        escaped(report.title), report.earned(), report.possible(), style, escaped(how_far(report)));
    if (!report.details.empty())
        out << fmt::format("<pre tabindex=\"0\">{}</pre>\n", escaped(first_lines(report.details)));
    if (!report.ignored.empty()) out << fmt::format("<p>{}</p>\n", escaped(report.left_out()));
    if (report.stage == grader::Stage::graded) {
        html_table(out, report);
        for (const auto& check : report.checks)
            if (check.verdict.outcome != Outcome::pass) html_check(out, check, book_url_);
    }
    if (!report.warnings.empty())
        out << fmt::format(
            "<h2>Compiler warnings: {}</h2>\n<p>They cost no points.</p>\n<pre "
            "tabindex=\"0\">{}</pre>\n",
            report.warnings.size(), escaped(first_lines(report.warnings)));
    if (report.seed != 0)
        out << fmt::format(
            "<p>The same run again: <code>grade --lab {} --submission DIR --seed {}</code></p>\n",
            escaped(report.lab.substr(0, 2)), report.seed);
    out << "</body>\n</html>\n";
}

}  // namespace fwts::classroom
