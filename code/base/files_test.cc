// SPDX-License-Identifier: GPL-2.0
#include "files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "scratch.h"

namespace fwts {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(Files, EveryByteComesBackAndDirectoriesAreMade) {
    const Scratch scratch("files-test");
    const auto path = scratch.path() / "a" / "b";
    const std::string bytes("a\0\n\xff", 4);
    write_file(path, bytes);
    EXPECT_EQ(read_file(path), bytes);
    replace_file(path, "two\nlines\n");
    EXPECT_EQ(first_line(path), "two");
    EXPECT_EQ(std::distance(fs::directory_iterator(path.parent_path()), {}), 1)
        << "a draft is left";
}

TEST(Files, AnErrorNamesTheFileAndTheReason) {
    const Scratch scratch("files-test");
    const auto missing = scratch.path() / "missing";
    EXPECT_THAT([&] { read_file(missing); },
                ThrowsMessage<std::runtime_error>(
                    HasSubstr("missing: cannot be read: No such file or directory")));
    EXPECT_THAT([&] { read_file(scratch.path()); },
                ThrowsMessage<std::runtime_error>(HasSubstr(": cannot be read: Is a directory")));
    EXPECT_THAT(
        [&] { write_file(scratch.path(), "x"); },
        ThrowsMessage<std::runtime_error>(HasSubstr(": cannot be written: Is a directory")));
    EXPECT_EQ(first_line(missing), "");
}

TEST(Files, WhatCannotBeReplacedStays) {
    const Scratch scratch("files-test");
    const auto path = scratch.path() / "directory";
    write_file(path / "file", "x");
    EXPECT_THAT([&] { replace_file(path, "y"); },
                ThrowsMessage<std::runtime_error>(HasSubstr("directory: cannot be replaced: ")));
    EXPECT_EQ(read_file(path / "file"), "x");
    EXPECT_EQ(std::distance(fs::directory_iterator(scratch.path()), {}), 1) << "a draft is left";
}

}  // namespace
}  // namespace fwts
