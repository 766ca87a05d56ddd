// SPDX-License-Identifier: GPL-2.0
#include "process_start.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fwts {
namespace {

bool is_null(int fd) {
    struct stat info{};
    return fstat(fd, &info) == 0 && S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3);
}

/// Runs `child` in a process of its own. @return its exit status, or -1 when it could not be had.
template <typename Child>
int status_of(Child child) {
    const pid_t pid = fork();
    if (pid == 0) _exit(child());
    int status = 0;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ProcessStart, ClosedStandardDescriptorsBecomeNull) {
    for (unsigned closed = 0; closed < 8; ++closed) {
        EXPECT_EQ(status_of([closed] {
                      for (int fd = 0; fd < 3; ++fd)
                          if ((closed >> static_cast<unsigned>(fd) & 1U) != 0) close(fd);
                      settle_inherited();
                      for (int fd = 0; fd < 3; ++fd)
                          if ((closed >> static_cast<unsigned>(fd) & 1U) != 0 && !is_null(fd))
                              return 1;
                      const int next = open("/", O_RDONLY);
                      return next >= 3 ? 0 : 2;
                  }),
                  0)
            << "closed: " << closed;
    }
}

TEST(ProcessStart, ChildrenCanBeWaitedForThoughTheCallerIgnoredThem) {
    EXPECT_EQ(status_of([] {
                  signal(SIGCHLD, SIG_IGN);
                  sigset_t all;
                  sigfillset(&all);
                  sigprocmask(SIG_BLOCK, &all, nullptr);
                  settle_inherited();
                  sigset_t blocked;
                  sigprocmask(SIG_BLOCK, nullptr, &blocked);
                  if (sigismember(&blocked, SIGCHLD) != 0) return 1;
                  return status_of([] { return 7; }) == 7 ? 0 : 2;
              }),
              0);
}

}  // namespace
}  // namespace fwts
