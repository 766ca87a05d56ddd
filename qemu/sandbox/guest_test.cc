// SPDX-License-Identifier: GPL-2.0
// Real guests. A boot costs seconds, so each case asks its guest many things.
#include "guest.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <thread>
#include <tuple>

#include "capture_file.h"
#include "kernel_log.h"
#include "scratch.h"

namespace fwts::sandbox {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;

// The machine that runs the tests may be busy with several of them.
Options patient() {
    Options options;
    options.boot_limit = 180s;
    return options;
}

void bring_up(Guest& guest) {
    guest.must(
        "modprobe igb && ip addr add 192.0.2.2/24 dev eth0 && "
        "ip -6 addr add 2001:db8::2/64 dev eth0 nodad && ip link set eth0 up && "
        "n=0; until [ \"$(cat /sys/class/net/eth0/carrier)\" = 1 ]; do "
        "n=$((n + 1)); [ $n -lt 300 ] || exit 1; sleep 0.1; done");
}

TEST(GuestTest, Commands) {
    Guest guest = Guest::boot(patient());
    EXPECT_GT(guest.boot_time().value(), 0ms);

    const ExecResult result = guest.run("cat; echo bad >&2; exit 7", {.input = "good"});
    EXPECT_EQ(result.status, 7);
    EXPECT_EQ(result.out, "good");
    EXPECT_EQ(result.err, "bad\n");
    EXPECT_EQ(guest.run("kill -15 $$").status, 128 + 15);
    EXPECT_EQ(guest.run("exit 7").status, 7) << "no program of that name: the shell's own word";
    EXPECT_EQ(guest.run("nothing-of-that-name").status, 127);
    EXPECT_EQ(guest.run("expr 2 + 3").out, "5\n") << "without a shell";
    EXPECT_EQ(guest.exec({"printf", "%s|", "a b"}).out, "a b|");
    EXPECT_THROW(guest.exec({"/no/such/program"}), SetupError);
    EXPECT_THROW(guest.must("false"), SetupError);

    const std::string much = guest.must("head -c 10485760 /dev/zero | tr '\\0' x");
    EXPECT_EQ(much.size(), std::size_t{10} << 20);
    EXPECT_EQ(std::count(much.begin(), much.end(), 'x'), 10 << 20);
    EXPECT_TRUE(guest.run("yes", {.output_limit = 100'000}).output_cut);

    std::string bytes(2'000'000, '\0');
    std::iota(bytes.begin(), bytes.end(), '\0');
    guest.put("/root/deep/file", bytes, 0600);
    EXPECT_EQ(guest.get("/root/deep/file"), bytes);
    EXPECT_EQ(guest.must("stat -c %a /root/deep/file"), "600\n");
    guest.put("/proc/sys/vm/swappiness", "7");  // a file that refuses a mode
    EXPECT_EQ(guest.get("/proc/sys/vm/swappiness"), "7\n");

    EXPECT_THROW(guest.run("sleep 1000", {.limit = 500ms}), Hang);
    EXPECT_EQ(guest.must("echo alive"), "alive\n") << "a slow command is no dead guest";

    // The agent is restarted by init; what it was asked is lost, and says so.
    EXPECT_THROW(guest.run("killall -9 fwts-agent; sleep 1000"), SetupError);
    EXPECT_EQ(guest.must("echo again"), "again\n");

    // A stopped guest does not run out of time.
    guest.qmp().stop();
    EXPECT_EQ(guest.qmp().status(), "paused");
    std::thread later([&guest] {
        std::this_thread::sleep_for(300ms);  // longer than the limit below
        guest.qmp().resume();
    });
    EXPECT_EQ(guest.run("echo on", {.limit = 60s}).out, "on\n");
    later.join();

    EXPECT_THAT(find_complaints(guest.kernel_log()), ::testing::IsEmpty());
    guest.power_off();
    EXPECT_THROW(guest.run("true"), QemuExit);
}

/// A card that nobody can ask is read from outside all the same, and is then as it was.
void expect_read_asleep(Guest& guest) {
    const std::uint32_t address = register_offset("RAL").value();
    const auto set = [&guest](int at, const char* bytes) {
        guest.must(
            fmt::format("printf '{}' | dd of=/sys/bus/pci/devices/0000:01:00.0/config bs=1 "
                        "seek={} conv=notrunc",
                        bytes, at));
    };
    const auto state = [&guest] {
        return guest.must("od -A n -t x1 /sys/bus/pci/devices/0000:01:00.0/config");
    };
    constexpr int kCommand = 0x04;
    constexpr int kPower = 0x44;  // PMCSR of QEMU's card
    for (const auto& [at, off, on] :
         {std::tuple(kPower, "\\003", "\\000"), std::tuple(kCommand, "\\000", "\\003")}) {
        set(at, off);
        const std::string before = state();
        EXPECT_EQ(guest.read_register(address), 0x12005452U) << at;
        EXPECT_EQ(state(), before);
        set(at, on);
    }
}

TEST(GuestTest, CableAndCard) {
    const Scratch scratch("guest-test");
    const auto& place = scratch.path();
    Options options = patient();
    options.peer = true;
    options.record_registers = true;
    options.capture = place / "cable.pcapng";
    Guest guest = Guest::boot(options);
    expect_read_asleep(guest);
    bring_up(guest);

    guest.must("ping -c 1 -W 20 192.0.2.1 && ping -6 -c 1 -W 20 2001:db8::1");
    guest.cable().clear();
    guest.cable().send(ping(77, 1, "from outside"));
    const auto reply = guest.cable().expect(is_icmp_echo_reply(), 20s);
    ASSERT_TRUE(reply);
    EXPECT_TRUE(parse(*reply)->l4_checksum_ok);

    const RegisterLog log = guest.registers();
    EXPECT_FALSE(log.writes("TDT").empty());
    EXPECT_EQ(guest.read_register(register_offset("RDLEN").value()), log.last("RDLEN"));
    EXPECT_EQ(guest.read_register(register_offset("RAL").value()), 0x12005452U);
    // The first bytes of the receive ring are descriptors: not all zero once it is in use.
    const std::uint64_t ring =
        (log.last("RDBAH").value_or(0) << 32) | log.last("RDBAL").value_or(0);
    const std::string descriptors = guest.memory(ring, 256);
    EXPECT_EQ(descriptors.size(), 256U);
    EXPECT_NE(descriptors, std::string(256, '\0'));

    guest.qmp().set_link(false);
    guest.must(
        "n=0; until [ \"$(cat /sys/class/net/eth0/carrier)\" = 0 ]; do "
        "n=$((n + 1)); [ $n -lt 300 ] || exit 1; sleep 0.1; done");
    const auto seen = guest.qmp().event_count("DEVICE_DELETED");
    guest.qmp().device_del("nic");
    EXPECT_TRUE(guest.qmp().wait_event("DEVICE_DELETED", seen, 60s));
    guest.power_off();

    const auto frames = read_capture(options.capture);
    EXPECT_TRUE(std::any_of(frames.begin(), frames.end(), equals(*reply)));
}

TEST(GuestTest, SeveralProcessorsShareOneThreadUnderTcg) {
    Options options = patient();
    options.accelerator = "tcg";
    options.cpus = 2;
    Guest guest = Guest::boot(options);
    EXPECT_EQ(guest.must("nproc"), "2\n");
    const auto processors = guest.qmp().command("query-cpus-fast");
    ASSERT_EQ(processors.size(), 2U);
    EXPECT_EQ(processors[0].at("thread-id"), processors[1].at("thread-id"));
}

TEST(GuestTest, PanicIsReportedWithFileAndLine) {
    Guest guest = Guest::boot(patient());
    try {
        guest.run("echo c > /proc/sysrq-trigger");
        FAIL() << "the guest should be dead";
    } catch (const Panic& panic) {
        EXPECT_THAT(panic.message(), ::testing::HasSubstr("sysrq triggered crash"));
        EXPECT_FALSE(panic.console().empty());
        EXPECT_THAT(panic.backtrace(),
                    ::testing::Contains(::testing::HasSubstr("drivers/tty/sysrq.c:")));
    }
    EXPECT_THROW(guest.run("true"), Panic) << "later calls tell the same";
}

TEST(GuestTest, RebootAndPowerOffAreTold) {
    Guest first = Guest::boot(patient());
    EXPECT_THROW(first.run("reboot -f; sleep 1000"), Reboot);
    Guest second = Guest::boot(patient());
    EXPECT_THROW(second.run("poweroff -f; sleep 1000"), QemuExit);
}

TEST(GuestTest, AGuestThatDoesNotComeUp) {
    Options options;
    options.boot_limit = 20s;
    options.append = "rdinit=/bin/cat";  // a process 1 that never starts the agent
    try {
        Guest guest = Guest::boot(options);
        FAIL() << "there is no agent";
    } catch (const Hang& hang) {
        EXPECT_THAT(hang.message(), ::testing::HasSubstr("guest did not reach the agent in 20 s"));
        EXPECT_THAT(hang.message(), ::testing::HasSubstr("last console line: "));
        EXPECT_FALSE(hang.backtrace().empty());
    }
}

// What starts from a prepared guest: the trace kernel, because preparing it takes seconds.
Options prepared_trace() {
    Options options = patient();
    options.prepared = true;
    options.peer = true;
    return options;
}

/// What the firmware left in the card: COMMAND, the line it interrupts by, and that it decodes.
std::string firmware_left(Guest& guest) {
    return guest.must(
               "cd /sys/bus/pci/devices/0000:01:00.0 && od -A n -t x2 -j 4 -N 2 config"
               " && od -A n -t x1 -j 60 -N 1 config && cat irq") +
           std::to_string(guest.read_register(register_offset("STATUS").value()));
}

TEST(GuestTest, PreparedGuests) {
    const Scratch scratch("guest-test");
    const auto& place = scratch.path();
    // A cache of our own: it must be empty, and what lies in it is spoilt below.
    const char* before = getenv("FWTS_CACHE");
    const std::string cache = before != nullptr ? before : "";
    setenv("FWTS_CACHE", place.c_str(), 1);
    std::ofstream(place / "hello") << "hello\n";

    // Two at once: one prepares, the other waits for it.
    Options other = prepared_trace();
    other.mac = "52:54:00:ab:cd:ef";
    other.files = {{place / "hello", "/deep/er/hello"}};
    std::string address;
    std::thread second([&] {
        Guest guest = Guest::boot(other);
        EXPECT_TRUE(guest.prepared());
        bring_up(guest);
        address = guest.must("cat /sys/class/net/eth0/address /deep/er/hello");
        EXPECT_EQ(guest.read_register(register_offset("RAL").value()), 0xab005452U);
    });
    Guest guest = Guest::boot(prepared_trace());
    EXPECT_TRUE(guest.prepared());
    const std::string left = firmware_left(guest);
    EXPECT_EQ(guest.cable().received_count(), 0U) << "frames that no driver sent";
    bring_up(guest);
    EXPECT_EQ(guest.must("cat /sys/class/net/eth0/address"), "52:54:00:12:34:56\n");
    guest.must("ping -c 1 -W 20 192.0.2.1");
    EXPECT_THAT(find_complaints(guest.kernel_log()), ::testing::IsEmpty());
    EXPECT_THAT(guest.kernel_log(), ::testing::HasSubstr("Linux version"));
    const long there = std::stol(guest.must("date +%s"));
    EXPECT_LT(std::abs(there - time(nullptr)), 30);
    guest.kill();
    second.join();
    EXPECT_EQ(address, "52:54:00:ab:cd:ef\nhello\n");

    // A state that is none: it is removed, and the guest boots.
    for (const auto& entry : std::filesystem::directory_iterator(place / "prepared")) {
        if (entry.is_directory()) {
            std::ofstream(entry.path() / "state") << "nonsense";
            Guest booted = Guest::boot(prepared_trace());
            EXPECT_FALSE(booted.prepared());
            EXPECT_EQ(firmware_left(booted), left) << "a plugged card is not as a booted one";
            EXPECT_FALSE(std::filesystem::exists(entry.path() / "state"));
            EXPECT_EQ(booted.must("echo on"), "on\n");
            break;
        }
    }
    cache.empty() ? unsetenv("FWTS_CACHE") : setenv("FWTS_CACHE", cache.c_str(), 1);
}

}  // namespace
}  // namespace fwts::sandbox
