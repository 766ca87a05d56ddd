// SPDX-License-Identifier: GPL-2.0
#include "intake.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>

#include "files.h"
#include "scratch.h"

namespace fwts::grader {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Runs it in a process without root's rights.
/// @return the end of what it threw.
std::string as_nobody(const std::function<void()>& work) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) return "no pipe";
    const pid_t pid = fork();
    if (pid == 0) {
        std::string said = "nothing was thrown";
        if (getuid() == 0 && setuid(65534) != 0) said = "root's rights could not be given up";
        try {
            if (getuid() != 0) work();
        } catch (const std::runtime_error& error) {
            said = error.what();
        }
        const auto at = said.find("cannot be read");
        if (at != std::string::npos) said.erase(0, at);
        _exit(write(ends[1], said.data(), said.size()) > 0 ? 0 : 1);
    }
    close(ends[1]);
    std::array<char, 4096> buffer{};
    const auto got = read(ends[0], buffer.data(), buffer.size());
    close(ends[0]);
    waitpid(pid, nullptr, 0);
    return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
}

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
    IntakeRules rules_{{"igbook*.c", "igbook*.h"}, {}, 4096, 8192, 8, ""};

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

TEST_F(IntakeTest, LinksOnTheWayAreNotFollowed) {
    fs::create_directory_symlink("/etc", submission() / "lab");
    give("igbook_main.c", "one");
    const auto intake = take();
    EXPECT_THAT(intake.accepted, ElementsAre("igbook_main.c"));
    EXPECT_THAT(intake.ignored, ElementsAre("lab"));
}

TEST_F(IntakeTest, AnEmptyDirectoryInsideIsNothing) {
    fs::create_directories(submission() / "doc" / "figures");
    give("igbook_main.c", "one");
    EXPECT_TRUE(take().ok());
}

TEST_F(IntakeTest, ADirectoryThatAllFilesShareIsTakenAway) {
    give("lab1/src/igbook_main.c", "one");
    give("lab1/src/igbook.h", "two");
    give("lab1/README.md", "hello");
    const auto intake = take();
    EXPECT_THAT(intake.refused, IsEmpty());
    EXPECT_THAT(intake.accepted, ElementsAre("igbook.h", "igbook_main.c"));
    EXPECT_THAT(intake.ignored, ElementsAre("lab1/README.md"));
}

TEST_F(IntakeTest, FilesInTwoDirectoriesAreNotGuessedAbout) {
    give("igbook_main.c", "one");
    give("old/igbook_main.c", "two");
    expect_refused("old/igbook_main.c: it lies in a directory beside others");
}

TEST_F(IntakeTest, ThePartAskedForIsTaken) {
    give("lab1/igbook_main.c", "one");
    give("lab2/igbook_main.c", "two");
    rules_.part = "lab2";
    EXPECT_TRUE(take().ok());
    EXPECT_EQ(read_file(into() / "igbook_main.c"), "two");
}

TEST_F(IntakeTest, ABackslashOfWindowsIsASlash) {
    give("lab1\\igbook_main.c", "one");
    give("lab1\\igbook.h", "two");
    EXPECT_THAT(take().accepted, ElementsAre("igbook.h", "igbook_main.c"));
    EXPECT_EQ(read_file(into() / "igbook_main.c"), "one");
}

TEST_F(IntakeTest, WhatSystemsAndToolsLeaveIsLeftOutAndListed) {
    for (const char* name : {"._igbook_main.c",
                             ".DS_Store",
                             "__MACOSX/._igbook_main.c",
                             "Thumbs.db",
                             "desktop.ini",
                             ".git/config",
                             ".github/workflows/classroom.yml",
                             ".vscode/settings.json",
                             ".gitignore",
                             "igbook_main.c~",
                             ".igbook_main.c.swp",
                             ".#igbook_main.c",
                             "#igbook_main.c#",
                             "igbook_main.c.orig",
                             "igbook_main.o",
                             "igbook.ko",
                             "igbook.mod",
                             "igbook.mod.c",
                             "Module.symvers",
                             "modules.order",
                             ".igbook_main.o.cmd",
                             "compile_commands.json",
                             "README.txt",
                             "report.pdf",
                             "handout.md",
                             "lab1.zip"})
        give(name, "x");
    give("igbook_main.c", "one");
    const auto intake = take();
    EXPECT_THAT(intake.refused, IsEmpty());
    EXPECT_THAT(intake.accepted, ElementsAre("igbook_main.c"));
    EXPECT_EQ(intake.ignored.size(), 21U);
    EXPECT_EQ(intake.ignored.back(), "and 6 more");
    EXPECT_THAT(intake.ignored, Contains(".git/"));
    EXPECT_THAT(intake.ignored, Contains("__MACOSX/"));
}

TEST_F(IntakeTest, TheDanglingLinkOfAnEditorIsLeftOut) {
    fs::create_symlink("student@host.1234:1700000000", submission() / ".#igbook_main.c");
    give("igbook_main.c", "one");
    EXPECT_TRUE(take().ok());
}

TEST_F(IntakeTest, WhatWasMeantToBeASourceIsNotLeftOutInSilence) {
    const std::vector<std::pair<std::string, std::string>> names{
        {"IGBOOK_MAIN.C", "write its name in small letters: igbook_main.c"},
        {"igbook_main.c.txt", "only igbook*.c"},
        {"igbook_main (1).c", "use letters, digits"},
        {"igbook_main.cpp", "only igbook*.c"},
        {"igbook_main.S", "only igbook*.c"},
        {"-igbook.c", "use letters"},
        {".igbook_main.c", "use letters"},
        {"igbook_main.c ", "use letters"},
        {"igbook_table.inc", "only igbook*.c"},
        {"igbook\n.c", "igbook\\x0A.c: use letters"},
        {"igbook_" + std::string(120, 'x') + ".c", "more than 100 characters"}};
    for (const auto& [name, why] : names) {
        give(name, "x");
        expect_refused(why);
        fs::remove(submission() / name);
    }
}

TEST_F(IntakeTest, NamesThatKbuildMakesItselfAreRefused) {
    for (const char* name : {"igbook.c", "igbook_main.mod.c"}) {
        give(name, "x");
        expect_refused(std::string(name) + ": the kernel's build makes an object of this name");
        fs::remove(submission() / name);
    }
}

TEST_F(IntakeTest, TheSkeletonsFileInOtherLettersIsRefused) {
    rules_.handed_out = {{"igbook_main.c", "one"}};
    give("igbook_Main.c", "x");
    expect_refused("igbook_Main.c: the lab's file is called igbook_main.c");
}

TEST_F(IntakeTest, SourcesOfWindowsAreTakenAndOtherEncodingsRefused) {
    give("igbook_main.c", "\xef\xbb\xbfint a;\r\n");
    EXPECT_TRUE(take().ok());
    give("igbook_main.c", std::string("i\0n\0t\0", 6));
    const auto intake = take();
    ASSERT_FALSE(intake.ok());
    EXPECT_THAT(intake.refused.front(), HasSubstr("igbook_main.c: it is no text in UTF-8"));
}

TEST_F(IntakeTest, BuildRulesHandedOutMayHaveTheLineEndsOfWindows) {
    rules_.handed_out = {{"Kbuild", "obj-m := igbook.o\n"}, {"Makefile", "all:\n\ttrue\n"}};
    give("igbook_main.c", "one");
    give("Kbuild", "\xef\xbb\xbfobj-m := igbook.o\r\n");
    give("Makefile", "all:\r\n\ttrue\r\n");
    const auto intake = take();
    EXPECT_THAT(intake.refused, IsEmpty());
    EXPECT_THAT(intake.ignored, ElementsAre("Kbuild", "Makefile"));
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

TEST_F(IntakeTest, NothingOfTheLabIsRefusedAndSaysWhatThereIs) {
    expect_refused("there is no file of this lab in it (igbook*.c, igbook*.h)");
    give("lab1.tar.gz", "x");
    expect_refused("left out: lab1.tar.gz");
}

TEST(Intake, AMissingDirectoryIsNamed) {
    EXPECT_THROW(take_in("/nonexistent/submission", {}, "/tmp"), std::runtime_error);
}

TEST_F(IntakeTest, WhatCannotBeReadIsNoFaultOfTheStudents) {
    give("lab/igbook_main.c", "one");
    fs::permissions(submission(), fs::perms::all);
    for (const char* locked : {"lab/igbook_main.c", "lab", ""}) {
        fs::permissions(submission() / locked, fs::perms::none);
        EXPECT_EQ(as_nobody([&] { take(); }), "cannot be read: Permission denied") << locked;
        fs::permissions(submission() / locked, fs::perms::all);
    }
}

TEST_F(IntakeTest, WhatCannotBeWrittenIsNoFaultOfTheStudents) {
    give("igbook_main.c", "one");
    EXPECT_THROW(take_in(submission(), rules_, "/proc/self"), std::runtime_error);
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
