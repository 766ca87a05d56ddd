// SPDX-License-Identifier: GPL-2.0
// The cable without a guest: what happens when nobody takes frames.
#include "cable.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <thread>

#include "failure.h"
#include "monitor.h"

namespace fwts::sandbox {
namespace {

TEST(CableTest, AFullCableIsToldAndTakesFramesAgainWhenThereIsRoom) {
    std::array<int, 2> ends{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends.data()), 0);
    const Descriptor other(ends[1]);
    Monitor monitor;
    Cable cable(Descriptor(ends[0]), monitor, false);
    const Frame frame(60, 0x5a);

    int taken = 0;
    while (taken < 100'000 && cable.try_send(frame)) taken++;
    ASSERT_GT(taken, 0);
    ASSERT_LT(taken, 100'000);
    EXPECT_THROW(cable.send(frame), SetupError);

    Frame seen(frame.size() + 1);
    ASSERT_EQ(recv(other.get(), seen.data(), seen.size(), 0), 60);
    EXPECT_TRUE(cable.try_send(frame));
}

TEST(CableTest, WhoWaitsForAFrameAmongOthersDoesNotWaitForEver) {
    using namespace std::chrono_literals;
    std::array<int, 2> ends{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends.data()), 0);
    const Descriptor other(ends[1]);
    Monitor monitor;
    Cable cable(Descriptor(ends[0]), monitor, false);

    std::jthread chatter([&](const std::stop_token& stop) {
        const Frame frame(60, 0x5a);
        while (!stop.stop_requested()) {
            EXPECT_EQ(send(other.get(), frame.data(), frame.size(), 0), 60);
            cable.on_readable();
            std::this_thread::sleep_for(1ms);
        }
    });
    const auto wanted = [](const Frame& frame) { return frame[0] == 1; };
    EXPECT_FALSE(cable.expect(wanted, 100ms).has_value());
}

}  // namespace
}  // namespace fwts::sandbox
