// SPDX-License-Identifier: GPL-2.0
/// @file
/// The device goes away: asleep with the system, or removed while in use. What the finished driver
/// does when the system ends, or the card without a word, is in finished_test.cc.
#include <sstream>

#include "frame.h"
#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Guest;

class Power : public StageTest {};

constexpr sandbox::Mac kAddress = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};

/// A card may write to memory until it was reset: what it knows of is freed after that. A reset
/// leaves its rings without a length.
void check_freed_after_reset(Guest& guest) {
    guest.must(std::string("insmod ") + kWatchcall + " card=" + kDevice +
               " calls=dma_free_attrs regs=0xc008,0xe008");
    guest.must("ip link set eth0 down");
    std::istringstream log(guest.get("/sys/kernel/debug/watchcall/log"));
    guest.must("rmmod watchcall");
    std::size_t freed = 0;
    for (std::string line; std::getline(log, line); freed++)
        EXPECT_THAT(line, testing::HasSubstr(" rc008=0 re008=0 ")) << "RDLEN(0), TDLEN(0)";
    EXPECT_GE(freed, 2U);
}

/// A queue that does not go off: its ring stays the card's, which is reset and goes on with it.
void check_ring_kept(Guest& guest) {
    const std::size_t mark = guest.registers().all().size();
    guest.must(std::string("insmod ") + kFailcall + " symbol=igbook_ring_disable value=-110");
    EXPECT_FALSE(guest.run("ethtool -G eth0 rx 64 tx 64").ok());
    guest.must("rmmod failcall");
    bool reset = false;
    for (const auto& write : guest.registers().since(mark).writes("CTRL"))
        reset = reset || (write.value >> 26 & 1) != 0;
    EXPECT_TRUE(reset);
    ASSERT_TRUE(carrier_becomes(guest, true));
    EXPECT_EQ(guest.read_register(kRdlen0), 256U * 16);
    EXPECT_EQ(guest.read_register(kTdlen0), 256U * 16);
}

/// A frame in, and its answer out; from stage 04 on.
void expect_answer(Guest& guest, const std::string& when) {
    if (Power::GetParam() < "04") return;
    guest.cable().clear();
    guest.cable().send(sandbox::ping(0x1dea, 1, when, {.to_mac = kAddress}));
    EXPECT_TRUE(guest.cable().expect(sandbox::is_icmp_echo_reply(), 20s)) << when;
}

TEST_P(Power, ComesBackFromSleepAndRemoval) {
    Guest& guest = StageTest::guest();
    guest.must(std::string("insmod ") + kDriver);
    guest.must(
        "ip link set eth0 address 02:11:22:33:44:55 && ip link set eth0 mtu 4000 && "
        "ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up && "
        "ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 nud permanent dev eth0");
    ASSERT_TRUE(carrier_becomes(guest, true));
    expect_answer(guest, "before it sleeps");

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
    expect_answer(guest, "when it is awake");

    // Asleep while down: it must stay down.
    guest.must("ip link set eth0 down");
    guest.must("echo mem >/sys/power/state", {.limit = 120s});
    EXPECT_EQ(guest.get("/sys/class/net/eth0/operstate"), "down\n");
    guest.must("ip link set eth0 up");
    ASSERT_TRUE(carrier_becomes(guest, true));

    if (GetParam() >= "04") {
        check_ring_kept(guest);
        check_freed_after_reset(guest);
        guest.must("ip link set eth0 up");
        ASSERT_TRUE(carrier_becomes(guest, true));
    }

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
