// SPDX-License-Identifier: GPL-2.0
/// @file
/// The software cards of chapter 6: both kinds carry traffic, differ in what they count, and leave
/// nothing behind.
#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Guest;

constexpr const char* kSoftnic = "/modules/softnic.ko";

/// One card here, the other in a network namespace of its own, so that frames use the cable.
void check_kind(Guest& guest, bool napi) {
    guest.must(std::string("insmod ") + kSoftnic + " napi=" + (napi ? "1" : "0") +
               " && ip netns add far && ip link set soft1 netns far"
               " && ip addr add 192.0.2.1/24 dev soft0 && ip link set soft0 up"
               " && ip -n far addr add 192.0.2.2/24 dev soft1 && ip -n far link set soft1 up");
    guest.must("ping -c 5 -i 0.05 -W 10 -q -s 1400 192.0.2.2");
    guest.must("ip netns exec far iperf3 -s -D >/dev/null 2>&1 </dev/null");
    EXPECT_TRUE(
        eventually([&] { return guest.run("ip netns exec far ss -ltn | grep -q :5201").ok(); }));
    guest.must("iperf3 -c 192.0.2.2 -n 1M >/dev/null && iperf3 -R -c 192.0.2.2 -n 1M >/dev/null",
               {.limit = 180s});
    // One look: frames come at any time, such as TCP's last or a question for a neighbour.
    const std::string counts = guest.must("ip netns exec far ethtool -S soft1");
    const auto frames = counter_in(counts, "frames");
    EXPECT_GT(frames, 1'000'000U / 1448);
    if (napi) {
        EXPECT_GT(counter_in(counts, "polls"), 0U);
        EXPECT_LT(counter_in(counts, "interrupts"), frames) << "an interrupt for each frame";
        guest.must("echo 1 >/sys/class/net/soft0/threaded && ping -c 3 -i 0.05 -W 10 192.0.2.2");
    } else {
        EXPECT_EQ(counter_in(counts, "polls"), 0U);
        EXPECT_EQ(counter_in(counts, "interrupts"), frames);
    }
    guest.must("ip netns pids far | xargs kill; ip netns del far");
    EXPECT_TRUE(eventually([&] { return guest.run("rmmod softnic").ok(); }));
}

TEST(Softnic, CarriesTrafficInBothKinds) {
    sandbox::Options options = strict("06");
    options.nic = false;
    options.files.push_back(
        {std::filesystem::path(FWTS_ROOT) / "build/modules/strict/softnic/softnic.ko", kSoftnic});
    Guest guest = Guest::boot(options);
    guest.must("dmesg -c");
    check_kind(guest, false);
    check_kind(guest, true);
    EXPECT_EQ(guest.must(std::string("drive cycle-pair ") + kSoftnic + " 100", {.limit = 600s}),
              "100\n");
    expect_no_complaint(guest);
    guest.power_off();
}

}  // namespace
}  // namespace fwts::driver
