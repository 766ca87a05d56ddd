// SPDX-License-Identifier: GPL-2.0
#include "watchmen.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

namespace fwts::grader {
namespace {

constexpr std::uint64_t base = 0x1000000;
constexpr std::uint64_t table_base = 0x2000000;

/// A jump table's entry for a label at `place` that leads to `target`, as the entry `number`.
std::string entry(int number, std::uint64_t place, std::uint64_t target) {
    const auto here = table_base + static_cast<std::uint64_t>(number) * 16;
    const auto to_place = static_cast<std::int32_t>(place - here);
    const auto to_target = static_cast<std::int32_t>(target - here - 4);
    std::string bytes(16, '\0');
    std::memcpy(bytes.data(), &to_place, 4);
    std::memcpy(bytes.data() + 4, &to_target, 4);
    return bytes;
}

class KernelCode : public testing::Test {
  protected:
    std::uint64_t with(std::size_t at, const std::string& bytes) const {
        std::string code = code_;
        code.replace(at, bytes.size(), bytes);
        return code_number(code, base, table_, table_base);
    }
    std::string code_ = [] {
        std::string code(4096, '\x90');
        code.replace(16, 5, std::string("\x0f\x1f\x44\x00\x00", 5));
        code.replace(32, 2, "\x66\x90");
        return code;
    }();
    std::string table_ = entry(0, base + 16, base + 256) + entry(1, base + 32, base + 64) +
                         entry(2, 0x9000000, 0x9000010);
};

TEST_F(KernelCode, AJumpLabelMayTurn) {
    const auto before = code_number(code_, base, table_, table_base);
    EXPECT_EQ(with(16, std::string("\xe9\xeb\x00\x00\x00", 5)), before);  // 16 + 5 + 235
    EXPECT_EQ(with(32, std::string("\xeb\x1e", 2)), before);              // 32 + 2 + 30
}

TEST_F(KernelCode, NothingElseMay) {
    const auto before = code_number(code_, base, table_, table_base);
    EXPECT_NE(with(100, "\xcc"), before);
    EXPECT_NE(with(16, "\xcc"), before);
    EXPECT_NE(with(16, std::string("\xe9\x00\x10\x00\x00", 5)), before);  // elsewhere
    EXPECT_NE(with(32, std::string("\xeb\x00", 2)), before);
    EXPECT_NE(with(4095, "\xc3"), before);
}

TEST(Watchmen, AComplaintExcusesThoseThatStopWithIt) {
    const auto after_lockdep =
        stopped_by({"WARNING: possible circular locking dependency detected"});
    EXPECT_TRUE(after_lockdep.contains("debug_locks"));
    EXPECT_TRUE(after_lockdep.contains("tainted_mask"));
    for (const char* other : {"kasan_flags", "kmemleak_enabled", "show_num_errors",
                              "global_disable", "debug_objects_enabled", "system_state"})
        EXPECT_FALSE(after_lockdep.contains(other)) << other;
    EXPECT_TRUE(
        stopped_by({"BUG: KASAN: slab-out-of-bounds in f", "Call Trace:"}).contains("kasan_flags"));
    EXPECT_TRUE(stopped_by({"DMA-API: igbook 0000:00:02.0: x"}).contains("show_num_errors"));
    const auto after_kmemleak = stopped_by(
        {"WARNING: page allocation failure", "kmemleak: Kernel memory leak detector disabled"});
    EXPECT_TRUE(after_kmemleak.contains("kmemleak_enabled"));
    EXPECT_TRUE(after_kmemleak.contains("kmemleak_free_enabled"));
    EXPECT_TRUE(stopped_by({"ODEBUG: free active"}).contains("debug_objects_enabled"));
}

}  // namespace
}  // namespace fwts::grader
