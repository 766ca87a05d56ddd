// SPDX-License-Identifier: GPL-2.0
#include "account.h"

#include <gmock/gmock.h>

#include "failure.h"

namespace {

using namespace fwts::measure;
using fwts::sandbox::SetupError;
using testing::DoubleNear;

constexpr const char* kAnswer =
    R"({"elapsed": 1000, "busy": 900, "frames": 7, "interrupts": 3, "offered": 8, "delivered": 6,
        "bytes": 5, "window": 2})";

TEST(Account, ReadsTheMetersAnswer) {
    const Reading reading = parse_reading(kAnswer);
    EXPECT_EQ(reading.elapsed, 1000U);
    EXPECT_EQ(reading.busy, 900U);
    EXPECT_EQ(reading.frames, 7U);
    EXPECT_EQ(reading.interrupts, 3U);
    EXPECT_EQ(reading.offered, 8U);
    EXPECT_EQ(reading.delivered, 6U);
    EXPECT_EQ(reading.bytes, 5U);
    EXPECT_EQ(reading.window, 2U);
}

TEST(Account, RefusesAnAnswerWithoutAField) {
    EXPECT_THROW((void)parse_reading("{\"elapsed\": 1}"), SetupError);
    EXPECT_THROW((void)parse_reading("Segmentation fault"), SetupError);
    EXPECT_THROW((void)parse_reading(""), SetupError);
}

TEST(Account, WhatBothHaveInCommonCancels) {
    const Reading less{0, 5'000, 10, 1, 0, 0};
    const Reading more{0, 25'000, 20, 6, 0, 0};
    EXPECT_DOUBLE_EQ(price(less, more).instructions, 2'000);
    EXPECT_DOUBLE_EQ(price(less, more).interrupts, 0.5);
}

TEST(Account, APriceMayBeNegativeButNeedsFrames) {
    // Noise larger than the price: shown, not wrapped around.
    EXPECT_DOUBLE_EQ(price({0, 100, 0, 0, 0, 0}, {0, 90, 10, 0, 0, 0}).instructions, -1);
    EXPECT_THROW((void)price({0, 0, 5, 0, 0, 0}, {0, 100, 5, 0, 0, 0}), SetupError);
}

TEST(Account, APriceIsOneOfAFrameOrOfAMebibyte) {
    const Reading less{0, 5'000, 10, 1, 0, 0, 1 << 20, 0};
    const Reading more{0, 25'000, 20, 6, 0, 0, 3 << 20, 0};
    EXPECT_DOUBLE_EQ(price(less, more, Unit::kMebibyte).instructions, 10'000);
    EXPECT_DOUBLE_EQ(price(less, more, Unit::kMebibyte).interrupts, 2.5);
    EXPECT_THROW((void)price(more, less, Unit::kMebibyte), SetupError);
}

TEST(Account, OwnCostIsComparedAtEqualInterrupts) {
    const Price floor{600, 0};
    const Price igb{1000, 0.67};
    EXPECT_DOUBLE_EQ(own_cost(igb, floor), 400);
    EXPECT_EQ(beside({800, 0.68}, igb, floor), 0.5);
    EXPECT_EQ(beside({1800, 1}, igb, floor), std::nullopt);
    // Of many a mebibyte, a twentieth.
    EXPECT_EQ(beside({800, 22}, {1000, 21.5}, floor), 0.5);
    EXPECT_EQ(beside({800, 22}, {1000, 16}, floor), std::nullopt);
    EXPECT_EQ(beside({800, 1}, {600, 1}, floor), std::nullopt);
}

TEST(Account, FlatnessIsTheDistanceFromTheMiddle) {
    EXPECT_DOUBLE_EQ(flatness({98, 102, 99}), 0.02);
    EXPECT_DOUBLE_EQ(flatness({5}), 0);
    EXPECT_THROW((void)flatness({}), SetupError);
}

TEST(Account, SpreadIsTheDistanceOfTheOutermostRuns) {
    Series series;
    series.add({990, 1});
    series.add({1010, 2});
    series.add({1000, 3});
    EXPECT_DOUBLE_EQ(series.mean().instructions, 1000);
    EXPECT_DOUBLE_EQ(series.mean().interrupts, 2);
    EXPECT_THAT(series.spread(), DoubleNear(2.0, 1e-9));
    EXPECT_THROW((void)Series().mean(), SetupError);
}

TEST(Account, LoadIsPerSecondOfGuestTime) {
    const Load at = load({500'000'000, 250'000'000, 40, 0, 50, 30});
    EXPECT_DOUBLE_EQ(at.offered, 100);
    EXPECT_DOUBLE_EQ(at.accepted, 80);
    EXPECT_DOUBLE_EQ(at.delivered, 60);
    EXPECT_DOUBLE_EQ(at.busy, 0.5);
    EXPECT_THROW((void)load({}), SetupError);
}

}  // namespace
