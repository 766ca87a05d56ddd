// SPDX-License-Identifier: GPL-2.0
// The program as a reader meets it: `sandbox` started as a process, on a terminal, killed.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "control.h"
#include "descriptor.h"
#include "files.h"
#include "scratch.h"

namespace fwts::sandbox {
namespace {

namespace fs = std::filesystem;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;

struct Outcome {
    int status = -1;
    std::string text;
};

// @param before  what stands before the program's name: settings of its environment
Outcome outcome_of(const std::string& words, const std::string& before = {}) {
    const std::string command = fmt::format("{} '{}' {} 2>&1", before, FWTS_SANDBOX, words);
    FILE* pipe = popen(command.c_str(), "r");
    Outcome outcome;
    std::array<char, 4096> piece{};
    while (const std::size_t n = fread(piece.data(), 1, piece.size(), pipe))
        outcome.text.append(piece.data(), n);
    outcome.status = WEXITSTATUS(pclose(pipe));
    return outcome;
}

// Processes (sandbox, keeper, QEMU) whose environment holds our mark.
std::vector<int> marked_processes(const std::string& mark) {
    std::vector<int> found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (std::isdigit(static_cast<unsigned char>(name[0])) == 0) continue;
        std::ifstream file(entry.path() / "environ", std::ios::binary);
        std::stringstream text;
        text << file.rdbuf();
        if (text.str().find(mark) != std::string::npos) found.push_back(std::stoi(name));
    }
    return found;
}

// A process of ours on a terminal of its own.
class OnTerminal {
  public:
    OnTerminal(const std::vector<std::string>& words, const std::string& mark,
               const fs::path& temporary) {
        winsize size{33, 99, 0, 0};
        int master = -1;
        pid = forkpty(&master, nullptr, nullptr, &size);
        if (pid == 0) {
            setenv("FWTS_TEST_MARK", mark.c_str(), 1);
            setenv("TMPDIR", temporary.c_str(), 1);
            std::vector<char*> argv = {const_cast<char*>(FWTS_SANDBOX)};
            for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
            argv.push_back(nullptr);
            execv(argv[0], argv.data());
            _exit(127);
        }
        terminal = Descriptor(master);
    }
    ~OnTerminal() {
        if (pid > 0) {
            kill(pid, SIGKILL);
            waitpid(pid, nullptr, 0);
        }
    }
    OnTerminal(const OnTerminal&) = delete;
    OnTerminal& operator=(const OnTerminal&) = delete;

    /// Reads until `wanted` was said (forgetting what came before) or 180 s are over.
    bool expect(const std::string& wanted) {
        const auto end = std::chrono::steady_clock::now() + 180s;
        for (;;) {
            if (const std::size_t at = text.find(wanted); at != std::string::npos) {
                text.erase(0, at + wanted.size());
                return true;
            }
            pollfd one{terminal.get(), POLLIN, 0};
            if (std::chrono::steady_clock::now() > end || poll(&one, 1, 180'000) != 1) return false;
            std::array<char, 4096> bytes{};
            const ssize_t n = read(terminal.get(), bytes.data(), bytes.size());
            if (n <= 0) return false;
            text.append(bytes.data(), static_cast<std::size_t>(n));
        }
    }

    int wait() {
        int status = 0;
        waitpid(pid, &status, 0);
        pid = -1;
        return status;
    }

    pid_t pid = -1;
    Descriptor terminal;
    std::string text;
};

class ProgramTest : public ::testing::Test {
  protected:
    ProgramTest() {
        mark_ = "mark-of-" + directory_.filename().string();
        name_ = fmt::format("test-{}", getpid());
    }

    // Nothing of ours runs, nothing of ours lies about. The end may take its moment.
    void expect_nothing_left() {
        const auto end = std::chrono::steady_clock::now() + 20s;
        while (!marked_processes(mark_).empty() && std::chrono::steady_clock::now() < end)
            poll(nullptr, 0, 20);
        EXPECT_THAT(marked_processes(mark_), ::testing::IsEmpty());
        EXPECT_TRUE(fs::is_empty(directory_)) << "files are left in " << directory_;
        EXPECT_THAT(running_guests(), ::testing::Not(::testing::Contains(name_)));
    }

    const Scratch scratch_{"program-test"};
    const fs::path& directory_ = scratch_.path();
    std::string mark_;
    std::string name_;
};

TEST_F(ProgramTest, WordsThatAreWrong) {
    EXPECT_EQ(outcome_of("").status, 64);
    EXPECT_EQ(outcome_of("fly").status, 64);
    EXPECT_EQ(outcome_of("run").status, 64);
    EXPECT_EQ(outcome_of("--help").status, 0);
    for (const char* verb :
         {"run", "shell", "start", "exec", "send", "link", "console", "stop", "list"}) {
        EXPECT_THAT(outcome_of(std::string(verb) + " --help").text,
                    ::testing::HasSubstr("Example:"));
    }
    const Outcome kernel = outcome_of("run --kernel none -- true");
    EXPECT_EQ(kernel.status, 70);
    EXPECT_THAT(kernel.text, ::testing::HasSubstr("kernel \"none\" is not built"));
    EXPECT_THAT(outcome_of("run --put x -- true").text, ::testing::HasSubstr("HOST:GUEST"));
    EXPECT_THAT(outcome_of("run --load /no/x.ko -- true").text, ::testing::HasSubstr("/no/x.ko"));
    EXPECT_THAT(outcome_of("exec nobody -- true").text,
                ::testing::HasSubstr("no guest named nobody runs"));
    EXPECT_THAT(outcome_of("accel").text, ::testing::HasSubstr(": "));
}

// A module of the trace kernel, as a file on the host.
fs::path kernel_module(const std::string& name) {
    const fs::path build = fs::path(FWTS_SANDBOX).parent_path().parent_path();
    for (const auto& entry : fs::recursive_directory_iterator(build / "kernel/trace/modules"))
        if (entry.path().filename() == name) return entry.path();
    return name;
}

TEST_F(ProgramTest, RunGivesOutputStatusAndRegisters) {
    // igb needs other modules: --load inserts them first.
    const Outcome outcome = outcome_of(
        fmt::format("run --boot-timeout 180 --put {}:/bin/copy --record-registers {}/r.jsonl "
                    "--load {} -- sh -c 'cmp /bin/copy /bin/copy && echo same; exit 5'",
                    FWTS_SANDBOX, directory_.string(), kernel_module("igb.ko").string()));
    EXPECT_EQ(outcome.status, 5);
    EXPECT_THAT(outcome.text, ::testing::HasSubstr("same\n"));
    EXPECT_THAT(read_file(directory_ / "r.jsonl"), ::testing::HasSubstr("\"name\":\"CTRL\""));
    const Outcome panic =
        outcome_of("run --boot-timeout 180 -- sh -c 'echo c >/proc/sysrq-trigger'");
    EXPECT_EQ(panic.status, 71);
    EXPECT_THAT(panic.text, ::testing::HasSubstr("drivers/tty/sysrq.c:"));
}

// Whoever starts us may have closed what he does not need, and may wait for no child.
TEST_F(ProgramTest, WhatTheCallerLeftItWithDoesNotMatter) {
    const std::string sandbox = fmt::format("exec env --ignore-signal=CHLD '{}'", FWTS_SANDBOX);
    const auto file = directory_ / "said";
    for (const char* closed : {"<&- 2>&-", "2>&-"}) {
        const std::string command =
            fmt::format("{} run --boot-timeout 180 -- sh -c 'echo said; exit 5' >{} {}", sandbox,
                        file.string(), closed);
        EXPECT_EQ(WEXITSTATUS(system(command.c_str())), 5) << closed;
        EXPECT_EQ(read_file(file), "said\n") << closed;
    }
    const std::string none = sandbox + " run --boot-timeout 180 -- sh -c 'exit 5' <&- >&- 2>&-";
    EXPECT_EQ(WEXITSTATUS(system(none.c_str())), 5);
    fs::remove(file);
    expect_nothing_left();
}

TEST_F(ProgramTest, StartedGuestIsUsedByOthersAndStops) {
    const fs::path gdb = directory_ / "gdb";
    OnTerminal start(
        {"start", "--name", name_, "--boot-timeout", "180", "--gdb", gdb, "--wait-gdb"}, mark_,
        directory_);
    ASSERT_TRUE(start.expect("waiting for gdb " + name_));
    EXPECT_TRUE(fs::is_socket(gdb));
    EXPECT_EQ(outcome_of("send " + name_ + " --udp 4000:early").status, 0);
    EXPECT_EQ(outcome_of("exec --no-wait " + name_ + " -- touch /run/left").status, 0);
    const std::string go = fmt::format(
        "gdb -nx -batch -ex 'set remotetimeout 30' -ex 'target remote {}' -ex detach >/dev/null "
        "2>&1",
        gdb.string());
    ASSERT_EQ(system(go.c_str()), 0);
    ASSERT_TRUE(start.expect("ready " + name_));
    const Outcome outcome = outcome_of("exec " + name_ + " -- sh -c 'ls /run/left; exit 3'");
    EXPECT_EQ(outcome.status, 3);
    EXPECT_EQ(outcome.text, "/run/left\n");
    EXPECT_EQ(outcome_of("link " + name_ + " down").status, 0);
    EXPECT_EQ(outcome_of("exec " + name_ + " -- sh -c 'echo said-aloud >/dev/console'").status, 0);
    EXPECT_THAT(outcome_of("console " + name_).text, ::testing::HasSubstr("said-aloud\n"));
    EXPECT_EQ(outcome_of("send " + name_ + " --hex zz").status, 70);
    EXPECT_EQ(outcome_of("start --name " + name_ + " </dev/null").status, 70);
    EXPECT_THAT(outcome_of("list").text, ::testing::HasSubstr(name_));
    EXPECT_EQ(outcome_of("list", "FWTS_GUESTS=others").text, "");
    EXPECT_EQ(outcome_of("stop " + name_, "FWTS_GUESTS=others").status, 70);
    EXPECT_EQ(outcome_of("stop " + name_).status, 0);
    EXPECT_EQ(start.wait(), 0);
    expect_nothing_left();
}

TEST_F(ProgramTest, GuestsOfAScriptsOwn) {
    const std::string own = name_ + "-own";
    const std::string guest = fmt::format("fwts-sandbox/{}/{}/one", getuid(), own);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(guest.begin(), guest.end(), address.sun_path + 1);
    const Descriptor claimed(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(bind(claimed.get(), reinterpret_cast<const sockaddr*>(&address),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + guest.size())),
              0);
    EXPECT_THAT(outcome_of("list", "FWTS_GUESTS=" + own).text, ::testing::StartsWith("one "));
    EXPECT_THAT(outcome_of("list").text, ::testing::Not(::testing::HasSubstr(own)));
    const Outcome odd = outcome_of("list", "FWTS_GUESTS='a b'");
    EXPECT_EQ(odd.status, 70);
    EXPECT_THAT(odd.text, ::testing::HasSubstr("\"a b\" cannot name"));
}

TEST_F(ProgramTest, ShellWorksAndCtrlBracketLeaves) {
    OnTerminal shell({"shell"}, mark_, directory_);
    ASSERT_TRUE(shell.expect("# "));
    write_all(shell.terminal.get(), "killall fwts-agent; echo $((6 * 7))-done\r");
    EXPECT_TRUE(shell.expect("42-done")) << "the agent is dead, the console is not";
    write_all(shell.terminal.get(), "\x1d");
    EXPECT_EQ(shell.wait(), 0);
    expect_nothing_left();
}

TEST_F(ProgramTest, ShellSaysWhenAModuleIsLoaded) {
    OnTerminal shell({"shell", "--load", kernel_module("igb.ko").string()}, mark_, directory_);
    ASSERT_TRUE(shell.expect("sandbox: igb.ko is loaded"));
    write_all(shell.terminal.get(), "ls /sys/class/net; echo $((6 * 7))-done\r");
    EXPECT_TRUE(shell.expect("eth0"));
    EXPECT_TRUE(shell.expect("42-done"));
    write_all(shell.terminal.get(), "\x1d");
    EXPECT_EQ(shell.wait(), 0);
    expect_nothing_left();
}

TEST_F(ProgramTest, NothingIsLeftAfterSignals) {
    for (const int signal_number : {SIGINT, SIGTERM, SIGKILL}) {
        OnTerminal start(
            {"start", "--name", name_, "--boot-timeout", "180", "--gdb", directory_ / "gdb"}, mark_,
            directory_);
        ASSERT_TRUE(start.expect("ready " + name_));
        EXPECT_EQ(marked_processes(mark_).size(), 3U) << "the program, its keeper and QEMU";
        kill(start.pid, signal_number);
        start.wait();
        expect_nothing_left();
    }
}

TEST_F(ProgramTest, NothingIsLeftWhenKilledDuringTheBoot) {
    for (const int signal_number : {SIGINT, SIGKILL}) {
        OnTerminal run({"run", "--", "sleep", "1000"}, mark_, directory_);
        while (marked_processes(mark_).size() < 3) poll(nullptr, 0, 5);
        kill(run.pid, signal_number);
        run.wait();
        expect_nothing_left();
    }
}

}  // namespace
}  // namespace fwts::sandbox
