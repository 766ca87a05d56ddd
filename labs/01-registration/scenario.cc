// SPDX-License-Identifier: GPL-2.0
// Lab 1, Registration: the checks. handout.md is the same list in the student's words.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <set>

#include "all_labs.h"
#include "expect.h"
#include "files.h"
#include "interface.h"
#include "testbed.h"
#include "traffic.h"
#include "watch.h"

namespace fwts::labs {
namespace {

using grader::Credit;
using grader::expect_bytes;
using grader::expect_carrier;
using grader::expect_equal;
using grader::expect_that;
using grader::interface;
using grader::load;
using grader::Mac;
using grader::Testbed;
using grader::Watch;
using namespace sandbox::registers;
using Seconds = Testbed::Seconds;

constexpr int MII_BMSR = 1;

constexpr unsigned nvm_words = 64;

std::string sysfs(const Testbed& testbed) {
    return "/sys/bus/pci/devices/" + testbed.pci_address();
}

// --- loads, identity, registers: what the skeleton can do already -----------------------------

void expect_bound(Testbed& testbed, const std::string& when) {
    expect_that(grader::bound(testbed), "driver bound to the card " + when, "igbook",
                "another, or none");
}

/// Firmware is told that a driver has the card.
void expect_in_charge(Testbed& testbed, const std::string& when) {
    const auto ctrl_ext = testbed.reg(CTRL_EXT);
    expect_that((ctrl_ext & CTRL_EXT_DRV_LOAD) != 0,
                "CTRL_EXT " + when + ", read from outside the guest", "DRV_LOAD set",
                fmt::format("{:#010x}", ctrl_ext));
}

void check_loads(Testbed& testbed) {
    load(testbed);
    expect_bound(testbed, "after insmod");
    expect_in_charge(testbed, "after insmod");
    const auto ctrl = testbed.reg(CTRL);
    expect_that((ctrl & CTRL_SLU) != 0, "CTRL, read from outside the guest", "SLU set",
                fmt::format("{:#010x}", ctrl));
}

void check_identity(Testbed& testbed) {
    const auto info = testbed.must_run({"ethtool", "-i", interface(testbed)});
    for (const auto& line : {std::string("driver: igbook"), "bus-info: " + testbed.pci_address()})
        expect_that(info.find(line) != std::string::npos, "ethtool -i", line, info);
}

void check_registers(Testbed& testbed) {
    // Little-endian words in the order of the driver's dump. MDIC moves only while the interface
    // is up, so nothing changes between the two looks.
    constexpr std::array order{CTRL, STATUS, CTRL_EXT, MDIC, RCTL, TCTL, RLPML, RAL0, RAH0};
    const auto dump = testbed.run({"ethtool", "-d", interface(testbed), "raw", "on"}).out;
    std::string outside;
    for (const auto offset : order) {
        const auto value = testbed.reg(offset);
        for (unsigned shift = 0; shift < 32; shift += 8)
            outside += static_cast<char>(value >> shift & 0xffU);
    }
    expect_bytes("ethtool -d, against the same registers read from outside the guest", outside,
                 dump);
}

// --- the address ------------------------------------------------------------------------------

/// A card that was reset and has this in RAL0 and RAH0 when the driver asks for its address.
/// @return the address that it then has
std::string expect_own_or_random(Testbed& testbed, Watch& watch, std::uint32_t low,
                                 std::uint32_t high, const std::string& what) {
    const std::string reads = "igbook:igbook_read_mac";
    grader::unbind(testbed);
    watch.hold(reads);
    grader::Beside binding(
        testbed, "bind",
        {"sh", "-c",
         fmt::format("echo {} >/sys/bus/pci/drivers/igbook/bind", testbed.pci_address())});
    const bool asked = testbed.soon([&] { return watch.held() != 0; });
    if (asked) {
        testbed.set_reg(RAL0, low);
        testbed.set_reg(RAH0, high);
    }
    watch.release();
    binding.wait_end();
    expect_that(asked, "igbook_read_mac() while the driver is bound", "called", "not called");
    expect_bound(testbed, "whose RAL0 and RAH0 hold " + what);
    const auto net = "/sys/class/net/" + interface(testbed) + "/";
    const auto address = testbed.text(net + "address");
    const auto type = testbed.text(net + "addr_assign_type");
    // Who reads the NVM itself knows better than the registers.
    if (address == testbed.mac() && type == "0") return address;
    const auto first = std::stoul(address.substr(0, 2), nullptr, 16);
    expect_that(
        type == "1" && (first & 3U) == 2U, "address of a card whose RAL0 and RAH0 hold " + what,
        "a random one (addr_assign_type 1)", fmt::format("{}, addr_assign_type {}", address, type));
    return address;
}

void check_random(Testbed& testbed) {
    Watch watch(testbed, {"igbook:igbook_read_mac"});
    const auto some = static_cast<std::uint32_t>(testbed.random()());
    std::set<std::string> given;
    const auto give = [&](std::uint32_t low, std::uint32_t high, const std::string& what) {
        const auto address = expect_own_or_random(testbed, watch, low, high, what);
        expect_that(address == testbed.mac() || given.insert(address).second,
                    "address of a card whose RAL0 and RAH0 hold " + what,
                    "another than a card had before, which had none either", address);
    };
    give((some & ~0xffU) | 2U, some >> 16U, "an address, but not AV");
    give(0, RAH_AV, "zeros and AV");
    give(some | 1U, RAH_AV | some >> 16U, "a group's address and AV");
    grader::unbind(testbed);
    grader::bind(testbed);
    expect_bound(testbed, "that has its own address again");
}

void check_mac(Testbed& testbed) {
    const auto net = "/sys/class/net/" + interface(testbed) + "/";
    Credit credit;
    credit.part(6, [&] {
        expect_equal("address of the interface; the card's is another in each run", testbed.mac(),
                     testbed.text(net + "address"));
    });
    credit.part(4, [&] {
        expect_equal("permanent address (ethtool -P)", "Permanent address: " + testbed.mac(),
                     testbed.must_run({"ethtool", "-P", interface(testbed)}));
    });
    credit.part(2, [&] {
        expect_equal("addr_assign_type: 0 is the card's own, 1 is random", std::string("0"),
                     testbed.text(net + "addr_assign_type"));
    });
    credit.done();
}

Mac address_in_filter(Testbed& testbed) {
    const std::uint64_t low = testbed.reg(RAL0);
    const std::uint64_t high = testbed.reg(RAH0);
    Mac mac;
    for (unsigned shift = 0; shift < 48; shift += 8)
        mac += fmt::format("{}{:02x}", mac.empty() ? "" : ":",
                           ((high & 0xffffU) << 32U | low) >> shift & 0xffU);
    return (high & RAH_AV) != 0 ? mac : mac + " (not valid)";
}

void check_filter(Testbed& testbed) {
    const auto eth = interface(testbed);
    const auto before = testbed.text("/sys/class/net/" + eth + "/address");
    for (const auto& mac : {grader::random_mac(testbed.random()), before}) {
        testbed.must_run({"ip", "link", "set", "dev", eth, "address", mac});
        expect_equal("RAL0 and RAH0 after ip link set address, read from outside the guest", mac,
                     address_in_filter(testbed));
    }
}

// --- the link -----------------------------------------------------------------------------------

std::size_t reads_of_bmsr(const Testbed& testbed) {
    const auto writes = testbed.writes();
    return static_cast<std::size_t>(
        std::count_if(writes.begin(), writes.end(), [](const grader::RegisterWrite& write) {
            return write.offset == MDIC && (write.value & MDIC_OP_READ) != 0 &&
                   static_cast<int>(write.value >> 16U & 0x1fU) == MII_BMSR;
        }));
}

/// The carrier follows the cable itself, and the PHY is asked for it.
void expect_carrier_with_cable(Testbed& testbed, const std::string& eth) {
    const auto asked_before = reads_of_bmsr(testbed);
    expect_carrier(testbed, eth, true);
    for (const bool in : {false, true, false}) {
        testbed.plug(in);
        expect_carrier(testbed, eth, in);
        if (!in)
            expect_that((testbed.reg(STATUS) & STATUS_LU) == 0, "STATUS", "LU clear", "LU set");
    }
    testbed.plug(true);
    expect_carrier(testbed, eth, true);
    expect_that(reads_of_bmsr(testbed) > asked_before, "MDIC, as QEMU recorded it",
                "reads of BMSR, the PHY's status", "none: the PHY was not asked");
}

/// What the PHY says of the link, put in the place of what the emulated one says.
class Phy {
  public:
    Phy(Testbed& testbed, Watch& watch, std::string eth)
        : testbed_(testbed), watch_(watch), net_("/sys/class/net/" + std::move(eth) + "/") {}
    ~Phy() { watch_.answer_none(); }
    Phy(const Phy&) = delete;
    Phy& operator=(const Phy&) = delete;

    static constexpr unsigned up = 0x796d;
    static constexpr unsigned down = up & ~4U;
    static constexpr unsigned always = 100000;

    /// From now on reads of BMSR give these words, one after the other, the last for ever; after
    /// `count` reads the emulated PHY answers again.
    void says(const std::vector<unsigned>& words, unsigned count = always, long value = 0,
              unsigned skip = 0) {
        watch_.answer({"igbook:igbook_phy_read", value, skip, count, MII_BMSR, words});
    }
    /// The cause that makes the driver look.
    void rouse() { testbed_.set_reg(ICS, ICR_LSC); }
    /// So many reads of BMSR have been answered, and what the last look was for has happened.
    void wait_for_reads(unsigned reads) {
        testbed_.wait_until(
            "reads of BMSR after the card said that its link changed", fmt::format("{}", reads),
            [&] { return watch_.answered() >= reads; },
            [&] { return fmt::format("{}", watch_.answered()); }, Testbed::usual_patience);
        testbed_.let_settle();
    }
    /// How often the carrier went and how often it came.
    std::pair<int, int> changes() {
        return {std::stoi(testbed_.text(net_ + "carrier_down_count")),
                std::stoi(testbed_.text(net_ + "carrier_up_count"))};
    }
    /// The carrier went and came `times` more than `before`, and there is one.
    void expect_changes(const std::string& what, std::pair<int, int> before, int times) {
        const auto wanted =
            fmt::format("gone {} and come {} times, in the end there", times, times);
        const auto seen = [&] {
            const auto now = changes();
            return fmt::format("gone {} and come {} times, in the end {}", now.first - before.first,
                               now.second - before.second,
                               testbed_.text(net_ + "carrier") == "1" ? "there" : "gone");
        };
        testbed_.wait_until(
            what, wanted, [&] { return seen() == wanted; }, seen, Testbed::usual_patience);
    }

  private:
    Testbed& testbed_;
    Watch& watch_;
    std::string net_;
};

void expect_both_asked(Testbed& testbed, Watch& watch, const std::string& eth) {
    {
        Phy phy(testbed, watch, eth);
        phy.says({Phy::down});
        phy.rouse();
        expect_carrier(testbed, eth, false);
    }
    expect_carrier(testbed, eth, true);
    testbed.plug(false);
    expect_carrier(testbed, eth, false);
    {
        Phy phy(testbed, watch, eth);
        phy.says({Phy::up});
        phy.wait_for_reads(4);
        expect_equal("carrier, the PHY's link up and STATUS.LU clear", std::string("0"),
                     testbed.text("/sys/class/net/" + eth + "/carrier"));
    }
    testbed.plug(true);
    expect_carrier(testbed, eth, true);
}

void expect_flaps_seen(Testbed& testbed, Watch& watch, const std::string& eth) {
    Phy phy(testbed, watch, eth);
    auto before = phy.changes();
    phy.says({Phy::down, Phy::up});
    phy.rouse();
    phy.expect_changes("carrier after a link that was lost and came back between two looks", before,
                       1);
    before = phy.changes();
    phy.says({Phy::up});
    phy.rouse();
    phy.wait_for_reads(2);
    phy.rouse();
    phy.wait_for_reads(4);
    phy.expect_changes("carrier after a look at a link that was not lost", before, 0);
    phy.says({Phy::up, Phy::down, Phy::up});
    phy.rouse();
    phy.expect_changes("carrier after a link that went away while it was looked at", before, 1);
}

void expect_silence_is_no_link(Testbed& testbed, Watch& watch, const std::string& eth) {
    constexpr long no_answer = -110;
    // With an error there is no value, whatever the variable holds.
    for (const auto& [good_reads, words] :
         {std::pair{0U, std::vector<unsigned>{}}, std::pair{1U, std::vector<unsigned>{}},
          std::pair{0U, std::vector{Phy::up}}, std::pair{1U, std::vector{Phy::up}}}) {
        {
            Phy phy(testbed, watch, eth);
            phy.says(words, Phy::always, no_answer, good_reads);
            phy.rouse();
            expect_carrier(testbed, eth, false);
            phy.wait_for_reads(3);
            expect_equal("carrier while the PHY does not answer", std::string("0"),
                         testbed.text("/sys/class/net/" + eth + "/carrier"));
        }
        expect_carrier(testbed, eth, true);
    }
    // A look that got no answer to one of its reads has found no link; the next finds it again.
    for (const unsigned good_reads : {0U, 1U}) {
        Phy phy(testbed, watch, eth);
        const auto before = phy.changes();
        phy.says({Phy::up}, 1, no_answer, good_reads);
        phy.rouse();
        phy.expect_changes(
            fmt::format("carrier when the PHY answers all reads but number {}", good_reads + 1),
            before, 1);
    }
}

/// The interface is up with its carrier when a part begins.
void check_carrier(Testbed& testbed) {
    const auto eth = interface(testbed);
    testbed.must_run({"ip", "link", "set", "dev", eth, "up"});
    Credit credit;
    const auto part = [&](int points, const std::function<void()>& demand) {
        credit.part(points, [&] {
            testbed.plug(true);
            expect_carrier(testbed, eth, true);
            demand();
        });
    };
    part(7, [&] { expect_carrier_with_cable(testbed, eth); });
    {
        Watch watch(testbed, {"igbook:igbook_phy_read"});
        part(3, [&] { expect_both_asked(testbed, watch, eth); });
        part(3, [&] { expect_flaps_seen(testbed, watch, eth); });
        part(2, [&] { expect_silence_is_no_link(testbed, watch, eth); });
    }
    // Whatever came of it, the next check finds the cable in and the interface down.
    testbed.plug(true);
    testbed.must_run({"ip", "link", "set", "dev", eth, "down"});
    credit.done();
}

// --- beyond the book ----------------------------------------------------------------------------

void expect_announced(Testbed& testbed) {
    const auto module = read_file(testbed.module());
    for (const auto& id : {std::string("10c9"), testbed.param("second_device")}) {
        std::string upper;
        for (const char c : id) upper += static_cast<char>(std::toupper(c));
        const std::string alias = fmt::format("alias=pci:v00008086d0000{}sv*sd*bc*sc*i*", upper);
        expect_that(module.find(alias) != std::string::npos, "device ids the module announces",
                    fmt::format("8086:{}", id), "no such entry in the id table");
    }
}

/// Whether the driver takes the card when the kernel takes it for another.
void expect_match(Testbed& testbed, Watch& watch, const std::string& ids, bool wanted) {
    watch.identity(ids);
    const auto said = grader::bind(testbed);
    const bool taken = grader::bound(testbed);
    if (taken) grader::unbind(testbed);
    watch.identity("");
    expect_that(taken == wanted,
                fmt::format("binding to a card whose vendor, device and subsystem are {}", ids),
                wanted ? "bound" : "No such device", taken ? "bound" : said);
}

void expect_matches(Testbed& testbed) {
    const auto second = testbed.param("second_device");
    grader::unbind(testbed);
    {
        Watch watch(testbed, {});
        for (const auto& id : {std::string("10c9"), second})
            for (const char* subsystem : {"0000", "a04c"})
                expect_match(testbed, watch, fmt::format("8086 {} {}", id, subsystem), true);
        const auto number = std::stoul(second, nullptr, 16);
        std::vector<std::string> others = {"8086 10c8",
                                           "8086 10ca",
                                           "8086 1533",
                                           "8087 10c9",
                                           "8087 " + second,
                                           fmt::format("8086 {:04x}", number - 1),
                                           fmt::format("8086 {:04x}", number + 1)};
        for (const char* id : {"10e6", "10e7", "10e8", "150a", "150d", "1518", "1526"})
            others.push_back(std::string("8086 ") + id);
        for (const auto& ids : others)
            if (ids != fmt::format("8086 {:04x}", number) && ids != "8086 10c9")
                expect_match(testbed, watch, ids + " 0000", false);
    }
    grader::bind(testbed);
    expect_bound(testbed, "that is itself again");
}

void check_ids(Testbed& testbed) {
    expect_announced(testbed);
    try {
        expect_matches(testbed);
    } catch (const grader::Failure&) {
        if (!grader::bound(testbed)) grader::bind(testbed);
        throw;
    }
}

std::string nvm_image(const Testbed& testbed) {
    std::string image;
    for (unsigned number = 0; number < nvm_words; ++number) {
        const auto word = testbed.nvm_word(number);
        image += static_cast<char>(word & 0xffU);
        image += static_cast<char>(word >> 8U);
    }
    return image;
}

/// From each byte on, a few bytes, all that is left, and more than that.
void expect_any_part(Testbed& testbed, const std::string& file, const std::string& image) {
    std::vector<std::string> actions;
    std::vector<std::pair<std::size_t, std::size_t>> wanted;
    for (std::size_t offset = 0; offset <= image.size(); ++offset) {
        const auto left = image.size() - offset;
        const std::array<std::size_t, 6> lengths{1, 2, 3, left, left + 1, image.size()};
        wanted.emplace_back(offset, lengths.at(offset % lengths.size()));
    }
    for (const std::size_t offset : {std::size_t{0}, std::size_t{1}, image.size() - 1})
        wanted.emplace_back(offset, 4096);
    actions.reserve(actions.size() + wanted.size());
    for (const auto& [offset, length] : wanted)
        actions.push_back(fmt::format("r:{}:{}", offset, length));
    const auto done = grader::file_io(testbed, file, "", actions);
    for (std::size_t i = 0; i < done.size(); ++i) {
        const auto [offset, length] = wanted[i];
        expect_bytes(fmt::format("{} bytes of the NVM's file from byte {} on", length, offset),
                     image.substr(offset, length), done[i].bytes);
        expect_equal(fmt::format("error of that read, {} bytes from byte {} on", length, offset), 0,
                     done[i].error);
    }
}

const char* const nvm_read = "igbook:igbook_nvm_read";

/// Nobody can be kept out, and no error told, by one who reads the NVM in his own way.
void expect_not_read_otherwise(Testbed& testbed, std::size_t mark) {
    const auto writes = grader::writes_since(testbed, mark);
    expect_equal("words of the NVM that were asked for (EERD) without igbook_nvm_read()", 0L,
                 std::count_if(writes.begin(), writes.end(),
                               [](const auto& write) { return write.offset == EERD; }));
}

/// One reader stands in the middle of the NVM while another comes.
/// @param other  the other; it, too, says what it read
void expect_one_at_a_time(Testbed& testbed, Watch& watch, const std::string& file,
                          const std::string& image, const std::vector<std::string>& other) {
    const auto mark = testbed.writes().size();
    watch.hold(nvm_read);
    grader::Beside first(testbed, "first", {"cat", file});
    first.wait_stuck();
    grader::Beside second(testbed, "second", other);
    second.wait_stuck();
    const auto inside = watch.held();
    watch.release();
    first.wait_end();
    second.wait_end();
    const auto both = fmt::format("cat and {} at once", other.front());
    expect_that(inside <= 1, "callers of igbook_nvm_read(), " + both, "one, the other waits",
                fmt::format("{}", inside));
    if (inside == 0) expect_not_read_otherwise(testbed, mark);
    expect_bytes("what the first got, " + both, image, first.output());
    expect_bytes("what the second got, " + both, image, second.output());
}

void expect_error_told(Testbed& testbed, Watch& watch, const std::string& file,
                       const std::string& image) {
    constexpr int no_answer = 110;
    const auto mark = testbed.writes().size();
    watch.answer({nvm_read, -no_answer});
    const auto done = grader::file_io(testbed, file, "", {"r:0:128", "r:0:128"});
    // None is asked when the driver remembers what it read in probe.
    const bool asked = watch.answered() != 0;
    watch.answer_none();
    if (asked) {
        expect_equal("a read of the NVM's file when igbook_nvm_read() fails: result and errno",
                     fmt::format("-1, {}", no_answer),
                     fmt::format("{}, {}", done[0].result, done[0].error));
    } else {
        expect_not_read_otherwise(testbed, mark);
    }
    expect_bytes("the NVM's file after that", image, done[1].bytes);
}

void check_nvm(Testbed& testbed) {
    const auto name = testbed.param("nvm_file");
    const std::string file = sysfs(testbed) + "/" + name;
    const auto image = nvm_image(testbed);
    Credit credit;
    credit.part(6, [&] {
        expect_equal("mode and size of " + file, std::string("444 128"),
                     testbed.must_run({"stat", "-c", "%a %s", file}));
        expect_bytes(name + ", against the NVM read from outside the guest", image,
                     testbed.bytes(file));
    });
    credit.part(4, [&] { expect_any_part(testbed, file, image); });
    Watch watch(testbed, {nvm_read});
    credit.part(3, [&] {
        expect_one_at_a_time(testbed, watch, file, image, {"cat", file});
        expect_one_at_a_time(testbed, watch, file, image,
                             {"ethtool", "-e", interface(testbed), "raw", "on"});
    });
    credit.part(2, [&] { expect_error_told(testbed, watch, file, image); });
    credit.done();
}

// --- going, and going wrong ---------------------------------------------------------------------

// What takes something of the card, and what gives it back. A driver may use others, which give
// back by themselves; the state afterwards is looked at in any case.
struct Pair {
    const char* takes;
    const char* gives;
};
constexpr std::array pairs{Pair{"pci_enable_device_mem", "pci_disable_device"},
                           Pair{"pci_enable_device", "pci_disable_device"},
                           Pair{"pci_request_selected_regions", "pci_release_selected_regions"},
                           Pair{"pci_request_regions", "pci_release_regions"},
                           Pair{"pci_request_region", "pci_release_region"},
                           Pair{"pci_ioremap_bar", "iounmap"},
                           Pair{"ioremap", "iounmap"},
                           Pair{"pci_iomap", "pci_iounmap"},
                           Pair{"register_netdev", "unregister_netdev"}};

std::vector<std::string> givers() {
    std::vector<std::string> names;
    for (const auto& pair : pairs)
        if (std::find(names.begin(), names.end(), pair.gives) == names.end())
            names.emplace_back(pair.gives);
    return names;
}

/// What probe took and kept, in order, by the name of what gives it back.
std::vector<std::string> taken(const std::vector<grader::Call>& calls) {
    std::vector<std::string> result;
    for (const auto& call : calls)
        for (const auto& pair : pairs)
            if (call.name == pair.takes) result.emplace_back(pair.gives);
    return result;
}

/// Of those, the ones given back by a call of the driver's, in the order of the calls.
std::vector<std::string> given_back(const std::vector<grader::Call>& calls) {
    std::vector<std::string> result;
    const auto names = givers();
    for (const auto& call : calls)
        if (std::find(names.begin(), names.end(), call.name) != names.end())
            result.push_back(call.name);
    return result;
}

/// Calls that give back come in the reverse order of those that took.
void expect_reverse(const std::string& when, std::vector<std::string> took,
                    const std::vector<std::string>& gave) {
    std::vector<std::string> wanted;
    std::reverse(took.begin(), took.end());
    for (const auto& one : took)
        if (std::find(gave.begin(), gave.end(), one) != gave.end()) wanted.push_back(one);
    expect_equal("calls that give back " + when, fmt::format("{}", fmt::join(wanted, ", ")),
                 fmt::format("{}", fmt::join(gave, ", ")));
}

void expect_nothing_taken(Testbed& testbed, const std::string& when) {
    expect_equal("what is still taken of the card " + when +
                     " (/proc/iomem, /proc/vmallocinfo, its enable count)",
                 std::string(), grader::still_taken(testbed));
    const auto file = sysfs(testbed) + "/" + testbed.param("nvm_file");
    expect_equal(file + " " + when, std::string(), testbed.bytes(file));
    const auto devices = testbed.text("/proc/net/dev");
    expect_that(devices.find("eth") == std::string::npos, "interfaces " + when + " (/proc/net/dev)",
                "none of the card's", "one");
}

/// Whoever reads the NVM's file when the registers are no longer mapped finds no file.
void expect_file_gone_in_time(Testbed& testbed) {
    const auto file = sysfs(testbed) + "/" + testbed.param("nvm_file");
    for (const char* unmaps : {"iounmap", "pci_iounmap"}) {
        Watch watch(testbed, {unmaps});
        watch.hold(unmaps);
        grader::Beside unbinding(
            testbed, "unbind",
            {"sh", "-c",
             fmt::format("echo {} >/sys/bus/pci/drivers/igbook/unbind", testbed.pci_address())});
        testbed.soon([&] { return watch.held() != 0 || unbinding.ended(); });
        const bool there = watch.held() != 0 && testbed.run({"stat", "-c", "%s", file}).status == 0;
        watch.release();
        unbinding.wait_end();
        grader::bind(testbed);
        expect_that(!there, file + fmt::format(" when {}() is called", unmaps), "gone",
                    "still there");
    }
}

/// The interface does not go up, since the PHY does not answer, or what starts the link fails.
void expect_in_charge_when_not_opened(Testbed& testbed, const std::string& eth) {
    for (const char* name : {"igbook:igbook_phy_restart_autoneg", "igbook:igbook_link_start"}) {
        Watch watch(testbed, {name});
        watch.answer({name, -ETIMEDOUT});
        testbed.run({"ip", "link", "set", "dev", eth, "up"});
        const bool failed = watch.answered() != 0;
        watch.answer_none();
        if (failed) expect_in_charge(testbed, "when the interface could not go up");
        testbed.must_run({"ip", "link", "set", "dev", eth, "down"});
    }
}

void check_unload(Testbed& testbed) {
    const auto eth = interface(testbed);
    testbed.must_run({"ip", "link", "set", "dev", eth, "down"});
    expect_in_charge_when_not_opened(testbed, eth);
    // The first and the last are there to be unloaded in; each change may reset the card.
    for (const char* way : {"up", "down", "up"}) {
        testbed.must_run({"ip", "link", "set", "dev", eth, way});
        expect_in_charge(testbed, fmt::format("when the interface has gone {}", way));
    }
    testbed.must_run({"rmmod", "igbook"});
    const auto mark = testbed.writes().size();
    grader::expect_released(testbed, "after rmmod");
    expect_nothing_taken(testbed, "after rmmod");
    grader::outwait_watchdog(testbed);
    grader::expect_no_write(testbed, mark, "after rmmod");
    load(testbed);
    expect_bound(testbed, "after loading again");
    expect_file_gone_in_time(testbed);
}

/// Binds again and again, the Nth allocation in probe failing, until none is left to fail. Only
/// allocations with the module among the nine innermost frames of their stack count: probe's own
/// and what it calls directly, not all that registering a device comes to. A probe that fails
/// without the failing allocation having been reached still misses what an earlier one kept. One
/// line for each N: N, what bind returned, whether the driver is bound.
constexpr const char* unwind_script = R"(
d=/sys/kernel/debug/failslab
s=/sys/module/igbook/sections
# From the beginning of the module's code on: probe calls everything that counts here.
cat $s/.text > $d/require-start
echo 0xffffffffffffffff > $d/require-end
echo N > $d/ignore-gfp-wait
echo 0 > $d/verbose
read depth < $d/stacktrace-depth
echo 9 > $d/stacktrace-depth
exec 3> /sys/bus/pci/drivers/igbook/bind
n=0
while :; do
    n=$((n + 1))
    echo $n > /proc/self/fail-nth
    echo $ADDRESS >&3
    status=$?
    read left < /proc/self/fail-nth
    echo 0 > /proc/self/fail-nth
    bound=no
    [ -e $DEVICE/driver ] && bound=yes
    echo $n $status $bound
    [ $bound = yes ] && echo $ADDRESS > /sys/bus/pci/drivers/igbook/unbind
    [ "$left" != 0 ] && break
    [ $n -ge 60 ] && break
done 2>/dev/null
if [ ! -e $DEVICE/driver ]; then
    echo $ADDRESS >&3
    status=$?
    bound=no
    [ -e $DEVICE/driver ] && bound=yes
    echo last $status $bound
    [ $bound = yes ] && echo $ADDRESS > /sys/bus/pci/drivers/igbook/unbind
fi 2>/dev/null
exec 3>&-
echo 0 > $d/require-start
echo $depth > $d/stacktrace-depth
)";

/// A step of probe that can fail, and what it says then.
struct Step {
    const char* call;
    long value;
};
constexpr std::array steps{Step{"pci_enable_device_mem", -6},
                           Step{"pci_enable_device", -6},
                           Step{"pcim_enable_device", -6},
                           Step{"pci_request_selected_regions", -16},
                           Step{"pci_request_regions", -16},
                           Step{"pci_request_region", -16},
                           Step{"pcim_request_region", -16},
                           Step{"pcim_iomap_regions", -16},
                           Step{"pcim_request_all_regions", -16},
                           Step{"alloc_etherdev_mqs", 0},
                           Step{"devm_alloc_etherdev_mqs", 0},
                           Step{"pci_ioremap_bar", 0},
                           Step{"ioremap", 0},
                           Step{"pci_iomap", 0},
                           Step{"pcim_iomap", 0},
                           Step{"devm_ioremap", 0},
                           Step{"igbook:igbook_nvm_validate", -5},
                           Step{"igbook:igbook_phy_identify", -110},
                           Step{"register_netdev", -17},
                           Step{"devm_register_netdev", -17}};

std::string says(int error) {
    std::string text = std::strerror(error);
    return text;
}

/// One call of probe's fails: nothing is kept, what is given back goes in reverse, and who bound
/// hears of that error.
void expect_step_unwound(Testbed& testbed, Watch& watch, const Step& step, unsigned skip) {
    const std::string name = step.call;
    const auto when = fmt::format("after {}() failed in probe", name.substr(name.find(':') + 1));
    watch.forget();
    watch.answer({name, step.value, skip});
    const auto said = grader::bind(testbed);
    watch.answer_none();
    const bool taken_over = grader::bound(testbed);
    if (taken_over) grader::unbind(testbed);
    expect_that(!taken_over, "driver " + when, "not bound", "bound");
    // A call that gives a pointer does not say why there is none.
    const auto wanted = step.value != 0 ? says(static_cast<int>(-step.value)) : said;
    expect_that(said == wanted && !said.empty(), "what binding says " + when, wanted, said);
    expect_nothing_taken(testbed, when);
    grader::expect_released(testbed, when);
    const auto calls = watch.log();
    auto took = taken(calls);
    // The call that failed took nothing.
    if (!took.empty() && !calls.empty()) {
        for (const auto& pair : pairs)
            if (name == pair.takes) {
                const auto last = std::find(took.rbegin(), took.rend(), pair.gives);
                if (last != took.rend()) took.erase(std::next(last).base());
                break;
            }
    }
    expect_reverse(when, took, given_back(calls));
}

void expect_steps_unwound(Testbed& testbed) {
    std::vector<std::string> names = givers();
    for (const auto& step : steps) names.emplace_back(step.call);
    Watch watch(testbed, names);
    expect_equal("binding the driver", std::string(), grader::bind(testbed));
    const auto probe = watch.log();
    const auto took = taken(probe);
    watch.forget();
    grader::unbind(testbed);
    expect_reverse("when the driver is unbound", took, given_back(watch.log()));
    expect_nothing_taken(testbed, "after unbind");
    grader::expect_released(testbed, "after unbind");
    for (const auto& step : steps) {
        const auto times = std::count_if(probe.begin(), probe.end(), [&](const grader::Call& call) {
            return call.name == step.call;
        });
        for (unsigned skip = 0; skip < times; ++skip)
            expect_step_unwound(testbed, watch, step, skip);
    }
    expect_equal("binding after each step of probe failed once", std::string(),
                 grader::bind(testbed));
    grader::unbind(testbed);
}

void expect_allocations_unwound(Testbed& testbed) {
    const auto lines = testbed.must("failing allocations one by one",
                                    fmt::format("ADDRESS={} DEVICE={}\n{}", testbed.pci_address(),
                                                sysfs(testbed), unwind_script),
                                    Seconds(60));
    const auto last = lines.substr(lines.rfind('\n') + 1);
    const auto failed = std::count(lines.begin(), lines.end(), '\n');
    expect_that(failed >= 3, "allocations of probe that were made to fail", "several",
                fmt::format("{}; does probe allocate at all?", failed));
    expect_that(last.ends_with(" yes"),
                fmt::format("binding after {} failed attempts, each by another allocation", failed),
                "the driver binds as if nothing had happened",
                fmt::format("attempt, status, bound: {}", last));
    expect_nothing_taken(testbed, "after unbind");
}

void check_unwind(Testbed& testbed) {
    grader::unbind(testbed);
    Credit credit;
    credit.part(8, [&] { expect_steps_unwound(testbed); });
    credit.part(7, [&] { expect_allocations_unwound(testbed); });
    credit.done();
}

void check_leaks(Testbed& testbed) {
    testbed.must_run({"rmmod", "igbook"});
    grader::expect_nothing_lost(testbed, "all that failed");
}

void add_what_the_skeleton_does(grader::Scenario& lab) {
    CHECK_POINTS(5, "the module loads and takes charge of the card")
        .id("loads")
        .hint(
            "After a good probe DRV_LOAD is set and the reset's loss of SLU made up for. What did "
            "the kernel log say?")
        .book("cov-c3")
        .run(check_loads);
    CHECK_POINTS(5, "ethtool -i names the driver and the card's place on the bus")
        .id("identity")
        .after("loads")
        .hint("ethtool_ops.get_drvinfo, and SET_NETDEV_DEV before register_netdev().")
        .book("cov-c4")
        .run(check_identity);
    CHECK_POINTS(5, "ethtool -d shows what the registers hold")
        .id("registers")
        .after("loads")
        .hint("get_regs_len says how many bytes get_regs fills; keep the order of the book.")
        .book("cov-c4")
        .run(check_registers);
}

void add_the_tasks(grader::Scenario& lab) {
    CHECK_POINTS(12, "the interface has the card's own address, also as the permanent one")
        .id("mac")
        .after("loads")
        .hint(
            "After a reset the card has copied the address from its NVM into RAL0 and RAH0, first "
            "byte lowest. eth_hw_addr_set() sets the current one; register_netdev() makes it the "
            "permanent one, unless it is marked as random.")
        .book("cov-c9")
        .run(check_mac);
    CHECK_POINTS(5, "a new address reaches the card's first receive address register")
        .id("filter")
        .after("mac")
        .hint("RAH holds two bytes of the address and AV; write AV last.")
        .book("cov-c9")
        .run(check_filter);
    CHECK_POINTS(15, "the carrier follows the cable, out and in")
        .id("carrier")
        .after("loads")
        .hint("BMSR's link bit latches low: read it twice. STATUS.LU must agree.")
        .book("cov-c8")
        .run(check_carrier);
    CHECK_POINTS(15, "sysfs shows the NVM's 64 words, from any byte on, to several readers")
        .id("nvm")
        .after("loads")
        .hint(
            "A struct bin_attribute with a size; memory_read_from_buffer() cuts out the part. EERD "
            "is one register for all readers: which lock do the others hold?")
        .book("cov-c4")
        .run(check_nvm);
}

void add_the_end(grader::Scenario& lab) {
    CHECK_POINTS(10, "unloading with the interface up leaves nothing, loading works again")
        .id("unload")
        .after("loads")
        .hint(
            "remove is probe read backwards. Who still runs when the interface is gone? What is "
            "still claimed in /proc/iomem?")
        .book("cov-c6")
        .run(check_unload);
    CHECK_POINTS(3, "a card that has no address gets a random one")
        .id("random")
        .after("unload")
        .hint("AV in RAH0 says whether there is one, is_valid_ether_addr() whether it is one.")
        .book("cov-c9")
        .run(check_random);
    CHECK_POINTS(5, "the driver also stands up for @second_name@, 8086:@second_device@")
        .id("ids")
        .after("unload")
        .hint(
            "The kernel compares a card's ids with the entries of the id table; "
            "MODULE_DEVICE_TABLE "
            "makes an alias of each, see modinfo.")
        .book("cov-c2")
        .run(check_ids);
    CHECK_POINTS(15, "whichever step of probe fails, the next probe finds all free")
        .id("unwind")
        .after("unload")
        .hint(
            "Each label gives back one thing, in the reverse order of taking. A step that fails "
            "jumps to the label of the step before it.")
        .book("cov-c6")
        .run(check_unwind);
    CHECK_POINTS(5, "no memory is lost, however probe ended")
        .id("leaks")
        .after("unload")
        .hint("alloc_etherdev_mq() is undone by free_netdev(), on every way out.")
        .book("cov-c6")
        .run(check_leaks);
}

}  // namespace

grader::Scenario registration() {
    grader::Scenario lab("01-registration");
    add_what_the_skeleton_does(lab);
    add_the_tasks(lab);
    add_the_end(lab);
    return lab;
}

}  // namespace fwts::labs
