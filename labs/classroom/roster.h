// SPDX-License-Identifier: GPL-2.0
// The class: who handed in what, and how it is graded. Kept as class.json in the directory of
// results, so that any scheduler can grade submission number N on any machine that sees both.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "descriptor.h"
#include "submission.h"

namespace fwts::classroom {

struct Roster {
    std::string run;   ///< this list's own word; a result with another one belongs to another list
    std::string lab;   ///< "01-registration"
    std::string part;  ///< only this directory of a zip file or repository; empty: all
    std::optional<std::uint64_t> seed;
    bool has_params = false;  ///< params.toml lies beside class.json
    std::vector<Submission> submissions;
};

/// The directory of results.
class ResultsDirectory {
  public:
    explicit ResultsDirectory(std::filesystem::path path) : path_(std::move(path)) {}
    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path roster() const { return path_ / "class.json"; }
    std::filesystem::path lock() const { return path_ / ".lock"; }
    /// @return the cohort's parameters, or an empty path.
    std::filesystem::path params(const Roster& roster) const {
        return roster.has_params ? path_ / "params.toml" : std::filesystem::path();
    }
    std::filesystem::path student(const std::string& name) const {
        return path_ / "students" / directory_name(name);
    }

  private:
    std::filesystem::path path_;
};

/// Keeps others from what is being changed or used, as long as it lives. On a file system without
/// locks nobody is kept out.
class Lock {
  public:
    enum class Kind { shared, exclusive };
    /// @throws std::runtime_error that begins with `what` when somebody else is at work there.
    Lock(const std::filesystem::path& file, Kind kind, std::string what);
    /// Lets others in who want no more than a shared one.
    void share() { take(Kind::shared); }

  private:
    void take(Kind kind);

    Descriptor file_;
    std::string what_;
};

/// Writes class.json, with a new word for `run`, and copies `params` beside it unless that is
/// empty.
/// @throws std::runtime_error when the directory holds results of another lab.
void write_roster(const ResultsDirectory& out, Roster roster, const std::filesystem::path& params);

/// @throws std::runtime_error when there is none, naming the command that makes it.
Roster read_roster(const ResultsDirectory& out);

}  // namespace fwts::classroom
