// SPDX-License-Identifier: GPL-2.0
#include "processor_time.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <ctime>
#include <thread>

namespace fwts {
namespace {

using std::chrono::milliseconds;

/// Uses so much of one processor, the first this process may use, however long it takes.
void burn(milliseconds time) {
    cpu_set_t allowed;
    sched_getaffinity(0, sizeof(allowed), &allowed);
    int first = 0;
    while (!CPU_ISSET(first, &allowed)) ++first;
    CPU_ZERO(&allowed);
    CPU_SET(first, &allowed);
    sched_setaffinity(0, sizeof(allowed), &allowed);
    timespec used{};
    const auto so_far = [&used] {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
        return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
    };
    const auto end = so_far() + time;
    while (so_far() < end) continue;
}

TEST(KeptWaiting, CountsTheTimeOthersHadTheProcessor) {
    constexpr milliseconds each{200};
    const auto waited_while_burning = [each] {
        burn(each);
        return kept_waiting(gettid());
    };
    milliseconds one{0};
    milliseconds other{0};
    std::thread first([&] { one = waited_while_burning(); });
    std::thread second([&] { other = waited_while_burning(); });
    first.join();
    second.join();
    EXPECT_GT(one + other, each / 2);
}

TEST(KeptWaiting, IsNothingForAThreadThatIsGone) {
    pid_t gone = 0;
    std::thread([&gone] { gone = gettid(); }).join();
    EXPECT_EQ(kept_waiting(gone), milliseconds(0));
}

}  // namespace
}  // namespace fwts
