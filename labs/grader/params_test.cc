// SPDX-License-Identifier: GPL-2.0
#include "params.h"

#include <gmock/gmock.h>

#include "files.h"
#include "scenario.h"
#include "scratch.h"

namespace fwts::grader {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

const Params defaults{{"nvm_file", "nvm"}, {"second_device", "10e8"}};

Params from(const std::string& toml) {
    const Scratch scratch("params");
    write_file(scratch.path() / "cohort.toml", toml);
    return changed_by(scratch.path() / "cohort.toml", defaults);
}

TEST(Params, StandWhereTheyAreNamed) {
    EXPECT_EQ(filled_in("0x@second_device@, \"@nvm_file@\"", defaults), "0x10e8, \"nvm\"");
}

TEST(Params, KernelDocAndAddressesAreNoParameters) {
    const std::string text = "@file: the open file\na@b.example @priv@\n";
    EXPECT_EQ(filled_in(text, defaults), text);
}

TEST(Params, AMisspeltOneIsNoticed) {
    EXPECT_THAT([] { filled_in("@nvm_flie@", defaults); },
                ThrowsMessage<std::runtime_error>(HasSubstr("there are: nvm_file")));
}

TEST(Params, AFileChangesSomeOfThem) {
    const auto params = from("second_device = \"150d\"\n");
    EXPECT_EQ(params.at("second_device"), "150d");
    EXPECT_EQ(params.at("nvm_file"), "nvm");
}

TEST(Params, MistakesInTheFileAreNamed) {
    EXPECT_THAT([] { from("third_device = \"1\"\n"); },
                ThrowsMessage<std::runtime_error>(HasSubstr("cohort.toml:1: third_device")));
    EXPECT_THAT([] { from("nvm_file = 7\n"); },
                ThrowsMessage<std::runtime_error>(HasSubstr("nvm_file is no text")));
    EXPECT_THAT([] { from("nvm_file = \"a/../b\"\n"); },
                ThrowsMessage<std::runtime_error>(HasSubstr("use letters")));
    EXPECT_THAT([] { from("nvm_file = \n"); },
                ThrowsMessage<std::runtime_error>(HasSubstr("cohort.toml:1:")));
}

TEST(Params, AreInTitlesAndHintsOfChecks) {
    Scenario lab("99-test");
    CHECK_POINTS(10, "stands up for @second_device@").id("ids").hint("see @nvm_file@").run({});
    const auto check = lab.filled_in(defaults).checks().front();
    EXPECT_EQ(check.title, "stands up for 10e8");
    EXPECT_EQ(check.hint, "see nvm");
    EXPECT_THAT(check.place, HasSubstr("params_test.cc:"));
}

}  // namespace
}  // namespace fwts::grader
