// SPDX-License-Identifier: GPL-2.0
/// @file
/// Stage 10, the finished driver: what ethtool asks for is seen in the card's registers, from
/// outside; errors on the bus, resets, sleep and a card that is pulled out. The emulated card knows
/// filters by EtherType but brings no frame to their queue, and it has no memory behind EECD's
/// leads: of these two, what the driver writes is looked at.
#include <cstdint>

#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Frame;
using sandbox::Guest;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint16_t kEtherType = 0x88b5;  // IEEE 802: for local experiments
constexpr std::size_t kEthernetHeader = 14;

enum More : std::uint32_t {
    kCtrl = 0x00000,
    kEecd = 0x00010,
    kFcrth = 0x02168,
    kLedctl = 0x00e00,
    kGpie = 0x01514,
    kEiac = 0x0152c,
    kIvar0 = 0x01700,
    kWuc = 0x05800,
    kWufc = 0x05808,
    kMrqc = 0x05818,
    kReta0 = 0x05c00,
    kEtqf0 = 0x05cb0,
    kTiminca = 0x0b608,
    kRxdctl0 = 0x0c028,
};

Guest ready_guest(sandbox::Options options = strict("10")) {
    options.record_registers = true;
    options.peer = true;
    options.files.push_back({FWTS_POKE, "/bin/poke"});
    options.files.push_back({FWTS_STAMP, "/bin/stamp"});
    Guest guest = Guest::boot(options);
    guest.must("dmesg -c");
    silence(guest);
    guest.must(std::string("insmod ") + kDriver +
               " && ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up");
    EXPECT_TRUE(carrier_becomes(guest, true));
    return guest;
}

/// @param patience  in seconds
bool answers(Guest& guest, int patience = 20) {
    return guest.run("ping -c 1 -W " + std::to_string(patience) + " 192.0.2.1").ok();
}

std::uint32_t etqf(Guest& guest, std::uint32_t i) {
    return guest.read_register(kEtqf0 + 4 * i);
}

bool refuses(Guest& guest, const std::string& command, const std::string& why = {}) {
    const sandbox::ExecResult result = guest.run("ethtool " + command);
    EXPECT_THAT(result.err + result.out, HasSubstr(why)) << command;
    return !result.ok();
}

/// Of a rule that is refused ethtool speaks, but it ends as if all were well.
void expect_no_rule(Guest& guest, const std::string& rule, const std::string& why) {
    EXPECT_THAT(guest.run("ethtool -N eth0 flow-type " + rule).err,
                AllOf(HasSubstr("Cannot insert"), HasSubstr(why)))
        << rule;
}

/// Filters: seven, kept while the interface is down or the feature is off; what the card cannot do
/// is refused.
void check_steering(Guest& guest) {
    guest.must("ethtool -L eth0 combined 4");
    guest.must("ethtool -N eth0 flow-type ether proto 0x88b5 action 3");
    const std::uint32_t wanted = kEtherType | 3U << 16 | 1U << 26 | 1U << 31;
    EXPECT_EQ(etqf(guest, 0), wanted);
    EXPECT_THAT(guest.must("ethtool -n eth0"),
                AllOf(HasSubstr("Total 1 rules"), HasSubstr("Direct to queue 3")));
    EXPECT_TRUE(refuses(guest, "-L eth0 combined 3")) << "a rule's queue would go";
    expect_no_rule(guest, "ether proto 0x88b6 action 4", "Invalid argument");
    expect_no_rule(guest, "ether proto 0x88b5 action 1", "File exists");
    for (const char* rule : {"ether dst 02:00:00:00:00:01", "ether proto 0x0800",
                             "ether proto 0x88f7", "ether proto 0x88b6 vlan 5", "tcp4 dst-port 80"})
        expect_no_rule(guest, std::string(rule) + " action 1", "Operation not supported");
    guest.must("ethtool -K eth0 ntuple off");
    EXPECT_EQ(etqf(guest, 0), 0U);
    guest.must("ethtool -K eth0 ntuple on && ip link set eth0 down && ip link set eth0 up");
    EXPECT_EQ(etqf(guest, 0), wanted);
    guest.must("ethtool -N eth0 flow-type ether proto 0x88b6 action 2 loc 6");
    EXPECT_EQ(etqf(guest, 6) & 0x7ffffU, 0x88b6U | 2U << 16);
    expect_no_rule(guest, "ether proto 0x88b7 action 2 loc 7", "Invalid argument");
    guest.must("ethtool -N eth0 delete 6");
    EXPECT_EQ(etqf(guest, 6), 0U);
    EXPECT_TRUE(refuses(guest, "-N eth0 delete 6"));
    EXPECT_TRUE(carrier_becomes(guest, true));
}

/// The PHY does not say what was agreed on; it is asked again before there is a carrier.
void check_unknown_pause(Guest& guest) {
    guest.qmp().set_link(false);
    ASSERT_TRUE(carrier_becomes(guest, false));
    guest.must(std::string("poke ") + kDevice + " 0x2168 0");  // FCRTH
    guest.must(std::string("insmod ") + kFailcall + " symbol=igbook_flow_write value=-16");
    guest.qmp().set_link(true);
    ASSERT_TRUE(carrier_becomes(guest, true));
    EXPECT_EQ(guest.must("cat /sys/module/failcall/parameters/hits && rmmod failcall"), "1\n");
    EXPECT_NE(guest.read_register(kFcrth), 0U);
}

/// The PHY does not answer who wants another link: he is told so, and all is as before.
void check_refused_settings(Guest& guest) {
    const std::string pause = guest.must("ethtool -a eth0"), link = guest.must("ethtool eth0");
    for (const auto& [command, call] :
         {std::pair{"-A eth0 rx off", "igbook_phy_read"},
          std::pair{"-s eth0 advertise 0x008", "igbook_linkset_write"},
          std::pair{"-s eth0 advertise 0x008", "igbook_phy_restart_autoneg"}}) {
        guest.must(std::string("insmod ") + kFailcall + " value=-16 symbol=" + call);
        EXPECT_TRUE(refuses(guest, command, "Device or resource busy"));
        guest.must("rmmod failcall");
        ASSERT_TRUE(carrier_becomes(guest, true)) << "nobody looks at the link after " << command;
        EXPECT_EQ(guest.must("ethtool -a eth0"), pause) << command;
        EXPECT_EQ(guest.must("ethtool eth0"), link) << command;
        EXPECT_EQ(std::stoul(guest.must("mii eth0 4").substr(2), nullptr, 16) & 0x1e0U, 0x1e0U);
    }
}

/// What the PHY offers, what was agreed on and what the card does about it.
void check_link_settings(Guest& guest) {
    const std::uint32_t both = 3U << 27;  // CTRL.RFCE and TFCE
    EXPECT_EQ(guest.read_register(kCtrl) & both, both) << "the partner can pause";
    EXPECT_NE(guest.read_register(kFcrth), 0U);
    guest.must("ethtool -A eth0 tx off rx off");
    ASSERT_TRUE(carrier_becomes(guest, true));
    EXPECT_EQ(guest.read_register(kCtrl) & both, 0U);
    EXPECT_EQ(guest.read_register(kFcrth), 0U);
    guest.must("ethtool -A eth0 autoneg off rx on");
    ASSERT_TRUE(carrier_becomes(guest, true));
    EXPECT_EQ(guest.read_register(kCtrl) & both, 1U << 27);
    guest.must("ethtool -A eth0 autoneg on rx on tx on");
    ASSERT_TRUE(carrier_becomes(guest, true));
    EXPECT_THAT(guest.must("ethtool -I -a eth0"), HasSubstr("tx_pause_frames: 0"));
    check_unknown_pause(guest);
    check_refused_settings(guest);

    guest.must("ethtool -s eth0 advertise 0x008");  // 100baseT/Full
    EXPECT_EQ(std::stoul(guest.must("mii eth0 4").substr(2), nullptr, 16) & 0x1e0U, 0x100U);
    EXPECT_EQ(std::stoul(guest.must("mii eth0 9").substr(2), nullptr, 16) & 0x300U, 0U);
    EXPECT_TRUE(refuses(guest, "-s eth0 advertise 0x10")) << "1000baseT/Half";
    EXPECT_TRUE(refuses(guest, "-s eth0 autoneg off speed 1000 duplex full"));
    ASSERT_TRUE(carrier_becomes(guest, true));
    const std::string changes = guest.get("/sys/class/net/eth0/carrier_changes");
    EXPECT_TRUE(refuses(guest, "-s eth0 mdix on", "Invalid argument"));
    EXPECT_EQ(guest.get("/sys/class/net/eth0/carrier_changes"), changes);
    guest.qmp().set_link(false);
    ASSERT_TRUE(carrier_becomes(guest, false));
    // Without link nobody knows which duplex was agreed on; one that was told stays.
    for (const auto& [settings, bits] :
         {std::pair{"speed 100", 0x2100U}, std::pair{"speed 10 duplex half", 0x0000U},
          std::pair{"speed 100", 0x2000U}, std::pair{"duplex full", 0x2100U}}) {
        guest.must(std::string("ethtool -s eth0 autoneg off ") + settings);
        EXPECT_EQ(std::stoul(guest.must("mii eth0 0").substr(2), nullptr, 16) & 0x3100U, bits)
            << settings;
    }
    guest.qmp().set_link(true);
    EXPECT_TRUE(refuses(guest, "-r eth0")) << "there is nothing to agree on";
    guest.must("ethtool -s eth0 autoneg on advertise 0x2f");
    ASSERT_TRUE(carrier_becomes(guest, true));
    EXPECT_THAT(guest.must("ethtool eth0"),
                AllOf(HasSubstr("Speed: 1000Mb/s"), HasSubstr("Link partner advertised")));

    const std::size_t before = guest.registers().all().size();
    const std::uint32_t led = guest.read_register(kLedctl);
    guest.must("ethtool -p eth0 1");
    EXPECT_EQ(guest.read_register(kLedctl), led) << "as before";
    const auto writes = guest.registers().since(before).writes(kLedctl);
    ASSERT_EQ(writes.size(), 2U);
    EXPECT_EQ(writes[0].value & 0x8fU, 0x8eU) << "on, blinking";
}

/// The bytes that went down the leads of the memory, one string for each time it was selected.
std::vector<std::string> spi(const sandbox::RegisterLog& log) {
    std::vector<std::string> talks;
    std::uint64_t last = 2;
    unsigned bits = 0, count = 0;
    for (const auto& write : log.writes(kEecd)) {
        const bool was = (last & 2) == 0, is = (write.value & 2) == 0;
        if (is && !was) {
            talks.emplace_back();
            count = 0;
        }
        if (is && (write.value & 1) != 0 && (last & 1) == 0) {
            bits = bits << 1 | (write.value >> 2 & 1);
            if (++count % 8 == 0) talks.back() += static_cast<char>(bits & 0xff);
        }
        last = write.value;
    }
    return talks;
}

/// Writing: nothing without the leads; with them, what changes and the word that makes the sum
/// right, each after the memory was told to be writable.
void check_nvm(Guest& guest) {
    const std::string write = "-E eth0 magic 0x10c98086 offset 6 value 0x12";
    EXPECT_TRUE(refuses(guest, "-E eth0 magic 1 offset 6 value 0x12"));
    EXPECT_TRUE(refuses(guest, write, "timed out"));
    EXPECT_EQ(guest.read_register(kEecd) & 0x40U, 0U) << "EECD.REQ is taken back";
    guest.must("ethtool -e eth0 offset 0 raw on length 128 >/tmp/nvm");
    const std::string nvm = guest.get("/tmp/nvm");
    guest.must(std::string("poke ") + kDevice + " 0x10 0x80");  // EECD.GNT
    const std::size_t before = guest.registers().all().size();
    EXPECT_TRUE(refuses(guest, write, "Input/output error")) << "nothing was kept";
    ASSERT_EQ(nvm.size(), 128U);
    std::string changed = nvm;
    changed[6] = 0x12;
    unsigned sum = 0;
    for (std::size_t i = 0; i < 126; i += 2)
        sum += static_cast<std::uint8_t>(changed[i]) | static_cast<std::uint8_t>(changed[i + 1])
                                                           << 8;
    sum = (0xbaba - sum) & 0xffff;
    const std::string enable = "\x06";
    const std::string status = std::string("\x05") + '\0';
    const std::string word = std::string("\x02\x06\x12", 3) + changed[7];
    const std::string last =
        std::string("\x02\x7e", 2) + static_cast<char>(sum & 0xff) + static_cast<char>(sum >> 8);
    EXPECT_THAT(spi(guest.registers().since(before)),
                testing::ElementsAre(enable, word, status, enable, last, status));
    guest.must(std::string("poke ") + kDevice + " 0x10 0");
}

/// @return the figure after NAME: in what ethtool says of the standards' groups.
std::uint64_t grouped(const std::string& said, const std::string& name) {
    const std::size_t at = said.find("\n" + name + ": ");
    EXPECT_NE(at, std::string::npos) << name << " in:\n" << said;
    return at == std::string::npos ? 0 : std::stoull(said.substr(at + name.size() + 3));
}

const std::string kGroups = "ethtool -S eth0 --groups eth-phy eth-mac eth-ctrl rmon";

void check_groups(Guest& guest) {
    const std::string before = guest.must(kGroups);
    const sandbox::Mac group = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x01};
    const std::vector<std::pair<std::string, std::size_t>> lengths = {
        {"64to64", 60},    {"65to127", 100},   {"128to255", 200},
        {"256to511", 400}, {"512to1023", 800}, {"1024to9238", 1400}};
    for (const auto& [name, bytes] : lengths)
        guest.cable().send(sandbox::ethernet(sandbox::kGuestMac, sandbox::kHostMac, kEtherType,
                                             Frame(bytes - 14)));
    guest.cable().send(
        sandbox::ethernet(sandbox::kBroadcast, sandbox::kHostMac, kEtherType, Frame(46)));
    guest.cable().send(sandbox::ethernet(group, sandbox::kHostMac, kEtherType, Frame(46)));
    std::string after;
    const auto grown = [&](const std::string& name) {
        return grouped(after, name) - grouped(before, name);
    };
    EXPECT_TRUE(eventually([&] {
        after = guest.must(kGroups);
        return grown("eth-mac-FramesReceivedOK") >= 8;
    })) << after;
    EXPECT_EQ(grown("eth-mac-FramesReceivedOK"), 8U);
    EXPECT_EQ(grown("eth-mac-OctetsReceivedOK"), 46U + 86 + 186 + 386 + 786 + 1386 + 46 + 46);
    EXPECT_EQ(grown("eth-mac-BroadcastFramesReceivedOK"), 1U);
    EXPECT_EQ(grown("eth-mac-MulticastFramesReceivedOK"), 1U);
    // The emulated card counts lengths without the FCS that it strips: 60 bytes are in no class.
    for (const auto& [name, bytes] : lengths)
        EXPECT_EQ(grown("rx-rmon-etherStatsPkts" + name + "Octets"), name == "64to64" ? 0U : 1U)
            << name;
    EXPECT_TRUE(answers(guest));
    after = guest.must(kGroups);
    EXPECT_GE(grown("eth-mac-FramesTransmittedOK"), 1U);
    EXPECT_GE(grown("tx-rmon-etherStatsPkts65to127Octets"), 1U);
    guest.cable().send(
        sandbox::ethernet(sandbox::kGuestMac, sandbox::kHostMac, kEtherType, Frame(1600)));
    EXPECT_TRUE(answers(guest));
    EXPECT_EQ(grouped(guest.must(kGroups), "eth-mac-FramesReceivedOK"),
              grouped(after, "eth-mac-FramesReceivedOK") + 1)
        << "not the one that is too long";
}

/// What is too long comes, of several pieces, too, as long as it is asked for.
void check_all(Guest& guest) {
    constexpr std::uint32_t kAll = 1U << 2 | 1U << 23;  // RCTL.SBP and PMCF
    constexpr std::uint32_t kVlanFilter = 1U << 18;     // RCTL.VFE
    const auto received = [&guest](std::size_t bytes) {
        const std::uint64_t frames = statistic(guest, "rx_packets");
        const std::uint64_t before = statistic(guest, "rx_bytes");
        guest.cable().send(sandbox::ethernet(sandbox::kGuestMac, sandbox::kHostMac, kEtherType,
                                             Frame(bytes - kEthernetHeader)));
        guest.cable().send(
            sandbox::ethernet(sandbox::kGuestMac, sandbox::kHostMac, kEtherType, Frame(100)));
        EXPECT_TRUE(eventually([&] { return statistic(guest, "rx_packets") > frames; }));
        return statistic(guest, "rx_bytes") - before >= bytes;
    };
    silence(guest);
    EXPECT_EQ(guest.read_register(kRctl) & kAll, 0U);
    EXPECT_NE(guest.read_register(kRctl) & kVlanFilter, 0U);
    EXPECT_FALSE(received(1600));
    guest.must("ethtool -K eth0 rx-all on");
    EXPECT_EQ(guest.read_register(kRctl) & kAll, kAll);
    EXPECT_EQ(guest.read_register(kRctl) & kVlanFilter, 0U) << "a foreign tag is no reason";
    EXPECT_TRUE(received(5000)) << "by buffers that were there before";
    guest.must("ip link set eth0 down && ip link set eth0 up");
    EXPECT_TRUE(carrier_becomes(guest, true));
    EXPECT_EQ(guest.read_register(kRctl) & kAll, kAll);
    EXPECT_TRUE(received(5000));
    guest.must("ethtool -K eth0 rx-all off");
    EXPECT_EQ(guest.read_register(kRctl) & kAll, 0U);
    EXPECT_NE(guest.read_register(kRctl) & kVlanFilter, 0U);
    EXPECT_FALSE(received(1600));
}

void check_loopback(Guest& guest) {
    guest.must("ethtool -K eth0 loopback on");
    EXPECT_EQ(guest.read_register(kRctl) & 0xc0U, 0x40U);
    guest.cable().clear();
    const std::uint64_t before = statistic(guest, "rx_packets");
    guest.must("ip neigh flush dev eth0");
    EXPECT_FALSE(answers(guest, 2));
    EXPECT_GT(statistic(guest, "rx_packets"), before) << "what is sent comes back";
    EXPECT_TRUE(guest.cable().take_all().empty()) << "and does not go out";
    guest.must("ethtool -K eth0 loopback off");
    EXPECT_EQ(guest.read_register(kRctl) & 0xc0U, 0U);
    guest.must("ip neigh flush dev eth0");
    EXPECT_TRUE(answers(guest));
}

/// What a reset must not change.
std::vector<std::uint32_t> configured(Guest& guest) {
    std::vector<std::uint32_t> values;
    for (const std::uint32_t reg :
         {std::uint32_t{kCtrl}, std::uint32_t{kCtrlExt}, std::uint32_t{kRctl},
          std::uint32_t{kRlpml}, std::uint32_t{kFcrth}, std::uint32_t{kGpie}, std::uint32_t{kEiac},
          std::uint32_t{kIvar0}, std::uint32_t{kMrqc}, std::uint32_t{kReta0}, std::uint32_t{kEtqf0},
          std::uint32_t{kTiminca}, std::uint32_t{kRal0}, std::uint32_t{kRah0},
          std::uint32_t{kRdlen0}, std::uint32_t{kTdlen0}, std::uint32_t{kTxdctl0},
          std::uint32_t{kRxdctl0}})
        values.push_back(guest.read_register(reg));
    return values;
}

void check_self_test(Guest& guest) {
    const auto before = configured(guest);
    const std::string counted = guest.must(kGroups);
    guest.must("(drive watch eth0 4 /tmp/told >/dev/null 2>&1 &)");
    ASSERT_TRUE(eventually([&] { return content(guest, "/tmp/told") == "ready\n"; }));
    EXPECT_THAT(guest.must("ethtool -t eth0 offline"), HasSubstr("PASS"));
    EXPECT_EQ(guest.get("/sys/class/net/eth0/carrier"), "1\n") << "the link is given back, too";
    EXPECT_EQ(configured(guest), before);
    EXPECT_EQ(grouped(guest.must(kGroups), "eth-mac-OctetsTransmittedOK"),
              grouped(counted, "eth-mac-OctetsTransmittedOK"))
        << "the test's frames are counted";
    EXPECT_TRUE(guest.run("ping -c 4 -i 0.2 -W 20 192.0.2.1").ok());
    EXPECT_TRUE(eventually([&] { return content(guest, "/tmp/told") != "ready\n"; }));
    EXPECT_EQ(content(guest, "/tmp/told"), "ready\ndone\n") << "a counter went back";
    guest.must("ip link set eth0 down && ethtool -t eth0 offline >/tmp/t; ip link set eth0 up");
    EXPECT_THAT(guest.get("/tmp/t"), AllOf(HasSubstr("FAIL"), HasSubstr("loopback (offline)\t 0"),
                                           HasSubstr("link (online)\t 67")));
    EXPECT_TRUE(carrier_becomes(guest, true));
}

/// net_dim() lengthens the pause while frames come, and it is looked for in the card.
void check_moderation(Guest& guest) {
    guest.must("ethtool -C eth0 adaptive-rx on");
    const auto pause = [&] {
        return (guest.read_register(sandbox::register_offset("EITR(0)").value()) &
                sandbox::registers::EITR_INTERVAL) >>
               2;
    };
    const sandbox::Frame frame =
        sandbox::ethernet(sandbox::kGuestMac, sandbox::kHostMac, 0x88b5, sandbox::Frame(200, 1));
    EXPECT_TRUE(eventually([&] {
        for (int i = 0; i < 20; i++) guest.cable().try_send(frame);
        return pause() >= 8;
    })) << "the pause is still "
        << pause() << " us";
}

TEST(Observe, EthtoolReachesTheCard) {
    Guest guest = ready_guest();
    check_steering(guest);
    check_link_settings(guest);
    check_nvm(guest);
    check_groups(guest);
    check_moderation(guest);
    check_all(guest);
    check_loopback(guest);
    check_self_test(guest);
    guest.must("rmmod igbook");
    expect_no_complaint(guest);
}

// --- what happens to a card ---------------------------------------------------------------------

/// The registers that wake it, written before the system sleeps and cleared when it is awake.
void check_wake(Guest& guest) {
    EXPECT_TRUE(refuses(guest, "-s eth0 wol a"));
    guest.must("ethtool -s eth0 wol g");
    EXPECT_THAT(guest.must("ethtool eth0"), shows("\tWake-on", "g"));
    const std::size_t before = guest.registers().all().size();
    guest.must(
        "echo 0 >/sys/module/suspend/parameters/pm_test_delay && "
        "echo devices >/sys/power/pm_test && echo mem >/sys/power/state",
        {.limit = 120s});
    ASSERT_TRUE(carrier_becomes(guest, true));
    const auto log = guest.registers().since(before);
    ASSERT_GE(log.writes(kWufc).size(), 2U);
    EXPECT_EQ(log.writes(kWufc)[0].value, 2U) << "a magic packet";
    EXPECT_EQ(log.writes(kWuc)[0].value & 2U, 2U) << "WUC.PME_EN";
    EXPECT_EQ(guest.read_register(kWufc), 0U) << "awake";
    guest.must("ethtool -s eth0 wol d");
    EXPECT_TRUE(answers(guest));
}

/// The emulated card cannot be told to report errors, its port can: the card is below the one that
/// reports.
void inject(Guest& guest, const std::string& error) {
    EXPECT_THAT(guest.qmp().human("pcie_aer_inject_error nic-port " + error), HasSubstr("OK"));
}

/// An error that stops the bus, one that does no harm, and a reset of the function.
void check_errors(Guest& guest) {
    const auto before = configured(guest);
    const std::size_t first = guest.registers().all().size();
    inject(guest, "MALF_TLP");
    EXPECT_TRUE(eventually([&] {
        return guest.must("dmesg").find("device recovery successful") != std::string::npos;
    })) << guest.must("dmesg");
    ASSERT_TRUE(carrier_becomes(guest, true));
    EXPECT_FALSE(guest.registers().since(first).writes(kRlpml).empty()) << "set up anew";
    std::size_t resets = 0;
    for (const auto& write : guest.registers().since(first).writes(kCtrl))
        resets += write.value >> 26 & 1;
    EXPECT_EQ(resets, 1U) << "on the way up; on the way down no register is touched";
    EXPECT_TRUE(answers(guest));
    EXPECT_EQ(configured(guest), before);

    const std::size_t second = guest.registers().all().size();
    guest.must("dmesg -c");
    inject(guest, "UNSUP");
    EXPECT_TRUE(eventually([&] {
        return guest.must("dmesg").find("device recovery successful") != std::string::npos;
    })) << guest.must("dmesg");
    EXPECT_TRUE(answers(guest));
    EXPECT_TRUE(guest.registers().since(second).writes(kRlpml).empty()) << "nothing to set up";
    guest.must("dmesg -c");

    guest.put(std::string("/sys/bus/pci/devices/") + kDevice + "/reset", "1");
    ASSERT_TRUE(carrier_becomes(guest, true));
    EXPECT_TRUE(answers(guest));
    EXPECT_EQ(configured(guest), before);
}

/// A card that does not come back from sleep is absent, until it is removed.
void check_failed_resume(Guest& guest) {
    guest.must(std::string("insmod ") + kFailcall + " symbol=request_threaded_irq value=-16");
    guest.run("echo mem >/sys/power/state", {.limit = 120s});
    guest.must("rmmod failcall");
    EXPECT_TRUE(refuses(guest, "-t eth0 online", "No such device"));
    EXPECT_EQ(guest.get("/sys/class/net/eth0/carrier"), "0\n");
    guest.must("rmmod igbook && dmesg -c");
    guest.must(std::string("insmod ") + kDriver +
               " && ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up");
    ASSERT_TRUE(carrier_becomes(guest, true));
    EXPECT_TRUE(answers(guest));
}

TEST(Observe, ComesBackFromErrorsAndSleep) {
    sandbox::Options options = strict("10");
    // Without power management of the links the kernel leaves errors to the firmware.
    options.append = "pcie_ports=native";
    Guest guest = ready_guest(options);
    check_wake(guest);
    check_errors(guest);
    check_failed_resume(guest);
    guest.must("rmmod igbook");
    expect_no_complaint(guest);
}

const std::string kVanishes = std::string("insmod ") + kVanish + " rom=" + Ones::kRom;

/// A driver that is loaded anew has its card again. It goes when the driver calls @p at.
void vanishes_at(Guest& guest, const std::string& at) {
    guest.must("rmmod vanish");
    guest.must(std::string("insmod ") + kDriver);
    guest.must(kVanishes + " at=" + at);
}

bool said(Guest& guest, const std::string& words) {
    return eventually([&] { return guest.must("dmesg").find(words) != std::string::npos; });
}

/// It goes between the last look at the link and the report that it is up.
void check_reported_when_gone(Guest& guest) {
    guest.qmp().set_link(false);
    guest.must(std::string("rmmod vanish && insmod ") + kDriver + " && ip link set eth0 up");
    guest.must(kVanishes + " at=igbook_ctrl_change");
    guest.qmp().set_link(true);
    EXPECT_TRUE(said(guest, "link is up"));
    EXPECT_TRUE(carrier_becomes(guest, false)) << "carrier without a card";
    guest.must("rmmod igbook && dmesg -c >/dev/null");
}

/// It goes just before its clock is read.
void check_clock_when_gone(Guest& guest) {
    vanishes_at(guest, "ktime_get_with_offset");
    const auto now = [&] { return std::stoll(guest.must("stamp eth0 /dev/ptp0 get")); };
    const auto before = now();
    EXPECT_TRUE(said(guest, "does not answer any more"));
    EXPECT_LT(now() - before, 600'000'000'000) << "the ones were taken for a time";
    guest.must("rmmod igbook && dmesg -c >/dev/null");
}

/// A frame waits for a stamp when it goes. @return the clock's thread.
std::string let_a_stamp_wait(Guest& guest) {
    guest.must(std::string("for i in 0 1 2 3 4 5 6 7; do hold ") + kDevice + " $i; done");
    EXPECT_EQ(guest.must("stamp eth0 /dev/ptp0 filter:1:0 send:1:hw sent:100"), "1 0\nok\nnone\n");
    return guest.must("dirname $(grep -lx ptp0 /proc/[0-9]*/comm)");
}

/// It asks the card at every tick while the frame waits; not a card that is not there.
void check_rests(Guest& guest, const std::string& thread) {
    const auto woken = [&] {
        return std::stoul(guest.must("sed -n s/^voluntary_ctxt_switches://p " +
                                     thread.substr(0, thread.find('\n')) + "/status"));
    };
    const auto before = woken();
    guest.must("sleep 3");
    EXPECT_LT(woken() - before, 20U);
}

/// It was there all the time: a reset gives it back, with bus mastering. A reset at which it does
/// not answer is no occasion to save its configuration space.
void check_back(Guest& guest) {
    const std::string reset = std::string("/sys/bus/pci/devices/") + kDevice + "/reset";
    const auto saved = [&] { return guest.get("/sys/kernel/debug/watchcall/counts"); };
    guest.must("rmmod vanish");
    guest.must(std::string("insmod ") + kDriver +
               " && ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up");
    ASSERT_TRUE(carrier_becomes(guest, true));
    guest.must(kVanishes);
    ASSERT_TRUE(carrier_becomes(guest, false));
    guest.must("ip link set eth0 down");
    guest.must(std::string("insmod ") + kWatchcall + " card=" + kDevice + " calls=pci_save_state");
    guest.put(reset, "1");
    EXPECT_TRUE(said(guest, "does not come back after a reset"));
    EXPECT_THAT(saved(), HasSubstr("pci_save_state 0 "));
    guest.put("/sys/module/vanish/parameters/back", "1");
    guest.put(reset, "1");
    EXPECT_THAT(saved(), HasSubstr("pci_save_state 1 "));
    guest.must("rmmod watchcall && ip link set eth0 up");
    ASSERT_TRUE(carrier_becomes(guest, true));
    EXPECT_TRUE(masters(guest));
    EXPECT_TRUE(answers(guest));
    guest.must("rmmod igbook && dmesg -c >/dev/null");
}

/// It is noticed, nothing waits for the card, and whoever asks is answered. What was its memory it
/// cannot write to any more, should it be there after all.
TEST(Observe, EndsInSecondsWhenTheCardIsGone) {
    sandbox::Options options = strict("10");
    const Ones ones(options);
    Guest guest = ready_guest(options);
    const std::string thread = let_a_stamp_wait(guest);
    const auto vanish = guest.run(kVanishes);
    ASSERT_TRUE(vanish.ok()) << guest.must("dmesg; cat /sys/bus/pci/devices/0000:00:1e.0/resource");
    ASSERT_TRUE(carrier_becomes(guest, false));
    EXPECT_THAT(guest.must("dmesg"), HasSubstr("does not answer any more"));
    check_rests(guest, thread);
    EXPECT_TRUE(masters(guest));
    guest.must("ip -s link show eth0 && ethtool -S eth0 >/tmp/s && ethtool eth0 >/tmp/e");
    EXPECT_FALSE(guest.run("ethtool -t eth0 offline").ok());
    const auto start = std::chrono::steady_clock::now();
    guest.must("ip link set eth0 down");
    EXPECT_FALSE(masters(guest)) << "its rings were freed";
    EXPECT_FALSE(guest.run("ip link set eth0 up").ok());
    guest.must("rmmod igbook");
    EXPECT_LT(std::chrono::steady_clock::now() - start, 20s);
    guest.must("dmesg -c >/tmp/log");
    EXPECT_LT(std::stoul(guest.must("grep -c igbook /tmp/log")), 12U) << guest.get("/tmp/log");
    check_reported_when_gone(guest);
    check_clock_when_gone(guest);
    check_back(guest);
    expect_no_complaint(guest);
}

}  // namespace
}  // namespace fwts::driver
