// SPDX-License-Identifier: GPL-2.0
// Reports for other programs: Gradescope, GitHub Classroom, JUnit, KTAP.
#pragma once

#include <string>
#include <vector>

#include "report.h"
#include "verdict.h"

namespace fwts::classroom {

/// Gradescope's results.json. A report of the grader's own failure is refused by an exception:
/// without the file Gradescope says that grading failed, and that is the truth.
class GradescopeWriter : public grader::ReportWriter {
  public:
    explicit GradescopeWriter(std::string book_url) : book_url_(std::move(book_url)) {}
    void write(const grader::Report& report, std::ostream& out) const override;

  private:
    std::string book_url_;
};

/// What GitHub Classroom's reporter takes from a step: JSON in base64, on one line.
class GithubWriter : public grader::ReportWriter {
  public:
    explicit GithubWriter(std::string book_url) : book_url_(std::move(book_url)) {}
    void write(const grader::Report& report, std::ostream& out) const override;

  private:
    std::string book_url_;
};

/// One suite of JUnit XML for each report.
std::string junit(const std::vector<Result>& results, const std::string& book_url);
/// KTAP, one subtest for each report.
std::string ktap(const std::vector<Result>& results);

}  // namespace fwts::classroom
