// SPDX-License-Identifier: GPL-2.0
// Reads the frames of a capture somebody else made, pcap or pcapng. For writing see pcapng.h.
#pragma once

#include <filesystem>
#include <vector>

#include "frame.h"

namespace fwts::sandbox {

/// @return the frames of an Ethernet capture, in order.
/// @throws SetupError if it cannot be read, is damaged or is no Ethernet.
std::vector<Frame> read_capture(const std::filesystem::path& path);

}  // namespace fwts::sandbox
