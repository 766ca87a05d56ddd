// SPDX-License-Identifier: GPL-2.0
/// @file
/// The device goes away: asleep with the system, shut down with it, or pulled out while in use.
#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Guest;

class Power : public StageTest {};

TEST_P(Power, ComesBackFromSleepAndRemoval) {
    Guest& guest = StageTest::guest();
    guest.must(std::string("insmod ") + kDriver);
    guest.must(
        "ip link set eth0 address 02:11:22:33:44:55 && ip link set eth0 mtu 4000 && "
        "ip link set eth0 up");
    ASSERT_TRUE(carrier_becomes(guest, true));

    // "devices": every driver suspends, and the kernel resumes them all; without the five seconds
    // it would spend between.
    guest.must(
        "echo 0 >/sys/module/suspend/parameters/pm_test_delay && "
        "echo devices >/sys/power/pm_test && echo mem >/sys/power/state",
        {.limit = 120s});
    ASSERT_TRUE(carrier_becomes(guest, true)) << "no carrier after resume";
    EXPECT_EQ(guest.read_register(kRal0), 0x33221102U) << "the address is lost in sleep";
    EXPECT_EQ(guest.read_register(kRlpml), 4000U + 22) << "the frame size is lost in sleep";
    EXPECT_TRUE(guest.read_register(kCtrlExt) & 1U << 28) << "CTRL_EXT.DRV_LOAD";

    // Asleep while down: it must stay down.
    guest.must("ip link set eth0 down");
    guest.must("echo mem >/sys/power/state", {.limit = 120s});
    EXPECT_EQ(guest.get("/sys/class/net/eth0/operstate"), "down\n");
    guest.must("ip link set eth0 up");
    ASSERT_TRUE(carrier_becomes(guest, true));

    // Removed while up, and found again.
    guest.must("d=$(readlink -f /sys/class/net/eth0/device); echo 1 >$d/remove");
    EXPECT_NE(guest.run("ip link show eth0").status, 0);
    guest.must("echo 1 >/sys/bus/pci/rescan && ip link set eth0 up");
    EXPECT_TRUE(carrier_becomes(guest, true)) << "no carrier after rescan";
    guest.must("rmmod igbook");
}

INSTANTIATE_TEST_SUITE_P(Stages, Power, testing::ValuesIn(stages()), stage_name);

}  // namespace
}  // namespace fwts::driver
