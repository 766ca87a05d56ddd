// SPDX-License-Identifier: GPL-2.0
// Which registers of the card the driver wrote, in order: a record made by QEMU, not by the driver.
//
// QEMU traces each write to the card's memory. The trace names the register after QEMU has mapped
// aliases to one place, so writes to the 82575's old addresses show at the 82576's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registers.h"

namespace fwts::sandbox {

struct RegisterWrite {
    std::size_t order = 0;     ///< counts from 0
    std::uint32_t offset = 0;  ///< bytes from the start of BAR 0
    std::uint32_t size = 4;    ///< bytes
    std::uint64_t value = 0;
    bool implemented = true;  ///< false: QEMU has no such register and dropped the write

    friend bool operator==(const RegisterWrite&, const RegisterWrite&) = default;
};

/// The events QEMU has to trace for this.
inline constexpr const char* kRegisterTraceEvents[] = {
    "e1000e_core_write", "e1000e_wrn_regs_write_ro", "e1000e_wrn_regs_write_unknown"};

class RegisterLog {
  public:
    RegisterLog() = default;

    /// Reads the trace QEMU wrote; other lines are passed over.
    explicit RegisterLog(std::string_view trace);

    [[nodiscard]] const std::vector<RegisterWrite>& all() const { return writes_; }

    /// @return the writes to one register. @throws SetupError if the name is unknown.
    [[nodiscard]] std::vector<RegisterWrite> writes(std::string_view name) const;
    [[nodiscard]] std::vector<RegisterWrite> writes(std::uint32_t offset) const;

    /// @return the last value written to a register, if any was.
    [[nodiscard]] std::optional<std::uint64_t> last(std::string_view name) const;

    /// @return the writes from @p order on (to look only at what happened since).
    [[nodiscard]] RegisterLog since(std::size_t order) const;

    /// @return one JSON object a line: {"order","offset","name","size","value","implemented"}.
    [[nodiscard]] std::string to_jsonl() const;

  private:
    std::vector<RegisterWrite> writes_;
};

}  // namespace fwts::sandbox
