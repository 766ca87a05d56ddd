// SPDX-License-Identifier: GPL-2.0
#include "qemu_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "io.h"

namespace fwts::sandbox {

namespace {

// Everything the keeper needs, made before the fork: a child of a process with threads must not
// allocate memory.
struct Orders {
    std::vector<char*> argv;
    std::vector<int> keep;  // sorted
    std::vector<int> inherited;
    std::vector<const char*> remove;
    int life = -1;
    int status = -1;
    int output = -1;
    rlimit longest_file = {RLIM_INFINITY, RLIM_INFINITY};
};

void close_others(const std::vector<int>& keep) {
    unsigned next = 3;
    for (const int fd : keep) {
        const auto kept = static_cast<unsigned>(fd);
        if (kept > next) close_range(next, kept - 1, 0);
        next = std::max(next, kept + 1);
    }
    close_range(next, ~0U, 0);
}

[[noreturn]] void become_qemu(const Orders& orders, pid_t keeper) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != keeper) _exit(127);  // the keeper died before the request above
    dup2(orders.output, 1);
    dup2(orders.output, 2);
    for (const int fd : orders.inherited) fcntl(fd, F_SETFD, 0);
    for (const int signal_number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ})
        signal(signal_number, SIG_DFL);
    if (orders.longest_file.rlim_cur != RLIM_INFINITY)
        setrlimit(RLIMIT_FSIZE, &orders.longest_file);
    execv(orders.argv[0], orders.argv.data());
    dprintf(2, "%s: %m\n", orders.argv[0]);
    _exit(127);
}

[[noreturn]] void keep(const Orders& orders) {
    setsid();  // the terminal's Ctrl-C is for the caller alone
    prctl(PR_SET_NAME, "fwts-keeper");
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (const int signal_number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE})
        signal(signal_number, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    const int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; ++fd) dup2(null, fd);
    close_others(orders.keep);
    const pid_t keeper = getpid();
    const pid_t qemu = fork();
    if (qemu == 0) become_qemu(orders, keeper);
    for (const int fd : orders.inherited) close(fd);
    const auto ended = static_cast<int>(syscall(SYS_pidfd_open, qemu, 0));
    std::array<pollfd, 2> polled{{{orders.life, POLLIN, 0}, {ended, POLLIN, 0}}};
    while (poll(polled.data(), polled.size(), -1) < 0 && errno == EINTR) {
    }
    if (polled[1].revents == 0) kill(qemu, SIGKILL);
    int status = 0;
    waitpid(qemu, &status, 0);
    for (const char* path : orders.remove) unlink(path);
    const ssize_t written = write(orders.status, &status, sizeof status);
    _exit(written == sizeof status ? 0 : 1);
}

}  // namespace

QemuProcess::QemuProcess(const Plan& plan) {
    PipePair life = make_pipe_pair();
    PipePair status = make_pipe_pair();
    output_ = make_memory_file("qemu-output");
    // O_APPEND: standard output and error share the file.
    fcntl(output_.get(), F_SETFL, O_APPEND);

    Orders orders;
    for (const auto& word : plan.argv) orders.argv.push_back(const_cast<char*>(word.c_str()));
    orders.argv.push_back(nullptr);
    for (const auto& path : plan.remove) orders.remove.push_back(path.c_str());
    orders.inherited = plan.inherited;
    if (plan.longest_file != 0) orders.longest_file = {plan.longest_file, plan.longest_file};
    orders.life = life.read_end.get();
    orders.status = status.write_end.get();
    orders.output = output_.get();
    orders.keep = orders.inherited;
    orders.keep.insert(orders.keep.end(), {orders.life, orders.status, orders.output});
    std::sort(orders.keep.begin(), orders.keep.end());

    keeper_ = fork();
    if (keeper_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (keeper_ == 0) keep(orders);
    life_ = std::move(life.write_end);
    status_ = std::move(status.read_end);
}

QemuProcess::~QemuProcess() {
    kill();
}

std::optional<int> QemuProcess::take_status() {
    int status = 0;
    if (read(status_.get(), &status, sizeof status) != sizeof status) return std::nullopt;
    return status;
}

std::string QemuProcess::output() const {
    return read_from(output_);
}

void QemuProcess::kill() {
    life_.close();
    if (keeper_ > 0) {
        while (waitpid(keeper_, nullptr, 0) < 0 && errno == EINTR) {
        }
        keeper_ = -1;
    }
}

}  // namespace fwts::sandbox
