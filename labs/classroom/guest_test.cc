// SPDX-License-Identifier: GPL-2.0
// A small class in real guests: honest submissions beside hostile ones. Verdicts are as stated, and
// nothing is left or written outside.
#include <gmock/gmock.h>

#include "files.h"
#include "process.h"
#include "test_room.h"

namespace fwts::classroom {
namespace {

namespace fs = std::filesystem;

const std::string program = std::string(FWTS_SOURCE_DIR) + "/build/bin/classroom";

ProcessResult run(const TestRoom& room, const std::vector<std::string>& words) {
    Limits limits;
    limits.wall = std::chrono::seconds(1100);
    auto environment = std::map<std::string, std::string>{{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"},
                                                          {"TMPDIR", room.temp()}};
    for (const char* name : {"HOME", "FWTS_CACHE", "XDG_CACHE_HOME"})
        if (const char* value = std::getenv(name)) environment[name] = value;
    return run_process(words, limits, environment);
}

TEST(ClassInGuests, TheHonestAreJudgedAsIfTheyWereAlone) {
    const TestRoom room;
    const auto made = run(room, {program, "generate", "--lab", "01", "--out", room.path() / "class",
                                 "--expected", room.path() / "expected.csv", "--kind", "panics",
                                 "mac-hard-coded", "compile-bomb", "includes-a-file"});
    ASSERT_EQ(made.status, 0) << made.output;
    const auto graded = run(room, {program, "grade", "--lab", "01", "--submissions",
                                   room.path() / "class", "--out", room.results(), "-j", "2"});
    EXPECT_EQ(graded.status, 0) << graded.output;
    const auto compared = run(room, {program, "compare", "--out", room.results(), "--expected",
                                     room.path() / "expected.csv"});
    EXPECT_EQ(compared.status, 0) << compared.output << graded.output
                                  << read_file(room.results() / "grades.csv");
    EXPECT_TRUE(fs::is_empty(room.temp())) << "a temporary directory was left";
    EXPECT_FALSE(fs::exists("/tmp/fwts-was-here"));
}

std::string with_line_ends_of_windows(const std::string& text) {
    std::string result;
    for (const char c : text) result += c == '\n' ? std::string("\r\n") : std::string(1, c);
    return result;
}

TEST(ClassInGuests, FilesFromWindowsAreWorthWhatTheyAreWorth) {
    const TestRoom room;
    const auto solution = room.path() / "solution";
    const auto made = run_process({std::string(FWTS_SOURCE_DIR) + "/build/bin/grade", "solution",
                                   "--lab", "01", "--out", solution},
                                  {}, {{"PATH", "/usr/bin:/bin"}});
    ASSERT_EQ(made.status, 0) << made.output;
    std::vector<ZipEntry> zip;
    for (const auto& entry : fs::directory_iterator(solution)) {
        const auto name = entry.path().filename().string();
        const auto text = with_line_ends_of_windows(read_file(entry.path()));
        write_file(room.handed_in() / "dora" / name, text);
        zip.push_back({"lab1\\" + name, text, 0});
    }
    make_zip(room.handed_in() / "zoe.zip", zip);
    const auto graded = run(room, {program, "grade", "--lab", "01", "--submissions",
                                   room.handed_in(), "--out", room.results()});
    EXPECT_EQ(graded.status, 0) << graded.output;
    const auto table = read_file(room.results() / "grades.csv");
    EXPECT_THAT(table, testing::HasSubstr("dora,graded,100,100,"));
    EXPECT_THAT(table, testing::HasSubstr("zoe,graded,100,100,"));
}

TEST(Grade, WhatTheCallerLeftItWithDoesNotMatter) {
    const TestRoom room;
    const auto submission = room.path() / "submission";
    write_file(submission / "igbook_lab.c", "int igbook_oops = nothing_of_that_name;\n");
    const auto report = room.path() / "report.json";
    const auto graded =
        run(room, carelessly({std::string(FWTS_SOURCE_DIR) + "/build/bin/grade", "--lab", "01",
                              "--submission", submission, "--json", report}));
    EXPECT_EQ(graded.status, 3) << graded.output;
    EXPECT_THAT(read_file(report), testing::HasSubstr("'nothing_of_that_name' undeclared"));
    EXPECT_TRUE(fs::is_empty(room.temp())) << "a temporary directory was left";
}

}  // namespace
}  // namespace fwts::classroom
