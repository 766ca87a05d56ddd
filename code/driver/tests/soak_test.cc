// SPDX-License-Identifier: GPL-2.0
/// @file
/// Again and again: loading, opening, closing and unloading must leave nothing behind.
#include <atomic>
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

TEST_P(Soak, LoadsAndUnloadsAHundredTimes) {
    sandbox::Guest& guest = guest_with_interrupts();
    const bool receives = GetParam() >= "04";
    std::optional<Traffic> traffic;
    if (receives) {
        traffic.emplace(guest);
    }
    // With traffic, two of every ten rounds wait for the link and a frame, so that the module goes
    // while more of them come.
    EXPECT_EQ(guest.must(std::string("drive cycle ") + kDriver + (receives ? " 100 10" : " 100 0"),
                         {.limit = 900s}),
              "100\n");
    // Opened and closed without unloading, until the carrier is there and before.
    guest.must(std::string("insmod ") + kDriver);
    for (int i = 0; i < 3; i++) {
        guest.must("ip link set eth0 up");
        ASSERT_TRUE(carrier_becomes(guest, true)) << "round " << i;
        guest.must("for i in 1 2 3 4 5 6; do ip link set eth0 down; ip link set eth0 up; done");
        guest.must("ip link set eth0 down");
    }
    guest.must("rmmod igbook");
}

INSTANTIATE_TEST_SUITE_P(Stages, Soak, testing::ValuesIn(stages()), stage_name);

}  // namespace
}  // namespace fwts::driver
