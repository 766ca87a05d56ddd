// SPDX-License-Identifier: GPL-2.0
// The store of prepared guests, with small files instead of states.
#include "prepared.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "files.h"
#include "scratch.h"

namespace fwts::sandbox {
namespace {

namespace fs = std::filesystem;

class PreparedTest : public ::testing::Test {
  protected:
    PreparedTest() {
        fs::create_directory(place_ / "kernel");
        for (const char* file : {"complete", "boot", "bzImage"})
            write_file(place_ / "kernel" / file, "one");
        kernel_.directory = place_ / "kernel";
    }
    std::string describe(const std::vector<std::string>& words, bool kvm = false) {
        std::vector<std::string> argv = {"/bin/sh"};
        argv.insert(argv.end(), words.begin(), words.end());
        return describe_guest(argv, kernel_, kvm);
    }

    static void store(const PreparedState& state) {
        const Descriptor lock = state.lock();
        write_file(state.begin(), "state");
        state.commit();
    }

    const Scratch scratch_{"prepared-test"};
    const fs::path& place_ = scratch_.path();
    KernelImage kernel_;
};

TEST_F(PreparedTest, DescriptionHoldsWhatMatters) {
    const std::string first = describe({"-m", "512", "socket,id=qmp,fd=7", "/proc/self/fd/9"});
    EXPECT_EQ(first, describe({"-m", "512", "socket,id=qmp,fd=12", "/proc/self/fd/-1"}))
        << "numbers of descriptors do not matter";
    EXPECT_NE(first, describe({"-m", "256", "socket,id=qmp,fd=7", "/proc/self/fd/9"}));
    EXPECT_NE(describe({}), describe({}, true)) << "with KVM the processor matters";
    for (const char* file : {"complete", "boot", "bzImage"}) {
        const std::string before = describe({});
        write_file(place_ / "kernel" / file, "another");
        EXPECT_NE(describe({}), before) << file;
    }
}

TEST_F(PreparedTest, TimesOfFilesDecideNothing) {
    const auto kernel = place_ / "kernel" / "boot";
    const auto time = fs::last_write_time(kernel);
    const std::string before = describe({});
    fs::last_write_time(kernel, time + std::chrono::hours(12));
    EXPECT_EQ(describe({}), before) << "the same kernel, dated otherwise";
    write_file(kernel, "two");
    fs::last_write_time(kernel, time);
    EXPECT_NE(describe({}), before) << "another kernel of the same size and time";
}

TEST_F(PreparedTest, FindsWhatWasStoredAndNothingElse) {
    const PreparedState state(place_, describe({"one"}));
    EXPECT_FALSE(state.open());
    {
        const Descriptor lock = state.lock();
        write_file(state.begin(), "half");
        EXPECT_FALSE(state.open()) << "it is not whole";
        state.abandon();
    }
    store(state);
    EXPECT_TRUE(state.open());
    EXPECT_FALSE(PreparedState(place_, describe({"two"})).open());
    write_file(state.directory() / "description", "of another guest with the same hash");
    EXPECT_FALSE(state.open());
    state.discard();
    EXPECT_FALSE(fs::exists(state.directory()));
}

TEST_F(PreparedTest, KeepsTheNewestAndRemovesWhatIsOfNoUse) {
    fs::create_directory(place_ / "gone");
    KernelImage gone;
    gone.directory = place_ / "gone";
    const PreparedState orphan(place_, describe_guest({"/bin/sh"}, gone, false));
    store(orphan);
    fs::remove_all(place_ / "gone");
    fs::create_directories(place_ / "prepared/dead.partial");

    std::vector<PreparedState> states;
    for (std::size_t i = 0; i <= PreparedState::kKept; ++i) {
        states.emplace_back(place_, describe({std::to_string(i)}));
        store(states.back());
        // The clock of a file system may be too coarse to tell them apart.
        fs::last_write_time(states.back().directory() / "state",
                            fs::file_time_type::clock::now() - std::chrono::hours(100 - i));
    }
    EXPECT_FALSE(orphan.open());
    EXPECT_FALSE(fs::exists(place_ / "prepared/dead.partial"));
    EXPECT_FALSE(states.front().open()) << "the oldest";
    for (std::size_t i = 1; i < states.size(); ++i) EXPECT_TRUE(states[i].open()) << i;
}

}  // namespace
}  // namespace fwts::sandbox
