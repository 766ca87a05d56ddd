// SPDX-License-Identifier: GPL-2.0
// These run bubblewrap itself: a room that only claims to be closed is worth nothing.
#include "jail.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>

#include "files.h"
#include "scratch.h"

namespace fwts::grader {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class JailTest : public testing::Test {
  protected:
    void SetUp() override { require_jail(); }
    ProcessResult run(const std::vector<std::string>& argv, Limits limits = build_limits()) const {
        return run_in_jail(Room{{}, sources_.path(), out_.path()}, argv, limits);
    }
    ProcessResult compile(const std::string& text) const {
        write_file(sources_.path() / "igbook.c", text);
        return run({"gcc", "-c", "/submission/igbook.c", "-o", "/room/igbook.o"});
    }
    Scratch sources_{"jail-in"};
    Scratch out_{"jail-out"};
};

TEST_F(JailTest, CompilesAndHandsOutTheResult) {
    write_file(sources_.path() / "igbook.c", "int one(void) { return 1; }\n");
    const auto result = run({"gcc", "-c", "/submission/igbook.c", "-o", "/out/igbook.o"});
    EXPECT_TRUE(result.ok()) << result.output;
    EXPECT_TRUE(fs::exists(out_.path() / "igbook.o"));
}

TEST_F(JailTest, AFileOfTheHostCannotBePulledInByTheAssembler) {
    ASSERT_TRUE(fs::exists("/etc/passwd"));
    const auto result = compile("__asm__(\".incbin \\\"/etc/passwd\\\"\");\n");
    EXPECT_FALSE(result.ok());
    EXPECT_THAT(result.output, HasSubstr("/etc/passwd"));
}

TEST_F(JailTest, AFileOfTheHostCannotBeIncluded) {
    const Scratch secret("secret");
    write_file(secret.path() / "key", "int secret_key;\n");
    const auto result = compile("#include \"" + (secret.path() / "key").string() + "\"\n");
    EXPECT_FALSE(result.ok());
    EXPECT_THAT(result.output, Not(HasSubstr("secret_key")));
}

TEST_F(JailTest, TheSourcesCannotBeChanged) {
    EXPECT_FALSE(run({"touch", "/submission/new"}).ok());
    EXPECT_FALSE(run({"touch", "/usr/bin/new"}).ok());
}

TEST_F(JailTest, ThereIsNoHome) {
    const auto result = run({"sh", "-c", "ls -A / && ls -A /home /root; echo $HOME"});
    EXPECT_THAT(result.output, HasSubstr("/nonexistent"));
    EXPECT_THAT(result.output, HasSubstr("cannot access '/home'"));
    EXPECT_THAT(result.output, HasSubstr("cannot access '/root'"));
}

TEST_F(JailTest, ThereIsNoNetwork) {
    const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(bind(listening, generic, size), 0);
    ASSERT_EQ(listen(listening, 1), 0);
    ASSERT_EQ(getsockname(listening, generic, &size), 0);
    const auto port = std::to_string(ntohs(address.sin_port));
    const std::vector<std::string> connect{"bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/" + port};
    EXPECT_TRUE(run_process(connect, Limits{}, {{"PATH", "/bin:/usr/bin"}}).ok());
    EXPECT_FALSE(run(connect).ok());
    close(listening);
}

TEST_F(JailTest, TheHostsEnvironmentDoesNotGetIn) {
    ASSERT_EQ(setenv("FWTS_SECRET", "token", 1), 0);
    EXPECT_THAT(run({"env"}).output, Not(HasSubstr("token")));
}

TEST_F(JailTest, NeitherProcessesNorMountsCanBeSeen) {
    EXPECT_FALSE(run({"ls", "/proc/self/mountinfo"}).ok());
    // By #line gcc takes any file for the one to quote from.
    const auto result = compile("#line 1 \"/proc/self/mountinfo\"\nint igbook = nothing;\n");
    EXPECT_THAT(result.output, HasSubstr("/proc/self/mountinfo:1"));
    EXPECT_THAT(result.output, Not(HasSubstr(" / ")));
}

TEST_F(JailTest, NothingIsThereToWaitFor) {
    EXPECT_EQ(run({"ls", "-A", "/dev"}).output, "null\n");
    Limits limits = build_limits();
    limits.wall = std::chrono::seconds(20);
    for (const char* device : {"/dev/ptmx", "/dev/pts/ptmx", "/dev/console", "/dev/tty"}) {
        write_file(sources_.path() / "igbook.c", fmt::format("#include \"{}\"\n", device));
        const auto result =
            run({"gcc", "-c", "/submission/igbook.c", "-o", "/room/igbook.o"}, limits);
        EXPECT_THAT(result.output, HasSubstr("No such file")) << device;
        EXPECT_FALSE(result.timed_out) << device;
    }
}

TEST_F(JailTest, AnEndlessBuildIsStopped) {
    Limits limits = build_limits();
    limits.wall = std::chrono::seconds(1);
    const auto result = run({"sh", "-c", "while :; do :; done"}, limits);
    EXPECT_TRUE(result.timed_out);
    EXPECT_FALSE(result.ok());
}

TEST_F(JailTest, ABuildOfManyProcessesIsStopped) {
    Limits limits = build_limits();
    limits.work = std::chrono::seconds(1);
    const auto result =
        run({"sh", "-c", "while :; do sh -c 'for i in 1 2 3; do :; done' & wait; done"}, limits);
    EXPECT_TRUE(result.worked_too_long);
    EXPECT_FALSE(result.timed_out);
    EXPECT_FALSE(result.ok());
}

// A busy machine makes a build slow, not wrong.
TEST_F(JailTest, ABuildThatOnlyWaitsHasNotWorkedTooLong) {
    Limits limits = build_limits();
    limits.work = std::chrono::seconds(1);
    const auto result = run({"sleep", "2"}, limits);
    EXPECT_TRUE(result.ok());
}

TEST_F(JailTest, ABuildThatUsesTooMuchProcessorTimeIsStopped) {
    Limits limits = build_limits();
    limits.cpu = std::chrono::seconds(1);
    const auto result = run({"sh", "-c", "while :; do :; done"}, limits);
    EXPECT_FALSE(result.ok());
    EXPECT_FALSE(result.timed_out);
}

TEST_F(JailTest, AFloodOfOutputIsStopped) {
    Limits limits = build_limits();
    limits.output_bytes = 100000;
    const auto result = run({"yes"}, limits);
    EXPECT_TRUE(result.too_loud);
    EXPECT_LT(result.output.size(), 400000U);
}

TEST_F(JailTest, MemoryIsLimited) {
    Limits limits = build_limits();
    limits.memory_bytes = std::uint64_t{64} << 20U;
    // A short text that grows to 262144 numbers.
    write_file(sources_.path() / "igbook.c",
               "#define N 1,\n#define A(x) x x x x x x x x\n"
               "int a[] = {A(A(A(A(A(A(N))))))};\n");
    EXPECT_FALSE(run({"gcc", "-c", "/submission/igbook.c", "-o", "/room/igbook.o"}, limits).ok());
    EXPECT_TRUE(run({"gcc", "-c", "/submission/igbook.c", "-o", "/room/igbook.o"}).ok());
}

TEST_F(JailTest, ScratchSpaceIsLimited) {
    const auto result = run({"sh", "-c",
                             "for i in 1 2 3 4 5 6; do yes | head -c 60000000 > /room/$i || "
                             "exit 1; done"});
    EXPECT_FALSE(result.ok());
    EXPECT_THAT(result.output, HasSubstr("No space left"));
}

TEST(Jail, CommandLineShutsEverythingOff) {
    const auto command = jail_command(Room{{"/k"}, "/s", "/o"}, {"make"});
    EXPECT_THAT(command, testing::IsSupersetOf({"--unshare-all", "--die-with-parent",
                                                "--new-session", "--cap-drop"}));
    EXPECT_EQ(command.back(), "make");
}

}  // namespace
}  // namespace fwts::grader
