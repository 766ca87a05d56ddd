// SPDX-License-Identifier: GPL-2.0
// Where the kernel's own variables are, for reading them from outside (Guest::memory()).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>

namespace fwts::sandbox {

struct KernelSymbol {
    std::uint64_t address = 0;  ///< physical: the kernel lies where it was linked (nokaslr)
    std::size_t size = 0;
};

/// @return those of @p names that the kernel has, static ones too. Of several with one name, the
/// first.
/// @param vmlinux  the kernel with its symbols
/// @throws SetupError when that is no ELF file of 64 bits with symbols.
std::map<std::string, KernelSymbol> kernel_symbols(const std::filesystem::path& vmlinux,
                                                   const std::set<std::string>& names);

}  // namespace fwts::sandbox
