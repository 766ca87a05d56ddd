// SPDX-License-Identifier: GPL-2.0
// A guest to measure in: one processor that counts instructions, the card under test, and at the
// other end of its cable the metronome's card. The host is not on the cable, so that nothing in the
// guest depends on how fast the host is.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "account.h"
#include "guest.h"

namespace fwts::measure {

/// Where things lie.
struct Places {
    std::filesystem::path checkout;  ///< build/ is below it
    std::string kernel = "trace";
};

/// Stands for the driver's name where there is none: the metronome's device without a card.
constexpr const char* kFloor = "floor";

constexpr unsigned kFrameLength = 60, kJumboFrame = 9014, kSegment = 1460;

/// One thing to do to the driver.
struct Work {
    enum class Kind {
        kFlood,
        kTransmit,
        kWrite,
        kReceive,
        kReceiveRefused,
        kReceiveUdp,
        kReceiveTcp
    };
    Kind kind = Kind::kFlood;
    unsigned burst = 1;              ///< frames at a time
    unsigned long window = 0;        ///< kFlood: ns
    unsigned long period = 0;        ///< the others: ns between moments
    unsigned moments = 0;            ///< the others
    unsigned windows = 9;            ///< measured, of which the middle one counts
    unsigned length = kFrameLength;  ///< kTransmit, kReceive: bytes
};

class MeasuredGuest {
  public:
    /// Boots, loads the driver and waits for its link.
    /// @param driver   `igb`, the number of a stage, as `06`, or kFloor
    /// @param options  parameters for the module, as insmod takes them; may be empty
    /// @param qemu     more arguments for QEMU
    /// @throws SetupError, GuestFailure
    MeasuredGuest(const Places& places, const std::string& driver, const std::string& options,
                  const std::vector<std::string>& qemu = {});

    /// @param line  a line of shell to be run before measuring: a setting to compare. `$dev` is the
    /// device, `await_link` waits for its link.
    void prepare(const std::string& line);

    Reading measure(const Work& work);

    [[nodiscard]] std::string release();

    sandbox::Guest& guest() { return guest_; }

  private:
    std::string device_;
    sandbox::Guest guest_;
};

/// @return the built module of a stage. @throws SetupError that says how to build it.
std::filesystem::path stage_module(const Places& places, const std::string& stage);

}  // namespace fwts::measure
