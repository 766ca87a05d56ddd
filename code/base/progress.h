// SPDX-License-Identifier: GPL-2.0
// How far something is: on a terminal, one line of standard error that is written over and gone in
// the end.
#pragma once

#include <string>

namespace fwts {

class ProgressLine {
  public:
    ProgressLine();
    ~ProgressLine() { clear(); }
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    /// @return whether there is a terminal. Without one show() and clear() do nothing.
    [[nodiscard]] bool terminal() const { return terminal_; }
    /// Replaces what was shown. What is longer than a usual terminal is cut off.
    void show(const std::string& text) const;
    /// Writes a line that stays.
    void say(const std::string& text) const;
    void clear() const;

  private:
    bool terminal_;
};

}  // namespace fwts
