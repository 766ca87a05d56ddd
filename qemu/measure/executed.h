// SPDX-License-Identifier: GPL-2.0
// What the guest's kernel executed, as executed_plugin.cc counts it inside QEMU.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fwts::measure {

/// How often the instruction at an address was executed.
using Counts = std::unordered_map<std::uint64_t, std::uint64_t>;

/// @param plugin  the built plugin
/// @param out     the file it writes
/// @param mark    the address of the function that begins a window and, called again, ends it
/// @return arguments for QEMU
std::vector<std::string> counting(const std::filesystem::path& plugin,
                                  const std::filesystem::path& out, std::uint64_t mark);

/// @param text  what the plugin wrote
/// @return the windows that have ended, in their order.
/// @throws SetupError on a line that it does not write.
std::vector<Counts> parse_windows(std::string_view text);

}  // namespace fwts::measure
