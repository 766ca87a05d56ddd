// SPDX-License-Identifier: GPL-2.0
/// @file
/// The poll contract, seen from outside: budgets in the kernel's own trace points, frames that
/// arrive in the window between the last look and the unmasking, moderation in the record of the
/// card's registers, TCP with a second guest at the other end of the cable.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <random>
#include <sstream>
#include <thread>

#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Frame;
using sandbox::Guest;
using testing::HasSubstr;

constexpr const char* kWindow = "/modules/window.ko";
constexpr std::uint16_t kNobodyAnswers = 0x88b5;  // EtherType for local experiments
const std::string kNeighbour = "ip neigh replace 192.0.2.1 lladdr 02:00:00:00:00:01 dev eth0";
constexpr std::uint64_t kKeepCounter = sandbox::registers::EITR_CNT_INGR;

std::filesystem::path module_of(const std::string& kernel, const std::string& path) {
    return std::filesystem::path(FWTS_ROOT) / "build/modules" / kernel / path;
}

/// A strict guest with the driver loaded, up, with carrier and without moderation.
Guest ready_guest(int cpus = 1) {
    sandbox::Options options = strict("06");
    options.record_registers = true;
    options.cpus = cpus;
    options.files.push_back({module_of("strict", "in-kernel/window.ko"), kWindow});
    Guest guest = Guest::boot(options);
    guest.must("dmesg -c");
    // A frame of its own, when it is out, would open a window meant for one from the cable.
    silence(guest);
    guest.must(std::string("insmod ") + kDriver +
               " && ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up && " + kNeighbour);
    EXPECT_TRUE(carrier_becomes(guest, true));
    guest.must("ethtool -C eth0 adaptive-rx off rx-usecs 0");
    return guest;
}

/// A frame that no protocol takes, so that nothing is sent because of it.
Frame silent_frame(std::mt19937_64& random) {
    Frame payload(46 + random() % 1400);
    for (auto& byte : payload) byte = static_cast<std::uint8_t>(random());
    return sandbox::ethernet(sandbox::kGuestMac, sandbox::kHostMac, kNobodyAnswers, payload);
}

/// Sends echo requests of many sizes, each when the answer to the last is there.
void check_echo(Guest& guest, std::mt19937_64& random, int count) {
    for (int i = 0; i < count; i++) {
        const std::string text(1 + random() % 1400, static_cast<char>('a' + i % 26));
        guest.cable().send(sandbox::ping(7, static_cast<std::uint16_t>(i), text));
        const auto answer = guest.cable().expect(
            [&](const Frame& frame) {
                return std::search(frame.begin(), frame.end(), text.begin(), text.end()) !=
                       frame.end();
            },
            20s);
        ASSERT_TRUE(answer) << "no answer to echo request " << i << ", " << text.size() << " bytes";
    }
}

/// Holds the poll at @p symbol and sends @p frames into the window. @return whether they all came
/// while it was held.
bool hit_window(Guest& guest, std::mt19937_64& random, const std::string& symbol, int frames) {
    const std::string resources = guest.get("/sys/class/net/eth0/device/resource");
    const std::string bar = resources.substr(0, resources.find(' '));
    const std::size_t from = guest.console().text().size();
    guest.must(std::string("insmod ") + kWindow + " symbol=" + symbol + " bar=" + bar +
               " frames=" + std::to_string(frames));
    guest.cable().send(silent_frame(random));
    EXPECT_TRUE(guest.console().expect("window: open", 30s, from)) << symbol << " never called";
    for (int i = 0; i < frames; i++) guest.cable().send(silent_frame(random));
    const std::string parameters = "/sys/module/window/parameters/";
    std::string arrived;
    EXPECT_TRUE(eventually([&] {
        arrived = guest.get(parameters + "arrived");
        return arrived == std::to_string(frames) + "\n";
    })) << "arrived in the window: "
        << arrived << "head when it opened: " << guest.get(parameters + "head")
        << "looks: " << guest.get(parameters + "looks") << "head now: " << std::hex
        << guest.read_register(kRdh0);
    guest.must("rmmod window");
    return !testing::Test::HasFailure();
}

/// A frame in the window wakes nobody by itself and is followed by nothing: only the cause that
/// the card kept can bring it out.
void check_window(Guest& guest, std::mt19937_64& random) {
    for (const char* symbol : {"napi_complete_done", "igbook_vector_unmask"}) {
        Frames seen(guest, "take", 2);
        ASSERT_TRUE(hit_window(guest, random, symbol, 1));
        EXPECT_TRUE(seen.done()) << "lost in the window before " << symbol;
    }
}

/// 200 frames wait when the poll comes back: three polls of 64, which do not complete, and a rest.
void check_budget(Guest& guest, std::mt19937_64& random) {
    const std::string tracing = "/sys/kernel/tracing/";
    guest.must("mount -t tracefs none /sys/kernel/tracing 2>/dev/null; echo 1 >" + tracing +
               "events/napi/napi_poll/enable && echo >" + tracing + "trace");
    Frames seen(guest, "take", 201);
    ASSERT_TRUE(hit_window(guest, random, "napi_complete_done", 200));
    ASSERT_TRUE(seen.done());
    std::istringstream lines(guest.get(tracing + "trace"));
    int full = 0;
    int total = 0;
    for (std::string line; std::getline(lines, line);) {
        if (line.find("device eth0") == std::string::npos) continue;
        const auto at = line.find(" work ");
        ASSERT_NE(at, std::string::npos) << line;
        const int work = std::stoi(line.substr(at + 6));
        EXPECT_THAT(line, HasSubstr("budget 64"));
        EXPECT_LE(work, 64) << line;
        full += work == 64;
        total += work;
    }
    EXPECT_EQ(full, 3) << "polls that used the whole budget";
    EXPECT_EQ(total, 201);
    guest.put(tracing + "events/napi/napi_poll/enable", "0");
    EXPECT_THAT(guest.get("/proc/net/softnet_stat"), testing::ContainsRegex("^[0-9a-f]+ 00000000 "))
        << "the backlog is not in use, so it drops nothing";
}

/// @return EITR(0)'s interval as last written, in microseconds.
std::uint64_t pause_written(Guest& guest) {
    const auto value = guest.registers().last("EITR(0)");
    EXPECT_TRUE(value);
    EXPECT_EQ(*value & ~std::uint64_t{sandbox::registers::EITR_INTERVAL}, kKeepCounter)
        << "EITR outside of its interval";
    return (*value & sandbox::registers::EITR_INTERVAL) >> 2;
}

void check_moderation(Guest& guest, std::mt19937_64& random) {
    EXPECT_THAT(guest.must("ethtool -c eth0"), shows("rx-usecs", "0"));
    EXPECT_NE(guest.run("ethtool -C eth0 rx-usecs 8192").status, 0) << "13 bits";
    EXPECT_NE(guest.run("ethtool -C eth0 tx-usecs 10").status, 0) << "not ours to set";
    for (const unsigned usecs : {8191U, 50U}) {
        guest.must("ethtool -C eth0 rx-usecs " + std::to_string(usecs));
        check_echo(guest, random, 3);
        EXPECT_EQ(pause_written(guest), usecs);
        EXPECT_THAT(guest.must("ethtool -c eth0"), shows("rx-usecs", std::to_string(usecs)));
    }
    guest.must("ethtool -C eth0 rx-usecs 0");
}

/// The same poll function in a thread, switched on and off while frames come.
void check_threaded(Guest& guest, std::mt19937_64& random) {
    for (int round = 0; round < 4; round++) {
        const char* mode = round % 2 == 0 ? "1" : "0";
        guest.cable().send(silent_frame(random));
        guest.put("/sys/class/net/eth0/threaded", mode);
        check_echo(guest, random, 5);
    }
    EXPECT_THAT(guest.must("ps"), HasSubstr("[napi/eth0-"));
    guest.put("/sys/class/net/eth0/threaded", "1");
    ASSERT_TRUE(hit_window(guest, random, "napi_complete_done", 1));
    check_echo(guest, random, 5);
    guest.put("/sys/class/net/eth0/threaded", "0");
}

std::uint64_t interrupts(Guest& guest) {
    const std::string line = interrupt_line(guest, "eth0-rxtx-0");
    return line.empty() ? 0 : std::stoull(line.substr(line.find(':') + 1));
}

/// While the core's timer polls, the vector stays masked: napi_complete_done() says false.
void check_deferred(Guest& guest, std::mt19937_64& random) {
    guest.put("/sys/class/net/eth0/napi_defer_hard_irqs", "100");
    guest.put("/sys/class/net/eth0/gro_flush_timeout", "5000000");
    check_echo(guest, random, 1);
    const std::uint64_t before = interrupts(guest);
    check_echo(guest, random, 20);
    EXPECT_LT(interrupts(guest) - before, 15U) << "for 20 frames each way";
    guest.put("/sys/class/net/eth0/napi_defer_hard_irqs", "0");
    guest.put("/sys/class/net/eth0/gro_flush_timeout", "0");
}

/// Puts more frames on the cable than a poll takes, and more than the guest has done with when the
/// next command reaches it.
void pour(Guest& guest, std::mt19937_64& random) {
    for (int i = 0; i < 250; i++) guest.cable().try_send(silent_frame(random));
}

/// Down and up, resized and unloaded with frames under way.
void check_down_under_load(Guest& guest, std::mt19937_64& random) {
    for (int i = 0; i < 4; i++) {
        pour(guest, random);
        // Closing forgets the neighbours, too.
        guest.must("ip link set eth0 down; ip link set eth0 up; " + kNeighbour);
        EXPECT_TRUE(carrier_becomes(guest, true));
        pour(guest, random);
        guest.must(i % 2 == 0 ? "ethtool -G eth0 rx 512" : "ethtool -G eth0 rx 64");
        check_echo(guest, random, 1);
    }
    pour(guest, random);
    guest.must("rmmod igbook");
}

TEST(Napi, KeepsTheContract) {
    std::mt19937_64 random = seeded();
    Guest guest = ready_guest();
    check_echo(guest, random, 20);
    check_window(guest, random);
    check_budget(guest, random);
    check_moderation(guest, random);
    check_threaded(guest, random);
    check_deferred(guest, random);
    const sandbox::RegisterLog written = guest.registers();
    for (const auto& write : written.all()) {
        EXPECT_TRUE(write.implemented || sandbox::register_name(write.offset).starts_with("DCA"))
            << "wrote to " << sandbox::register_name(write.offset);
    }
    check_down_under_load(guest, random);
    expect_no_complaint(guest);
    guest.power_off();
}

/// A poll stands between napi_complete_done() and its unmasking while another processor stops the
/// vectors to resize the rings: napi_disable() does not wait for that, so the driver has to.
TEST(Napi, NothingUnmasksAStoppedVector) {
    std::mt19937_64 random = seeded();
    Guest guest = ready_guest(2);
    const std::string resources = guest.get("/sys/class/net/eth0/device/resource");
    guest.must(std::string("insmod ") + kWindow + " symbol=igbook_vector_unmask bar=" +
               resources.substr(0, resources.find(' ')) + " until=igbook_ring_disable");
    for (int i = 0; i < 20; i++) {
        pour(guest, random);
        guest.must(i % 2 == 0 ? "taskset 2 ethtool -G eth0 rx 512"
                              : "taskset 2 ethtool -G eth0 rx 64");
    }
    const std::string parameters = "/sys/module/window/parameters/";
    EXPECT_GT(std::stoi(guest.get(parameters + "looks")), 20) << "polls that were held";
    EXPECT_EQ(guest.get(parameters + "arrived"), "0\n")
        << "rings were exchanged under a poll that had still to unmask";
    guest.must("rmmod window");
    check_echo(guest, random, 5);
    guest.must("rmmod igbook");
    expect_no_complaint(guest);
    guest.power_off();
}

/// With -icount the guest's clock counts its instructions, so the rate of frames that wait in the
/// ring does not depend on the machine this runs on.
TEST(Napi, PausesWhenFramesAreMany) {
    std::mt19937_64 random = seeded();
    sandbox::Options options;
    options.icount = true;
    options.boot_limit = 300s;
    options.record_registers = true;
    options.files = {{module_of("trace", "06-napi/igbook.ko"), kDriver},
                     {module_of("trace", "in-kernel/window.ko"), kWindow}};
    Guest guest = Guest::boot(options);
    silence(guest);
    guest.must(std::string("modprobe dca && insmod ") + kDriver + " && ip link set eth0 up");
    ASSERT_TRUE(carrier_becomes(guest, true));
    EXPECT_THAT(guest.must("ethtool -c eth0"), HasSubstr("Adaptive RX: on"));
    const std::size_t before = guest.registers().all().size();
    ASSERT_TRUE(hit_window(guest, random, "napi_complete_done", 200));
    std::uint64_t longest = 0;
    for (const auto& write : guest.registers().since(before).writes("EITR(0)")) {
        EXPECT_EQ(write.value & ~std::uint64_t{sandbox::registers::EITR_INTERVAL}, kKeepCounter);
        longest = std::max(longest, (write.value & sandbox::registers::EITR_INTERVAL) >> 2);
    }
    std::cout << "longest pause " << longest << " us\n";
    EXPECT_GT(longest, 0U) << "no pause for 200 frames at once";
    EXPECT_LE(longest, 200U);
    EXPECT_TRUE(eventually([&] {
        guest.cable().send(silent_frame(random));
        return pause_written(guest) == 0;
    })) << "the pause stays when frames are rare";
    guest.must("rmmod igbook");
    guest.power_off();
}

/// Carries frames from one guest's cable to another's until told to stop.
class Joint {
  public:
    Joint(Guest& one, Guest& two)
        : there_([&] { carry(one, two); }), back_([&] { carry(two, one); }) {}
    ~Joint() {
        stop_ = true;
        there_.join();
        back_.join();
    }
    Joint(const Joint&) = delete;
    Joint& operator=(const Joint&) = delete;

  private:
    void carry(Guest& from, Guest& to) {
        while (!stop_) {
            const auto frame = from.cable().receive(100ms);
            if (frame && !to.cable().try_send(*frame))
                lost_++;  // as on any cable; TCP sends it again
        }
    }

    std::atomic<bool> stop_ = false;
    std::atomic<unsigned> lost_ = 0;
    std::thread there_, back_;
};

/// @return bytes per second that iperf3 reports, run in @p guest against 192.0.2.1. The server may
///         be busy with the end of the one before.
double iperf(Guest& guest, const std::string& words) {
    sandbox::ExecResult result;
    EXPECT_TRUE(eventually([&] {
        result = guest.run("iperf3 -c 192.0.2.1 -J -n 4M " + words, {.limit = 180s});
        return result.ok() || (result.out.find("busy") == std::string::npos &&
                               result.out.find("refused") == std::string::npos);
    }));
    EXPECT_TRUE(result.ok()) << result.out << result.err;
    const std::string& report = result.out;
    const auto sum = report.rfind("\"sum_received\"");
    EXPECT_NE(sum, std::string::npos) << report;
    const auto rate = report.find("\"bits_per_second\":", sum);
    EXPECT_NE(rate, std::string::npos) << report;
    return std::stod(report.substr(rate + 18)) / 8;
}

/// By directory of the stage: TCP in both directions; with several queues on two processors.
class Tcp : public testing::TestWithParam<std::string> {};

TEST_P(Tcp, PassesBothWays) {
    sandbox::Options ours;
    ours.cpus = GetParam() >= "07" ? 2 : 1;
    ours.files = {{module_of("trace", GetParam() + "/igbook.ko"), kDriver}};
    sandbox::Options theirs;
    theirs.mac = "52:54:00:00:00:01";
    Guest guest = Guest::launch(ours);
    Guest other = Guest::launch(theirs);
    guest.wait_ready();
    other.wait_ready();
    guest.must(std::string("modprobe dca && insmod ") + kDriver +
               " && ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up");
    other.must("modprobe igb && ip addr add 192.0.2.1/24 dev eth0 && ip link set eth0 up");
    ASSERT_TRUE(carrier_becomes(guest, true));
    ASSERT_TRUE(carrier_becomes(other, true));
    std::optional<Joint> joint(std::in_place, guest, other);
    guest.must("ping -c 5 -i 0.2 -W 5 192.0.2.1");
    other.must("iperf3 -s -D");
    EXPECT_TRUE(eventually([&] { return other.run("ss -ltn | grep -q :5201").ok(); }));
    EXPECT_GT(iperf(guest, ""), 0);
    // A frame longer than the cable can carry was put together by GRO.
    guest.must(
        "(tcpdump -n -i eth0 -c 3 'src 192.0.2.1 and tcp and greater 3000' "
        ">/tmp/merged 2>/tmp/merged.err &)");
    EXPECT_TRUE(
        eventually([&] { return guest.run("grep -q 'listening on' /tmp/merged.err").ok(); }));
    EXPECT_GT(iperf(guest, "-R"), 0);
    EXPECT_TRUE(eventually([&] { return guest.must("wc -l </tmp/merged") == "3\n"; }))
        << "GRO merged nothing";
    for (const char* words : {"-P 4", "-P 4 -R"}) EXPECT_GT(iperf(guest, words), 0) << words;
    std::cout << guest.must("cat /tmp/merged; grep eth0 /proc/interrupts; ip -s link show eth0");
    EXPECT_THAT(guest.must("dmesg"), testing::Not(testing::HasSubstr("NETDEV WATCHDOG")));
    guest.must("rmmod igbook");
    joint.reset();  // nobody to carry frames to from here on
    guest.power_off();
    other.power_off();
}

INSTANTIATE_TEST_SUITE_P(On, Tcp, testing::Values("06-napi", "07-receive", "08-transmit"),
                         [](const auto& stage) { return stage.param.substr(0, 2); });

}  // namespace
}  // namespace fwts::driver
