// SPDX-License-Identifier: GPL-2.0
#include "patience.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

namespace fwts::grader {
namespace {

using namespace std::chrono_literals;

TEST(Patience, ASleeperUsesItUp) {
    const Patience patience({gettid()}, 0.2s);
    EXPECT_FALSE(patience.over());
    std::this_thread::sleep_for(400ms);
    EXPECT_TRUE(patience.over());
}

TEST(Patience, NobodyIsKeptWaitingWhoHasNoProcessor) {
    const Patience patience({}, 0.1s);
    std::this_thread::sleep_for(150ms);
    EXPECT_TRUE(patience.over());
}

}  // namespace
}  // namespace fwts::grader
