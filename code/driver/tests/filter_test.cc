// SPDX-License-Identifier: GPL-2.0
/// @file
/// Programs join groups whenever they like, without RTNL: while the card is reset, while it is set
/// up again, while a user switches the filter of VLANs. The driver is held there by slowcall.ko.
#include <algorithm>
#include <cstdint>

#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Guest;

class Filters : public StageTest {};

/// A group of IPv6, and its bit in the card's table: 33:33:00:01:23:45.
constexpr const char* kGroup = "ff02::1:2345";
constexpr std::uint32_t kWord = 0x452 / 32;
constexpr std::uint32_t kBit = 1U << 0x452 % 32;
constexpr std::uint32_t kImc = sandbox::registers::IMC;
constexpr std::uint32_t kVlanFilter = 1U << 18;  // RCTL.VFE

bool lets_in_group(Guest& guest) {
    return (guest.read_register(kMta + 4 * kWord) & kBit) != 0;
}

/// As long as it lives, a program is in the group.
class Member {
  public:
    explicit Member(Guest& guest) : guest_(guest) {
        guest.must(std::string("(drive join eth0 ") + kGroup +
                   " >/tmp/joined 2>&1 & echo $! >/tmp/member)");
        EXPECT_TRUE(eventually([&] { return content(guest, "/tmp/joined") == "joined\n"; }))
            << content(guest, "/tmp/joined");
    }
    ~Member() {
        try {
            guest_.must("kill $(cat /tmp/member); rm /tmp/joined");
        } catch (const std::exception& error) {
            ADD_FAILURE() << error.what();
        }
    }
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;

  private:
    Guest& guest_;
};

/// @p command, which stands in a call that the driver makes, until let go. @p call are the
/// parameters of slowcall.ko.
class Held {
  public:
    Held(Guest& guest, const std::string& call, const std::string& command)
        : guest_(guest), slow_(guest, call) {
        guest.must("rm -f /tmp/held; ((" + command +
                   ") >/dev/null 2>&1; echo ended >/tmp/held) >/dev/null 2>&1 &");
        EXPECT_TRUE(slow_.entered()) << command << " never came by";
    }
    ~Held() {
        try {
            let_go();
        } catch (const std::exception& error) {
            ADD_FAILURE() << error.what();
        }
    }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

    /// Returns when the command has ended.
    void let_go() {
        slow_.let_go();
        EXPECT_TRUE(eventually([&] { return content(guest_, "/tmp/held") == "ended\n"; }));
    }

  private:
    Guest& guest_;
    SlowCall slow_;
};

/// In the middle of the reset: the register that is written after CTRL.RST is IMC, when it is over.
void check_reset_is_left_alone(Guest& guest) {
    const std::size_t mark = guest.registers().all().size();
    {
        const Held down(guest, "symbol=usleep_range_state first=1000", "ip link set eth0 down");
        const Member member(guest);
    }
    const auto writes = guest.registers().since(mark).all();
    const auto reset = std::find_if(writes.begin(), writes.end(), [](const auto& write) {
        return write.offset == sandbox::registers::CTRL &&
               (write.value & sandbox::registers::CTRL_RST) != 0;
    });
    ASSERT_GE(writes.end() - reset, 2);
    EXPECT_EQ((reset + 1)->offset, kImc) << "written in the middle of a reset";
}

/// After it the card knows of the group: it is told of all there are when it is set up.
void check_up_writes_all(Guest& guest) {
    const Member member(guest);
    EXPECT_FALSE(lets_in_group(guest)) << "the interface is down";
    guest.must("ip link set eth0 up");
    EXPECT_TRUE(lets_in_group(guest));
    EXPECT_TRUE(carrier_becomes(guest, true));
}

/// @p command resets the card, and the group is joined when its filters are written already.
void check_heard_after(Guest& guest, const std::string& command) {
    SCOPED_TRACE(command);
    ASSERT_TRUE(eventually([&] { return !lets_in_group(guest); })) << "nobody is a member";
    {
        Held reset(guest, "symbol=igbook_link_start", command);
        const Member member(guest);
        EXPECT_FALSE(lets_in_group(guest)) << "the device is absent";
        reset.let_go();
        EXPECT_TRUE(lets_in_group(guest)) << "the card lacks a group";
    }
    EXPECT_TRUE(carrier_becomes(guest, true));
}

/// RCTL.VFE is as the user wants it, also if a group is joined before the core knows of it.
void check_vlan_filter(Guest& guest) {
    guest.must("ip link add link eth0 name eth0.5 type vlan id 5");
    for (const bool on : {false, true}) {
        Held change(guest, "symbol=igbook_set_features after=1 anybody=1",
                    std::string("ethtool -K eth0 rx-vlan-filter ") + (on ? "on" : "off"));
        const Member member(guest);
        change.let_go();
        EXPECT_EQ((guest.read_register(kRctl) & kVlanFilter) != 0, on);
    }
    // Set while the interface is down it holds as well.
    guest.must(
        "ip link set eth0 down && ethtool -K eth0 rx-vlan-filter off && ip link set eth0 up");
    EXPECT_EQ(guest.read_register(kRctl) & kVlanFilter, 0U);
    guest.must("ethtool -K eth0 rx-vlan-filter on && ip link set eth0 down && ip link set eth0 up");
    EXPECT_EQ(guest.read_register(kRctl) & kVlanFilter, kVlanFilter);
    guest.must("ip link del eth0.5");
    EXPECT_TRUE(carrier_becomes(guest, true));
}

TEST_P(Filters, HearOfAGroupThatIsJoinedAtTheWrongMoment) {
    Guest& guest = StageTest::guest();
    guest.must(std::string("insmod ") + kDriver + " && ip link set eth0 up");
    ASSERT_TRUE(carrier_becomes(guest, true));
    check_reset_is_left_alone(guest);
    check_up_writes_all(guest);
    if (GetParam() >= "04") {
        guest.must(std::string("insmod ") + kFailcall + " symbol=igbook_ring_disable value=-110");
        check_heard_after(guest, "ethtool -G eth0 rx 64");
        guest.must("rmmod failcall");
    }
    if (GetParam() >= "07") check_vlan_filter(guest);
    if (GetParam() >= "08")
        check_heard_after(guest, std::string("echo 1 >/sys/bus/pci/devices/") + kDevice + "/reset");
    if (GetParam() >= "10") check_heard_after(guest, "ethtool -t eth0 offline");
    guest.must("rmmod igbook");
}

INSTANTIATE_TEST_SUITE_P(Stages, Filters, testing::ValuesIn(stages()), stage_name);

}  // namespace
}  // namespace fwts::driver
