// SPDX-License-Identifier: GPL-2.0
/// @file
/// Every step that can fail, made to fail in turn: first each call the driver makes in probe and
/// open (failcall.ko), then each allocation made anywhere below them (the kernel's fail-nth).
#include <iostream>

#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Guest;

class Faults : public StageTest {};

/// A call igbook makes, what it is to return, how often, and in which stages that must make
/// probe() or open() fail.
struct Call {
    std::string symbol;
    std::string value;
    int count = 1;
    std::string from = "01";
    std::string until = "99";
};

const std::vector<Call> kProbeCalls = {
    {"pci_enable_device_mem", "-5"}, {"pci_request_selected_regions", "-16"},
    {"alloc_etherdev_mqs", "0"},     {"pci_ioremap_bar", "0"},
    {"register_netdev", "-12"},      {"dma_set_mask", "-5", 2, "02"},  // 64 bits, then 32
};

const std::vector<Call> kOpenCalls = {
    {"dma_alloc_attrs", "0", 1, "02"},
};

const std::string kBus = "/sys/bus/pci/";

/// Runs @p attempt with one call of the driver failing. It must strike, and the attempt must fail.
void fail_call(Guest& guest, const std::string& stage, const Call& call, const std::string& attempt,
               const std::string& worked) {
    if (stage < call.from || stage >= call.until) {
        return;
    }
    const std::string said = guest.must(
        std::string("insmod ") + kFailcall + " symbol=" + call.symbol + " value=" + call.value +
        " count=" + std::to_string(call.count) + "\n" + attempt +
        " 2>/dev/null\n"
        "cat /sys/module/failcall/parameters/hits && rmmod failcall\n" +
        worked + " && echo worked || true");
    EXPECT_EQ(said, std::to_string(call.count) + "\n") << call.symbol;
}

std::string device_of(Guest& guest) {
    return guest.must("basename $(readlink /sys/class/net/eth0/device) | tr -d '\\n'");
}

/// Everything allocated below @p command, one after the other; then pages alone, because an
/// allocator's reserve can hide a page that is missing.
void fail_allocations(Guest& guest, const std::string& command, int least, int least_pages) {
    for (const auto& [kind, minimum] : {std::pair{"all", least}, std::pair{"pages", least_pages}}) {
        const std::string tried =
            guest.must(std::string("drive only ") + kind + " && drive " + command, {.limit = 600s});
        std::cout << command << ": " << kind << ": " << tried << std::flush;
        EXPECT_GE(std::stoi(tried), minimum) << kind << ": so few cannot be all of them";
    }
}

void expect_it_works(Guest& guest) {
    guest.must("ip link set eth0 up");
    EXPECT_TRUE(carrier_becomes(guest, true));
    guest.must("rmmod igbook");
}

TEST_P(Faults, CallsThatFail) {
    Guest& guest = guest_with_interrupts();
    guest.must(std::string("insmod ") + kDriver);
    const std::string device = device_of(guest);
    for (const Call& call : kOpenCalls) {
        // A file that cannot be read says that the interface is down.
        fail_call(guest, GetParam(), call, "ip link set eth0 up",
                  "cat /sys/class/net/eth0/carrier >/dev/null 2>&1");
    }
    guest.must("echo " + device + " >" + kBus + "drivers/igbook/unbind");
    for (const Call& call : kProbeCalls) {
        fail_call(guest, GetParam(), call, "echo " + device + " >" + kBus + "drivers/igbook/bind",
                  "[ -e " + kBus + "devices/" + device + "/driver ]");
    }
    guest.must("echo " + device + " >" + kBus + "drivers/igbook/bind");
    expect_it_works(guest);
}

TEST_P(Faults, AllocationsThatFailInOpen) {
    Guest& guest = guest_with_interrupts();
    guest.must(std::string("insmod ") + kDriver);
    if (GetParam() >= "04") {
        // Each buffer is allocated in the same place: eight of them say as much as 256.
        guest.must("ethtool -G eth0 rx 8 tx 8");
    }
    // From stage 02 on open makes a ring, of whole pages.
    fail_allocations(guest, "fail-open eth0", 3, GetParam() >= "02" ? 1 : 0);
    expect_it_works(guest);
    // The kernel's own, from stage 05 on: where it could not make /proc/irq/N/smp_affinity it warns
    // when the interrupt goes that there is nothing to remove (6.12, unregister_irq_proc).
    expect_silent_log(guest, "remove_proc_entry+");
    guest.must("dmesg -c >/dev/null");
}

TEST_P(Faults, AllocationsThatFailInProbe) {
    Guest& guest = guest_without_acpi();
    guest.must(std::string("insmod ") + kDriver);
    const std::string device = device_of(guest);
    // Bound and unbound by hand: the same task that counts the allocations runs the probe.
    guest.must("echo " + device + " >" + kBus + "drivers/igbook/unbind");
    fail_allocations(guest, "fail-bind " + device, 50, 1);
    guest.must("echo " + device + " >" + kBus + "drivers/igbook/bind");
    expect_it_works(guest);
}

INSTANTIATE_TEST_SUITE_P(Stages, Faults, testing::ValuesIn(stages()), stage_name);

}  // namespace
}  // namespace fwts::driver
