// SPDX-License-Identifier: GPL-2.0
#include "object_file.h"

#include <gmock/gmock.h>

#include <random>
#include <stdexcept>

#include "files.h"
#include "process.h"
#include "scratch.h"

namespace fwts::grader {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

std::string compiled(const std::string& text) {
    const Scratch scratch("object");
    write_file(scratch.path() / "it.c", text);
    const auto result = run_process(
        {"gcc", "-c", "-o", (scratch.path() / "it.o").string(), (scratch.path() / "it.c").string()},
        {}, {{"PATH", "/usr/bin:/bin"}});
    EXPECT_TRUE(result.ok()) << result.output;
    return read_file(scratch.path() / "it.o");
}

void expect_refused(const std::string& object, const std::string& why) {
    EXPECT_THAT([&] { variable_in(object, "answers"); },
                ThrowsMessage<std::runtime_error>(HasSubstr(why)));
}

TEST(ObjectFile, FindsWhatAVariableHolds) {
    const auto object = compiled("const int other = 5; const char answers[] = \"wanted\";");
    const auto place = variable_in(object, "answers");
    EXPECT_EQ(object.substr(place.at, place.size), std::string("wanted\0", 7));
}

TEST(ObjectFile, SaysWhyThereIsNone) {
    expect_refused("", "cut off");
    expect_refused(std::string(1000, 'x'), "no object file");
    expect_refused(compiled("int other = 1;"), "no global variable");
    expect_refused(compiled("static int answers = 1; int *at = &answers;"), "no global variable");
    expect_refused(compiled("extern int answers; int *at = &answers;"), "no global variable");
    expect_refused(compiled("int answers;"), "has no value");
    expect_refused(compiled("asm(\".globl answers; answers = 0x7fffffff; .size answers, 64\");"),
                   "has no value");
}

/// Whoever writes assembler can have symbols anywhere.
TEST(ObjectFile, BelievesNothing) {
    expect_refused(compiled("asm(\".data; .globl answers; .long 1; answers = . + 4096; "
                            ".size answers, 64\");"),
                   "cut off");
    expect_refused(compiled("asm(\".data; .globl answers; answers: .long 1; "
                            ".size answers, 0x7fffffffffffffff\");"),
                   "cut off");
    const auto object = compiled("const int answers[16] = {1};");
    for (std::size_t size = 0; size < object.size(); size += 7)
        EXPECT_ANY_THROW(variable_in(object.substr(0, size), "answers")) << size;
    std::mt19937 random(1);
    for (int round = 0; round < 20'000; ++round) {
        auto damaged = object;
        for (int i = 0; i < 3; ++i)
            damaged[random() % damaged.size()] = static_cast<char>(random());
        try {
            const auto place = variable_in(damaged, "answers");
            ASSERT_LE(place.at, damaged.size());
            ASSERT_LE(place.size, damaged.size() - place.at);
        } catch (const std::runtime_error&) {  // as it should be
        }
    }
}

}  // namespace
}  // namespace fwts::grader
