// SPDX-License-Identifier: GPL-2.0
#include "profile.h"

#include <gmock/gmock.h>

#include <cstdint>

#include "failure.h"

namespace {

using namespace fwts::measure;
using fwts::sandbox::SetupError;
using testing::DoubleNear;

// As the plugin wrote it, the middle cut out.
constexpr std::string_view kExecuted =
    "ffffffff81000100 1\n"
    "ffffffff81000200 20\n"
    "ffffffffc0000010 100\n"
    "end\n"
    "ffffffff81000200 2\n"
    "end\n";

constexpr std::string_view kSymbols =
    "0000000000000000 A fixed_percpu_data\n"
    "ffffffff810000f0 t __pfx___x64_sys_getppid\n"
    "ffffffff81000100 t __do_sys_getppid\n"
    "ffffffff81000100 T __x64_sys_getppid\n"
    "ffffffff81000200 t net_rx_action\n"
    "ffffffff81000300 t kfree_skb_list_reason.part.0\n"
    "ffffffff81000400 D some_data\n"
    "ffffffffc0000000 t igbook_poll.constprop.0\t[igbook]\n"
    "ffffffffc0000100 t igbook_moderate\t[igbook]\n"
    "ffffffffc0001000 t pktgen_thread_worker\t[pktgen]\n";

constexpr std::uint64_t kMark = 0xffffffff81000100;

TEST(Executed, HasTheCountsOfEachWindow) {
    const auto windows = parse_windows(kExecuted);
    ASSERT_EQ(windows.size(), 2U);
    const Counts first = {
        {0xffffffff81000100, 1}, {0xffffffff81000200, 20}, {0xffffffffc0000010, 100}};
    EXPECT_EQ(windows[0], first);
    EXPECT_EQ(windows[1], (Counts{{0xffffffff81000200, 2}}));
}

TEST(Executed, LeavesOutAWindowThatHasNotEnded) {
    EXPECT_TRUE(parse_windows("ffffffff81000200 2\n").empty());
    EXPECT_TRUE(parse_windows("").empty());
}

TEST(Executed, RefusesWhatItDoesNotKnow) {
    EXPECT_THROW((void)parse_windows("net_rx_action 12\n"), SetupError);
    EXPECT_THROW((void)parse_windows("ffffffff81000200\n"), SetupError);
    EXPECT_THROW((void)parse_windows("ffffffff81000200 2 3\n"), SetupError);
}

TEST(Functions, HaveAnAddressAndAModule) {
    const Functions functions(kSymbols);
    EXPECT_EQ(functions.at(0xffffffff81000104)->name, "__do_sys_getppid");
    EXPECT_EQ(functions.address("__x64_sys_getppid"), kMark);
    EXPECT_EQ(functions.at(0xffffffff81000310)->name, "kfree_skb_list_reason");
    EXPECT_EQ(functions.at(0xffffffffc0000010)->name, "igbook_poll");
    EXPECT_EQ(functions.at(0xffffffffc0000010)->module, "igbook");
    EXPECT_EQ(functions.at(0x1000), nullptr);
    EXPECT_EQ(functions.address("net_rx_action"), 0xffffffff81000200);
    EXPECT_THROW((void)functions.address("some_data"), SetupError);
    EXPECT_THROW(Functions("0000000000000000 T startup_64\n"), SetupError);
}

TEST(Profile, GroupsByFileAndName) {
    EXPECT_EQ(group_of({1, "igbook_poll", "igbook"}, ""), "driver");
    EXPECT_EQ(group_of({1, "igbook_moderate", "igbook"}, ""), "accounting, moderation");
    EXPECT_EQ(group_of({1, "pktgen_thread_worker", "pktgen"}, ""), "core");
    EXPECT_EQ(group_of({1, "net_rx_action", ""}, "net/core/dev.c"), "interrupt and softirq");
    EXPECT_EQ(group_of({1, "__netif_receive_skb_core", ""}, "net/core/dev.c"), "core");
    EXPECT_EQ(group_of({1, "kmem_cache_free", ""}, "mm/slub.c"), "skb and buffers");
    EXPECT_EQ(group_of({1, "memcpy", ""}, "arch/x86/lib/memcpy_64.S"), "skb and buffers");
    EXPECT_EQ(group_of({1, "dma_map_page_attrs", ""}, "kernel/dma/mapping.c"), "DMA mapping");
    EXPECT_EQ(group_of({1, "memset", ""}, ""), "core");
}

TEST(Profile, SharesAreWhatFramesAdd) {
    const Functions functions(kSymbols);
    const Counts less = {{0xffffffff81000100, 5}, {0xffffffff81000200, 2}};
    const Counts more = {{0xffffffff81000100, 5},
                         {0xffffffff81000200, 22},
                         {0xffffffffc0000010, 100},
                         {0xffffffffc0000100, 3}};
    const auto found = shares(less, more, 10, functions, [](const auto& addresses) {
        EXPECT_EQ(addresses, std::vector<std::uint64_t>{0xffffffff81000200});
        return std::map<std::uint64_t, std::string>{{0xffffffff81000200, "net/core/dev.c"}};
    });
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[0].function, "igbook_poll");
    EXPECT_DOUBLE_EQ(found[0].instructions, 10);
    EXPECT_EQ(found[1].group, "interrupt and softirq");
    EXPECT_DOUBLE_EQ(found[1].instructions, 2);
    EXPECT_THAT(agreed_sum(found, 12.3), DoubleNear(12.3, 1e-9));
}

TEST(Profile, MustAgreeWithWhatWasMeasured) {
    const std::vector<Share> found = {{"core", "a", 990}, {"driver", "b", 15}};
    EXPECT_DOUBLE_EQ(agreed_sum(found, 1000), 1005);
    EXPECT_THROW((void)agreed_sum(found, 1020), SetupError);
    EXPECT_THROW((void)agreed_sum(found, 990), SetupError);
}

}  // namespace
