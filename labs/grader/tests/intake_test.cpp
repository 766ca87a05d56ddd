// SPDX-License-Identifier: GPL-2.0
#include "intake.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "edit.h"
#include "scratch.h"

namespace fwts::grader {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class IntakeTest : public testing::Test {
  protected:
    void give(const std::string& name, const std::string& text) {
        write_file(submission() / name, text);
    }
    Intake take() { return take_in(submission(), rules_, into()); }
    void expect_refused(const std::string& why) {
        const auto intake = take();
        ASSERT_FALSE(intake.ok());
        EXPECT_THAT(intake.refused.front(), HasSubstr(why));
        EXPECT_TRUE(fs::is_empty(into())) << "something was copied all the same";
    }
    fs::path submission() const { return in_.path(); }
    fs::path into() const { return out_.path(); }
    IntakeRules rules_{{"igbook*.c", "igbook*.h"}, {}, 4096, 8192, 8};

  private:
    Scratch in_{"intake-in"};
    Scratch out_{"intake-out"};
};

TEST_F(IntakeTest, SourcesAreCopied) {
    give("igbook_main.c", "one");
    give("igbook.h", "two");
    const auto intake = take();
    EXPECT_TRUE(intake.ok());
    EXPECT_THAT(intake.accepted, ElementsAre("igbook.h", "igbook_main.c"));
    EXPECT_EQ(read_file(into() / "igbook_main.c"), "one");
}

TEST_F(IntakeTest, LeftoversOfABuildArePassedOver) {
    give("igbook_main.c", "one");
    give("igbook_main.o", "object");
    give(".igbook_main.o.cmd", "command");
    give("igbook_main.c~", "old");
    EXPECT_THAT(take().accepted, ElementsAre("igbook_main.c"));
}

TEST_F(IntakeTest, OwnMakefileIsRefused) {
    give("igbook_main.c", "one");
    give("Makefile", "all:\n\tcurl example.org\n");
    expect_refused("Makefile: the lab is built with the grader's own rules");
}

TEST_F(IntakeTest, OwnKbuildIsRefused) {
    give("Kbuild", "ccflags-y += -I/\n");
    expect_refused("Kbuild: ");
}

TEST_F(IntakeTest, BuildRulesHandedOutArePassedOverWhileUnchanged) {
    rules_.handed_out = {{"Kbuild", "obj-m := igbook.o\n"}};
    give("igbook_main.c", "one");
    give("Kbuild", "obj-m := igbook.o\n");
    EXPECT_TRUE(take().ok());
    EXPECT_FALSE(fs::exists(into() / "Kbuild"));
}

TEST_F(IntakeTest, BuildRulesHandedOutAndChangedAreRefused) {
    rules_.handed_out = {{"Kbuild", "obj-m := igbook.o\n"}};
    give("Kbuild", "obj-m := igbook.o other.o\n");
    expect_refused("Kbuild: ");
}

TEST_F(IntakeTest, SymbolicLinkIsRefused) {
    fs::create_symlink("/etc/passwd", submission() / "igbook_main.c");
    expect_refused("igbook_main.c: it is a symbolic link");
}

TEST_F(IntakeTest, DirectoryIsRefused) {
    fs::create_directory(submission() / "igbook.c");
    expect_refused("it is a directory");
}

TEST_F(IntakeTest, PipeIsRefusedWithoutWaitingForAWriter) {
    ASSERT_EQ(mkfifo((submission() / "igbook.c").c_str(), 0600), 0);
    expect_refused("not a regular file");
}

TEST_F(IntakeTest, LargeFileIsRefused) {
    give("igbook_main.c", std::string(4097, 'x'));
    expect_refused("larger than 4 KiB");
}

TEST_F(IntakeTest, LargeTotalIsRefused) {
    for (const char* name : {"igbook_a.c", "igbook_b.c", "igbook_c.c"})
        give(name, std::string(4000, 'x'));
    expect_refused("together");
}

TEST_F(IntakeTest, ManyFilesAreRefused) {
    for (char c = 'a'; c < 'j'; ++c) give(std::string("igbook_") + c + ".c", "x");
    expect_refused("9 files");
}

TEST_F(IntakeTest, NamesOutsideTheLabAreRefused) {
    give("evil.c", "x");
    expect_refused("evil.c: only igbook*.c, igbook*.h");
}

TEST_F(IntakeTest, NamesThatPlayTricksAreRefused) {
    give("igbook $(reboot).c", "x");
    expect_refused("use letters, digits");
}

TEST_F(IntakeTest, AnEmptyDirectoryIsRefused) {
    expect_refused("no files");
}

TEST(Intake, AMissingDirectoryIsNamed) {
    EXPECT_THROW(take_in("/nonexistent/submission", {}, "/tmp"), std::runtime_error);
}

TEST(Matches, StarStandsForAnyRun) {
    EXPECT_TRUE(matches("igbook_main.c", "igbook*.c"));
    EXPECT_TRUE(matches("igbook.c", "igbook*.c"));
    EXPECT_FALSE(matches("igbook.cc", "igbook*.c"));
    EXPECT_FALSE(matches("xigbook.c", "igbook*.c"));
    EXPECT_TRUE(matches(".a.o.cmd", ".*.cmd"));
}

}  // namespace
}  // namespace fwts::grader
