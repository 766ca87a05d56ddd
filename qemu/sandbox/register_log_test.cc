// SPDX-License-Identifier: GPL-2.0
#include "register_log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "failure.h"

namespace fwts::sandbox {
namespace {

// As QEMU 10.0.2 wrote it for in-tree igb.
constexpr std::string_view kTrace =
    "e1000e_core_write Write to register 0x0, 4 byte(s), value: 0x4000000\n"
    "e1000e_wrn_regs_write_unknown WARNING: Write to unknown register 0x5b74, 4 byte(s), value: "
    "0x1\n"
    "qemu-system-x86_64: something else\n"
    "e1000e_wrn_regs_write_ro WARNING: Write to RO register 0x8, 4 byte(s), value: 0x0\n"
    "e1000e_core_write Write to register 0xe018, 4 byte(s), value: 0x1\n"
    "12@1700000000.000001:e1000e_core_write Write to register 0xe018, 4 byte(s), value: 0x2\n"
    "e1000e_core_write Write to register 0xe0";

TEST(RegisterLog, ReadsWholeLinesInOrder) {
    const RegisterLog log(kTrace);
    ASSERT_EQ(log.all().size(), 5U);
    EXPECT_EQ(log.all()[0], (RegisterWrite{0, 0x0000, 4, 0x4000000, true}));
    EXPECT_EQ(log.all()[1], (RegisterWrite{1, 0x5b74, 4, 1, false}));
    EXPECT_FALSE(log.all()[2].implemented);
    EXPECT_EQ(log.all()[4].order, 4U);
}

TEST(RegisterLog, AsksByName) {
    const RegisterLog log(kTrace);
    EXPECT_EQ(log.writes("TDT").size(), 2U);
    EXPECT_EQ(log.last("TDT(0)"), 2U);
    EXPECT_EQ(log.last("TDT(1)"), std::nullopt);
    EXPECT_EQ(log.since(4).all().size(), 1U);
    EXPECT_THROW((void)log.writes("TTD"), SetupError);
}

TEST(RegisterLog, JsonLines) {
    const std::string text = RegisterLog(kTrace).to_jsonl();
    const auto first = nlohmann::json::parse(text.substr(0, text.find('\n')));
    EXPECT_EQ(first["name"], "CTRL");
    EXPECT_EQ(first["value"], 0x4000000);
}

}  // namespace
}  // namespace fwts::sandbox
