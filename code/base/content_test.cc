// SPDX-License-Identifier: GPL-2.0
#include "content.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdint>
#include <fstream>
#include <set>

#include "scratch.h"

namespace fwts {
namespace {

namespace fs = std::filesystem;

TEST(Content, EveryByteAndTheLengthCount) {
    std::set<std::uint64_t> seen;
    std::size_t texts = 0;
    for (const std::size_t size : {0U, 1U, 7U, 8U, 9U, 31U, 32U, 33U, 100U}) {
        const std::string zeros(size, '\0');
        seen.insert(content_hash(zeros));
        ++texts;
        for (std::size_t at = 0; at < size; ++at) {
            std::string changed = zeros;
            changed[at] = 1;
            seen.insert(content_hash(changed));
            ++texts;
        }
    }
    EXPECT_EQ(seen.size(), texts);
    EXPECT_NE(content_hash("12345678abcdefgh"), content_hash("abcdefgh12345678"));
}

TEST(Content, OfAFileIsWhatIsInIt) {
    const Scratch scratch("content-test");
    const auto name = scratch.path() / "file";
    const auto write = [&name](const char* text) { std::ofstream(name) << text; };
    write("one");
    const auto one = content_of(name);
    const auto time = fs::last_write_time(name);
    write("two");
    fs::last_write_time(name, time);  // same size, same time
    EXPECT_NE(content_of(name), one);
    write("one");
    EXPECT_EQ(content_of(name), one);
    write("");
    EXPECT_NE(content_of(name), "missing");
    fs::remove(name);
    EXPECT_EQ(content_of(name), "missing");
    EXPECT_EQ(content_of("/"), "missing");
}

}  // namespace
}  // namespace fwts
