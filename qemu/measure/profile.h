// SPDX-License-Identifier: GPL-2.0
// Where a frame's instructions go: from executed addresses to functions and groups of functions.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "executed.h"

namespace fwts::measure {

/// A function of the guest's kernel.
struct Function {
    std::uint64_t address = 0;
    std::string name;    ///< without what the compiler appends to parts and copies
    std::string module;  ///< empty: the kernel itself
};

/// The functions a kernel and its modules have.
class Functions {
  public:
    /// @param kallsyms  what /proc/kallsyms says. @throws SetupError when it hides addresses.
    explicit Functions(std::string_view kallsyms);

    /// @return the function an address lies in, or null below the first.
    [[nodiscard]] const Function* at(std::uint64_t address) const;
    /// @throws SetupError when there is none of this name.
    [[nodiscard]] std::uint64_t address(std::string_view name) const;

  private:
    std::map<std::uint64_t, Function> functions_;
    std::unordered_map<std::string, std::uint64_t> addresses_;  ///< by all names
};

/// What a group of functions, or one function, has of a frame's instructions.
struct Share {
    std::string group;
    std::string function;
    double instructions = 0;
};

/// The groups, in the order of a table.
const std::vector<std::string>& group_names();

/// @param file  where a function of the kernel itself is, in the kernel's tree; may be empty
/// @return the group a function belongs to
std::string group_of(const Function& function, std::string_view file);

/// @return the source files of functions of the kernel itself, by address. Asks `addr2line`.
std::map<std::uint64_t, std::string> source_files(const std::filesystem::path& vmlinux,
                                                  const std::vector<std::uint64_t>& addresses);

/// What frames executed: @p more with them less @p less without, each divided by their number.
/// Functions that come out at nothing are left out.
/// @param files  see source_files(): called with the functions that are left
std::vector<Share> shares(
    const Counts& less, const Counts& more, double frames, const Functions& functions,
    const std::function<std::map<std::uint64_t, std::string>(const std::vector<std::uint64_t>&)>&
        files);

/// @return the sum of all shares, which must be the figure measured without looking at functions.
/// @throws SetupError when they differ by more than a hundredth.
double agreed_sum(const std::vector<Share>& shares, double measured);

}  // namespace fwts::measure
