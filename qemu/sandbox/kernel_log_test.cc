// SPDX-License-Identifier: GPL-2.0
#include "kernel_log.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "symbolise.h"

namespace fwts::sandbox {
namespace {

constexpr std::string_view kPanic =
    "[    3.1] igb: loading out-of-tree module taints kernel.\n"
    "[    3.200000] BUG: kernel NULL pointer dereference, address: 0000000000000010\n"
    "[    3.200001] #PF: supervisor read access in kernel mode\n"
    "[    3.200002] Oops: Oops: 0000 [#1] PREEMPT SMP NOPTI\n"
    "[    3.200003] RIP: 0010:igbook_probe+0x1a/0x2f0 [igbook]\n"
    "[    3.200004] Code: 48 8b\n"
    "[    3.200005] Call Trace:\n"
    "[    3.200006]  <TASK>\n"
    "[    3.200007]  ? __die_body+0x1b/0x60\n"
    "[    3.200008]  local_pci_probe+0x3e/0x90\n"
    "[    3.200009]  do_init_module+0x60/0x240\n"
    "[    3.200010]  </TASK>\n"
    "[    3.200011] Modules linked in: igbook(O)\n"
    "[    3.200012] RIP: 0010:other+0x1/0x2\n"
    "[    3.200013] Kernel panic - not syncing: Fatal exception\n"
    "[    3.200014] ---[ end Kernel panic - not syncing: Fatal exception ]---\n";

TEST(KernelLog, FindsThePanicAndItsCause) {
    EXPECT_EQ(find_panic(kPanic),
              "Kernel panic - not syncing: Fatal exception (BUG: kernel NULL pointer dereference, "
              "address: 0000000000000010)");
    EXPECT_EQ(find_panic("[    1.0] all is well\n"), std::nullopt);
}

TEST(KernelLog, FindsTheTraceWithoutGuesses) {
    const auto frames = find_trace(kPanic);
    ASSERT_EQ(frames.size(), 3U);
    EXPECT_EQ(frames[0], (TraceFrame{"igbook_probe", 0x1a, 0x2f0, "igbook", true}));
    EXPECT_EQ(frames[1].function, "local_pci_probe");
    EXPECT_EQ(frames[2].module, "");
}

TEST(KernelLog, ATraceWithoutRipLine) {
    const auto frames = find_trace(
        "CPU: 0 UID: 0 PID: 1 Comm: sh\nCall Trace:\n <TASK>\n dump_stack_lvl+0x4d/0x70\n "
        "panic+0x11d/0x2f0\n </TASK>\n");
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(frames[1].function, "panic");
}

TEST(KernelLog, ComplaintsAreFoundAndAnnouncementsAreNot) {
    const auto complaints = find_complaints(
        "[    0.1] DMA-API: preallocated 65536 debug entries\n"
        "[    0.2] kmemleak: Kernel memory leak detector initialized (mem pool available: 15651)\n"
        "[    1.0] WARNING: CPU: 0 PID: 1 at drivers/x.c:1 f+0x1/0x2\n"
        "<4>[    1.1] WARNING: possible circular locking dependency detected\n"
        "[    1.2] DMA-API: igbook 0000:01:00.0: device driver has pending DMA allocations\n"
        "[    1.3] igbook: link up\n"
        "[    1.4] kmemleak: 3 new suspected memory leaks\n");
    ASSERT_EQ(complaints.size(), 4U);
    EXPECT_EQ(complaints[1], "WARNING: possible circular locking dependency detected");
}

TEST(KernelLog, TheGradersComplaintsAreOnTheList) {
    for (const char* line :
         {"[    1.0] Trying to free nonexistent resource <febc0000-febdffff>",
          "resource sanity check: requesting [mem 0x0-0x1]",
          "sysfs: cannot create duplicate filename '/x'", "rmmod/1 still has locks held!",
          "list_del corruption. prev->next should be 0", "kernel BUG at net/core/dev.c:1!",
          "ODEBUG: free active (active state 0) object: 0", "rcu: INFO: rcu_preempt self-detected",
          "kmemleak: Kernel memory leak detector disabled",
          "Disabling lock debugging due to kernel taint"}) {
        EXPECT_TRUE(is_complaint(line)) << line;
    }
    EXPECT_FALSE(is_complaint("kmemleak: Cannot allocate a scan area, scanning the full object"));
}

TEST(KernelLog, ATraceThatNoKernelPrintsIsNoTrouble) {
    EXPECT_TRUE(find_trace("Call Trace:\n f+0xfffffffffffffffff/0x10\n").empty());
    EXPECT_TRUE(find_trace("Call Trace:\n " + std::string(1'000'000, 'f') + "+0x1/0x2\n").empty());
    std::string endless = "Call Trace:\n";
    for (int i = 0; i < 100'000; ++i) endless += " f+0x1/0x2\n g+0x1/0x2\n";
    EXPECT_LE(find_trace(endless).size(), 64U);
}

TEST(KernelLog, StampsAreStripped) {
    EXPECT_EQ(strip_stamp("[    1.234567] text"), "text");
    EXPECT_EQ(strip_stamp("<6>[    1.234567] text"), "text");
    EXPECT_EQ(strip_stamp("[text] more"), "[text] more");
    EXPECT_EQ(strip_stamp(""), "");
    EXPECT_EQ(strip_stamp("<"), "<");
}

TEST(Symbolise, WhatCannotBeResolvedStaysAsPrinted) {
    const auto lines = symbolise({{"gone", 0x10, 0x20, "nowhere", true}}, {}, {});
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0], "gone+0x10 [nowhere]");
}

TEST(Symbolise, InstructionPointersOfAllProcessors) {
    EXPECT_EQ(instruction_pointers("CPU#0\nRIP=ffffffff81000010 RFL=00000246\n\nCPU#1\n"
                                   "RIP=ffffffff82000020 RFL=1\n"),
              (std::vector<std::uint64_t>{0xffffffff81000010, 0xffffffff82000020}));
}

}  // namespace
}  // namespace fwts::sandbox
