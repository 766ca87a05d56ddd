// SPDX-License-Identifier: GPL-2.0
#include "unpack.h"

#include <gmock/gmock.h>

#include "files.h"
#include "process.h"
#include "test_room.h"

namespace fwts::classroom {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ZipTest : public testing::Test {
  protected:
    Unpacked read(const std::vector<ZipEntry>& entries, const std::string& part = "") {
        const auto path = room_.path() / "it.zip";
        make_zip(path, entries);
        return read_zip(path, part, limits_);
    }
    void expect_refused(const std::vector<ZipEntry>& entries, const std::string& why) {
        const auto found = read(entries);
        ASSERT_FALSE(found.refused.empty());
        EXPECT_THAT(found.refused.front(), HasSubstr(why));
    }
    TestRoom room_;
    UnpackLimits limits_{1U << 20U, 1000, 3000, 10};
};

std::vector<std::string> names(const Unpacked& found) {
    std::vector<std::string> result;
    for (const auto& file : found.files) result.push_back(file.name);
    return result;
}

TEST_F(ZipTest, TheDirectoryAllShareIsTakenAway) {
    const auto found = read({{"lab1/src/igbook_main.c", "one"}, {"lab1/src/igbook.h", "two"}});
    EXPECT_THAT(found.refused, IsEmpty());
    EXPECT_THAT(names(found), ElementsAre("igbook_main.c", "igbook.h"));
    EXPECT_EQ(found.files[0].bytes, "one");
}

TEST_F(ZipTest, ClutterIsPassedOver) {
    std::vector<ZipEntry> entries{{"lab/igbook.c", "x"},
                                  {"__MACOSX/lab/._igbook.c", "x"},
                                  {"README.md", "x"},
                                  {"lab/igbook.ko", std::string(5000, 'x')}};
    // More of them than a submission may have files.
    for (int i = 0; i < 20; ++i) entries.push_back({"lab/.git/objects/" + std::to_string(i), "x"});
    const auto found = read(entries);
    EXPECT_THAT(found.refused, IsEmpty());
    EXPECT_THAT(names(found), ElementsAre("igbook.c"));
    EXPECT_THAT(found.ignored, ElementsAre("README.md", "__MACOSX/", "lab/.git/", "lab/igbook.ko"));
}

TEST_F(ZipTest, AZipFileOfWindowsHasBackslashes) {
    const auto found = read({{"lab\\", ""}, {"lab\\igbook.c", "x"}, {"lab\\igbook.h", "y"}});
    EXPECT_THAT(found.refused, IsEmpty());
    EXPECT_THAT(names(found), ElementsAre("igbook.c", "igbook.h"));
}

TEST_F(ZipTest, OnlyThePartAskedForIsTaken) {
    const auto found =
        read({{"repo/lab1/igbook.c", "x"}, {"repo/lab2/igbook.c", "y"}}, "repo/lab1");
    EXPECT_THAT(names(found), ElementsAre("igbook.c"));
    EXPECT_EQ(found.files[0].bytes, "x");
}

TEST_F(ZipTest, PathsThatClimbAreRefused) {
    expect_refused({{"lab/../../evil.c", "x"}}, "leads out");
    expect_refused({{"/etc/evil.c", "x"}}, "leads out");
    expect_refused({{"lab\\..\\evil.c", "x"}}, "leads out");
    expect_refused({{"lab/evil\n.c", "x"}}, "evil\\x0A.c: use letters");
}

TEST_F(ZipTest, LinksAndPipesAreRefused) {
    expect_refused({{"igbook.c", "/etc/passwd", S_IFLNK | 0777U}}, "symbolic link");
    expect_refused({{"igbook.c", "", S_IFIFO | 0644U}}, "not a regular file");
}

TEST_F(ZipTest, SizesAreCountedNotBelieved) {
    expect_refused({{"igbook.c", std::string(1001, 'x')}}, "larger than");
    expect_refused({{"a.c", std::string(999, 'x')},
                    {"b.c", std::string(999, 'x')},
                    {"c.c", std::string(999, 'x')},
                    {"d.c", std::string(999, 'x')}},
                   "together");
    std::vector<ZipEntry> many(11);
    for (std::size_t i = 0; i < many.size(); ++i) many[i].name = "f" + std::to_string(i) + ".c";
    expect_refused(many, "more than 10 files");
}

TEST_F(ZipTest, FilesInDirectoriesAndTwiceAreRefused) {
    expect_refused({{"igbook.c", "x"}, {"more/igbook.h", "x"}}, "it lies in a directory");
    expect_refused({{"lab/igbook.c", "x"}, {"lab\\igbook.c", "x"}}, "it is there twice");
}

TEST_F(ZipTest, WhatIsNoZipIsRefused) {
    write_file(room_.path() / "no.zip", "PK not really");
    EXPECT_THAT(read_zip(room_.path() / "no.zip", "", limits_).refused,
                ElementsAre(HasSubstr("no zip archive")));
}

/// A repository as a server keeps it, made by git.
class RepositoryTest : public testing::Test {
  protected:
    void commit(const std::string& branch, const std::vector<ZipEntry>& files) const {
        const auto tree = room_.path() / "tree";
        for (const auto& file : files) write_file(tree / file.name, file.text);
        git({"init", "-q", tree.string()});
        git({"-C", tree.string(), "add", "-A", "-f", "."});
        git({"-C", tree.string(), "-c", "user.name=s", "-c", "user.email=s@example.org", "commit",
             "-q", "-m", "lab"});
        git({"-C", tree.string(), "push", "-q", bare().string(), "HEAD:refs/heads/" + branch});
    }
    static void git(std::vector<std::string> words) {
        words.insert(words.begin(), "git");
        const auto result =
            run_process(words, {}, {{"PATH", "/usr/bin:/bin"}, {"HOME", "/nonexistent"}});
        ASSERT_TRUE(result.ok()) << result.output;
    }
    void SetUp() override { git({"init", "-q", "--bare", "-b", "main", bare().string()}); }
    std::filesystem::path bare() const { return room_.path() / "rita.git"; }
    Unpacked read(const std::string& part = "") const { return read_repository(bare(), part, {}); }
    TestRoom room_;
};

TEST_F(RepositoryTest, OurOwnWorkflowIsLeftOut) {
    commit("main", {{"igbook_lab.c", "x"},
                    {".github/workflows/classroom.yml", "on: push"},
                    {".gitignore", "*.o"},
                    {"README.md", "lab"}});
    const auto found = read();
    EXPECT_THAT(found.refused, IsEmpty());
    EXPECT_THAT(names(found), ElementsAre("igbook_lab.c"));
    EXPECT_THAT(found.ignored, ElementsAre(".github/", ".gitignore", "README.md"));
}

TEST_F(RepositoryTest, TheOnlyBranchCountsWhateverTheServersHeadIsCalled) {
    commit("master", {{"igbook_lab.c", "x"}});
    EXPECT_THAT(names(read()), ElementsAre("igbook_lab.c"));
    commit("other", {{"igbook_lab.c", "y"}});
    EXPECT_THAT(read().refused, ElementsAre(HasSubstr("not ours to guess: master, other")));
}

TEST_F(RepositoryTest, WithoutACommitThereIsNothing) {
    EXPECT_THAT(read().refused, ElementsAre(HasSubstr("holds no commit")));
}

TEST_F(RepositoryTest, WhoBorrowsObjectsIsOurTrouble) {
    write_file(bare() / "objects" / "info" / "alternates", "/elsewhere\n");
    EXPECT_THAT(read().trouble, HasSubstr("clone it without --shared"));
}

TEST(Stream, SurvivesTheWay) {
    const Unpacked there{{{"a b.c", std::string("x\0\n \xff", 5)}, {"empty.c", ""}},
                         {"why\nnot"},
                         {"README", "a b/"},
                         "no room"};
    const auto here = unpacked(packed(there), {});
    ASSERT_EQ(here.files.size(), 2U);
    EXPECT_EQ(here.files[0].name, "a b.c");
    EXPECT_EQ(here.files[0].bytes, std::string("x\0\n \xff", 5));
    EXPECT_EQ(here.files[1].bytes, "");
    EXPECT_THAT(here.refused, ElementsAre("why\nnot"));
    EXPECT_THAT(here.ignored, ElementsAre("README", "a b/"));
    EXPECT_EQ(here.trouble, "no room");
}

TEST(Stream, ABrokenOneIsNoStream) {
    const auto whole = packed({{{"a.c", "text"}}, {}, {}, {}});
    for (std::size_t length = 0; length < whole.size() - 1; ++length)
        EXPECT_THROW(unpacked(whole.substr(0, length), {}), std::runtime_error) << length;
    EXPECT_THROW(unpacked("fwts-unpacked/2\nfile 3 a.c\nbytes 99999999999 x", {}),
                 std::runtime_error);
}

}  // namespace
}  // namespace fwts::classroom
