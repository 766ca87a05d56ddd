// SPDX-License-Identifier: GPL-2.0
// The arithmetic of the measurements: from readings of the meter to instructions per frame.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace fwts::measure {

/// What the meter in the guest reports about one window of time.
struct Reading {
    std::uint64_t elapsed = 0;     ///< ns of guest time, which are instructions
    std::uint64_t busy = 0;        ///< of these, those not left over
    std::uint64_t frames = 0;      ///< that the device counted
    std::uint64_t interrupts = 0;  ///< of the device
    std::uint64_t offered = 0;     ///< frames put on the cable
    std::uint64_t delivered = 0;   ///< datagrams a program read
};

/// @param text  the meter's line of JSON @throws SetupError if it is none.
Reading parse_reading(const std::string& text);

/// The price of a frame.
struct Price {
    double instructions = 0;
    double interrupts = 0;
};

/// The price of the frames that @p more has beyond @p less. What both have in common cancels:
/// clock ticks, starting the sender, the sleep afterwards.
/// @throws SetupError if @p more does not have more frames.
Price price(const Reading& less, const Reading& more);

/// Several runs of the same measurement.
class Series {
  public:
    void add(const Price& price) { prices_.push_back(price); }
    [[nodiscard]] const std::vector<Price>& prices() const { return prices_; }
    /// @return the mean of the runs. @throws SetupError if there is none.
    [[nodiscard]] Price mean() const;
    /// @return (largest - smallest) / mean of the instructions, in per cent.
    [[nodiscard]] double spread() const;

  private:
    std::vector<Price> prices_;
};

/// One point of the livelock experiment, in frames per second of guest time.
struct Load {
    double offered = 0, accepted = 0, delivered = 0;
    double busy = 0;  ///< part of the processor that was used, 0 to 1
};

Load load(const Reading& reading);

}  // namespace fwts::measure
