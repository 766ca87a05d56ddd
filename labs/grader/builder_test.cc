// SPDX-License-Identifier: GPL-2.0
#include "builder.h"

#include <gmock/gmock.h>

#include <cstdint>

#include "complaints.h"
#include "files.h"
#include "jail.h"
#include "process.h"
#include "scratch.h"

namespace fwts::grader {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// As gcc prints without its own quotes.
constexpr const char* build_output =
    "make[2]: warning: Clock skew detected.  Your build may be incomplete.\n"
    "make[2]: *** [Makefile:1] Error 2\n"
    "/room/igbook_main.c:2:9: warning: unused variable 'a' [-Wunused-variable]\n"
    "/room/igbook_main.c: In function 'f':\n"
    "/room/igbook_main.c:3:1: error: expected ';' before '}' token\n"
    "/room/other.c:3:1: error: of a file that is not there\n"
    "/room/igbook_main.c:99:1: error: of a line that is not there\n"
    "/proc/self/mountinfo:1:1: error: expected identifier\n"
    "../secret.h:1:1: error: outside\n"
    "ERROR: modpost: \"igbook_gone\" [/room/igbook.ko] undefined!\n";

class Diagnostics : public testing::Test {
  protected:
    Diagnostics() {
        write_file(sources_.path() / "igbook_main.c", "void f(void) {\n\tint a;\n}\n");
        write_file(sources_.path().parent_path() / "secret.h", "secret\n");
    }
    ~Diagnostics() override { std::filesystem::remove(sources_.path().parent_path() / "secret.h"); }
    Scratch sources_{"diagnostics"};
};

TEST_F(Diagnostics, ErrorsComeWithTheLineOfOurCopyAndOfNothingElse) {
    EXPECT_THAT(diagnostics(build_output, "error", sources_.path()),
                ElementsAre("igbook_main.c:3:1: error: expected ';' before '}' token", "    3 | }",
                            "other.c:3:1: error: of a file that is not there",
                            "igbook_main.c:99:1: error: of a line that is not there",
                            "/proc/self/mountinfo:1:1: error: expected identifier",
                            "../secret.h:1:1: error: outside",
                            "ERROR: modpost: \"igbook_gone\" [igbook.ko] undefined!"));
}

TEST_F(Diagnostics, WarningsAreApartAndMakesOwnAreNone) {
    EXPECT_THAT(diagnostics(build_output, "warning", sources_.path()),
                ElementsAre(HasSubstr("unused variable"), "    2 | \tint a;"));
}

TEST_F(Diagnostics, AreNoLongerThanSomebodyReads) {
    write_file(sources_.path() / "igbook_a.h",
               "// " + std::string(396, 'x') + "ä" + std::string(250000, '.') + "\n");
    std::string output;
    for (int i = 0; i < 5000; ++i)
        output += "igbook_a.h:1:2: error: " + std::string(300, '/') + "/room/room/\n";
    const auto lines = diagnostics(output, "error", sources_.path());
    ASSERT_EQ(lines.size(), 201U);
    EXPECT_EQ(lines.back(), "and 4900 more");
    EXPECT_THAT(lines[1], testing::EndsWith("x …"));
    std::size_t all = 0;
    for (const auto& line : lines) all += line.size();
    EXPECT_LT(all, 100000U);
}

TEST(Kbuild, NamesEveryFileThatIsThereInOrder) {
    const Scratch scratch("kbuild");
    write_file(scratch.path() / "Kbuild", build_rules());
    for (const char* name : {"igbook_b.c", "igbook_a.c", "igbook.mod.c", "igbook_a.h", "other.c"})
        write_file(scratch.path() / name, "");
    const auto said = run_process(
        {"make", "-s", "-f", (scratch.path() / "Kbuild").string(), "src=" + scratch.path().string(),
         "--eval=show: ; $(info $(igbook-y))", "show"},
        {}, {{"PATH", "/usr/bin:/bin"}});
    EXPECT_THAT(said.output, HasSubstr("igbook_a.o igbook_b.o other.o\n"));
}

TEST(Builder, AMissingKernelIsTheGradersTroubleAndSaysWhatToDo) {
    const Scratch scratch("builder");
    try {
        build_module(scratch.path(), scratch.path() / "kernel", {}, scratch.path(), Limits{});
        FAIL() << "did not throw";
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("kernel build strict"));
    }
}

/// A kernel whose rules are a recipe of ours, in the room and with the limits of every build.
class FailingBuild : public testing::Test {
  protected:
    FailingBuild() {
        write_file(scratch_.path() / "s" / "igbook_main.c", "int igbook_one;\n");
        std::filesystem::create_directory(out());
    }
    ~FailingBuild() override {
        std::filesystem::permissions(out(), std::filesystem::perms::owner_all);
    }
    std::filesystem::path out() const { return scratch_.path() / "out"; }
    std::filesystem::path objects() const { return scratch_.path() / "objects"; }
    std::filesystem::path source() const { return scratch_.path() / "s" / "igbook_main.c"; }
    BuildResult build(const std::string& recipe, const std::filesystem::path& kept = {}) const {
        const auto kernel = scratch_.path() / "kernel";
        write_file(kernel / "build" / "Makefile", "modules:\n\t@" + recipe + "\n");
        write_file(kernel / "build" / "Module.symvers", "");
        return build_module(scratch_.path() / "s", kernel, kept, out(), limits_);
    }
    void expect_ours(const std::string& recipe, const std::string& words) const {
        try {
            const auto result = build(recipe);
            ADD_FAILURE() << recipe << ": " << result.message;
        } catch (const std::runtime_error& error) {
            EXPECT_THAT(error.what(), HasSubstr(words));
        }
    }
    void expect_theirs(const std::string& recipe, const std::string& words) const {
        const auto result = build(recipe);
        EXPECT_FALSE(result.ok);
        EXPECT_EQ(result.message, "it does not compile");
        EXPECT_THAT(result.messages, testing::Contains(HasSubstr(words)));
    }
    const std::string compile_ = "gcc -g0 -c /room/igbook_main.c -o /room/igbook.ko";
    const std::string killed_ = "gcc -wrapper sh,-c,'kill -9 $$$$' -c /room/igbook_main.c";
    Scratch scratch_{"failing-build"};
    Limits limits_ = build_limits();
};

TEST_F(FailingBuild, OfARightSourceIsNone) {
    const auto result = build(compile_);
    EXPECT_TRUE(result.ok) << result.message;
    EXPECT_TRUE(std::filesystem::exists(result.module));
}

TEST_F(FailingBuild, ThePipeOfMakeHasNoNameToGuess) {
    const auto result = build(
        "expr $$MAKE_TMPDIR : '/tmp/tmp[.][A-Za-z0-9]*' >/dev/null && test -d $$MAKE_TMPDIR && "
        "! test -e /tmp/GMfifo* && " +
        compile_);
    EXPECT_TRUE(result.ok) << result.message;
}

TEST_F(FailingBuild, WhatTheMachineKilledIsNobodysMark) {
    expect_ours(killed_, "Killed signal terminated program");
    expect_ours("kill -9 $$$$", "] Killed");
    expect_ours("kill -9 $$PPID", "status 137");
}

TEST_F(FailingBuild, WhatCouldNotBeStartedIsNobodysMark) {
    // As they say it where a user may have no more processes.
    for (const char* words :
         {"make[2]: fork: Resource temporarily unavailable",
          "gcc: fatal error: cannot execute 'cc1': vfork: Cannot allocate memory",
          "/bin/sh: 1: Cannot fork"})
        expect_ours("echo \"" + std::string(words) + "\"; exit 1", words);
}

TEST_F(FailingBuild, AResultThatCannotBeKeptIsNobodysMark) {
    std::filesystem::permissions(
        out(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
    expect_ours(compile_, "did not come to its end");
    expect_ours("exit 1", "did not come to its end");
}

TEST_F(FailingBuild, ARoomThatCannotBeMadeIsNobodysMark) {
    EXPECT_THROW(build(compile_, objects()), std::runtime_error);
}

TEST_F(FailingBuild, ForAMistakeAndForWantOfMemoryIsForTheMistake) {
    write_file(source(), "int igbook_one = nothing_of_that_name;\n");
    expect_theirs(compile_ + "; " + killed_, "nothing_of_that_name");
}

TEST_F(FailingBuild, AtALimitOfOursIsTheSources) {
    limits_.cpu = std::chrono::seconds(1);
    expect_theirs("gcc -wrapper sh,-c,'while :; do :; done' -c /room/igbook_main.c",
                  "CPU time limit exceeded");
    limits_ = build_limits();
    limits_.file_bytes = 65536;
    write_file(source(), "char igbook_one[100000] = {1};\n");
    expect_theirs(compile_, "");
    limits_ = build_limits();
    limits_.memory_bytes = std::uint64_t{64} << 20U;
    write_file(source(),
               "#define N 1,\n#define A(x) x x x x x x x x\nint a[] = {A(A(A(A(A(A(N))))))};\n");
    expect_theirs(compile_, "emory");
}

TEST_F(FailingBuild, WordsPutIntoGccsMouthAreTheSources) {
    write_file(source(),
               "#line 1 \"x\\ngcc: fatal error: Killed signal terminated program cc1\\ny\"\n"
               "#warning so\nint igbook_one = nothing_of_that_name;\n");
    expect_theirs(compile_, "nothing_of_that_name");
}

TEST_F(FailingBuild, LeavesNoMoreThanSomebodyReads) {
    write_file(scratch_.path() / "s" / "igbook_a.h", "// " + std::string(250000, '.') + "\n");
    std::string text;
    for (int i = 0; i < 2000; ++i) text += "#line 1 \"igbook_a.h\"\n#warning\n";
    write_file(source(), text + "int igbook_one;\n");
    const auto result = build(compile_);
    EXPECT_TRUE(result.ok) << result.message;
    EXPECT_EQ(result.warnings.size(), 201U);
    std::size_t all = 0;
    for (const auto& line : result.warnings) all += line.size();
    EXPECT_LT(all, 100000U);
}

TEST_F(FailingBuild, ForWantOfAKeptObjectDoesNotHappen) {
    // Another grading may clean up there at any time.
    write_file(objects() / "igbook_main.c", read_file(source()));
    write_file(objects() / ".igbook_main.o.cmd", "/room/igbook_main.c");
    write_file(objects() / "fwts_forced.h", "");
    write_file(objects() / "igbook_main.o", "");
    std::filesystem::permissions(objects() / "igbook_main.o", std::filesystem::perms::none);
    const auto result = build("test ! -e /room/.igbook_main.o.cmd && " + compile_, objects());
    EXPECT_TRUE(result.ok) << result.message;
}

TEST(KernelLog, FindsComplaintsAndWhatTheyPrinted) {
    const auto found = complaints({
        "[    1.0] igbook 0000:00:02.0: port 0",
        "[    2.0][   T12] BUG: KASAN: slab-use-after-free in igbook_link_work+0x1/0x2",
        "[    2.0][   T12] Read of size 8 at addr ffff888001234567 by task kworker/0:1/12",
        "[    3.0] WARNING: CPU: 0 PID: 1 at net/core/dev.c:1 x+0x1/0x2\r",
    });
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].headline, "BUG: KASAN: slab-use-after-free in igbook_link_work+0x1/0x2");
    EXPECT_EQ(found[0].lines.size(), 2U);
    EXPECT_EQ(found[1].headline, "WARNING: CPU: 0 PID: 1 at net/core/dev.c:1 x+0x1/0x2");
}

TEST(KernelLog, EachWatchmanOfTheStrictKernelIsHeard) {
    for (const char* line :
         {"BUG: sleeping function called from invalid context at mm/x.c:1",
          "WARNING: possible circular locking dependency detected", "WARNING: suspicious RCU usage",
          "INFO: possible recursive locking detected",
          "DMA-API: igbook 0000:00:02.0: device driver tries to free DMA memory",
          "kmemleak: 1 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
          "ODEBUG: free active (active state 0) object: 1 object type: timer_list",
          "Kernel panic - not syncing: Fatal exception", "refcount_t: underflow; use-after-free.",
          "UBSAN: array-index-out-of-bounds in x.c:1:1",
          "rcu: INFO: rcu_sched detected stalls on CPUs/tasks:"})
        EXPECT_EQ(complaints({line}).size(), 1U) << line;
}

TEST(KernelLog, OrdinaryMessagesAreNoComplaints) {
    for (const char* line : {"igbook 0000:00:02.0 eth0: link is up",
                             "igbook 0000:00:02.0: probe with driver igbook failed with error -12",
                             "igbook: loading out-of-tree module taints kernel.",
                             "DMA-API: preallocated 65536 debug entries", ""})
        EXPECT_TRUE(complaints({line}).empty()) << line;
}

}  // namespace
}  // namespace fwts::grader
