// SPDX-License-Identifier: GPL-2.0
/// @file
/// Again and again: loading, opening, closing and unloading must leave nothing behind.
#include <atomic>
#include <cstdlib>
#include <thread>

#include "frame.h"
#include "support.h"

namespace fwts::driver {
namespace {

class Soak : public StageTest {};

/// Frames arrive all the time, as long as this lives.
class Traffic {
  public:
    explicit Traffic(sandbox::Guest& guest)
        : sender_([this, &guest] {
              while (!stop_) {
                  // Between two rounds nobody takes frames, and the cable may fill.
                  guest.cable().try_send(sandbox::udp(9, "soak"));
                  std::this_thread::sleep_for(10ms);  // the pace of the traffic
              }
          }) {}
    ~Traffic() {
        stop_ = true;
        sender_.join();
    }
    Traffic(const Traffic&) = delete;
    Traffic& operator=(const Traffic&) = delete;

  private:
    std::atomic<bool> stop_ = false;
    std::thread sender_;
};

/// Of later stages than the first, as many only when all is to be tried.
TEST_P(Soak, LoadsAndUnloadsAHundredTimes) {
    sandbox::Guest& guest = StageTest::guest();
    const bool all = GetParam() == stages().front() || std::getenv("FWTS_FULL") != nullptr;
    const std::string times = all ? "100" : "20";
    const bool receives = GetParam() >= "04";
    std::optional<Traffic> traffic;
    if (receives) traffic.emplace(guest);
    EXPECT_EQ(guest.must(std::string("drive ") + (receives ? "cycle-with-frames " : "cycle ") +
                             kDriver + " " + times + " " + kDevice,
                         {.limit = 1800s}),
              times + "\n");
    // Opened and closed without unloading, until the carrier is there and before.
    const HeldDevice held(guest);
    guest.must(std::string("insmod ") + kDriver);
    if (receives) guest.must("ethtool -G eth0 rx 64 tx 64");
    for (int i = 0; i < 3; i++) {
        guest.must("ip link set eth0 up");
        ASSERT_TRUE(carrier_becomes(guest, true)) << "round " << i;
        guest.must("drive reopen eth0 6");
        guest.must("ip link set eth0 down");
    }
    guest.must("rmmod igbook");
}

INSTANTIATE_TEST_SUITE_P(Stages, Soak, testing::ValuesIn(stages()), stage_name);

}  // namespace
}  // namespace fwts::driver
