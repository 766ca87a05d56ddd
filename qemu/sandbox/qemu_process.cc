// SPDX-License-Identifier: GPL-2.0
#include "qemu_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "process.h"

namespace fwts::sandbox {

namespace {

// Everything the keeper needs, made before the fork: a child of a process with threads must not
// allocate memory.
struct Orders {
    const Launch& qemu;
    const std::vector<int>& inherited;
    std::vector<const char*> remove;
    std::vector<int> keep;  // sorted
    int life = -1;
    int status = -1;
};

[[noreturn]] void keep(const Orders& orders) {
    stand_aside(orders.keep);
    prctl(PR_SET_NAME, "fwts-keeper");
    const pid_t keeper = getpid();
    const pid_t qemu = fork();
    if (qemu == 0) orders.qemu.become(keeper);
    for (const int fd : orders.inherited) close(fd);
    const auto ended = static_cast<int>(syscall(SYS_pidfd_open, qemu, 0));
    std::array<pollfd, 2> polled{{{orders.life, POLLIN, 0}, {ended, POLLIN, 0}}};
    while (poll(polled.data(), polled.size(), -1) < 0 && errno == EINTR) {
    }
    if (polled[1].revents == 0) kill(qemu, SIGKILL);
    const int status = wait_for(qemu);
    for (const char* path : orders.remove) unlink(path);
    const ssize_t written = write(orders.status, &status, sizeof status);
    _exit(written == sizeof status ? 0 : 1);
}

}  // namespace

QemuProcess::QemuProcess(const Plan& plan) {
    Pipe life = make_pipe();
    Pipe status = make_pipe();
    output_ = make_memory_file("qemu-output");
    // O_APPEND: standard output and error share the file.
    fcntl(output_.get(), F_SETFL, O_APPEND);

    Program qemu;
    qemu.argv = plan.argv;
    qemu.environment = environment();
    qemu.out = qemu.err = output_.get();
    qemu.inherited = plan.inherited;
    qemu.death_signal = SIGKILL;
    qemu.limits.file_bytes = plan.longest_file;
    const Launch launch(qemu);
    Orders orders{launch,         plan.inherited,      {},
                  plan.inherited, life.read_end.get(), status.write_end.get()};
    for (const auto& path : plan.remove) orders.remove.push_back(path.c_str());
    orders.keep.insert(orders.keep.end(), {orders.life, orders.status, output_.get()});
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
    if (keeper_ > 0) wait_for(std::exchange(keeper_, -1));
}

}  // namespace fwts::sandbox
