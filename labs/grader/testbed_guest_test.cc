// SPDX-License-Identifier: GPL-2.0
// The testbed with a guest: limits that no check sees.
#include "testbed.h"

#include <gtest/gtest.h>

#include "failure.h"
#include "files.h"
#include "grading.h"
#include "scratch.h"

namespace fwts::grader {
namespace {

TEST(Testbed, AllChecksTogetherHaveALimitAlsoForASleeper) {
    const auto places = Places::of_this_program();
    TestbedOptions options;
    options.kernel = places.kernel;
    options.whole_limit = Testbed::Seconds(20);
    Testbed testbed(options);
    testbed.wait_ready();
    const Scratch scratch("testbed");
    write_file(scratch.path() / "igbook.ko", "a module\n");

    testbed.give_module(scratch.path() / "igbook.ko");
    EXPECT_EQ(testbed.text(Testbed::guest_module), "a module");
    testbed.run({"sleep", "21"});
    EXPECT_THROW(testbed.text("/proc/uptime"), sandbox::Hang);
    EXPECT_THROW(testbed.run({"true"}), sandbox::Hang);
    EXPECT_THROW(testbed.receive(), sandbox::Hang);
}

}  // namespace
}  // namespace fwts::grader
