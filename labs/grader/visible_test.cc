// SPDX-License-Identifier: GPL-2.0
#include "visible.h"

#include <gmock/gmock.h>

namespace fwts::grader {
namespace {

TEST(Visible, TextStaysAsItIs) {
    EXPECT_EQ(visible("plain, \"Jos\xc3\xa9\" \xe6\x9d\x8e \xf0\x9f\x90\xa7 a\\b"),
              "plain, \"Jos\xc3\xa9\" \xe6\x9d\x8e \xf0\x9f\x90\xa7 a\\b");
    EXPECT_EQ(visible("a\tb\n", "\n\t"), "a\tb\n");
}

TEST(Visible, NothingSteersTheTerminalOrEndsTheLine) {
    EXPECT_EQ(visible("a\nb\x1b[31m\x7f"), "a\\x0Ab\\x1B[31m\\x7F");
    EXPECT_EQ(visible("\xc2\x9b"
                      "31m"),
              "\\xC2\\x9B31m");
    EXPECT_EQ(visible("\xe2\x80\xa8"), "\\xE2\\x80\\xA8") << "a line separator";
}

TEST(Visible, NothingTurnsOrHidesTheWriting) {
    EXPECT_EQ(visible("igbook_\xe2\x80\xae"
                      "c.txt"),
              "igbook_\\xE2\\x80\\xAE"
              "c.txt");
    EXPECT_EQ(visible("a\xe2\x80\x8b"
                      "b"),
              "a\\xE2\\x80\\x8B"
              "b");
}

TEST(Visible, WhatIsNoUtf8IsShownByteByByte) {
    EXPECT_EQ(visible("Ren\xe9"), "Ren\\xE9");
    EXPECT_EQ(visible("\xc0\xaf \xed\xa0\x80 \xf5\x80\x80\x80 \xe2\x82"),
              "\\xC0\\xAF \\xED\\xA0\\x80 \\xF5\\x80\\x80\\x80 \\xE2\\x82");
}

TEST(NameText, TwoNamesNeverBecomeOneAndComeBack) {
    EXPECT_NE(name_text("Ren\xe9"), name_text("Ren\xe8"));
    EXPECT_NE(name_text("Ren\xe9"), name_text("Ren\\xE9"));
    for (const std::string name :
         {"Ren\xe9", "Ren\\xE9", "a\\", "a\nb\tc", "\\\\x41", "Jos\xc3\xa9", "-%s\" '"})
        EXPECT_EQ(name_bytes(name_text(name)), name) << name;
}

}  // namespace
}  // namespace fwts::grader
