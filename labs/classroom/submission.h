// SPDX-License-Identifier: GPL-2.0
// What was handed in, by whom, and in which form. Nothing is opened or unpacked here.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace fwts::classroom {

/// The form in which a student handed in.
enum class Form {
    directory,   ///< files as they lie
    zip,         ///< a zip file
    repository,  ///< a git repository: what its head holds
    unusable     ///< nothing we can read; `why` says it
};

/// @return "directory", "zip", "repository" or "unusable".
const char* to_string(Form form);
/// @throws std::runtime_error for any other word.
Form form_from(const std::string& word);

struct Submission {
    /// From the name of the directory, file or repository; as text that can be shown
    /// (grader/visible.h), by which two names never become one.
    std::string student;
    Form form = Form::directory;
    std::filesystem::path place;
    std::string why;  ///< for Form::unusable: one sentence
};

/// One student's directory below students/: letters, digits and "._-@" as they are, all else as
/// %XX.
std::string directory_name(const std::string& student);

/// Finds the submissions.
/// @param places directories with one entry a student, zip files, bare repositories, or file://
/// URLs of repositories.
/// @param passed_over gets the names of files that are nobody's submission.
/// @return in the order of the students' names. A student found twice is unusable: which one counts
/// is not ours to say.
/// @throws std::runtime_error when a place is not there or is an address of another machine.
std::vector<Submission> find_submissions(const std::vector<std::string>& places,
                                         std::vector<std::string>& passed_over);

}  // namespace fwts::classroom
