// SPDX-License-Identifier: GPL-2.0
// The arithmetic of the measurements: from readings of the meter to instructions per frame.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
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
    std::uint64_t bytes = 0;       ///< of TCP that a program read, or that were acknowledged
    std::uint64_t window = 0;      ///< which of the windows it is
};

/// @param text  the meter's line of JSON @throws SetupError if it is none.
Reading parse_reading(const std::string& text);

/// What is counted when a price is made.
enum class Unit { kFrame, kMebibyte };

/// The price of a frame or of a mebibyte.
struct Price {
    double instructions = 0;
    double interrupts = 0;
};

/// The price of the units that @p more has beyond @p less. What both have in common cancels:
/// clock ticks, starting the sender, the sleep afterwards.
/// @throws SetupError if @p more does not have more of them.
Price price(const Reading& less, const Reading& more, Unit unit = Unit::kFrame);

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

/// A driver's own cost: what its row has beyond the same frames without a driver.
/// @param row, floor  instructions
double own_cost(const Price& row, const Price& floor);

/// One row of one driver beside the same row of in-tree igb, both without their floor.
/// @return own cost as a part of igb's; nothing if they differ in interrupts, for then it is not
/// one of the driver's code, or if igb has no own cost.
std::optional<double> beside(const Price& row, const Price& igb, const Price& floor);

/// @return how far the outermost of @p costs are from their middle, as a part of it: 0.02 is
/// within two per cent. @throws SetupError if there is none.
double flatness(const std::vector<double>& costs);

/// One point of the livelock experiment, in frames per second of guest time.
struct Load {
    double offered = 0, accepted = 0, delivered = 0;
    double busy = 0;  ///< part of the processor that was used, 0 to 1
};

Load load(const Reading& reading);

}  // namespace fwts::measure
