// SPDX-License-Identifier: GPL-2.0
/// @file
/// Every step that can fail, made to fail in turn: first each call the driver makes in probe and
/// open (failcall.ko), then each allocation made anywhere below them (the kernel's fail-nth).
#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Guest;

class Faults : public StageTest {};

/// kmemleak says this when the failing allocation is one of its own; it then scans more, not less.
constexpr const char* kInjected = "kmemleak: Cannot allocate a scan area";

/// A call igbook makes, and what it is to return.
struct Call {
    std::string symbol;
    std::string value;
    int count = 1;
};

std::vector<Call> probe_calls(const std::string& stage) {
    std::vector<Call> calls = {{"pci_enable_device_mem", "-5"},
                               {"pci_request_selected_regions", "-16"},
                               {"alloc_etherdev_mqs", "0"},
                               {"pci_ioremap_bar", "0"},
                               {"register_netdev", "-12"}};
    if (stage != "01") {
        // Both masks refused: 64 bits, then 32.
        calls.push_back({"dma_set_mask", "-5", 2});
    }
    return calls;
}

/// Arms failcall for one call. Disarmed by disarm(), which says how often it struck.
void arm(Guest& guest, const Call& call) {
    guest.must(std::string("insmod ") + kFailcall + " symbol=" + call.symbol +
               " value=" + call.value + " count=" + std::to_string(call.count));
}

int disarm(Guest& guest) {
    return std::stoi(guest.must("cat /sys/module/failcall/parameters/hits && rmmod failcall"));
}

/// Loading or opening under fail-nth: the Nth allocation of the command fails, N = 1, 2, 3 … until
/// the command gets by without reaching the Nth. Prints how many N were tried.
std::string fail_each_allocation(const std::string& command, const std::string& undo) {
    return "cd /sys/kernel/debug\n"
           "for f in failslab fail_page_alloc; do\n"
           "  echo N >$f/ignore-gfp-wait; echo 0 >$f/verbose\n"
           "done\n"
           "echo 0 >fail_page_alloc/min-order\n"
           "n=1\n"
           "while [ $n -lt 2000 ]; do\n"
           "  left=$(sh -c 'echo '$n' >/proc/self/fail-nth; " +
           command +
           "; read left </proc/self/fail-nth; echo 0 >/proc/self/fail-nth; echo $left' "
           "2>/dev/null)\n"
           "  " +
           undo +
           "\n"
           "  [ \"${left:-0}\" -gt 0 ] && break\n"
           "  n=$((n + 1))\n"
           "done\n"
           "echo $n\n";
}

TEST_P(Faults, ProbeUnwindsFromEveryStep) {
    Guest guest = Guest::boot(strict_without_acpi(GetParam()));
    guest.must("dmesg -c >/dev/null");
    for (const Call& call : probe_calls(GetParam())) {
        arm(guest, call);
        guest.must(std::string("insmod ") + kDriver);  // the module loads, its probe fails
        EXPECT_EQ(disarm(guest), call.count) << call.symbol;
        EXPECT_NE(guest.run("ip link show eth0").status, 0) << call.symbol;
        guest.must("rmmod igbook");
    }
    // Bound and unbound by hand: the same task that counts the allocations runs the probe.
    guest.must(std::string("insmod ") + kDriver);
    const std::string device =
        guest.must("basename $(readlink /sys/class/net/eth0/device) | tr -d '\\n'");
    const std::string driver = "/sys/bus/pci/drivers/igbook/";
    const std::string unbind =
        "[ ! -e " + driver + device + " ] || echo " + device + " >" + driver + "unbind";
    guest.must(unbind);
    const int tried = std::stoi(guest.must(
        fail_each_allocation("echo " + device + " >" + driver + "bind", unbind), {.limit = 600s}));
    EXPECT_GT(tried, 20) << "so few allocations cannot be all of probe's";
    EXPECT_LT(tried, 2000);
    std::cout << "allocations that failed in probe: " << tried - 1 << "\n";
    // After all that it still works.
    guest.must("echo " + device + " >" + driver + "bind && ip link set eth0 up");
    EXPECT_TRUE(carrier_becomes(guest, true));
    guest.must("rmmod igbook");
    expect_no_complaint(guest, kInjected);
    guest.power_off();
}

TEST_P(Faults, OpenUnwindsFromEveryStep) {
    Guest guest = Guest::boot(strict_without_acpi(GetParam()));
    guest.must("dmesg -c >/dev/null");
    guest.must(std::string("insmod ") + kDriver);
    if (GetParam() != "01") {
        arm(guest, {"dma_alloc_attrs", "0"});
        EXPECT_NE(guest.run("ip link set eth0 up").status, 0);
        EXPECT_EQ(disarm(guest), 1);
    }
    const int tried = std::stoi(guest.must(
        fail_each_allocation("echo 0x1003 >/sys/class/net/eth0/flags", "ip link set eth0 down"),
        {.limit = 600s}));
    EXPECT_LT(tried, 2000);
    std::cout << "allocations that failed in open: " << tried - 1 << "\n";
    guest.must("ip link set eth0 up");
    EXPECT_TRUE(carrier_becomes(guest, true));
    guest.must("rmmod igbook");
    expect_no_complaint(guest, kInjected);
    guest.power_off();
}

INSTANTIATE_TEST_SUITE_P(Stages, Faults, testing::Values("01", "02", "03"), stage_name);

}  // namespace
}  // namespace fwts::driver
