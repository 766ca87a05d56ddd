// SPDX-License-Identifier: GPL-2.0
/// @file
/// The driver as its user meets it: ip, ethtool, the cable pulled and put back. One boot a stage;
/// what the driver did to the card is read from outside the guest.
#include <cstdint>

#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Guest;
using testing::HasSubstr;

class Registration : public StageTest {};

/// BMSR: link (bit 2) and autonegotiation complete (bit 5).
constexpr unsigned long kLinkBits = 0x24;
constexpr std::uint32_t kStatus = sandbox::registers::STATUS;
constexpr std::uint32_t kLinkUp = sandbox::registers::STATUS_LU;

/// @return these bits of the PHY's BMSR, asked for by ioctl.
unsigned long link_bits(Guest& guest) {
    const std::string answer = guest.must("mii eth0 1");
    EXPECT_THAT(answer, testing::StartsWith("1 ")) << "the PHY's address";
    return std::stoul(answer.substr(2), nullptr, 16) & kLinkBits;
}

void check_loaded(Guest& guest) {
    EXPECT_THAT(guest.must("ip link show eth0"),
                testing::AllOf(HasSubstr("52:54:00:12:34:56"), HasSubstr("mtu 1500")));
    EXPECT_EQ(guest.must("basename $(readlink /sys/class/net/eth0/device/driver)"), "igbook\n");
    EXPECT_TRUE(guest.read_register(kCtrlExt) & 1U << 28) << "CTRL_EXT.DRV_LOAD";
}

void check_ethtool(Guest& guest) {
    const std::string info = guest.must("ethtool -i eth0");
    EXPECT_THAT(info, HasSubstr("driver: igbook\n"));
    EXPECT_THAT(info, testing::ContainsRegex("bus-info: 0000:[0-9a-f:.]+"));
    EXPECT_THAT(info, HasSubstr("supports-register-dump: yes"));
    // RAL0 and RAH0 stand at the end of the dump: the address, and "valid".
    EXPECT_THAT(guest.must("ethtool -d eth0 hex on"),
                testing::AllOf(HasSubstr("52 54 00 12"), HasSubstr("34 56 00 80")));
    // The address is the first thing in the NVM; odd offsets and lengths work too.
    EXPECT_THAT(guest.must("ethtool -e eth0 offset 0 length 6"), HasSubstr("52 54 00 12 34 56"));
    EXPECT_THAT(guest.must("ethtool -e eth0 offset 1 length 3"), HasSubstr("54 00 12"));
}

/// When the card says that the cable is back the PHY does not answer, and later it does.
void check_mute_phy(Guest& guest) {
    const std::string hits = "/sys/module/failcall/parameters/hits";
    guest.qmp().set_link(false);
    ASSERT_TRUE(carrier_becomes(guest, false));
    guest.must(std::string("insmod ") + kFailcall +
               " symbol=igbook_phy_read value=-16 count=1000000");
    guest.qmp().set_link(true);
    ASSERT_TRUE(eventually(
        [&] { return (guest.read_register(kStatus) & kLinkUp) != 0 && guest.get(hits) != "0\n"; }));
    EXPECT_EQ(guest.get("/sys/class/net/eth0/carrier"), "0\n") << "who said that there is a link?";
    guest.must("rmmod failcall");
    ASSERT_TRUE(carrier_becomes(guest, true)) << "the PHY is not asked again";
}

void check_link(Guest& guest) {
    EXPECT_THAT(guest.must("ip link show eth0"), testing::Not(HasSubstr("LOWER_UP")));
    guest.must("ip link set eth0 up");
    ASSERT_TRUE(carrier_becomes(guest, true)) << "no carrier after up";
    const std::string settings = guest.must("ethtool eth0");
    EXPECT_THAT(settings, HasSubstr("Speed: 1000Mb/s"));
    EXPECT_THAT(settings, HasSubstr("Duplex: Full"));
    EXPECT_THAT(settings, HasSubstr("1000baseT/Full"));
    EXPECT_THAT(settings, HasSubstr("Link detected: yes"));
    for (int i = 0; i < 3; i++) {
        guest.qmp().set_link(false);
        ASSERT_TRUE(carrier_becomes(guest, false)) << "cable pulled, carrier stays";
        EXPECT_THAT(guest.must("ethtool eth0"), HasSubstr("Speed: Unknown!"));
        guest.qmp().set_link(true);
        ASSERT_TRUE(carrier_becomes(guest, true)) << "cable is back, no carrier";
    }
    // The restart takes the link away, and a plug that is pulled then is no news to the card.
    guest.must("ethtool -r eth0");
    guest.qmp().set_link(false);
    EXPECT_TRUE(carrier_becomes(guest, false)) << "carrier without a cable";
    guest.qmp().set_link(true);
    ASSERT_TRUE(carrier_becomes(guest, true));
    check_mute_phy(guest);
    // The PHY drops the link, agrees with its partner and has it again.
    guest.must("ethtool -r eth0");
    EXPECT_TRUE(eventually([&] { return link_bits(guest) == kLinkBits; }))
        << "no link after renegotiation";
    ASSERT_TRUE(carrier_becomes(guest, true));
}

/// One register of the PHY.
std::uint32_t phy(Guest& guest, int reg) {
    const std::string said = guest.must("mii eth0 " + std::to_string(reg));
    return static_cast<std::uint32_t>(std::stoul(said.substr(2), nullptr, 16));
}

void check_mii(Guest& guest, const std::string& stage) {
    EXPECT_EQ(link_bits(guest), kLinkBits);
    if (stage < "10") {
        EXPECT_EQ(phy(guest, 4), 0x1e1U) << "10 and 100 Mb/s, no pause frames";
        EXPECT_EQ(phy(guest, 9) & 0x300U, 0x200U) << "1000 Mb/s, full duplex only";
    }
    EXPECT_NE(guest.run("mii eth0 31").status, 0) << "a register the PHY lacks reads without error";
    const std::string stamps = stage >= "09" ? "ok\n" : "Operation not supported\n";
    EXPECT_EQ(guest.must("mii eth0 stamp"), stamps + stamps) << "ioctls by the same door";
}

void check_mtu(Guest& guest) {
    guest.must("ip link set eth0 mtu 9000");
    EXPECT_EQ(guest.read_register(kRlpml), 9000U + 18 + 4);
    EXPECT_TRUE(guest.read_register(kRctl) & 1U << 5) << "RCTL.LPE";
    EXPECT_NE(guest.run("ip link set eth0 mtu 9217").status, 0);
    EXPECT_NE(guest.run("ip link set eth0 mtu 67").status, 0);
    guest.must("ip link set eth0 mtu 1500");
    EXPECT_EQ(guest.read_register(kRlpml), 1500U + 18 + 4);
    EXPECT_FALSE(guest.read_register(kRctl) & 1U << 5) << "RCTL.LPE";
}

void check_addresses(Guest& guest) {
    EXPECT_EQ(guest.read_register(kRal0), 0x12005452U);
    EXPECT_EQ(guest.read_register(kRah0), 0x80005634U);
    guest.must("ip link set eth0 address 02:11:22:33:44:55");
    EXPECT_EQ(guest.read_register(kRal0), 0x33221102U);
    EXPECT_EQ(guest.read_register(kRah0), 0x80005544U);
    EXPECT_NE(guest.run("ip link set eth0 address 03:11:22:33:44:55").status, 0)
        << "a multicast address was taken as the interface's own";
    EXPECT_EQ(guest.read_register(kRal0), 0x33221102U);
    // Down and up again: the reset between must not bring the NVM's address back.
    guest.must("ip link set eth0 down && ip link set eth0 up");
    EXPECT_EQ(guest.read_register(kRal0), 0x33221102U);
    EXPECT_TRUE(guest.read_register(kCtrlExt) & 1U << 28) << "CTRL_EXT.DRV_LOAD after a reset";
    guest.must("ip link set eth0 address 52:54:00:12:34:56");
    EXPECT_EQ(guest.read_register(kRal0), 0x12005452U);
}

void check_rx_mode(Guest& guest) {
    const std::uint32_t unicast = 1U << 3, multicast = 1U << 4;
    EXPECT_EQ(guest.read_register(kRctl) & (unicast | multicast), 0U);
    guest.must("ip link set eth0 promisc on");
    EXPECT_EQ(guest.read_register(kRctl) & (unicast | multicast), unicast | multicast);
    guest.must("ip link set eth0 promisc off && ip link set eth0 allmulticast on");
    EXPECT_EQ(guest.read_register(kRctl) & (unicast | multicast), multicast);
    guest.must("ip link set eth0 allmulticast off");
    EXPECT_EQ(guest.read_register(kRctl) & (unicast | multicast), 0U);
    // 01:00:5e:7f:12:34 -> bits 47:36 of the address: 0x341 -> word 26, bit 1.
    EXPECT_EQ(guest.read_register(kMta + 4 * 26) & 2U, 0U);
    guest.must("ip maddr add 01:00:5e:7f:12:34 dev eth0");
    EXPECT_EQ(guest.read_register(kMta + 4 * 26) & 2U, 2U);
    guest.must("ip maddr del 01:00:5e:7f:12:34 dev eth0");
    EXPECT_EQ(guest.read_register(kMta + 4 * 26) & 2U, 0U);
    guest.must("bridge fdb add 02:00:00:00:00:42 dev eth0 self");
    EXPECT_EQ(guest.read_register(kRal1), 0x00000002U);
    EXPECT_EQ(guest.read_register(kRah1), 0x80004200U);
    guest.must("bridge fdb del 02:00:00:00:00:42 dev eth0 self");
    EXPECT_EQ(guest.read_register(kRah1) >> 31, 0U);
}

void check_transmit_is_dropped(Guest& guest) {
    guest.must("ip addr add 192.0.2.2/24 dev eth0");
    guest.cable().clear();
    const auto before = statistic(guest, "tx_dropped");
    EXPECT_NE(guest.run("ping -c 1 -W 1 192.0.2.1").status, 0);
    EXPECT_GT(statistic(guest, "tx_dropped"), before) << "frames vanish without being counted";
    EXPECT_EQ(statistic(guest, "tx_packets"), 0U);
    EXPECT_TRUE(guest.cable().take_all().empty());
}

/// An interface that was just registered is opened at once: the reset that comes with an opening
/// that fails must not meet probe, which has not told the firmware yet. They wait for each other.
void check_opened_at_once(Guest& guest) {
    const std::string driver = "/sys/bus/pci/drivers/igbook/";
    guest.must(std::string("insmod ") + kDriver);
    guest.put(driver + "unbind", kDevice);
    SlowCall slow(guest, "symbol=igbook_drv_load");
    guest.start({"sh", "-c",
                 std::string("echo ") + kDevice + " >" + driver + "bind; echo done >/tmp/bound"});
    ASSERT_TRUE(slow.entered());
    guest.start({"sh", "-c", "ip link set eth0 up; echo done >/tmp/opened"});
    EXPECT_FALSE(eventually([&] { return content(guest, "/tmp/opened") == "done\n"; }, 2s))
        << "opened while probe writes";
    slow.let_go();
    EXPECT_TRUE(eventually([&] { return content(guest, "/tmp/opened") == "done\n"; }));
    EXPECT_TRUE(eventually([&] { return content(guest, "/tmp/bound") == "done\n"; }));
    guest.must("rm /tmp/bound /tmp/opened; rmmod igbook");
}

TEST_P(Registration, WorksAsItsUserExpects) {
    Guest& guest = StageTest::guest();
    guest.must(std::string("insmod ") + kDriver);
    check_loaded(guest);
    check_ethtool(guest);
    check_link(guest);
    check_mii(guest, GetParam());
    check_mtu(guest);
    check_addresses(guest);
    check_rx_mode(guest);
    if (GetParam() < "04") check_transmit_is_dropped(guest);
    guest.must("ip link set eth0 address 02:11:22:33:44:55 && rmmod igbook");
    EXPECT_NE(guest.run("ip link show eth0").status, 0);
    EXPECT_FALSE(guest.read_register(kCtrlExt) & 1U << 28) << "CTRL_EXT.DRV_LOAD after rmmod";
    // The address set by hand was not the card's own: that one is back.
    guest.must(std::string("insmod ") + kDriver);
    check_loaded(guest);
    guest.must("rmmod igbook");
    check_opened_at_once(guest);
}

INSTANTIATE_TEST_SUITE_P(Stages, Registration, testing::ValuesIn(stages()), stage_name);

}  // namespace
}  // namespace fwts::driver
