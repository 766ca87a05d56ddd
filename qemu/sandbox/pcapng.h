// SPDX-License-Identifier: GPL-2.0
// Writes captures in pcapng, the format of Wireshark and tshark, with the direction of each frame.
//
// libpcap reads pcapng but cannot write it. Only what a capture of one Ethernet interface needs:
// one section, one interface, enhanced packet blocks.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "frame.h"

namespace fwts::sandbox {

enum class Direction {
    kToGuest,    ///< inbound as the guest's card sees it
    kFromGuest,  ///< outbound
};

/// @return the blocks that begin a file.
std::string pcapng_header();

/// @return the block for one frame. @param time  since 1970, in UTC
std::string pcapng_packet(const Frame& frame, Direction direction, std::chrono::microseconds time);

class Capture {
  public:
    /// Begins a new file. @throws SetupError that names it if it cannot be written.
    explicit Capture(const std::filesystem::path& path);

    /// Adds a frame, stamped with the time now, and hands it to the system at once: the file is
    /// whole whenever somebody looks.
    void add(const Frame& frame, Direction direction);

  private:
    std::ofstream file_;
};

}  // namespace fwts::sandbox
