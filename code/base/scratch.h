// SPDX-License-Identifier: GPL-2.0
// A temporary directory that goes away with its owner, however the owner ends.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "descriptor.h"

namespace fwts {

class Scratch {
  public:
    enum class Care {
        destructor,  ///< removed by the destructor
        watched      ///< and, when this process dies without it, by a process that waits for that
    };

    /// Makes a directory of mode 0700 below TMPDIR (or /tmp) whose name holds `purpose`.
    /// @throws std::runtime_error when that cannot be done.
    explicit Scratch(const std::string& purpose, Care care = Care::destructor);
    ~Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    void watch();

    std::filesystem::path path_;
    pid_t watcher_ = -1;
    Descriptor life_;  // of a pair of sockets; the watcher sees it close
};

}  // namespace fwts
