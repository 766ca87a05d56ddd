// SPDX-License-Identifier: GPL-2.0
// QEMU's log of executed blocks (`-d exec`), when a block is one instruction: what the guest
// executed, counted by address, between two calls that mark a window.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fwts::measure {

/// How often the instruction at an address was executed.
using Counts = std::unordered_map<std::uint64_t, std::uint64_t>;

class InstructionLog {
  public:
    /// @param mark  the address of the function that begins a window and, called again, ends it
    explicit InstructionLog(std::uint64_t mark) : mark_(mark) {}

    /// Takes more of the log, cut anywhere. @throws SetupError on a line it does not know.
    void add(std::string_view bytes);

    /// @return the windows that have ended, in their order.
    [[nodiscard]] const std::vector<Counts>& windows() const { return windows_; }

  private:
    void line(std::string_view text);

    std::uint64_t mark_;
    bool inside_ = false;
    std::string rest_;  ///< a line that has not ended
    Counts counts_;
    std::vector<Counts> windows_;
};

}  // namespace fwts::measure
