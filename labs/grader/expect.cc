// SPDX-License-Identifier: GPL-2.0
#include "expect.h"

#include <cstdint>
#include <utility>

namespace fwts::grader {

void Credit::part(int points, const std::function<void()>& demand) {
    possible_ += points;
    try {
        demand();
        earned_ += points;
    } catch (const Failure& failure) {
        failures_.push_back(failure.verdict());
    }
}

void Credit::done() const {
    if (failures_.empty()) return;
    Verdict verdict = failures_.front();
    verdict.partial = earned_;
    for (std::size_t i = 1; i < failures_.size(); ++i)
        verdict.evidence.push_back(fmt::format("also: {}: expected {}, seen {}", failures_[i].what,
                                               failures_[i].expected, failures_[i].seen));
    throw Failure(verdict);
}

void fail(std::string what, std::string expected, std::string seen,
          std::vector<std::string> evidence) {
    Verdict verdict;
    verdict.outcome = Outcome::fail;
    verdict.what = std::move(what);
    verdict.expected = std::move(expected);
    verdict.seen = std::move(seen);
    verdict.evidence = std::move(evidence);
    throw Failure(std::move(verdict));
}

void expect_register(const std::string& what, std::uint32_t expected, std::uint32_t seen) {
    if (expected != seen)
        fail(what, fmt::format("{:#010x}", expected), fmt::format("{:#010x}", seen));
}

void expect_that(bool holds, const std::string& what, const std::string& expected,
                 const std::string& seen) {
    if (!holds) fail(what, expected, seen);
}

void expect_bytes(const std::string& what, const std::string& expected, const std::string& seen) {
    if (expected != seen) fail(what, hexdump(expected, seen), hexdump(seen, expected));
}

std::string hexdump(const std::string& bytes, const std::string& other) {
    constexpr std::size_t per_line = 8;
    std::string text = fmt::format("{} bytes", bytes.size());
    for (std::size_t at = 0; at < bytes.size(); at += per_line) {
        text += fmt::format("\n{:04x} ", at);
        for (std::size_t i = at; i < std::min(at + per_line, bytes.size()); ++i) {
            const bool differs = i >= other.size() || other[i] != bytes[i];
            const auto byte = static_cast<unsigned char>(bytes[i]);
            text += differs ? fmt::format("[{:02x}]", byte) : fmt::format(" {:02x} ", byte);
        }
    }
    return text;
}

}  // namespace fwts::grader
