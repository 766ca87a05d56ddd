// SPDX-License-Identifier: GPL-2.0
#include "process_start.h"

#include <fcntl.h>
#include <signal.h>

#include <cerrno>

namespace fwts {

void settle_inherited() {
    for (int fd = 0; fd < 3; ++fd) {
        // open() takes the lowest number that is free: this one.
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) open("/dev/null", O_RDWR);
    }
    signal(SIGCHLD, SIG_DFL);
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_UNBLOCK, &children, nullptr);
}

}  // namespace fwts
