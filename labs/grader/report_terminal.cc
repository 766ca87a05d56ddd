// SPDX-License-Identifier: GPL-2.0
#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <sstream>

#include "report.h"
#include "text.h"
#include "visible.h"

namespace fwts::grader {
namespace {

constexpr std::size_t evidence_lines = 12;
constexpr std::size_t column = 48;  // a hexdump's line fits

/// Text from the guest or the compiler must not steer the reader's terminal.
std::string printable(const std::string& text) {
    return visible(text, "\t");
}

std::vector<std::string> lines_of(const std::string& text) {
    auto lines = split_lines(text);
    for (auto& line : lines) line = printable(line);
    return lines;
}

class Page {
  public:
    Page(std::ostream& out, const TerminalWriter::Style& style) : out_(out), style_(style) {}

    void check(const CheckResult& check) {
        out_ << fmt::format("{:>3}/{:<3} {} {}: {}\n", check.earned, check.points,
                            word(check.verdict.outcome), check.id, check.title);
        if (check.verdict.outcome == Outcome::pass) return;
        if (!check.verdict.what.empty())
            out_ << "          " << printable(check.verdict.what) << '\n';
        if (check.verdict.outcome == Outcome::blocked) return;
        values(lines_of(check.verdict.expected), lines_of(check.verdict.seen));
        evidence(check.verdict.evidence);
        if (!check.hint.empty()) out_ << "          hint: " << check.hint << '\n';
        if (!check.book.empty())
            out_ << fmt::format("          book: {}/{}\n", style_.book_url,
                                check.link.empty() ? "#" + check.book : check.link);
    }

    void evidence(const std::vector<std::string>& lines) {
        const auto shown = style_.verbose ? lines.size() : std::min(lines.size(), evidence_lines);
        for (std::size_t i = 0; i < shown; ++i)
            out_ << "          | " << printable(lines[i]) << '\n';
        if (shown < lines.size())
            out_ << fmt::format("          | … {} more lines, see --verbose or --json\n",
                                lines.size() - shown);
    }

    void costs(const Report& report) {
        out_ << "\nWhat it cost:                              wall    processor\n";
        for (const auto& cost : report.costs) one_cost(cost.part, cost.time, cost.cpu);
        for (const auto& check : report.checks)
            if (check.time.count() > 0) one_cost("check " + check.id, check.time, check.cpu);
    }

  private:
    void one_cost(const std::string& part, std::chrono::milliseconds time,
                  std::chrono::milliseconds cpu) {
        out_ << fmt::format("  {:<34} {:>7.2f} s  {:>7.2f} s\n", part, seconds(time), seconds(cpu));
    }

    static double seconds(std::chrono::milliseconds time) {
        return static_cast<double>(time.count()) / 1000.0;
    }

    void values(const std::vector<std::string>& expected, const std::vector<std::string>& seen) {
        if (expected.size() <= 1 && seen.size() <= 1) {
            if (!expected.empty()) out_ << "          expected: " << expected.front() << '\n';
            if (!seen.empty()) out_ << "          seen    : " << seen.front() << '\n';
            return;
        }
        std::size_t width = 0;
        for (const auto& line : expected) width = std::max(width, line.size());
        if (width > column) return one_below_the_other(expected, seen);
        width = std::max(width, std::string("expected").size());
        const auto row = [&](const std::string& left, const std::string& right) {
            out_ << fmt::format("          {:<{}}  | {}\n", left, width, right);
        };
        row("expected", "seen");
        for (std::size_t i = 0; i < std::max(expected.size(), seen.size()); ++i)
            row(i < expected.size() ? expected[i] : "", i < seen.size() ? seen[i] : "");
    }

    void one_below_the_other(const std::vector<std::string>& expected,
                             const std::vector<std::string>& seen) {
        out_ << "          expected:\n";
        for (const auto& line : expected) out_ << "            " << line << '\n';
        out_ << "          seen:\n";
        for (const auto& line : seen) out_ << "            " << line << '\n';
    }

    std::string word(Outcome outcome) const {
        std::string text = fmt::format("{:<7}", to_string(outcome));
        if (!style_.colour) return text;
        const char* colour = outcome == Outcome::pass   ? "32"
                             : outcome == Outcome::fail ? "31"
                                                        : "33";
        return fmt::format("\033[{}m{}\033[0m", colour, text);
    }

    std::ostream& out_;
    const TerminalWriter::Style& style_;
};

}  // namespace

void TerminalWriter::write(const Report& report, std::ostream& out) const {
    Page page(out, style_);
    out << fmt::format("Lab {} \"{}\": {} (seed {}{})\n", report.lab, report.title,
                       printable(report.submission), report.seed,
                       report.kernel.empty() ? "" : ", Linux " + printable(report.kernel));
    if (!report.message.empty()) {
        out << fmt::format("{}: {}\n", to_string(report.stage), printable(report.message));
        page.evidence(report.details);
    }
    if (!report.ignored.empty()) out << printable(report.left_out()) << '\n';
    if (!report.warnings.empty()) {
        out << fmt::format("The compiler had {} warnings; they cost no points:\n",
                           report.warnings.size());
        page.evidence(report.warnings);
    }
    if (report.stage == Stage::graded)
        for (const auto& check : report.checks) page.check(check);
    if (style_.verbose) page.costs(report);
    if (report.stage == Stage::error)
        out << "\nNo marks: the grader itself failed, not the submission. Grade it again.\n";
    else
        out << fmt::format("\n{} of {} points\n", report.earned(), report.possible());
}

}  // namespace fwts::grader
