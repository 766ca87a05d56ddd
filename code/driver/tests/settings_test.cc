// SPDX-License-Identifier: GPL-2.0
/// @file
/// Everything that can be set and asked for: what is asked for is what was set, whatever else has
/// been set since, and after the interface was down.
#include <array>
#include <sstream>

#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Guest;
using testing::HasSubstr;

class Settings : public StageTest {};

struct Setting {
    const char* from;               ///< stage that has it first
    const char* set;                ///< command, to be followed by a value
    const char* get;                ///< command that prints the value
    std::array<const char*, 2> to;  ///< two values that are not the default
};

const std::vector<Setting> kSettings = {
    {"01",
     "ip link set eth0 address ",
     "cat /sys/class/net/eth0/address",
     {"02:11:22:33:44:55", "02:66:77:88:99:aa"}},
    {"01", "ip link set eth0 mtu ", "cat /sys/class/net/eth0/mtu", {"1400", "4000"}},
    {"01",
     "ethtool -s eth0 msglvl ",
     R"(ethtool eth0 | awk '/Current message level/ { print $4 }')",
     {"0x00000003", "0x0000000f"}},
    {"01",
     "ethtool -K eth0 gro ",
     R"(ethtool -k eth0 | awk '/^generic-receive-offload:/ { print $2 }')",
     {"off", "off"}},
    {"04",
     "ethtool -G eth0 rx ",
     R"(ethtool -g eth0 | awk '/^RX:/ { n = $2 } END { print n }')",
     {"64", "512"}},
    {"04",
     "ethtool -G eth0 tx ",
     R"(ethtool -g eth0 | awk '/^TX:/ { n = $2 } END { print n }')",
     {"96", "1024"}},
    {"06",
     "ethtool -C eth0 adaptive-rx off rx-usecs ",
     R"(ethtool -c eth0 | awk '/^rx-usecs:/ { print $2 }')",
     {"50", "8191"}},
};

std::vector<Setting> of_stage(const std::string& stage) {
    std::vector<Setting> some = kSettings;
    std::erase_if(some, [&](const Setting& one) { return stage < one.from; });
    return some;
}

/// One shell for all of them: a shell costs more than what it asks for.
void expect_all(Guest& guest, const std::vector<Setting>& settings, std::size_t round,
                const std::string& when) {
    std::string script;
    for (const Setting& one : settings) script += std::string(one.get) + "\n";
    std::istringstream answers(guest.must(script));
    for (const Setting& one : settings) {
        std::string answer;
        std::getline(answers, answer);
        EXPECT_EQ(answer, one.to[round]) << "after: " << one.set << one.to[round] << ", " << when;
    }
}

void set_all(Guest& guest, const std::vector<Setting>& settings, std::size_t round) {
    std::string script = "set -e\n";
    for (const Setting& one : settings) script += std::string(one.set) + one.to[round] + "\n";
    guest.must(script);
}

/// The core refuses nothing of this; the driver says why it does.
void check_pause(Guest& guest) {
    guest.must("ethtool -C eth0 adaptive-rx off rx-usecs 50");
    guest.must("ethtool -C eth0 adaptive-rx on");
    EXPECT_THAT(guest.must("ethtool -c eth0"),
                testing::AllOf(HasSubstr("Adaptive RX: on"), shows("rx-usecs", "50")));
    const sandbox::ExecResult refused = guest.run("ethtool -C eth0 rx-usecs 60");
    EXPECT_NE(refused.status, 0) << "a pause that would not be in force";
    EXPECT_THAT(refused.err, HasSubstr("adaptive-rx"));
    guest.must("ethtool -C eth0 adaptive-rx off");
    EXPECT_THAT(guest.must("ethtool -c eth0"),
                testing::AllOf(HasSubstr("Adaptive RX: off"), shows("rx-usecs", "50")));
}

TEST_P(Settings, AreWhatWasSet) {
    Guest& guest = StageTest::guest();
    const HeldDevice held(guest);
    const std::vector<Setting> settings = of_stage(GetParam());
    guest.must(std::string("insmod ") + kDriver);
    set_all(guest, settings, 0);
    expect_all(guest, settings, 0, "while it is down");
    guest.must("ip link set eth0 up");
    ASSERT_TRUE(carrier_becomes(guest, true));
    expect_all(guest, settings, 0, "when it has come up");
    set_all(guest, settings, 1);
    expect_all(guest, settings, 1, "while it is up");
    if (GetParam() >= "06") {
        // Both sizes of a ring are set together, and so are the two of moderation.
        guest.must("ethtool -C eth0 adaptive-rx on && ethtool -C eth0 adaptive-rx off");
        expect_all(guest, settings, 1, "when the traffic chose meanwhile");
    }
    guest.must("ip link set eth0 down && ip link set eth0 up");
    expect_all(guest, settings, 1, "after down and up");
    if (GetParam() >= "06") check_pause(guest);
    guest.must("rmmod igbook");
}

INSTANTIATE_TEST_SUITE_P(Stages, Settings, testing::ValuesIn(stages()), stage_name);

}  // namespace
}  // namespace fwts::driver
