// SPDX-License-Identifier: GPL-2.0
// A temporary directory that goes away with its owner.
#pragma once

#include <filesystem>
#include <string>

namespace fwts::grader {

class Scratch {
  public:
    /// Makes a directory of mode 0700 below TMPDIR (or /tmp) whose name holds `purpose`.
    /// @throws std::runtime_error when that cannot be done.
    explicit Scratch(const std::string& purpose);
    ~Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace fwts::grader
