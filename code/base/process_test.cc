// SPDX-License-Identifier: GPL-2.0
#include "process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "descriptor.h"
#include "files.h"
#include "scratch.h"

namespace fwts {
namespace {

const Environment usual{{"PATH", "/usr/bin:/bin"}};

TEST(Process, AMissingProgramIsStatus127) {
    const auto result = run_process({"no-such-program-here"}, Limits{}, {});
    EXPECT_EQ(result.status, 127);
    EXPECT_EQ(result.output, "no-such-program-here: No such file or directory\n");
}

TEST(Process, StatusAndOutputComeBack) {
    const std::vector<std::string> words{"sh", "-c", "echo out; echo err >&2; exit 3"};
    const auto result = run_process(words, Limits{}, {{"PATH", "/bin"}});
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.output, "out\nerr\n");
    EXPECT_EQ(run_process(words, Limits{}, {{"PATH", "/bin"}}, Errors::dropped).output, "out\n");
}

TEST(Process, GetsNoDescriptorAndNoIgnoredSignalOfOurs) {
    const Pipe ours = make_pipe();
    fcntl(ours.read_end.get(), F_SETFD, 0);  // would be inherited
    const auto before = signal(SIGINT, SIG_IGN);
    sigset_t held, old;
    sigemptyset(&held);
    sigaddset(&held, SIGTERM);
    sigprocmask(SIG_BLOCK, &held, &old);
    const auto result = run_process(
        {"sh", "-c", "ls /proc/self/fd | wc -l; grep -E 'Sig(Blk|Ign)' /proc/self/status"}, {},
        usual);
    sigprocmask(SIG_SETMASK, &old, nullptr);
    signal(SIGINT, before);
    // ls has its three, and the directory it reads.
    EXPECT_EQ(result.output, "4\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST(Process, AProgramThatCannotBeStartedIsNamed) {
    const Scratch scratch("process-test");
    const auto file = scratch.path() / "no-program";
    write_file(file, "");
    Program program;
    program.argv = {file};
    try {
        start(program);
        FAIL() << "it was started";
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code().value(), EACCES);
        EXPECT_EQ(std::string(error.what()), file.string() + ": Permission denied");
    }
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a process was left";
}

TEST(Process, StandardDescriptorsMayBeAnyAndMoreAreInheritedByName) {
    const Pipe out = make_pipe();
    const Pipe more = make_pipe();
    const auto number = std::to_string(more.write_end.get());
    Program program;
    program.argv = {"sh", "-c", "pwd; pwd >&2; pwd >&" + number};
    program.environment = usual;
    program.directory = "/";
    program.out = out.write_end.get();
    program.err = out.write_end.get();
    program.inherited = {more.write_end.get()};
    EXPECT_EQ(wait_for(start(program)), 0);
    std::array<char, 16> bytes{};
    EXPECT_EQ(read(out.read_end.get(), bytes.data(), bytes.size()), 4);
    EXPECT_EQ(read(more.read_end.get(), bytes.data(), bytes.size()), 2);
}

TEST(Process, PathIsThatOfItsOwnEnvironment) {
    EXPECT_EQ(run_process({"ls", "/"}, {}, {{"PATH", "/nowhere"}}).status, 127);
    EXPECT_TRUE(run_process({"ls", "/"}, {}, usual).ok());
}

}  // namespace
}  // namespace fwts
