// SPDX-License-Identifier: GPL-2.0
/// @file
/// Stage 03: the driver as a DCA requester. A provider of our own (code/companions/dca-provider)
/// comes and goes; what the driver tells the card is read back or taken from QEMU's record, field
/// by field, for the emulated card has neither DCA_CTRL nor DCA_RXCTRL.
#include <cstdint>

#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Guest;
using sandbox::RegisterLog;
using testing::HasSubstr;

constexpr const char* kProvider = "/modules/dca_provider.ko";
constexpr std::uint32_t kDcaTxctrl0 = sandbox::registers::DCA_TXCTRL0;
constexpr unsigned kTagBase = 0x40;  // of CPU 0; not the provider's default, which might be luck

Guest ready_guest() {
    sandbox::Options options = strict("03");
    options.cpus = 2;
    options.record_registers = true;
    options.files.push_back(
        {std::filesystem::path(FWTS_ROOT) / "build/modules/strict/dca-provider/dca_provider.ko",
         kProvider});
    Guest guest = Guest::boot(options);
    guest.must("dmesg -c >/dev/null && head -c 60 /dev/zero >/tmp/frame");
    return guest;
}

void load_driver(Guest& guest) {
    guest.must(std::string("insmod ") + kDriver + " && ip link set eth0 up");
    ASSERT_TRUE(carrier_becomes(guest, true));
}

void load_provider(Guest& guest, const std::string& more = {}) {
    guest.must(std::string("insmod ") + kProvider + " tag_base=" + std::to_string(kTagBase) + more);
}

/// Sends one frame from @p cpu.
void send_from(Guest& guest, unsigned cpu) {
    guest.must("taskset " + std::to_string(1U << cpu) +
               " dd if=/tmp/frame bs=2000 of=/sys/kernel/debug/igbook/" + kDevice + "/hand_send");
}

/// @return what /sys/class/dca shows, without the numbers, which are never given twice.
std::string dca_class(Guest& guest) {
    return guest.must("ls /sys/class/dca | tr -d '0-9' | tr '\\n' ' '");
}

/// The last write to a register since @p from; the test fails if there was none.
std::uint64_t last(Guest& guest, const char* name, std::size_t from) {
    const auto value = guest.registers().since(from).last(name);
    EXPECT_TRUE(value) << name << " was not written";
    return value.value_or(0xdeadbeef);
}

std::size_t writes_so_far(Guest& guest) {
    return guest.registers().all().size();
}

/// DCA_CTRL: bit 0 DCA_DIS, bits 4:1 DCA_MODE (1: "DCA 1.0"), nothing else.
void check_switched_on(Guest& guest, std::size_t from) {
    EXPECT_EQ(last(guest, "DCA_CTRL", from), 1U << 1) << "DCA_CTRL";
}

/// Field by field (82576 datasheet, "Rx DCA Control Registers", "Tx DCA Control Registers").
void check_tagged(Guest& guest, unsigned cpu, std::size_t from) {
    const std::uint64_t rx = last(guest, "DCA_RXCTRL(0)", from);
    EXPECT_EQ(rx >> 24, kTagBase + cpu) << "RXCTRL: CPUID";
    EXPECT_EQ(rx >> 5 & 7, 7U) << "RXCTRL: descriptor, header and payload DCA enable";
    EXPECT_EQ(rx & 0xff1f, 1U << 9) << "RXCTRL: relaxed reads of descriptors, nothing else";
    EXPECT_EQ(rx >> 16 & 0xff, 0U) << "RXCTRL: reserved";
    const std::uint64_t tx = last(guest, "DCA_TXCTRL(0)", from);
    EXPECT_EQ(tx >> 24, kTagBase + cpu) << "TXCTRL: CPUID";
    EXPECT_EQ(tx >> 5 & 1, 1U) << "TXCTRL: descriptor DCA enable";
    EXPECT_EQ(tx & 0xffdf, 1U << 9 | 1U << 13) << "TXCTRL: relaxed reads, nothing else";
    EXPECT_EQ(tx >> 16 & 0xff, 0U) << "TXCTRL: reserved";
    EXPECT_EQ(guest.read_register(kDcaTxctrl0), tx) << "TXCTRL as the card holds it";
}

void check_provider_after_driver(Guest& guest) {
    load_driver(guest);
    const std::uint32_t untouched = guest.read_register(kDcaTxctrl0);
    send_from(guest, 0);
    const auto unserved = guest.registers();
    EXPECT_FALSE(unserved.last("DCA_CTRL") || unserved.last("DCA_TXCTRL(0)")) << "no provider yet";

    const std::size_t start = writes_so_far(guest);
    load_provider(guest);
    EXPECT_EQ(dca_class(guest), "dca requester ");
    EXPECT_EQ(guest.must("readlink -f /sys/class/dca/dca*/device"),
              guest.must("readlink -f /sys/bus/pci/devices/0000:00:00.0"));
    check_switched_on(guest, start);
    send_from(guest, 0);
    check_tagged(guest, 0, start);

    // Served by another CPU: a new tag. By the same again: the registers are left alone.
    const std::size_t moved = writes_so_far(guest);
    send_from(guest, 1);
    check_tagged(guest, 1, moved);
    const std::size_t settled = writes_so_far(guest);
    send_from(guest, 1);
    EXPECT_FALSE(guest.registers().since(settled).last("DCA_TXCTRL(0)"))
        << "same CPU, written again";

    // The provider leaves while the interface is up.
    const std::size_t leaving = writes_so_far(guest);
    guest.must("rmmod dca_provider");
    EXPECT_EQ(dca_class(guest), "");
    EXPECT_EQ(last(guest, "DCA_CTRL", leaving), 1U) << "DCA_CTRL: DCA_DIS";
    EXPECT_EQ(last(guest, "DCA_RXCTRL(0)", leaving) & 0xff0000e0, 0U) << "a tag stays behind";
    EXPECT_EQ(guest.read_register(kDcaTxctrl0), untouched) << "TXCTRL is not as a reset leaves it";
    const std::size_t gone = writes_so_far(guest);
    send_from(guest, 0);
    EXPECT_FALSE(guest.registers().since(gone).last("DCA_TXCTRL(0)")) << "a tag of nobody's";
}

/// What a reset takes away is there again after open and after sleep.
void check_reset(Guest& guest) {
    load_provider(guest);
    send_from(guest, 1);
    for (const char* command : {"ip link set eth0 down && ip link set eth0 up",
                                "echo devices >/sys/power/pm_test && echo mem >/sys/power/state"}) {
        const std::size_t start = writes_so_far(guest);
        guest.must(command, {.limit = 120s});
        ASSERT_TRUE(carrier_becomes(guest, true)) << command;
        check_switched_on(guest, start);
        send_from(guest, 1);
        check_tagged(guest, 1, start);
    }
}

void check_driver_leaves_first(Guest& guest) {
    const std::size_t leaving = writes_so_far(guest);
    guest.must("rmmod igbook");
    EXPECT_EQ(last(guest, "DCA_CTRL", leaving), 1U) << "DCA_CTRL: DCA_DIS";
    EXPECT_EQ(dca_class(guest), "dca ") << "the driver is gone and still in the books";
}

void check_provider_before_driver(Guest& guest) {
    const std::size_t start = writes_so_far(guest);
    load_driver(guest);
    EXPECT_EQ(dca_class(guest), "dca requester ");
    check_switched_on(guest, start);
    send_from(guest, 0);
    check_tagged(guest, 0, start);
    guest.must("rmmod igbook");
}

/// The sanity check of the provider: the kernel's own driver gets its tags, too.
void check_igb(Guest& guest) {
    const std::size_t start = writes_so_far(guest);
    guest.must("modprobe igb && ip link set eth0 up");
    EXPECT_EQ(dca_class(guest), "dca requester ");
    check_switched_on(guest, start);
    EXPECT_EQ(last(guest, "DCA_TXCTRL(0)", start) >> 24 & 0xfe, kTagBase);
    guest.must("modprobe -r igb && rmmod dca_provider");
}

/// A provider that comes while the card resets itself: nothing is written to the card then.
void check_provider_during_reset(Guest& guest) {
    guest.must("rmmod dca_provider");
    load_driver(guest);
    const std::size_t start = writes_so_far(guest);
    {
        // A millisecond is the reset's; who asks the PHY about the link sleeps less.
        SlowCall reset(guest, "symbol=usleep_range_state first=1000");
        guest.start({"sh", "-c", "ip link set eth0 down; echo done >/tmp/down"});
        ASSERT_TRUE(reset.entered());
        load_provider(guest);
        reset.let_go();
        ASSERT_TRUE(eventually([&] { return content(guest, "/tmp/down") == "done\n"; }));
    }
    EXPECT_EQ(dca_class(guest), "dca requester ");
    EXPECT_FALSE(guest.registers().since(start).last("DCA_CTRL")) << "written during the reset";
    const std::size_t up = writes_so_far(guest);
    guest.must("ip link set eth0 up");
    ASSERT_TRUE(carrier_becomes(guest, true));
    check_switched_on(guest, up);
    guest.must("rmmod igbook");
}

/// A provider that takes nobody: the driver works without tags.
void check_refused(Guest& guest) {
    load_provider(guest);
    guest.must(std::string("insmod ") + kFailcall + " symbol=dca_add_requester value=-19");
    const std::size_t start = writes_so_far(guest);
    load_driver(guest);
    EXPECT_EQ(guest.must("cat /sys/module/failcall/parameters/hits && rmmod failcall"), "1\n");
    EXPECT_EQ(dca_class(guest), "dca ");
    guest.cable().clear();
    send_from(guest, 0);
    EXPECT_TRUE(guest.cable().receive(10s));
    guest.must("rmmod dca_provider && rmmod igbook");
    const RegisterLog log = guest.registers().since(start);
    EXPECT_FALSE(log.last("DCA_CTRL") || log.last("DCA_TXCTRL(0)")) << "tags without a provider";
}

TEST(DirectCacheAccess, FollowsProviderAndCpu) {
    Guest guest = ready_guest();
    check_provider_after_driver(guest);
    check_reset(guest);
    check_driver_leaves_first(guest);
    check_provider_before_driver(guest);
    check_provider_during_reset(guest);
    check_igb(guest);
    check_refused(guest);
    EXPECT_THAT(guest.must("dmesg"), testing::Not(HasSubstr("never left")));
    expect_no_complaint(guest);
    guest.power_off();
}

}  // namespace
}  // namespace fwts::driver
