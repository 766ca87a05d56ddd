// SPDX-License-Identifier: GPL-2.0
#include "text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fwts {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Text, LinesAreAsGetlineSeesThem) {
    EXPECT_THAT(split_lines(""), IsEmpty());
    EXPECT_THAT(split_lines("\n"), ElementsAre(""));
    EXPECT_THAT(split_lines("a\n\nb"), ElementsAre("a", "", "b"));
    EXPECT_EQ(join_lines(split_lines("a\n\nb\n")), "a\n\nb\n");
}

TEST(Text, PartsWordsAndSpace) {
    EXPECT_THAT(split("a||b|", '|'), ElementsAre("a", "", "b"));
    EXPECT_THAT(words_of("  a\tb \n"), ElementsAre("a", "b"));
    EXPECT_EQ(trimmed(" \ta b\n"), "a b");
    EXPECT_TRUE(is_blank(" \n"));
}

}  // namespace
}  // namespace fwts
