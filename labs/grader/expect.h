// SPDX-License-Identifier: GPL-2.0
// How a check says what it demands: it throws a Failure when it sees something else.
//
// A check that returns has passed. Sentences name the thing looked at, so that
// "what: expected X, seen Y" reads well in a report.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "result.h"

namespace fwts::grader {

/// Thrown by a check whose demand was not met; carries the verdict shown to the student.
class Failure : public std::runtime_error {
  public:
    explicit Failure(Verdict verdict)
        : std::runtime_error(verdict.what), verdict_(std::move(verdict)) {}
    const Verdict& verdict() const { return verdict_; }

  private:
    Verdict verdict_;
};

/// Credit in parts: each part is tried and earns its points even if another fails.
///
///     Credit credit;
///     credit.part(7, [&] { expect_equal("current address", ...); });
///     credit.part(8, [&] { expect_equal("permanent address", ...); });
///     credit.done();
///
/// Parts must not build on one another, and must add up to the check's points.
class Credit {
  public:
    /// Tries one part. Only a Failure is kept until done(); a lost guest ends the check at once.
    void part(int points, const std::function<void()>& demand);
    /// Ends the check: as failed, with the first part's failure and the points of those that held,
    /// unless all held.
    void done() const;

  private:
    int earned_ = 0;
    int possible_ = 0;
    std::vector<Verdict> failures_;
};

/// Ends the check as failed.
/// @param what      the thing looked at, as a sentence.
/// @param expected  what the lab demands.
/// @param seen      what the grader found.
/// @param evidence  lines that help to find the fault (kernel log and the like).
[[noreturn]] void fail(std::string what, std::string expected, std::string seen,
                       std::vector<std::string> evidence = {});

/// Demands that two values are equal; both are shown when they are not.
template <typename Expected, typename Seen>
void expect_equal(const std::string& what, const Expected& expected, const Seen& seen) {
    if (!(expected == seen)) fail(what, fmt::format("{}", expected), fmt::format("{}", seen));
}

/// As expect_equal for 32-bit register values, shown in hexadecimal.
void expect_register(const std::string& what, std::uint32_t expected, std::uint32_t seen);

/// Demands a condition; `expected` and `seen` say it in words.
void expect_that(bool holds, const std::string& what, const std::string& expected,
                 const std::string& seen);

/// Demands equal bytes; shown as two hexdumps with the differing bytes marked.
void expect_bytes(const std::string& what, const std::string& expected, const std::string& seen);

/// Eight bytes a line with their offset; bytes that differ from `other` stand in [brackets].
std::string hexdump(const std::string& bytes, const std::string& other);

}  // namespace fwts::grader
