// SPDX-License-Identifier: GPL-2.0
#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "descriptor.h"
#include "processor_time.h"

namespace fwts {
namespace {

void set_limit(__rlimit_resource resource, std::uint64_t value, std::uint64_t grace = 0) {
    rlimit limit{};
    if (value == 0) return;
    if (getrlimit(resource, &limit) != 0) _exit(126);
    // What our caller allows is the most: it may be less.
    limit.rlim_max = std::min<rlim_t>(value + grace, limit.rlim_max);
    limit.rlim_cur = std::min<rlim_t>(value, limit.rlim_max);
    if (setrlimit(resource, &limit) != 0) _exit(126);
}

/// As the kernel has it: the C library does not let anybody see or change its own two.
struct KernelAction {
    sighandler_t handler = SIG_DFL;
    unsigned long flags = 0;
    void* restorer = nullptr;
    std::uint64_t mask = 0;
};

/// Ours are not ignored, but we may have been started with them ignored.
void hear_signals_of_the_c_library() {
    for (int number = 32; number < SIGRTMIN; ++number) {
        KernelAction action;
        syscall(SYS_rt_sigaction, number, nullptr, &action, sizeof action.mask);
        if (action.handler != SIG_IGN) continue;
        action = {};
        syscall(SYS_rt_sigaction, number, &action, nullptr, sizeof action.mask);
    }
}

void use_usual_signals() {
    for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
    hear_signals_of_the_c_library();
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// A number above the standard ones, so that none of them is overwritten before it is used.
int out_of_the_way(int fd) {
    return fcntl(fd >= 0 ? fd : open("/dev/null", O_RDWR | O_CLOEXEC), F_DUPFD_CLOEXEC, 3);
}

void give_descriptors(const Program& program) {
    const std::array<int, 3> standard{out_of_the_way(program.in), out_of_the_way(program.out),
                                      out_of_the_way(program.err)};
    for (int fd = 0; fd < 3; ++fd)
        if (dup2(standard.at(static_cast<std::size_t>(fd)), fd) < 0) _exit(126);
    if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) _exit(126);
    for (const int fd : program.inherited) fcntl(fd, F_SETFD, 0);
}

/// @return the child, or -1 and why in `error`.
pid_t try_to_start(const Program& program, int& error) {
    const Launch launch(program);
    Pipe report = make_pipe();
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid < 0) throw std::system_error(errno, std::generic_category(), "cannot fork");
    if (pid == 0) launch.become(parent, report.write_end.get());
    setpgid(pid, pid);  // whoever of the two comes first, the group exists from here on
    report.write_end.close();
    ssize_t got = 0;
    while ((got = read(report.read_end.get(), &error, sizeof error)) < 0 && errno == EINTR) {
    }
    if (got != sizeof error) return pid;
    wait_for(pid);
    return -1;
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

Environment environment() {
    Environment result;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string text = *entry;
        if (const auto end = text.find('='); end != std::string::npos)
            result.emplace(text.substr(0, end), text.substr(end + 1));
    }
    return result;
}

Launch::Launch(const Program& program) : program_(program) {
    environment_.reserve(program.environment.size());
    for (const auto& [name, value] : program.environment)
        environment_.emplace_back(name).append("=").append(value);
    // exec does not write to what it is given.
    for (const auto& word : program.argv) argv_.push_back(const_cast<char*>(word.c_str()));
    for (const auto& entry : environment_) envp_.push_back(const_cast<char*>(entry.c_str()));
    argv_.push_back(nullptr);
    envp_.push_back(nullptr);
}

void Launch::become(pid_t parent, int report) const {
    setpgid(0, 0);
    if (program_.death_signal != 0) {
        prctl(PR_SET_PDEATHSIG, program_.death_signal);
        if (getppid() != parent) _exit(126);  // it died before the request above
    }
    if (report >= 0) report = out_of_the_way(report);
    give_descriptors(program_);
    use_usual_signals();
    // SIGXCPU says what it died of; SIGKILL, which comes at the hard limit, does not.
    set_limit(RLIMIT_CPU, static_cast<std::uint64_t>(program_.limits.cpu.count()), 10);
    set_limit(RLIMIT_AS, program_.limits.memory_bytes);
    set_limit(RLIMIT_FSIZE, program_.limits.file_bytes);
    set_limit(RLIMIT_CORE, 1);  // none, not even to a program
    if (program_.directory.empty() || chdir(program_.directory.c_str()) == 0) {
        environ = const_cast<char**>(envp_.data());  // its PATH is the one to search
        execvp(argv_[0], argv_.data());
    }
    const int error = errno;
    if (report < 0)
        dprintf(2, "%s: %m\n", argv_[0]);
    else if (write(report, &error, sizeof error) != sizeof error)
        _exit(126);
    _exit(127);
}

pid_t start(const Program& program) {
    int error = 0;
    const pid_t pid = try_to_start(program, error);
    if (pid < 0) throw std::system_error(error, std::generic_category(), program.argv.at(0));
    return pid;
}

int wait_for(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

int exit_status(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

ProcessResult run_process(const std::vector<std::string>& argv, const Limits& limits,
                          const Environment& environment, Errors errors) {
    Pipe output = make_pipe();
    Program program;
    program.argv = argv;
    program.environment = environment;
    program.out = output.write_end.get();
    program.err = errors == Errors::kept ? program.out : -1;
    program.death_signal = SIGKILL;
    program.limits = limits;
    ProcessResult result;
    int error = 0;
    const pid_t pid = try_to_start(program, error);
    if (pid < 0) {
        result.status = 127;
        result.output = argv.at(0) + ": " + std::generic_category().message(error) + "\n";
        return result;
    }
    output.write_end.close();
    collect(output.read_end.get(), pid, limits, result);
    result.status = exit_status(wait_for(pid));
    return result;
}

void stand_aside(const std::vector<int>& keep) {
    setsid();
    use_usual_signals();
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) signal(number, SIG_IGN);
    const int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; ++fd) dup2(null, fd);
    unsigned next = 3;
    for (const int fd : keep) {
        const auto kept = static_cast<unsigned>(fd);
        if (kept > next) close_range(next, kept - 1, 0);
        next = std::max(next, kept + 1);
    }
    close_range(next, ~0U, 0);
}

}  // namespace fwts
