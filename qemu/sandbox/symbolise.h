// SPDX-License-Identifier: GPL-2.0
// From places in a kernel trace to files and lines.
//
// Asks `nm` for symbols and `addr2line` for lines (binutils, which building a kernel needs anyway).
// Only called when a guest has died, and doesn't have to be fast. What cannot be resolved stays as
// the kernel printed it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "boot_image.h"
#include "kernel_log.h"

namespace fwts::sandbox {

/// @return a line for each frame: "igb_probe at igb_main.c:3205 (igb_probe+0x1a [igb])".
/// @param modules  files of modules outside the kernel tree; the newest wins over the tree's.
std::vector<std::string> symbolise(const std::vector<TraceFrame>& frames, const KernelImage& kernel,
                                   const std::vector<std::filesystem::path>& modules);

/// @return a line for each address of the kernel's text (no KASLR).
std::vector<std::string> symbolise_addresses(const std::vector<std::uint64_t>& addresses,
                                             const KernelImage& kernel);

/// @return the RIP of each processor in the output of QEMU's `info registers -a`.
std::vector<std::uint64_t> instruction_pointers(std::string_view registers);

}  // namespace fwts::sandbox
