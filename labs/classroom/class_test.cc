// SPDX-License-Identifier: GPL-2.0
// The program `classroom` as an instructor runs it. Where a guest would add nothing, fake-grade
// stands in for `grade`.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>

#include <fstream>
#include <thread>

#include "files.h"
#include "grading_one.h"
#include "process.h"
#include "supervise.h"
#include "tables.h"
#include "test_room.h"

namespace fwts::classroom {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string source = FWTS_SOURCE_DIR;

std::size_t lines_of(const fs::path& file) {
    std::ifstream in(file);
    std::size_t count = 0;
    for (std::string line; std::getline(in, line);) ++count;
    return count;
}

/// Processes whose environment has our TMPDIR in it: a run's own, and what it left.
std::vector<std::string> processes_of(const fs::path& temp) {
    std::vector<std::string> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/proc", error)) {
        if (entry.path().filename().string().find_first_not_of("0123456789") != std::string::npos)
            continue;
        std::ifstream in(entry.path() / "environ", std::ios::binary);
        const std::string text((std::istreambuf_iterator<char>(in)), {});
        if (text.find("TMPDIR=" + temp.string()) != std::string::npos &&
            entry.path().filename() != std::to_string(getpid()))
            found.push_back(entry.path().filename().string());
    }
    return found;
}

/// To another user, if we are root; else it is ours, and what follows locks us out as well.
void give_away(const fs::path& path) {
    ASSERT_TRUE(getuid() != 0 || chown(path.c_str(), 65534, 65534) == 0);
}

class ClassTest : public testing::Test {
  protected:
    std::vector<std::string> command(std::vector<std::string> words) const {
        words.insert(words.begin(), source + "/build/bin/classroom");
        return words;
    }
    ProcessResult run(const std::vector<std::string>& words) const {
        Limits limits;
        limits.wall = std::chrono::seconds(100);
        return run_process(command(words), limits,
                           {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"},
                            {"TMPDIR", room_.temp()},
                            {"FAKE_GRADE_LOG", log()}});
    }
    std::vector<std::string> grade_words(std::vector<std::string> more = {}) const {
        std::vector<std::string> words{"grade",
                                       "--lab",
                                       "01",
                                       "--submissions",
                                       room_.handed_in(),
                                       "--out",
                                       room_.results(),
                                       "-j",
                                       "3",
                                       "--grade",
                                       source + "/labs/classroom/tests/fake-grade"};
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }
    ProcessResult grade(const std::vector<std::string>& more = {}) const {
        return run(grade_words(more));
    }
    ProcessResult list() const {
        return run(
            {"list", "--lab", "01", "--submissions", room_.handed_in(), "--out", room_.results()});
    }
    ProcessResult one(const std::string& index, const std::vector<std::string>& more = {}) const {
        std::vector<std::string> words{"one",
                                       "--out",
                                       room_.results(),
                                       "--index",
                                       index,
                                       "--grade",
                                       source + "/labs/classroom/tests/fake-grade"};
        words.insert(words.end(), more.begin(), more.end());
        return run(words);
    }
    fs::path said() const { return room_.path() / "said"; }
    pid_t start_class() const {
        Program program;
        program.argv = command(grade_words());
        program.environment = environment();
        program.environment["FAKE_GRADE_LOG"] = log();
        program.death_signal = SIGKILL;
        return start_logged(program, said());
    }
    std::string table() const { return read_file(room_.results() / "grades.csv"); }
    fs::path of(const std::string& student, const std::string& file) const {
        return room_.results() / "students" / student / file;
    }
    std::string log() const { return room_.path() / "runs"; }
    void expect_nothing_left() const {
        EXPECT_THAT(processes_of(room_.temp()), IsEmpty());
        EXPECT_TRUE(fs::is_empty(room_.temp())) << "a temporary directory was left";
    }
    TestRoom room_;
};

TEST_F(ClassTest, WhatTheCallerLeftItWithDoesNotMatter) {
    room_.student("dora", "full");
    make_zip(room_.handed_in() / "rita.zip", {{"igbook_lab.c", "/* word: half */\n"}});
    Limits limits;
    limits.wall = std::chrono::seconds(100);
    const auto result =
        run_process(carelessly(command(grade_words())), limits,
                    {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}, {"TMPDIR", room_.temp()}});
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(table(), HasSubstr("dora,graded,100,"));
    EXPECT_THAT(table(), HasSubstr("rita,graded,50,"));
    expect_nothing_left();
}

TEST_F(ClassTest, AClassBecomesATableAndFeedback) {
    room_.student("dora", "full");
    room_.student("rita", "half");
    const auto result = grade();
    EXPECT_EQ(result.status, 0) << result.output;
    EXPECT_THAT(table(), HasSubstr("dora,graded,100,100,100,"));
    EXPECT_THAT(table(), HasSubstr("rita,graded,50,100,50,"));
    for (const char* file : {"result.json", "feedback.md", "feedback.html", "gradescope.json"})
        EXPECT_TRUE(fs::exists(of("rita", file))) << file;
    EXPECT_THAT(read_file(of("rita", "feedback.md")), HasSubstr("Hint: think"));
    EXPECT_EQ(read_file(of("rita", "sources/igbook_lab.c")), "/* word: half */\n");
    expect_nothing_left();
}

TEST_F(ClassTest, OnlyWhatChangedIsGradedAgain) {
    room_.student("dora", "full");
    room_.student("rita", "half");
    grade();
    EXPECT_EQ(lines_of(log()), 2U);
    EXPECT_THAT(grade().output, HasSubstr("kept from before"));
    EXPECT_EQ(lines_of(log()), 2U);
    room_.student("rita", "full");
    grade();
    EXPECT_EQ(lines_of(log()), 3U);
    EXPECT_THAT(table(), HasSubstr("rita,graded,100,"));
    grade({"--again"});
    EXPECT_EQ(lines_of(log()), 5U);
}

TEST_F(ClassTest, OtherParametersAreAnotherGrading) {
    room_.student("dora", "full");
    grade();
    write_file(room_.path() / "autumn.toml", "nvm_file = \"image\"\n");
    grade({"--params", (room_.path() / "autumn.toml").string()});
    EXPECT_EQ(lines_of(log()), 2U);
    grade({"--params", (room_.path() / "autumn.toml").string()});
    EXPECT_EQ(lines_of(log()), 2U);
}

TEST_F(ClassTest, TheGradersFailureIsNobodysMark) {
    room_.student("dora", "full");
    for (const char* word : {"trouble", "silent", "liar", "garbage", "dies"})
        room_.student(word, word);
    const auto result = grade();
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.output, HasSubstr("GRADER ERROR"));
    EXPECT_THAT(table(), HasSubstr("dora,graded,100,100,"));
    for (const char* word : {"trouble", "silent", "liar", "garbage", "dies"}) {
        EXPECT_THAT(table(), HasSubstr(std::string(word) + ",grader-error,,,"));
        EXPECT_FALSE(fs::exists(of(word, "gradescope.json"))) << word;
        EXPECT_FALSE(fs::exists(of(word, "feedback.md"))) << word;
    }
    EXPECT_THAT(table(), HasSubstr("no room on the disk"));
    // Once each: it is never tried again in the hope that nobody looks.
    EXPECT_EQ(lines_of(log()), 6U);
    EXPECT_THAT(grade().output, HasSubstr("attempt 2"));
    EXPECT_EQ(lines_of(log()), 11U);
}

TEST_F(ClassTest, AGradingThatHangsIsEndedAndNothingIsLeft) {
    room_.student("dora", "full");
    room_.student("hang", "hangs");
    room_.student("leave", "leaves");
    const auto result = grade({"--timeout", "3"});
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(table(), HasSubstr("hang,grader-error,,"));
    EXPECT_THAT(table(), HasSubstr("did not end within 3 s"));
    EXPECT_THAT(table(), HasSubstr("leave,graded,100,"));
    expect_nothing_left();
}

TEST_F(ClassTest, AnInterruptionKeepsWhatIsFinished) {
    room_.student("a-dora", "full");
    room_.student("b-rita", "half");
    for (const char* name : {"c-hang", "d-hang", "e-hang", "f-hang"}) room_.student(name, "hangs");
    const pid_t pid = start_class();
    while (lines_of(log()) < 5) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    kill(pid, SIGINT);
    int status = 0;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(WEXITSTATUS(status), 130) << read_file(said());
    EXPECT_THAT(table(), HasSubstr("a-dora,graded,100,"));
    EXPECT_THAT(table(), HasSubstr("b-rita,graded,50,"));
    EXPECT_THAT(table(), HasSubstr("c-hang,not-graded,"));
    expect_nothing_left();
    // And the same command goes on from there.
    for (const char* name : {"c-hang", "d-hang", "e-hang", "f-hang"}) room_.student(name, "full");
    EXPECT_EQ(grade().status, 0);
    EXPECT_EQ(lines_of(log()), 9U);
}

TEST_F(ClassTest, AKilledClassLeavesNoProcess) {
    room_.student("hang", "hangs");
    const pid_t pid = start_class();
    while (lines_of(log()) < 1) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    kill(pid, SIGKILL);
    ASSERT_EQ(waitpid(pid, nullptr, 0), pid);
    // Its children hear of it from the kernel; this asks until they are gone.
    for (int i = 0; i < 500 && !processes_of(room_.temp()).empty(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_THAT(processes_of(room_.temp()), IsEmpty());
}

TEST_F(ClassTest, ZipFilesAndRepositoriesAreReadInTheRoom) {
    const auto result =
        run({"generate", "--lab", "01", "--out", room_.path() / "class", "--expected",
             room_.path() / "expected.csv", "--kind", "zip-climbs", "zip-bomb", "own-build-rules",
             "links-out", "repository-starts-programs", "huge-source", "own-build-rules",
             "links-out", "links-out"});
    ASSERT_EQ(result.status, 0) << result.output;
    make_zip(room_.path() / "class" / "zoe.zip", {{"lab/igbook_lab.c", "/* word: full */\n"}});
    const auto graded =
        run({"grade", "--lab", "01", "--submissions", room_.path() / "class", "--out",
             room_.results(), "--grade", source + "/labs/classroom/tests/fake-grade"});
    EXPECT_EQ(graded.status, 0) << graded.output;
    const auto compared =
        run({"compare", "--out", room_.results(), "--expected", room_.path() / "expected.csv"});
    EXPECT_EQ(compared.status, 0) << compared.output;
    EXPECT_THAT(table(), HasSubstr("zoe,graded,100,"));
    EXPECT_EQ(lines_of(log()), 1U) << "what is refused is not compiled";
    EXPECT_FALSE(fs::exists("/tmp/fwts-was-here"));
    expect_nothing_left();
}

TEST_F(ClassTest, AClassIsMadeWhereARelativeNameLeads) {
    const std::string words =
        "cd \"$1\" && exec \"$2\" generate --lab 01 --out trial --kind skeleton skeleton";
    const auto made = run_process(
        {"sh", "-c", words, "sh", room_.path().string(), source + "/build/bin/classroom"}, Limits(),
        {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}, {"TMPDIR", room_.temp()}});
    ASSERT_EQ(made.status, 0) << made.output;
    EXPECT_TRUE(fs::exists(room_.path() / "trial" / "s02-skeleton.git" / "config"));
}

TEST_F(ClassTest, OddNamesOfStudentsAreGradedAndSpoilNoList) {
    const std::vector<std::string> odd{"Ren\xe9", "a\n7\tbob",     "\x1b[2J",   "-rf",
                                       ".dot",    "100% \"it's\"", "$(reboot)", "=cmd|x!A1",
                                       "a  b ",   "Jos\xc3\xa9",   "Anna",      "Jose\xcc\x81",
                                       "anna"};
    for (const auto& name : odd) room_.student(name, "full");
    const auto list =
        run({"list", "--lab", "01", "--submissions", room_.handed_in(), "--out", room_.results()});
    EXPECT_EQ(std::count(list.output.begin(), list.output.end(), '\n'),
              static_cast<long>(odd.size()));
    const auto result = grade();
    EXPECT_EQ(result.status, 0) << result.output;
    EXPECT_EQ(lines_of(log()), odd.size());
    EXPECT_EQ(lines_of(room_.results() / "grades.csv"), odd.size() + 1);
    EXPECT_THAT(table(), HasSubstr("Ren\\xE9,graded,100,"));
    EXPECT_THAT(result.output + list.output, Not(HasSubstr("\x1b")));
    EXPECT_EQ(std::distance(fs::directory_iterator(room_.results() / "students"), {}),
              static_cast<long>(odd.size()));
    grade();
    EXPECT_EQ(lines_of(log()), odd.size()) << "all were kept";
}

TEST_F(ClassTest, WhatIsLeftOutStandsInTheReport) {
    room_.student("dora", "full");
    write_file(room_.handed_in() / "dora" / "README.md", "hello");
    make_zip(room_.handed_in() / "zoe.zip",
             {{"lab\\igbook_lab.c", "/* word: full */\n"}, {"__MACOSX/lab/._igbook_lab.c", "x"}});
    EXPECT_EQ(grade().status, 0);
    EXPECT_THAT(read_file(of("dora", "feedback.html")), HasSubstr("README.md"));
    EXPECT_THAT(read_file(of("zoe", "feedback.html")), HasSubstr("__MACOSX/"));
}

TEST_F(ClassTest, AZipFileOfAnotherUsersIsRead) {
    const auto zip = room_.handed_in() / "zoe.zip";
    make_zip(zip, {{"igbook_lab.c", "/* word: full */\n"}});
    fs::permissions(zip, fs::perms::owner_read | fs::perms::owner_write);
    give_away(zip);
    EXPECT_EQ(grade().status, 0);
    EXPECT_THAT(table(), HasSubstr("zoe,graded,100,"));
}

TEST_F(ClassTest, WhatCannotBeReadIsNobodysMark) {
    // Root reads all on the host, and in the closed room no more than others.
    const auto bare = room_.handed_in() / "rita.git";
    for (const char* name : {"objects", "refs"}) fs::create_directories(bare / name);
    write_file(bare / "HEAD", "ref: refs/heads/main\n");
    give_away(bare / "objects");
    fs::permissions(bare / "objects", fs::perms::none);
    room_.student("gone", "full");
    run({"list", "--lab", "01", "--submissions", room_.handed_in(), "--out", room_.results()});
    fs::remove_all(room_.handed_in() / "gone");
    for (const char* index : {"0", "1"})
        EXPECT_EQ(run({"one", "--out", room_.results(), "--index", index}).status, 1);
    EXPECT_EQ(run({"collect", "--out", room_.results()}).status, 1);
    EXPECT_THAT(table(), HasSubstr("gone,grader-error,,,"));
    EXPECT_THAT(table(), HasSubstr("it is no longer there"));
    EXPECT_THAT(table(), HasSubstr("rita,grader-error,,,"));
    EXPECT_THAT(table(), HasSubstr("objects of the repository cannot be read in the closed room"));
    fs::permissions(bare / "objects", fs::perms::owner_all);
}

TEST_F(ClassTest, NoRoomForScratchIsNobodysMark) {
    room_.student("dora", "full");
    room_.student("rita", "half");
    EXPECT_EQ(grade().status, 0);
    room_.student("rita", "full");
    run({"list", "--lab", "01", "--submissions", room_.handed_in(), "--out", room_.results()});
    Limits limits;
    const auto fake = source + "/labs/classroom/tests/fake-grade";
    const auto result = run_process(
        command({"one", "--out", room_.results(), "--index", "1", "--grade", fake}), limits,
        {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}, {"TMPDIR", "/proc/self/fd"}});
    EXPECT_EQ(result.status, 1) << result.output;
    EXPECT_EQ(run({"collect", "--out", room_.results()}).status, 1);
    EXPECT_THAT(table(), HasSubstr("rita,grader-error,,,"));
}

TEST_F(ClassTest, MarksOfWhatWasHandedInBeforeDoNotOutliveAnInterruption) {
    room_.student("dora", "full");
    EXPECT_EQ(grade().status, 0);
    room_.student("dora", "hangs");
    const pid_t pid = start_class();
    while (lines_of(log()) < 2) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    kill(pid, SIGINT);
    ASSERT_EQ(waitpid(pid, nullptr, 0), pid);
    EXPECT_THAT(table(), HasSubstr("dora,not-graded,"));
}

TEST_F(ClassTest, AnySchedulerCanDoIt) {
    room_.student("dora", "full");
    room_.student("rita", "half");
    const auto fake = source + "/labs/classroom/tests/fake-grade";
    const auto list =
        run({"list", "--lab", "01", "--submissions", room_.handed_in(), "--out", room_.results()});
    EXPECT_THAT(list.output, HasSubstr("0\tdora\tdirectory\t"));
    EXPECT_EQ(run({"one", "--out", room_.results(), "--index", "1", "--grade", fake}).status, 0);
    EXPECT_EQ(run({"collect", "--out", room_.results()}).status, 1) << "dora is not graded";
    EXPECT_THAT(table(), HasSubstr("dora,not-graded,"));
    EXPECT_EQ(run({"one", "--out", room_.results(), "--index", "0", "--grade", fake}).status, 0);
    EXPECT_EQ(run({"collect", "--out", room_.results()}).status, 0);
    EXPECT_EQ(run({"one", "--out", room_.results(), "--index", "2", "--grade", fake}).status, 2);
}

TEST_F(ClassTest, MarksOfAnEarlierListAreNotThisOnes) {
    room_.student("dora", "full");
    room_.student("rita", "full");
    EXPECT_EQ(grade().status, 0);
    room_.student("rita", "half");
    list();
    EXPECT_EQ(one("0").status, 0);
    EXPECT_EQ(run({"collect", "--out", room_.results()}).status, 1);
    EXPECT_THAT(table(), HasSubstr("dora,graded,100,"));
    EXPECT_THAT(table(), HasSubstr("rita,not-graded,,"));
    for (const char* file : {"feedback.md", "feedback.html", "gradescope.json"})
        EXPECT_FALSE(fs::exists(of("rita", file))) << file;
    EXPECT_EQ(lines_of(log()), 2U) << "dora's is the same";
    EXPECT_EQ(one("1").status, 0);
    EXPECT_EQ(run({"collect", "--out", room_.results()}).status, 0);
    EXPECT_THAT(table(), HasSubstr("rita,graded,50,"));
}

TEST_F(ClassTest, WhatWasNotReachedAgainIsNotGradedAgain) {
    for (const char* name : {"a", "b", "c", "rita"}) room_.student(name, "full");
    EXPECT_EQ(grade().status, 0);
    for (const char* name : {"a", "b", "c"}) room_.student(name, "hangs");
    room_.student("rita", "half");
    const pid_t pid = start_class();
    while (lines_of(log()) < 7) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    kill(pid, SIGINT);
    ASSERT_EQ(waitpid(pid, nullptr, 0), pid);
    EXPECT_THAT(table(), HasSubstr("rita,not-graded,,"));
}

TEST_F(ClassTest, TwoAtOnceDoNotShareADirectory) {
    room_.student("dora", "hangs");
    const pid_t pid = start_class();
    while (lines_of(log()) < 1) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const auto before = read_file(room_.results() / "class.json");
    room_.student("anna", "full");
    for (const auto& result : {grade(), list()}) {
        EXPECT_EQ(result.status, 2);
        EXPECT_THAT(result.output, HasSubstr("another classroom is at work there"));
    }
    EXPECT_THAT(one("0").output, HasSubstr("dora: another classroom is at work there"));
    EXPECT_EQ(read_file(room_.results() / "class.json"), before);
    kill(pid, SIGINT);
    ASSERT_EQ(waitpid(pid, nullptr, 0), pid);
    room_.student("dora", "full");
    EXPECT_EQ(grade().status, 0);
    expect_nothing_left();
}

TEST_F(ClassTest, ATaskOfAnOlderListGradesNobody) {
    room_.student("dora", "full");
    list();
    const auto older = nlohmann::json::parse(read_file(room_.results() / "class.json"))
                           .at("run")
                           .get<std::string>();
    EXPECT_EQ(one("0", {"--run", older}).status, 0);
    room_.student("anna", "full");
    list();
    const auto result = one("0", {"--run", older});
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.output, HasSubstr("the list was made anew"));
    EXPECT_FALSE(fs::exists(of("anna", "result.json")));
}

TEST_F(ClassTest, ResultsOfAnotherLabAreNotMixedIn) {
    room_.student("dora", "full");
    grade();
    auto text = read_file(room_.results() / "class.json");
    text.replace(text.find("01-registration"), 15, "77-other");
    write_file(room_.results() / "class.json", text);
    const auto result = grade();
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.output, HasSubstr("holds results of lab 77-other"));
}

TEST_F(ClassTest, SimilarOnesAreFoundAndWhatWasHandedOutIsNot) {
    const auto result =
        run({"generate", "--lab", "01", "--out", room_.path() / "class", "--kind", "skeleton",
             "skeleton", "skeleton", "nvm-bytes-swapped", "nvm-always-from-the-start"});
    ASSERT_EQ(result.status, 0) << result.output;
    run({"grade", "--lab", "01", "--submissions", room_.path() / "class", "--out", room_.results(),
         "--grade", source + "/labs/classroom/tests/fake-grade"});
    const auto similar = run({"similarity", "--out", room_.results(), "--threshold", "50"});
    EXPECT_EQ(similar.status, 0) << similar.output;
    const auto csv = read_file(room_.results() / "similarity" / "similarity.csv");
    EXPECT_THAT(csv, HasSubstr("s04-nvm-bytes-swapped,"));
    EXPECT_THAT(csv, HasSubstr(",s05-nvm-always-from-the-start\n"));
    EXPECT_THAT(csv, HasSubstr("(reference solution)"));
    EXPECT_THAT(csv, Not(HasSubstr("skeleton")));
}

/// A grader whose kernel, guest and modules are small files.
class KeyTest : public testing::Test {
  protected:
    KeyTest() : lab_(grader::read_lab(grader::find_lab(source + "/labs", "01"))) {
        tools_ = Tools::of_this_program();
        tools_.places.kernel = room_.path() / "build" / "kernel" / "strict";
        tools_.places.modules = room_.path() / "modules";
        tools_.places.programs = room_.path() / "programs";
        tools_.places.labs = room_.path() / "labs";
        for (const auto& file : files()) write_file(file, "one");
    }
    std::vector<fs::path> files() const {
        const auto& places = tools_.places;
        return {places.kernel / "complete",
                places.kernel / "boot",
                places.kernel / "build" / ".config",
                places.kernel / "modules" / "dca.ko",
                room_.path() / "build" / "guest" / "initramfs.cpio",
                places.modules / "in-kernel" / "failcall.ko",
                places.programs / "frames",
                places.labs / "grader" / "imports.txt"};
    }
    std::string key() const { return describe_grader(tools_, lab_); }
    TestRoom room_;
    grader::Lab lab_;
    Tools tools_;
};

TEST_F(KeyTest, FollowsWhatIsInTheFilesAndNotTheirTimes) {
    for (const auto& file : files()) {
        const auto before = key();
        const auto time = fs::last_write_time(file);
        fs::last_write_time(file, time + std::chrono::hours(12));
        EXPECT_EQ(key(), before) << file;
        write_file(file, "two");
        fs::last_write_time(file, time + std::chrono::hours(12));
        EXPECT_NE(key(), before) << file;
    }
}

TEST(Digest, IsSha256) {
    EXPECT_EQ(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace fwts::classroom
