// SPDX-License-Identifier: GPL-2.0
#include "process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "processor_time.h"

namespace fwts::grader {
namespace {

void set_limit(__rlimit_resource resource, std::uint64_t value) {
    if (value == 0) return;
    const rlimit limit{value, value};
    if (setrlimit(resource, &limit) != 0) _exit(126);
}

/// Runs between fork and exec: only async-signal-safe calls from here on.
[[noreturn]] void become_child(char* const* argv, char* const* envp, const Limits& limits,
                               int output, pid_t parent) {
    settle_child(output, SIGKILL, parent);
    set_limit(RLIMIT_CPU, static_cast<std::uint64_t>(limits.cpu.count()));
    set_limit(RLIMIT_AS, limits.memory_bytes);
    set_limit(RLIMIT_FSIZE, limits.file_bytes);
    set_limit(RLIMIT_CORE, 1);
    execvpe(argv[0], argv, envp);
    _exit(127);
}

/// Reads until the end or a limit; kills the group in the latter case.
void collect(int fd, pid_t pid, const Limits& limits, ProcessResult& result) {
    constexpr std::chrono::milliseconds look_again{500};
    const auto deadline = std::chrono::steady_clock::now() + limits.wall;
    std::array<char, 65536> buffer{};
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        result.timed_out = left.count() <= 0;
        result.worked_too_long =
            limits.work.count() > 0 && processor_time_of_tree(pid) > limits.work;
        if (result.timed_out || result.worked_too_long) break;
        pollfd wait{fd, POLLIN, 0};
        const int ready = poll(&wait, 1, static_cast<int>(std::min(left, look_again).count()));
        if (ready < 0 && errno != EINTR) break;
        if (ready <= 0) continue;
        const ssize_t got = read(fd, buffer.data(), buffer.size());
        if (got <= 0) return;
        result.output.append(buffer.data(), static_cast<std::size_t>(got));
        result.too_loud = result.output.size() > limits.output_bytes;
        if (result.too_loud) break;
    }
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
}

}  // namespace

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> result;
    result.reserve(strings.size() + 1);
    for (auto& text : strings) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

void settle_child(int output, int death_signal, int parent) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, death_signal);
    if (getppid() != parent) _exit(126);
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) _exit(126);
    close_range(3, ~0U, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
}

int exit_status(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

ProcessResult run_process(const std::vector<std::string>& argv, const Limits& limits,
                          const std::map<std::string, std::string>& environment) {
    std::vector<std::string> args = argv;
    std::vector<std::string> env;
    env.reserve(environment.size());
    for (const auto& [name, value] : environment) env.push_back(fmt::format("{}={}", name, value));
    const auto arg_pointers = pointers(args);
    const auto env_pointers = pointers(env);

    std::array<int, 2> pipe_ends{};
    if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot make a pipe");
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid < 0) throw std::system_error(errno, std::generic_category(), "cannot fork");
    if (pid == 0)
        become_child(arg_pointers.data(), env_pointers.data(), limits, pipe_ends[1], parent);
    setpgid(pid, pid);
    close(pipe_ends[1]);

    ProcessResult result;
    collect(pipe_ends[0], pid, limits, result);
    close(pipe_ends[0]);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    result.status = exit_status(status);
    return result;
}

}  // namespace fwts::grader
