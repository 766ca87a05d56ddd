// SPDX-License-Identifier: GPL-2.0
#include "accelerator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace fwts::sandbox {
namespace {

std::string processor(const Accelerator& accelerator, bool icount) {
    const auto words = accelerator.arguments(icount);
    const auto at = std::find(words.begin(), words.end(), "-cpu");
    return at == words.end() || at + 1 == words.end() ? "" : *(at + 1);
}

TEST(Accelerator, TcgHasNoStringInstructionsThatMoveSingleBytes) {
    for (const char* without : {"-erms", "-fsrm", "-fsrs"}) {
        EXPECT_THAT(processor({false, ""}, false), testing::HasSubstr(without));
    }
}

TEST(Accelerator, CountedInstructionsAreThoseOfTheWholeProcessor) {
    EXPECT_EQ(processor({false, ""}, true), "max");
    EXPECT_EQ(processor({true, ""}, false), "max");
}

}  // namespace
}  // namespace fwts::sandbox
