// SPDX-License-Identifier: GPL-2.0
// Report writers: one interface, one class for each format.
//
// To add a format: derive from ReportWriter in a file of its own, and give main.cc an option for
// it.
#pragma once

#include <iosfwd>
#include <memory>
#include <string>

#include "result.h"

namespace fwts::grader {

/// Writes a finished report in one format.
class ReportWriter {
  public:
    virtual ~ReportWriter() = default;
    /// Writes the whole report; leaves the stream's state for the caller to check.
    virtual void write(const Report& report, std::ostream& out) const = 0;
};

/// For people: one line a check, and below it what a student needs to go on.
class TerminalWriter : public ReportWriter {
  public:
    struct Style {
        bool colour = false;
        bool verbose = false;  ///< all evidence, and what each part cost
        std::string book_url = "build/book/html";
    };
    explicit TerminalWriter(Style style) : style_(std::move(style)) {}
    void write(const Report& report, std::ostream& out) const override;

  private:
    Style style_;
};

/// For programs: schema "fwts-grade/1", described in labs/README.md. Times are included, so two
/// runs differ in the "ms" members only (and in the seed, when none was given).
class JsonWriter : public ReportWriter {
  public:
    void write(const Report& report, std::ostream& out) const override;
};

}  // namespace fwts::grader
