// SPDX-License-Identifier: GPL-2.0
// What a student gets to read: Markdown and a page of HTML without scripts.
#pragma once

#include <string>

#include "report.h"

namespace fwts::classroom {

/// @param book_url where the book is: the links of hints start with it.
class MarkdownWriter : public grader::ReportWriter {
  public:
    explicit MarkdownWriter(std::string book_url) : book_url_(std::move(book_url)) {}
    void write(const grader::Report& report, std::ostream& out) const override;

  private:
    std::string book_url_;
};

class HtmlWriter : public grader::ReportWriter {
  public:
    explicit HtmlWriter(std::string book_url) : book_url_(std::move(book_url)) {}
    void write(const grader::Report& report, std::ostream& out) const override;

  private:
    std::string book_url_;
};

/// What a check that did not pass has to say, as plain lines; for formats without markup.
/// @param check one that did not pass; for a pass the text is empty.
std::string explained(const grader::CheckResult& check, const std::string& book_url);

/// Why there are no checks to read of (refusals or compiler messages), and what was left out, as
/// plain lines.
std::string explained(const grader::Report& report);

}  // namespace fwts::classroom
