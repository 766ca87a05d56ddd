// SPDX-License-Identifier: GPL-2.0
// The real agent on one end of a socketpair, running real programs of the machine the test runs on.
#include "agent.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base64.h"
#include "scratch.h"

namespace fwts::agent {
namespace {

/// The host's end of a conversation with an agent that is a process of its own.
class Conversation : public ::testing::Test {
  protected:
    ~Conversation() override {
        host_.close();
        if (pid_ > 0) waitpid(pid_, nullptr, 0);
    }

    void send_raw(const std::string& bytes) {
        ASSERT_EQ(write(host_.get(), bytes.data(), bytes.size()),
                  static_cast<ssize_t>(bytes.size()));
    }

    void send(const nlohmann::json& message) { send_raw(encode(message)); }

    nlohmann::json receive() {
        for (;;) {
            if (auto message = decoder_.next()) return *message;
            pollfd one{host_.get(), POLLIN, 0};
            if (poll(&one, 1, 20'000) != 1) {
                ADD_FAILURE() << "the agent says nothing";
                return {};
            }
            std::array<char, 65536> bytes{};
            const ssize_t n = read(host_.get(), bytes.data(), bytes.size());
            if (n <= 0) return {};
            decoder_.add({bytes.data(), static_cast<std::size_t>(n)});
        }
    }

    struct Result {
        nlohmann::json exit;
        std::string out, err;
    };

    Result result_of(int id) {
        Result result;
        for (;;) {
            const auto message = receive();
            if (message.is_null() || message.empty()) return result;
            if (message.value("id", -1) != id) continue;
            if (message["event"] == "output") {
                (message["stream"] == "stdout" ? result.out : result.err) +=
                    base64_decode(message["data"].get<std::string>());
            } else {
                result.exit = message;
                return result;
            }
        }
    }

    Descriptor host_;
    pid_t pid_ = -1;
    Decoder decoder_;
};

class AgentTest : public Conversation {
  protected:
    AgentTest() {
        std::array<int, 2> ends{};
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
        host_ = Descriptor(ends[0]);
        pid_ = fork();
        if (pid_ == 0) {
            host_.close();
            const auto end = Agent(Descriptor(ends[1])).run();
            _exit(end == Agent::End::kPowerOff ? 42 : 0);
        }
        close(ends[1]);
        send_raw(std::string(kBeginning));
        hello_ = receive();
    }

    nlohmann::json hello_;
};

TEST_F(AgentTest, SaysHello) {
    EXPECT_EQ(hello_["event"], "hello");
    EXPECT_GE(hello_["cpus"].get<int>(), 1);
    EXPECT_FALSE(hello_["release"].get<std::string>().empty());
}

TEST_F(AgentTest, RunsWithInputEnvironmentAndStatus) {
    send({{"id", 3},
          {"op", "exec"},
          {"argv", {"sh", "-c", "cat; echo $WORD >&2; exit 7"}},
          {"stdin", base64_encode("to be read")},
          {"env", {{"WORD", "set"}}}});
    const Result result = result_of(3);
    EXPECT_EQ(result.exit["status"], 7);
    EXPECT_EQ(result.out, "to be read");
    EXPECT_EQ(result.err, "set\n");
}

TEST_F(AgentTest, DoesNotSplitWords) {
    send({{"id", 1}, {"op", "exec"}, {"argv", {"printf", "%s|", "a b", "c"}}});
    EXPECT_EQ(result_of(1).out, "a b|c|");
}

TEST_F(AgentTest, ReportsAProgramThatDoesNotExist) {
    send({{"id", 1}, {"op", "exec"}, {"argv", {"/no/such/program"}}});
    const auto message = receive();
    EXPECT_EQ(message["event"], "error");
    EXPECT_NE(message["message"].get<std::string>().find("/no/such/program"), std::string::npos);
}

TEST_F(AgentTest, LargeOutputAndInputComeThroughWhole) {
    const std::string input(3 << 20, 'x');
    std::thread writer([&] {
        send({{"id", 1},
              {"op", "exec"},
              {"argv", {"cat"}},
              {"stdin", base64_encode(input.substr(0, 2 << 20))}});
    });
    const Result result = result_of(1);
    writer.join();
    EXPECT_EQ(result.exit["status"], 0);
    EXPECT_EQ(result.out.size(), std::size_t{2} << 20);
}

TEST_F(AgentTest, SeveralCommandsAtOnce) {
    // The first ends only after the second has run: it waits for a file that the second makes.
    const Scratch scratch("agent-test");
    const std::string directory = scratch.path();
    const std::string fifo = std::string(directory) + "/fifo";
    send({{"id", 1},
          {"op", "exec"},
          {"argv", {"sh", "-c", "mkfifo " + fifo + "; echo ready; cat " + fifo}}});
    EXPECT_EQ(receive()["event"], "output");
    send({{"id", 2}, {"op", "exec"}, {"argv", {"sh", "-c", "echo hello >" + fifo}}});
    std::string out;
    int ended = 0;
    while (ended < 2) {
        const auto message = receive();
        ASSERT_TRUE(message.contains("event"));
        if (message["event"] == "output") {
            out += base64_decode(message["data"].get<std::string>());
        } else {
            EXPECT_EQ(message["status"], 0);
            ++ended;
        }
    }
    EXPECT_EQ(out, "hello\n");
}

TEST_F(AgentTest, TimeoutKillsTheWholeGroup) {
    send({{"id", 1},
          {"op", "exec"},
          {"argv", {"sh", "-c", "sleep 1000 & echo $!; wait"}},
          {"timeout_ms", 2000}});
    const Result result = result_of(1);
    EXPECT_EQ(result.exit["signal"], SIGKILL);
    EXPECT_EQ(result.exit["reason"], "timeout");
    // The killed child may linger as a zombie of whoever inherits it, but it does not run.
    std::ifstream status("/proc/" + std::to_string(std::stoi(result.out)) + "/stat");
    std::string line;
    std::getline(status, line);
    EXPECT_TRUE(line.empty() || line.find(") S ") == std::string::npos) << line;
}

TEST_F(AgentTest, KillBySignal) {
    send({{"id", 5}, {"op", "exec"}, {"argv", {"sh", "-c", "echo up; sleep 1000"}}});
    EXPECT_EQ(receive()["event"], "output");
    send({{"id", 5}, {"op", "kill"}, {"signal", SIGTERM}});
    const Result result = result_of(5);
    EXPECT_EQ(result.exit["signal"], SIGTERM);
    EXPECT_EQ(result.exit["reason"], "killed");
}

TEST_F(AgentTest, OutputLimitEndsTheCommand) {
    send({{"id", 1}, {"op", "exec"}, {"argv", {"yes"}}, {"output_limit", 100'000}});
    const Result result = result_of(1);
    EXPECT_EQ(result.out.size(), 100'000U);
    EXPECT_EQ(result.exit["reason"], "output_limit");
}

TEST_F(AgentTest, ABackgroundProcessDoesNotHoldTheAnswer) {
    send({{"id", 1}, {"op", "exec"}, {"argv", {"sh", "-c", "sleep 1000 & echo $!"}}});
    const Result result = result_of(1);
    EXPECT_EQ(result.exit["status"], 0);
    EXPECT_EQ(kill(std::stoi(result.out), SIGKILL), 0);
}

TEST_F(AgentTest, PutAndGetKeepBytesAndMode) {
    const Scratch scratch("agent-test");
    const std::string directory = scratch.path();
    const std::string path = std::string(directory) + "/deep/er/file";
    const std::string bytes("\x00\xff\x01text", 7);
    send(
        {{"id", 1}, {"op", "put"}, {"path", path}, {"mode", 0750}, {"data", base64_encode(bytes)}});
    EXPECT_EQ(receive()["event"], "done");
    send({{"id", 2},
          {"op", "put"},
          {"path", path},
          {"mode", 0750},
          {"append", true},
          {"data", base64_encode("more")}});
    EXPECT_EQ(receive()["event"], "done");
    send({{"id", 3}, {"op", "get"}, {"path", path}});
    EXPECT_EQ(base64_decode(receive()["data"].get<std::string>()), bytes + "more");
    EXPECT_EQ(receive()["mode"], 0750);
    send({{"id", 4}, {"op", "get"}, {"path", path + "-not-there"}});
    EXPECT_EQ(receive()["event"], "error");
}

TEST_F(AgentTest, AnswersPingAndRefusesTheUnknown) {
    send({{"id", 1}, {"op", "ping"}});
    EXPECT_EQ(receive()["event"], "pong");
    send({{"id", 2}, {"op", "dance"}});
    EXPECT_EQ(receive()["event"], "error");
    send({{"id", 3}, {"op", "exec"}, {"argv", "not a list"}});
    EXPECT_EQ(receive()["event"], "error");
}

TEST_F(AgentTest, PowerOffEndsAfterTheAnswer) {
    send({{"id", 1}, {"op", "poweroff"}});
    EXPECT_EQ(receive()["event"], "done");
    int status = 0;
    ASSERT_EQ(waitpid(pid_, &status, 0), pid_);
    EXPECT_EQ(WEXITSTATUS(status), 42);
    pid_ = -1;
}

TEST_F(AgentTest, HangUpKillsWhatRuns) {
    send({{"id", 1}, {"op", "exec"}, {"argv", {"sh", "-c", "echo $$; exec sleep 1000"}}});
    const int pid = std::stoi(base64_decode(receive()["data"].get<std::string>()));
    host_.close();
    ASSERT_EQ(waitpid(pid_, nullptr, 0), pid_);
    pid_ = -1;
    EXPECT_EQ(kill(pid, 0), -1);
}

/// As a port of virtio-serial does while its guest sleeps, a terminal's master says "hung up" while
/// nobody has the other end open, and goes on when somebody has.
class AgentOnATerminal : public Conversation {
  protected:
    AgentOnATerminal() {
        Descriptor port(posix_openpt(O_RDWR | O_NOCTTY));
        EXPECT_EQ(grantpt(port.get()) + unlockpt(port.get()), 0);
        name_ = ptsname(port.get());
        open_host();
        pid_ = fork();
        if (pid_ == 0) {
            host_.close();
            Agent(std::move(port), Agent::HangUp::kPasses).run();
            _exit(0);
        }
    }

    ~AgentOnATerminal() override { kill(pid_, SIGKILL); }

    void open_host() {
        host_ = Descriptor(open(name_.c_str(), O_RDWR | O_NOCTTY));
        termios raw{};
        tcgetattr(host_.get(), &raw);
        cfmakeraw(&raw);
        tcsetattr(host_.get(), TCSANOW, &raw);
    }

    /// @return how often the agent has gone to sleep.
    [[nodiscard]] long sleeps() const {
        std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
        for (std::string word; file >> word;)
            if (word == "voluntary_ctxt_switches:") return file >> word, std::stol(word);
        return -1;
    }

    std::string name_;
};

TEST_F(AgentOnATerminal, AHostThatIsAwayForAWhileFindsItsCommandsAgain) {
    const Scratch scratch("agent-test");
    const std::string fifo = scratch.path().string() + "/fifo";
    send_raw(std::string(kBeginning));
    send({{"id", 1},
          {"op", "exec"},
          {"argv", {"sh", "-c", "mkfifo " + fifo + "; echo ready; cat " + fifo}}});
    EXPECT_EQ(receive()["event"], "hello");
    EXPECT_EQ(base64_decode(receive().value("data", "")), "ready\n");
    host_.close();
    // The agent has noticed once it no longer waits without end, but looks for its host.
    for (const long before = sleeps(); sleeps() < before + 3;) {
        ASSERT_EQ(waitpid(pid_, nullptr, WNOHANG), 0) << "the agent ended with its host away";
        std::this_thread::yield();
    }
    open_host();
    std::ofstream(fifo) << "the command lives\n";
    EXPECT_EQ(base64_decode(receive().value("data", "")), "the command lives\n");
    EXPECT_EQ(receive()["status"], 0);
    send({{"id", 2}, {"op", "ping"}});
    EXPECT_EQ(receive()["event"], "pong");
}

}  // namespace
}  // namespace fwts::agent
