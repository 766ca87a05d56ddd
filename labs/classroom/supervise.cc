// SPDX-License-Identifier: GPL-2.0
#include "supervise.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

#include "descriptor.h"
#include "processor_time.h"

namespace fwts::classroom {
namespace fs = std::filesystem;
namespace {

sigset_t the_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&set, number);
    return set;
}

void kill_children() {
    for (const pid_t pid : all_processes())
        if (parent_of(pid) == getpid()) kill(pid, SIGKILL);
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

pid_t start_logged(Program program, const fs::path& log) {
    const Descriptor file(open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file.open()) throw std::system_error(errno, std::generic_category(), log.string());
    program.out = program.err = file.get();
    return start(program);
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

Ended supervise(const Program& program, const fs::path& log, const Signals& signals,
                std::chrono::seconds timeout) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    const auto began = std::chrono::steady_clock::now();
    const auto deadline = began + timeout;
    const pid_t pid = start_logged(program, log);
    Ended ended;
    for (bool running = true; running;) {
        int status = 0;
        pid_t gone = 0;
        while ((gone = waitpid(-1, &status, WNOHANG)) > 0)
            if (gone == pid) {
                ended.status = exit_status(status);
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
