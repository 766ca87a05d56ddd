// SPDX-License-Identifier: GPL-2.0
#include "marks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

namespace fwts::grader {
namespace {

using Record = std::vector<sandbox::RegisterWrite>;

void write(Record& record, std::uint32_t offset, bool implemented = false) {
    record.push_back({record.size(), offset, 4, 1, implemented});
}

TEST(Marks, StandWhereTheyAreKnownWhereverTheCompanionWroteThem) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        Marks marks(seed);
        Record record;
        const auto frames = marks.open(0x1fe00, 32, record.size());
        const auto calls = marks.open(0x1ff00, 3, record.size());
        ASSERT_LE(frames, 0x1fe80U);
        ASSERT_GE(calls, 0x1ff00U);
        ASSERT_LE(calls, 0x1ff74U);
        write(record, calls + 8);
        write(record, frames + 124);
        write(record, 0x3818, true);
        marks.settle(record);
        EXPECT_EQ(record[0].offset, 0x1ff08U);
        EXPECT_EQ(record[1].offset, 0x1fe7cU);
        EXPECT_EQ(record[2].offset, 0x3818U);
        EXPECT_TRUE(std::none_of(record.begin(), record.end(), Marks::forged));
    }
}

TEST(Marks, WhoDoesNotKnowThePlaceIsFoundOut) {
    unsigned found = 0;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        Marks marks(seed);
        Record record;
        marks.open(0x1ff80, 1, record.size());
        write(record, 0x1fff8);
        marks.settle(record);
        found += Marks::forged(record[0]) ? 1 : 0;
    }
    EXPECT_GE(found, 45U);
}

TEST(Marks, NobodyMakesThemBeforeTheCompanionComesOrWhenItIsGone) {
    Marks marks(1);
    Record record;
    write(record, 0x1ff00);
    const auto calls = marks.open(0x1ff00, 1, record.size());
    record[0].offset = calls;
    write(record, calls);
    marks.close(0x1ff00, record.size());
    write(record, calls);
    marks.settle(record);
    EXPECT_TRUE(Marks::forged(record[0]));
    EXPECT_EQ(record[1].offset, 0x1ff00U);
    EXPECT_TRUE(Marks::forged(record[2]));
}

}  // namespace
}  // namespace fwts::grader
