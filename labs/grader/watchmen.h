// SPDX-License-Identifier: GPL-2.0
// Whether the strict kernel still watches: the state of its checkers, its taint and its code, read
// from outside the guest. A submission could turn a checker off without a word on the console.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "kernel_symbols.h"

namespace fwts::sandbox {
class Guest;
}  // namespace fwts::sandbox

namespace fwts::grader {

/// The kernel's code without the places it changes itself: each jump label is either a jump to its
/// target or nothing.
/// @param code   of the kernel, which begins at `base`
/// @param table  its __jump_table, which begins at `table_base`
/// @return a number for it (content.h); a place that holds anything else counts with what it holds
std::uint64_t code_number(std::string code, std::uint64_t base, const std::string& table,
                          std::uint64_t table_base);

/// @param log  what the kernel said, with a complaint in it
/// @return the variables that may then be other than before: the taint, and those of the checkers
/// that such a complaint stops. No other checker has a reason to.
std::set<std::string> stopped_by(const std::vector<std::string>& log);

class Watchmen {
  public:
    /// @throws std::runtime_error when the kernel lacks something that is to be watched.
    explicit Watchmen(const std::filesystem::path& vmlinux);

    /// The state that everything later is compared with: before the submission's module came.
    void note(sandbox::Guest& guest);

    /// After a complaint of the kernel's some checkers have stopped, by their own decision.
    /// @param log  what the kernel said, with a complaint in it
    void after_complaint(const std::vector<std::string>& log) { excused_.merge(stopped_by(log)); }

    /// @return what is not as it was, a line each: "debug_locks was 1, is 0".
    std::vector<std::string> changes(sandbox::Guest& guest) const;

    /// @return whether the kernel's code is what it was. Reads all of it: twenty megabytes.
    bool code_unchanged(sandbox::Guest& guest) const;

  private:
    std::string value(sandbox::Guest& guest, const std::string& name) const;
    std::uint64_t code(sandbox::Guest& guest) const;

    std::map<std::string, sandbox::KernelSymbol> symbols_;
    std::map<std::string, std::string> before_;
    std::uint64_t code_before_ = 0;
    std::set<std::string> excused_;
};

}  // namespace fwts::grader
