// SPDX-License-Identifier: GPL-2.0
/// @file
/// The totals of "ip -s link" while single frames pass: none ever falls, and none loses a byte.
#include <cstdint>
#include <random>

#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Frame;
using sandbox::Guest;

constexpr std::size_t kFrames = 100;
constexpr std::uint16_t kEtherType = 0x88b5;  // what `frames` answers

class Counters : public StageTest {};

/// A frame to the guest, which is answered by one of its size.
Frame question(std::mt19937& random) {
    const Frame zeros(46 + random() % 1400);
    return sandbox::ethernet(sandbox::kGuestMac, sandbox::kHostMac, kEtherType, zeros);
}

/// @return bytes that were sent, each frame when the answer to the last was there.
std::uint64_t exchange(Guest& guest, std::size_t frames) {
    std::mt19937 random(82576);
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < frames; i++) {
        const Frame frame = question(random);
        guest.cable().send(frame);
        bytes += frame.size();
        EXPECT_TRUE(guest.cable().receive(20s)) << "no answer to frame " << i;
        if (testing::Test::HasFailure()) break;
    }
    return bytes;
}

/// The least a cable carries is no error; less, if a test asks for it, is one.
void check_short_frames(Guest& guest) {
    guest.must("ip addr add 192.0.2.2/24 dev eth0");
    guest.cable().set_peer(true);
    guest.must("ping -c 2 -i 0.2 -W 20 192.0.2.1");
    guest.cable().set_peer(false);
    EXPECT_EQ(statistic(guest, "rx_errors"), 0U) << "the neighbour's answer to ARP";
    guest.cable().send_unpadded(Frame(30, 0xff));
    EXPECT_TRUE(eventually([&] { return statistic(guest, "rx_length_errors") == 1; }));
    EXPECT_EQ(statistic(guest, "rx_errors"), 1U);
}

TEST_P(Counters, NeverFallAndLoseNothing) {
    Guest& guest = StageTest::guest();
    silence(guest);
    guest.must(std::string("insmod ") + kDriver + " && ip link set eth0 up");
    ASSERT_TRUE(carrier_becomes(guest, true));
    guest.cable().clear();

    Frames answering(guest, "answer", kFrames);
    const std::string told = "/tmp/watched";
    guest.must("rm -f " + told);
    guest.start({"drive", "watch", "eth0", std::to_string(kFrames), told});
    ASSERT_TRUE(eventually([&] { return content(guest, told) == "ready\n"; }));
    const std::uint64_t bytes = exchange(guest, kFrames);
    EXPECT_TRUE(answering.done());
    EXPECT_TRUE(eventually([&] { return content(guest, told) != "ready\n"; }));
    EXPECT_EQ(content(guest, told), "ready\ndone\n");

    const std::string counted = guest.must("ethtool -S eth0");
    for (const std::string direction : {"rx", "tx"}) {
        EXPECT_EQ(statistic(guest, direction + "_packets"), kFrames);
        EXPECT_EQ(statistic(guest, direction + "_bytes"), bytes) << direction;
        EXPECT_EQ(counter_in(counted, "card_" + direction + "_packets"), kFrames);
    }
    // The reset that comes with down takes the card's counters, and not what they had counted.
    guest.must("ip link set eth0 down && ip link set eth0 up");
    EXPECT_EQ(statistic(guest, "rx_bytes"), bytes);
    EXPECT_EQ(counter_in(guest.must("ethtool -S eth0"), "card_rx_packets"), kFrames);
    ASSERT_TRUE(carrier_becomes(guest, true));
    check_short_frames(guest);
    guest.must("rmmod igbook");
}

INSTANTIATE_TEST_SUITE_P(Stages, Counters, testing::ValuesIn(stages("05")), stage_name);

}  // namespace
}  // namespace fwts::driver
