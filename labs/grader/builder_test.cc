// SPDX-License-Identifier: GPL-2.0
#include "builder.h"

#include <gmock/gmock.h>

#include "complaints.h"
#include "files.h"
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
