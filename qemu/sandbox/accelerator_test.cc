// SPDX-License-Identifier: GPL-2.0
#include "accelerator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "scratch.h"

namespace fwts::sandbox {
namespace {

std::string processor(const Accelerator& accelerator, bool icount) {
    const auto words = accelerator.arguments(icount, 1);
    const auto at = std::find(words.begin(), words.end(), "-cpu");
    return at == words.end() || at + 1 == words.end() ? "" : *(at + 1);
}

TEST(Accelerator, TcgHasNoStringInstructionsThatMoveSingleBytes) {
    for (const char* without : {"-erms", "-fsrm", "-fsrs"})
        EXPECT_THAT(processor({false, ""}, false), testing::HasSubstr(without));
}

TEST(Accelerator, CountedInstructionsAreThoseOfTheWholeProcessor) {
    EXPECT_EQ(processor({false, ""}, true), "max");
    EXPECT_EQ(processor({true, ""}, false), "max");
}

// Else QEMU (10.0) aborted in one of 250 boots with two processors, while the kernel gave the cards
// their addresses: "iotlb_to_section: Assertion `section_index < d->map.sections_nb' failed".
TEST(Accelerator, SeveralProcessorsShareOneThreadUnderTcg) {
    EXPECT_THAT(Accelerator{}.arguments(false, 1), testing::Contains("tcg,thread=multi"));
    EXPECT_THAT(Accelerator{}.arguments(false, 2), testing::Contains("tcg,thread=single"));
}

TEST(Accelerator, WhatWasTriedHoldsForOneQemuWhateverItsFilesTime) {
    namespace fs = std::filesystem;
    const Scratch scratch("accelerator-test");
    const auto& place = scratch.path();
    const fs::path qemu = place / "qemu-system-x86_64";
    const auto write = [&qemu](const char* text) { std::ofstream(qemu) << text; };
    const std::string path = std::getenv("PATH");
    setenv("PATH", place.c_str(), 1);
    write("one");
    fs::permissions(qemu, fs::perms::owner_all);
    const auto time = fs::last_write_time(qemu);
    const std::string first = accelerator_key();
    fs::last_write_time(qemu, time + std::chrono::hours(12));
    EXPECT_EQ(accelerator_key(), first);
    write("two");
    fs::last_write_time(qemu, time);
    EXPECT_NE(accelerator_key(), first);
    setenv("PATH", path.c_str(), 1);
}

}  // namespace
}  // namespace fwts::sandbox
