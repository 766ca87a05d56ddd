// SPDX-License-Identifier: GPL-2.0
/// @file
/// Stage 09, the card's clock and the stamps it takes: a program in the guest asks for them
/// (qemu/probes/stamp.cc); registers and descriptors are read from outside. The emulated card
/// stamps PTP frames on Ethernet and of those only Sync messages; it jumps when TIMINCA is written.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <sstream>

#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Frame;
using sandbox::Guest;
using testing::AllOf;
using testing::ElementsAre;
using testing::Gt;
using testing::HasSubstr;
using testing::Lt;

using Lines = std::vector<std::string>;

constexpr std::uint16_t kPtp = 0x88f7;
constexpr std::uint32_t kTimincaReg = 0x0b608;
constexpr std::uint32_t kTsynctxctl = 0x0b614;
constexpr std::uint32_t kTsyncrxctl = 0x0b620;
constexpr std::uint32_t kEtqf7 = 0x05cb0 + 4 * 7;
constexpr std::uint64_t kStamp = 1U << 19;  // in a data descriptor's command word: 1588
const std::string kReset = std::string("/sys/bus/pci/devices/") + kDevice + "/reset";

Lines lines(const std::string& text) {
    std::istringstream stream(text);
    Lines all;
    for (std::string line; std::getline(stream, line);) all.push_back(line);
    return all;
}

/// Runs the probe. @return its lines, one for each action.
Lines stamp(Guest& guest, const std::string& actions) {
    return lines(guest.must("stamp eth0 /dev/ptp0 " + actions));
}

/// The numbers of a line: of a frame its own, the software stamp and the hardware stamp.
std::vector<std::int64_t> numbers(const std::string& line) {
    std::istringstream stream(line);
    std::vector<std::int64_t> all;
    for (std::int64_t each = 0; stream >> each;) all.push_back(each);
    return all;
}

std::int64_t number(const std::string& line) {
    return std::atoll(line.c_str());
}

Guest ready_guest() {
    sandbox::Options options = strict("09");
    options.record_registers = true;
    options.files.push_back({FWTS_STAMP, "/bin/stamp"});
    Guest guest = Guest::boot(options);
    guest.must("dmesg -c");
    silence(guest);
    guest.must(std::string("insmod ") + kDriver + " && ip link set eth0 up");
    // Two frames in a ring that is held are no queue that is stuck.
    guest.put("/sys/class/net/eth0/queues/tx-0/byte_queue_limits/limit_min", "100000");
    EXPECT_TRUE(carrier_becomes(guest, true));
    return guest;
}

// --- the clock ----------------------------------------------------------------------------------

constexpr std::int64_t kMillisecond = 1'000'000;
// Less than any step that the test asks for, and more than a busy host keeps the guest waiting.
constexpr std::int64_t kNoJump = 2'500 * kMillisecond;

/// It begins with the system's time; then it is what it is told to be.
void check_time(Guest& guest) {
    EXPECT_EQ(guest.get("/sys/class/ptp/ptp0/clock_name"), "igbook port 0\n");
    const Lines around = stamp(guest, "around");
    ASSERT_EQ(numbers(around[0]).size(), 2U);
    for (const std::int64_t each : numbers(around[0]))
        EXPECT_LT(std::abs(each), 1000 * kMillisecond) << "the system's time at first";
    const Lines got = stamp(guest,
                            "set:5000000000 get shift:3000000000 get shift:-7999000000 get around "
                            "cross");
    ASSERT_EQ(got.size(), 8U);
    EXPECT_THAT(number(got[1]) - 5'000 * kMillisecond, AllOf(Gt(0), Lt(kNoJump)));
    EXPECT_THAT(number(got[3]) - number(got[1]) - 3'000 * kMillisecond, AllOf(Gt(0), Lt(kNoJump)));
    EXPECT_THAT(number(got[5]), AllOf(Gt(0), Lt(2 * kNoJump)));
    const auto apart = numbers(got[6]);
    EXPECT_THAT(apart[0] + apart[1], AllOf(Gt(0), Lt(kNoJump)))
        << "the system's time was noted just before and just after";
    EXPECT_EQ(got[7], "errno 95") << "no moment is the same for both clocks";
}

/// The rate, against a clock that nobody adjusts; and no jump where the card jumps.
void check_rate(Guest& guest) {
    const Lines got = stamp(guest,
                            "pace:300 get rate:50000000 get pace:300 rate:-20000000 get pace:300 "
                            "rate:150000000 rate:100000");
    ASSERT_EQ(got.size(), 10U);
    constexpr std::int64_t kTolerance = 2'000'000;  // 0.2 %: guests are kept waiting
    EXPECT_LT(std::abs(number(got[0])), kTolerance);
    EXPECT_LT(std::abs(number(got[4]) - 50'000'000), kTolerance);
    EXPECT_LT(std::abs(number(got[7]) + 20'000'000), kTolerance);
    EXPECT_THAT(number(got[3]) - number(got[1]), AllOf(Gt(0), Lt(kNoJump)));
    EXPECT_THAT(number(got[6]) - number(got[3]), AllOf(Gt(0), Lt(kNoJump)));
    EXPECT_EQ(got[8], "errno 34") << "a rate that no crystal has";
    // 16 ns in parts of 2^-19 ns, and 10^-4 of it more; every 16 ns.
    EXPECT_EQ(guest.read_register(kTimincaReg), 1U << 24 | (8388608U + 838U));
}

/// Of ten looks the one that took least.
std::int64_t clock_less_system(Guest& guest) {
    std::string looks;
    for (int i = 0; i < 10; ++i) looks += "around ";
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    std::int64_t difference = 0;
    for (const auto& line : stamp(guest, looks)) {
        const auto apart = numbers(line);
        if (apart[0] + apart[1] >= least) continue;
        least = apart[0] + apart[1];
        difference = (apart[0] - apart[1]) / 2;
    }
    return difference;
}

/// Nothing that makes the card forget makes the clock forget.
void check_continuity(Guest& guest) {
    stamp(guest, "set:7000000000");
    const std::int64_t before = clock_less_system(guest);
    const auto goes_on = [&](const std::string& after) {
        EXPECT_LT(std::abs(clock_less_system(guest) - before), 50 * kMillisecond) << after;
        EXPECT_EQ(guest.read_register(kTimincaReg), 1U << 24 | (8388608U + 838U)) << after;
        EXPECT_EQ(guest.read_register(kTsyncrxctl), 0x1aU) << after;
    };
    guest.must("ip link set eth0 down && ip link set eth0 up");
    goes_on("down and up");
    guest.put(kReset, "1");
    goes_on("a reset of the function");
    guest.must(
        "echo 0 >/sys/module/suspend/parameters/pm_test_delay && "
        "echo devices >/sys/power/pm_test && echo mem >/sys/power/state",
        {.limit = 120s});
    goes_on("sleep");
    ASSERT_TRUE(carrier_becomes(guest, true));
}

// --- what is stamped ----------------------------------------------------------------------------

void check_filter(Guest& guest) {
    EXPECT_THAT(guest.must("ethtool -T eth0"),
                AllOf(HasSubstr("hardware-transmit"), HasSubstr("software-transmit"),
                      HasSubstr("hardware-receive"), HasSubstr("hardware-raw-clock"),
                      HasSubstr("Hardware Clock: 0"), HasSubstr("ptpv2-event")));
    // HWTSTAMP_FILTER_ALL is 1, V1_L4_SYNC 4, V2_L4_EVENT 6, V2_SYNC 13, V2_EVENT 12, NTP_ALL 15.
    EXPECT_THAT(stamp(guest,
                      "filter filter:0:1 filter:0:4 filter:0:15 filter:2:0 filter filter:1:6 "
                      "filter:1:13 filter:1:12 filter"),
                ElementsAre("0 0", "errno 34", "errno 34", "errno 34", "errno 34", "0 0", "1 12",
                            "1 12", "1 12", "1 12"));
    EXPECT_EQ(guest.read_register(kTsynctxctl), 0x10U);
    EXPECT_EQ(guest.read_register(kTsyncrxctl), 0x10U | 5U << 1) << "EN, events of version 2";
    EXPECT_EQ(guest.read_register(kEtqf7), 1U << 30 | 1U << 26 | kPtp);
    // What the emulated card has no register for: UDP, and port 319 in network order.
    const auto written = guest.registers();
    EXPECT_EQ(written.last("FTQF(7)"), 0xe0000000U | 1U << 27 | 1U << 15 | 17U);
    EXPECT_EQ(written.last("IMIR(7)"), 0x3f01U);
    EXPECT_EQ(written.last("IMIREXT(7)"), 1U << 19 | 1U << 12);
    expect_silent_log(guest, "igbook");
}

/// A Sync message on Ethernet.
Frame sync(std::uint16_t id, const sandbox::Mac& to = {0x01, 0x1b, 0x19, 0, 0, 0}) {
    Frame message(44);
    message[1] = 2;
    message[3] = 44;
    message[30] = static_cast<std::uint8_t>(id >> 8);
    message[31] = static_cast<std::uint8_t>(id);
    return sandbox::ethernet(to, sandbox::kHostMac, kPtp, message);
}

/// @return the numbers of the frame as the guest's program got it.
std::vector<std::int64_t> receive(Guest& guest, std::uint16_t id) {
    guest.must("rm -f /tmp/got");
    guest.start({"sh", "-c", "stamp eth0 /dev/ptp0 get receive:20000 get >/tmp/got"});
    EXPECT_TRUE(eventually([&] { return !content(guest, "/tmp/got").empty(); }));
    guest.cable().send(sync(id));
    EXPECT_TRUE(eventually([&] { return lines(content(guest, "/tmp/got")).size() == 3; }));
    const Lines got = lines(content(guest, "/tmp/got"));
    auto frame = numbers(got.at(1));
    EXPECT_EQ(frame.at(0), id);
    const bool between = frame.at(2) > number(got[0]) && frame.at(2) < number(got[2]);
    EXPECT_TRUE(frame[2] == 0 || between) << got[1];
    return frame;
}

/// One stamp is kept until it is read. That of a frame that came to nobody is thrown away.
void check_receive(Guest& guest) {
    guest.must("ip maddress add 01:1b:19:00:00:00 dev eth0");
    for (const std::uint16_t id : {1, 2}) EXPECT_GT(receive(guest, id)[2], 0) << id;
    EXPECT_EQ(counter(guest, "rx_stamps_unread"), 0U);
    // The emulated card stamps before it looks at the address.
    guest.cable().send(sync(3, {2, 2, 2, 2, 2, 2}));
    EXPECT_TRUE(eventually([&] {
        return (guest.read_register(kTsyncrxctl) & 1) != 0 ||
               counter(guest, "rx_stamps_unread") == 1;
    }));
    // None, or its own if the driver's watchdog has been there meanwhile; receive() knows
    // another's.
    receive(guest, 4);
    EXPECT_TRUE(eventually([&] { return counter(guest, "rx_stamps_unread") == 1; }));
    EXPECT_GT(receive(guest, 5)[2], 0);
    stamp(guest, "filter:1:0");
    EXPECT_EQ(receive(guest, 6)[2], 0);
    stamp(guest, "filter:1:12");
}

// --- stamps of what is sent ---------------------------------------------------------------------

/// @return the command words of the descriptors that wait in queue 0.
std::vector<std::uint64_t> waiting(Guest& guest, std::uint32_t from) {
    const std::uint32_t tail = guest.read_register(kTdt0);
    const std::uint64_t base =
        guest.read_register(kTdbal0) | std::uint64_t{guest.read_register(kTdbah0)} << 32;
    std::vector<std::uint64_t> words;
    for (std::uint32_t i = from; i != tail; i = (i + 1) % (guest.read_register(kTdlen0) / 16)) {
        const std::string bytes = guest.memory(base + std::uint64_t{i} * 16, 16);
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data() + 8, sizeof word);
        words.push_back(word);
    }
    return words;
}

void check_transmit(Guest& guest) {
    const Lines got = stamp(guest,
                            "get send:1:hw sent:5000 get send:2:hw+sw sent:5000 sent:300 "
                            "send:3:both sent:5000 sent:5000 send:4:sw sent:5000");
    ASSERT_EQ(got.size(), 12U);
    const auto only = numbers(got[2]);
    EXPECT_THAT(only, ElementsAre(1, 0, AllOf(Gt(number(got[0])), Lt(number(got[3])))));
    EXPECT_THAT(numbers(got[5]), ElementsAre(2, 0, Gt(only[2])));
    EXPECT_EQ(got[6], "none") << "the software stamp makes way for the better one";
    EXPECT_THAT(numbers(got[8]), ElementsAre(3, Gt(0), 0));
    EXPECT_THAT(numbers(got[9]), ElementsAre(3, 0, Gt(0)));
    EXPECT_THAT(numbers(got[11]), ElementsAre(4, Gt(0), 0));
    for (int id = 1; id <= 4; id++) {
        const auto frame = guest.cable().receive(5s);
        ASSERT_TRUE(frame);
        EXPECT_EQ(frame->size(), 60U) << "padded";
        EXPECT_EQ((*frame)[14 + 31], id);
    }
}

/// One frame at a time, and as long as it is in the ring, however long that is.
void check_one_at_a_time(Guest& guest) {
    hold(guest);
    const std::uint32_t from = guest.read_register(kTdt0);
    guest.start({"sh", "-c", "stamp eth0 /dev/ptp0 send:5:hw send:6:hw sent:20000 >/tmp/sent"});
    EXPECT_TRUE(eventually([&] { return counter(guest, "tx_stamps_skipped") == 1; }));
    const auto words = waiting(guest, from);
    ASSERT_EQ(words.size(), 2U);
    EXPECT_EQ(words[0] & kStamp, kStamp);
    EXPECT_EQ(words[1] & kStamp, 0U);
    // Longer than the patience with a frame that is out.
    const std::int64_t then = number(stamp(guest, "get")[0]);
    EXPECT_TRUE(
        eventually([&] { return number(stamp(guest, "get")[0]) > then + 1500 * kMillisecond; }));
    let_go(guest);
    EXPECT_TRUE(eventually([&] { return lines(content(guest, "/tmp/sent")).size() == 3; }));
    EXPECT_THAT(numbers(lines(content(guest, "/tmp/sent")).at(2)),
                ElementsAre(5, 0, Gt(then + 1500 * kMillisecond)));
    EXPECT_EQ(counter(guest, "tx_stamps_lost"), 0U);
}

/// A stamp that never comes is waited for in vain, and then the next frame has its turn.
void check_lost(Guest& guest) {
    hold(guest);
    stamp(guest, "send:7:hw filter:0:12");  // the card stamps no more
    let_go(guest);
    EXPECT_TRUE(eventually([&] { return counter(guest, "tx_stamps_lost") == 1; }));
    hold(guest);
    stamp(guest, "filter:1:12 send:8:hw");
    guest.must("ip link set eth0 down && ip link set eth0 up");
    ASSERT_TRUE(carrier_becomes(guest, true));
    EXPECT_EQ(counter(guest, "tx_stamps_lost"), 2U) << "it was never sent";
    EXPECT_THAT(numbers(stamp(guest, "send:9:hw sent:5000").at(1)), ElementsAre(9, 0, Gt(0)));
    EXPECT_EQ(counter(guest, "tx_stamps_skipped"), 1U);
}

/// A frame that cannot be mapped is dropped, and the one after it has its turn at once.
void check_dropped(Guest& guest) {
    guest.must(std::string("insmod ") + kFailcall + " symbol=dma_map_page_attrs value=-1");
    const Lines got = stamp(guest, "send:10:hw:600 send:11:hw:600 sent:5000");
    EXPECT_EQ(guest.must("cat /sys/module/failcall/parameters/hits && rmmod failcall"), "1\n");
    EXPECT_THAT(numbers(got.at(2)), ElementsAre(11, 0, Gt(0)));
    EXPECT_EQ(counter(guest, "tx_stamps_skipped"), 1U);
    EXPECT_EQ(counter(guest, "tx_stamps_lost"), 2U);
}

/// A card without a clock is a card.
void check_without_clock(Guest& guest) {
    const std::string driver = "/sys/bus/pci/drivers/igbook/";
    guest.put(driver + "unbind", kDevice);
    guest.must(std::string("insmod ") + kFailcall + " symbol=ptp_clock_register value=-12");
    guest.put(driver + "bind", kDevice);
    EXPECT_EQ(guest.must("cat /sys/module/failcall/parameters/hits && rmmod failcall"), "1\n");
    EXPECT_THAT(guest.must("ethtool -T eth0"),
                AllOf(HasSubstr("software-transmit"), HasSubstr("Hardware Clock: none")));
    EXPECT_EQ(guest.run("mii eth0 stamp").out, "Operation not supported\nok\n");
    guest.must("ip link set eth0 up");
    EXPECT_TRUE(carrier_becomes(guest, true));
}

TEST(Clock, KeepsTimeAndStamps) {
    Guest guest = ready_guest();
    check_time(guest);
    check_filter(guest);
    check_rate(guest);
    check_receive(guest);
    check_transmit(guest);
    check_one_at_a_time(guest);
    check_lost(guest);
    check_dropped(guest);
    check_continuity(guest);
    expect_silent_log(guest);
    check_without_clock(guest);
    guest.must("rmmod igbook");
    expect_no_complaint(guest, "no clock: -12");
    guest.power_off();
}

}  // namespace
}  // namespace fwts::driver
