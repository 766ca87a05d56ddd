// SPDX-License-Identifier: GPL-2.0
#include "supervise.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <system_error>

#include "process.h"

namespace fwts::classroom {
namespace fs = std::filesystem;
namespace {

sigset_t the_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&set, number);
    return set;
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& more) {
    std::vector<std::string> result;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        if (more.count(text.substr(0, text.find('='))) == 0) result.push_back(text);
    }
    for (const auto& [name, value] : more) result.push_back(fmt::format("{}={}", name, value));
    return result;
}

/// Between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(char* const* argv, char* const* envp, int log, int death_signal,
                         pid_t parent) {
    grader::settle_child(log, death_signal, parent);
    execvpe(argv[0], argv, envp);
    _exit(127);
}

/// The fourth field of /proc/PID/stat; the second may hold anything, but ends with the last ')'.
pid_t parent_of(const std::string& pid) {
    std::ifstream file("/proc/" + pid + "/stat");
    std::string line;
    std::getline(file, line);
    const auto name_end = line.rfind(')');
    if (name_end == std::string::npos || name_end + 4 > line.size()) return 0;
    return static_cast<pid_t>(std::strtol(line.c_str() + name_end + 4, nullptr, 10));
}

std::size_t kill_children() {
    std::size_t killed = 0;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/proc", error)) {
        const std::string pid = entry.path().filename().string();
        if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
        if (parent_of(pid) != getpid()) continue;
        kill(static_cast<pid_t>(std::stol(pid)), SIGKILL);
        ++killed;
    }
    return killed;
}

}  // namespace

Signals::Signals() {
    const sigset_t set = the_signals();
    sigprocmask(SIG_BLOCK, &set, nullptr);
}

int Signals::wait(std::chrono::milliseconds timeout) const {
    const sigset_t set = the_signals();
    const timespec limit{timeout.count() / 1000, (timeout.count() % 1000) * 1000000};
    const int number = sigtimedwait(&set, nullptr, &limit);
    return number > 0 ? number : 0;
}

bool Signals::asks_to_end(int signal_number) {
    return signal_number == SIGINT || signal_number == SIGTERM || signal_number == SIGHUP;
}

pid_t start(const Order& order) {
    std::vector<std::string> args = order.argv;
    auto environment = environment_with(order.environment);
    const auto argv = grader::pointers(args);
    const auto envp = grader::pointers(environment);
    const int log = open(order.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (log < 0) throw std::system_error(errno, std::generic_category(), order.log.string());
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) become(argv.data(), envp.data(), log, order.death_signal, parent);
    const int why = errno;
    close(log);
    if (pid < 0) throw std::system_error(why, std::generic_category(), "cannot fork");
    setpgid(pid, pid);
    return pid;
}

std::size_t end_all_children() {
    std::size_t ended = 0;
    for (;;) {
        kill_children();
        pid_t gone = 0;
        while ((gone = waitpid(-1, nullptr, WNOHANG)) > 0) ++ended;
        if (gone < 0 && errno == ECHILD) return ended;
        // Somebody is still dying, and what it leaves becomes ours then: look again.
        usleep(2000);
    }
}

Ended supervise(const Order& order, const Signals& signals, std::chrono::seconds timeout) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    const auto began = std::chrono::steady_clock::now();
    const auto deadline = began + timeout;
    const pid_t pid = start(order);
    Ended ended;
    for (bool running = true; running;) {
        int status = 0;
        pid_t gone = 0;
        while ((gone = waitpid(-1, &status, WNOHANG)) > 0)
            if (gone == pid) {
                ended.status = grader::exit_status(status);
                running = false;
            }
        if (!running) break;
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        ended.timed_out = left.count() <= 0;
        if (ended.timed_out) break;
        const int number = signals.wait(left);
        if (Signals::asks_to_end(number)) {
            ended.asked_to_end = number;
            break;
        }
    }
    ended.left_over = end_all_children();
    ended.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    return ended;
}

}  // namespace fwts::classroom
