// SPDX-License-Identifier: GPL-2.0
#include "scratch.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <exception>

#include "files.h"

namespace fwts {
namespace {

namespace fs = std::filesystem;

/// The directory of a process that died in the middle of its work by `die`, and of which nothing is
/// left any more.
template <typename Die>
fs::path left_by(Die die) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);  // what it leaves becomes ours, so its end can be waited for
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe(ends.data()), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        const rlimit none{0, 0};
        setrlimit(RLIMIT_CORE, &none);
        const Scratch scratch("scratch-test", Scratch::Care::watched);
        write_file(scratch.path() / "deep" / "file", "x");
        const std::string name = scratch.path().string();
        if (write(ends[1], name.data(), name.size()) < 0) _exit(1);
        die();
        _exit(1);
    }
    close(ends[1]);
    std::array<char, 4096> name{};
    const auto size = read(ends[0], name.data(), name.size());
    close(ends[0]);
    while (waitpid(-1, nullptr, 0) > 0) {
    }
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    EXPECT_GT(size, 0);
    return std::string(name.data(), static_cast<std::size_t>(size));
}

TEST(Scratch, GoesAwayHoweverItsOwnerEnds) {
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGABRT, SIGKILL}) {
        const auto path = left_by([number] { raise(number); });
        EXPECT_FALSE(fs::exists(path)) << path << " after signal " << number;
    }
    const auto path = left_by([] { std::terminate(); });
    EXPECT_FALSE(fs::exists(path)) << path;
}

TEST(Scratch, ItsWatcherIsGoneWithIt) {
    fs::path path;
    {
        const Scratch scratch("scratch-test", Scratch::Care::watched);
        path = scratch.path();
        EXPECT_TRUE(fs::exists(path));
    }
    EXPECT_FALSE(fs::exists(path));
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
}

}  // namespace
}  // namespace fwts
