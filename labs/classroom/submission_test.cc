// SPDX-License-Identifier: GPL-2.0
#include "submission.h"

#include <gmock/gmock.h>

#include "files.h"
#include "test_room.h"

namespace fwts::classroom {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class SubmissionTest : public testing::Test {
  protected:
    std::vector<Submission> find() {
        passed_over_.clear();
        return find_submissions({room_.handed_in().string()}, passed_over_);
    }
    fs::path in(const std::string& name) const { return room_.handed_in() / name; }
    TestRoom room_;
    std::vector<std::string> passed_over_;
};

TEST_F(SubmissionTest, FormsAreToldApart) {
    room_.student("dora", "full");
    make_zip(in("zoe.zip"), {{"igbook_lab.c", "x"}});
    fs::create_directories(in("rita.git") / "objects");
    fs::create_directories(in("rita.git") / "refs");
    write_file(in("rita.git") / "HEAD", "ref: refs/heads/main\n");
    const auto found = find();
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[0].student, "dora");
    EXPECT_EQ(found[0].form, Form::directory);
    EXPECT_EQ(found[1].student, "rita");
    EXPECT_EQ(found[1].form, Form::repository);
    EXPECT_EQ(found[2].student, "zoe");
    EXPECT_EQ(found[2].form, Form::zip);
}

TEST_F(SubmissionTest, ADirectoryWithOneZipFileIsThatZipFile) {
    fs::create_directories(in("ada_1234_assignsubmission_file_"));
    make_zip(in("ada_1234_assignsubmission_file_") / "lab1.ZIP", {{"igbook_lab.c", "x"}});
    const auto found = find();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].form, Form::zip);
    EXPECT_EQ(found[0].student, "ada_1234_assignsubmission_file_");
}

TEST_F(SubmissionTest, WhatASystemAddsBesideTheZipFileMakesNoDifference) {
    for (const char* name : {".DS_Store", "._lab1.zip", "Thumbs.db", "README.txt", "__MACOSX/x"})
        write_file(in("ada") / name, "x");
    make_zip(in("ada") / "lab1.zip", {{"igbook_lab.c", "x"}});
    ASSERT_EQ(find().size(), 1U);
    EXPECT_EQ(find()[0].form, Form::zip);
    EXPECT_EQ(find()[0].place.filename(), "lab1.zip");
    // With a source beside it, the files count, and the zip file is left out.
    write_file(in("ada") / "igbook_lab.c", "x");
    EXPECT_EQ(find()[0].form, Form::directory);
}

TEST_F(SubmissionTest, WhatASystemAddsBesideTheStudentsIsNobodys) {
    room_.student("dora", "full");
    for (const char* name : {"__MACOSX/dora/._x", ".git/HEAD", ".DS_Store", "._zoe.zip"})
        write_file(in(name), "x");
    room_.student(".dot", "full");
    const auto found = find();
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].student, ".dot");
    EXPECT_EQ(found[1].student, "dora");
    EXPECT_THAT(passed_over_, ElementsAre(".DS_Store", "._zoe.zip", ".git", "__MACOSX"));
}

TEST_F(SubmissionTest, NamesAreTextAndPlacesAreBytes) {
    room_.student("Ren\xe9", "full");
    room_.student("a\n1\tbob", "full");
    const auto found = find();
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].student, "Ren\\xE9");
    EXPECT_TRUE(fs::exists(found[0].place));
    EXPECT_EQ(found[1].student, "a\\x0A1\\x09bob");
}

TEST_F(SubmissionTest, ALinkIsNotFollowed) {
    fs::create_directory_symlink("/etc", in("mallory"));
    const auto found = find();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].form, Form::unusable);
    EXPECT_THAT(found[0].why, HasSubstr("symbolic link"));
}

TEST_F(SubmissionTest, WhoHandsInTwiceIsNotGuessedAbout) {
    room_.student("dora", "full");
    make_zip(in("dora.zip"), {{"igbook_lab.c", "x"}});
    const auto found = find();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].form, Form::unusable);
    EXPECT_THAT(found[0].why, HasSubstr("more than once"));
    EXPECT_THAT(found[0].why, HasSubstr("dora.zip"));
}

TEST_F(SubmissionTest, OtherArchivesAreNamedAndOtherFilesPassedOver) {
    write_file(in("rudi.rar"), "x");
    write_file(in("list.txt"), "x");
    write_file(in(".DS_Store"), "x");
    const auto found = find();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].student, "rudi");
    EXPECT_THAT(found[0].why, HasSubstr("this kind of archive"));
    EXPECT_THAT(passed_over_, ElementsAre(".DS_Store", "list.txt"));
}

TEST_F(SubmissionTest, NothingIsFetched) {
    EXPECT_THROW(find_submissions({"https://example.org/lab.git"}, passed_over_),
                 std::runtime_error);
    EXPECT_THROW(find_submissions({"file:///nonexistent"}, passed_over_), std::runtime_error);
    EXPECT_THROW(find_submissions({"/nonexistent"}, passed_over_), std::runtime_error);
}

TEST(DirectoryName, LeadsNowhereElse) {
    EXPECT_EQ(directory_name("ada.l@example.org"), "ada.l@example.org");
    EXPECT_EQ(directory_name(".."), "%2E.");
    EXPECT_EQ(directory_name("a/b c"), "a%2Fb%20c");
    EXPECT_EQ(directory_name("-rf"), "-rf");
    EXPECT_EQ(directory_name("100% \"it's\""), "100%25%20%22it%27s%22");
    // Written in two ways, they look alike and are two.
    EXPECT_NE(directory_name("Jos\xc3\xa9"), directory_name("Jose\xcc\x81"));
    EXPECT_NE(directory_name("Anna"), directory_name("anna"));
    const std::string long_name(240, ' ');
    EXPECT_LE(directory_name(long_name).size(), 200U);
    EXPECT_NE(directory_name(long_name), directory_name(long_name + "x"));
}

}  // namespace
}  // namespace fwts::classroom
