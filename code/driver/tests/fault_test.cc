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

/// A call igbook makes, what it is to return, how often, in which stages that must make probe() or
/// open() fail, and how many calls of it work before: what they gave must be given back.
struct Call {
    std::string symbol;
    std::string value;
    int count = 1;
    std::string from = "01";
    std::string until = "99";
    int skip = 0;
};

const std::vector<Call> kProbeCalls = {
    {"pci_enable_device_mem", "-5"},
    {"pci_request_selected_regions", "-16"},
    {"alloc_etherdev_mqs", "0"},
    {"pci_ioremap_bar", "0"},
    {"register_netdev", "-12"},
    {"dma_set_mask", "-5", 1, "02"},
    {"pci_alloc_irq_vectors", "-28", 3, "05", "10"},  // MSI-X, MSI, INTx
    {"pci_alloc_irq_vectors", "-28", 2, "10"},        // MSI-X, one of the others
    {"netif_set_real_num_queues", "-12", 1, "07"},
};

const std::vector<Call> kOpenCalls = {
    {"dma_alloc_attrs", "0", 1, "02"},
    {"dma_alloc_attrs", "0", 1, "04", "99", 1},  // the second ring
    {"dma_alloc_attrs", "0", 1, "08", "99", 2},
    {"__kvmalloc_node_noprof", "0", 1, "04"},
    {"__kvmalloc_node_noprof", "0", 1, "04", "99", 1},
    {"__netdev_alloc_skb", "0", 1, "04", "07"},
    {"__netdev_alloc_skb", "0", 1, "04", "07", 10},  // the ring filled in part
    {"dma_map_page_attrs", "-1", 1, "04", "07"},
    {"dma_map_page_attrs", "-1", 1, "04", "07", 10},
    {"page_pool_create", "-12", 1, "07"},
    {"page_pool_alloc_frag", "0", 1, "07"},
    {"page_pool_alloc_frag", "0", 1, "07", "99", 10},
    {"request_threaded_irq", "-16", 1, "05"},
    {"request_threaded_irq", "-16", 1, "05", "99", 1},  // the vector for the rest
};

const std::string kDrivers = "/sys/bus/pci/drivers/igbook/";

/// Runs @p attempt (bind or open) of @p of with each call of the driver failing in turn. It must
/// strike, and the attempt must fail.
void fail_calls(Guest& guest, const std::string& stage, const std::vector<Call>& calls,
                const std::string& attempt, const std::string& of) {
    std::vector<std::string> words = {"drive", "fail-calls", kFailcall, attempt, of};
    std::string wanted, names;
    for (const Call& call : calls) {
        if (stage < call.from || stage >= call.until) continue;
        words.push_back("symbol=" + call.symbol + " value=" + call.value + " count=" +
                        std::to_string(call.count) + " skip=" + std::to_string(call.skip));
        wanted += std::to_string(call.count) + "\n";
        names += call.symbol + " ";
    }
    if (wanted.empty()) return;
    const sandbox::ExecResult result = guest.exec(words, {.limit = 180s});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, wanted) << "a line for each of: " << names;
}

/// Everything allocated below @p command, one after the other; then pages alone, because an
/// allocator's reserve can hide a page that is missing.
void fail_allocations(Guest& guest, const std::string& command, int least, int least_pages) {
    for (const auto& [kind, minimum] : {std::pair{"all", least}, std::pair{"pages", least_pages}}) {
        const std::string tried = guest.must(
            std::string("drive only ") + kind + " && exec drive " + command, {.limit = 1800s});
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
    Guest& guest = StageTest::guest();
    const HeldDevice held(guest);
    guest.must(std::string("insmod ") + kDriver);
    if (GetParam() >= "04")
        guest.must("ethtool -G eth0 rx 16 tx 16");  // enough to be filled in part
    fail_calls(guest, GetParam(), kOpenCalls, "open", "eth0");
    guest.put(kDrivers + "unbind", kDevice);
    fail_calls(guest, GetParam(), kProbeCalls, "bind", kDevice);
    guest.put(kDrivers + "bind", kDevice);
    expect_it_works(guest);
}

TEST_P(Faults, AllocationsThatFailInOpen) {
    Guest& guest = StageTest::guest();
    const HeldDevice held(guest);
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
}

TEST_P(Faults, AllocationsThatFailInProbe) {
    Guest& guest = StageTest::guest();
    const HeldDevice held(guest);
    guest.must(std::string("insmod ") + kDriver);
    // Bound and unbound by hand: the same task that counts the allocations runs the probe.
    guest.put(kDrivers + "unbind", kDevice);
    // Of later stages than the first, every third only, but when all is to be tried.
    const bool all = GetParam() == stages().front() || std::getenv("FWTS_FULL") != nullptr;
    fail_allocations(guest, std::string("fail-bind ") + kDevice + (all ? " 1" : " 3"), 50, 1);
    guest.put(kDrivers + "bind", kDevice);
    expect_it_works(guest);
}

INSTANTIATE_TEST_SUITE_P(Stages, Faults, testing::ValuesIn(stages()), stage_name);

}  // namespace
}  // namespace fwts::driver
