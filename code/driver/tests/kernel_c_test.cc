// SPDX-License-Identifier: GPL-2.0
/// @file
/// The examples of the chapter on kernel C: what is done right draws no complaint from the strict
/// kernel, and what is done wrong draws the one that the chapter reads.
#include <array>

#include "kernel_log.h"
#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Guest;

constexpr const char* kExamples = "/sys/kernel/debug/kernel_c/";
constexpr const char* kFaults = "/sys/kernel/debug/fail_function/";

/// What is written, where, and the complaint that follows.
struct Fault {
    const char* example;
    const char* complaint;
};

// KASAN reports once and switches lockdep off: in this order all of them are heard in one guest.
constexpr std::array<Fault, 9> kHeardTogether = {{
    {"atomic", "sleeping function called from invalid context"},
    {"unlocked", "suspicious RCU usage"},
    {"percpu", "using smp_processor_id() in preemptible"},
    {"rtnl", "net/core/dev.c"},
    {"order", "mm/page_alloc.c"},
    {"list", "lib/list_debug.c"},
    {"timer", "lib/debugobjects.c"},
    {"refs", "lib/refcount.c"},
    {"rcu", "KASAN: slab-use-after-free in kc_route_read"},
}};

constexpr std::array<const char*, 14> kGood = {
    "list", "unwind",   "atomic", "order",  "nesting", "bh",   "percpu",
    "rtnl", "unlocked", "rcu",    "clocks", "timer",   "bits", "refs",
};

/// A strict guest with the module in it.
Guest boot() {
    sandbox::Options options;
    options.kernel = "strict";
    options.boot_limit = 600s;
    options.append = "acpi=off pcie_ports=compat";  // boots in half the time
    options.icount = true;  // or its timers eat up the guest of a busy machine
    options.nic = false;
    options.modules = {std::filesystem::path(FWTS_ROOT) /
                       "build/modules/strict/kernel-c/kernel_c.ko"};
    options.files = {{FWTS_DRIVE, "/bin/drive"}};
    Guest guest = Guest::boot(options);
    guest.must("dmesg -c");
    return guest;
}

void do_it(Guest& guest, const std::string& how, const std::string& example) {
    guest.must("echo " + how + " >" + kExamples + example);
}

void expect_complaint(Guest& guest, const Fault& fault) {
    guest.run(std::string("echo bad >") + kExamples + fault.example);  // some return an error, too
    const std::string log = guest.must("dmesg -c");
    EXPECT_THAT(sandbox::find_complaints(log),
                testing::Contains(testing::HasSubstr(fault.complaint)))
        << fault.example << ":\n"
        << log;
}

/// Has a machine made well or badly while every third part fails to be made.
/// @return what kmemleak finds afterwards.
std::string leaks_without_third_part(Guest& guest, const std::string& how) {
    guest.must(std::string("cd ") + kFaults + " && echo 3 >interval && echo 1 >times");
    EXPECT_FALSE(guest.run("echo " + how + " >" + kExamples + "unwind").ok());
    return guest.must("drive leaks", {.limit = 180s});
}

TEST(KernelC, GoodExamplesAreSilentAndBadOnesAreNot) {
    Guest guest = boot();
    for (const char* example : kGood) do_it(guest, "good", example);
    EXPECT_FALSE(guest.run(std::string("echo neither >") + kExamples + "list").ok());
    EXPECT_FALSE(guest.run(std::string("echo bad >") + kExamples + "bits").ok());
    expect_no_complaint(guest);
    for (const Fault& fault : kHeardTogether) expect_complaint(guest, fault);
    EXPECT_FALSE(guest.run(std::string("exec 3>") + kExamples + "list; rmmod kernel_c").ok());
    guest.must("rmmod kernel_c");
    guest.power_off();
}

// In a guest of its own: the kernel's fault injection, called by a breakpoint, draws a complaint of
// lockdep itself.
TEST(KernelC, WhatIsNotGivenBackIsFound) {
    Guest guest = boot();
    guest.must(std::string("cd ") + kFaults +
               " && echo kc_part_new >inject && echo 0xfffffffffffffff4 >kc_part_new/retval"
               " && echo 0 >verbose && echo 100 >probability");
    EXPECT_EQ(leaks_without_third_part(guest, "good"), "");
    EXPECT_THAT(leaks_without_third_part(guest, "bad"), testing::HasSubstr("kc_part_new"));
    guest.power_off();
}

// Lockdep is off after its first report: a guest for each.
TEST(KernelC, LocksInTwoOrdersAreReported) {
    Guest guest = boot();
    expect_complaint(guest, {"nesting", "possible circular locking dependency detected"});
    guest.power_off();
}

TEST(KernelC, LockTakenWithSoftirqsOnIsReported) {
    Guest guest = boot();
    expect_complaint(guest, {"bh", "inconsistent lock state"});
    guest.power_off();
}

}  // namespace
}  // namespace fwts::driver
