// SPDX-License-Identifier: GPL-2.0
#include "scratch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace fwts::grader {
namespace fs = std::filesystem;
namespace {

constexpr char well_done = '.';

/// Between fork and exec: async-signal-safe calls only. Waits until the other end of `life` closes,
/// and removes the directory unless a byte came before that.
[[noreturn]] void stand_by(int life, char* const* remove) {
    setsid();  // the terminal's Ctrl-C is for the owner
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) signal(number, SIG_IGN);
    const int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; ++fd) dup2(null, fd);
    dup2(life, 3);
    close_range(4, ~0U, 0);
    char byte = 0;
    ssize_t got = 0;
    while ((got = read(3, &byte, 1)) < 0 && errno == EINTR) {
    }
    if (got == 1) _exit(0);
    execv(remove[0], remove);
    _exit(127);
}

}  // namespace

Scratch::Scratch(const std::string& purpose, Care care) {
    std::string name = (fs::temp_directory_path() / ("fwts-" + purpose + "-XXXXXX")).string();
    if (mkdtemp(name.data()) == nullptr)
        throw std::runtime_error(
            fmt::format("{}: cannot make a directory: {}", name, std::strerror(errno)));
    path_ = name;
    if (care == Care::watched) watch();
}

/// Without a watcher (no more processes) the destructor is left.
void Scratch::watch() {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return;
    std::array<std::string, 4> words{"/bin/rm", "-rf", "--", fs::absolute(path_).string()};
    const std::array<char*, 5> argv{words[0].data(), words[1].data(), words[2].data(),
                                    words[3].data(), nullptr};
    watcher_ = fork();
    if (watcher_ == 0) stand_by(ends[0], argv.data());
    close(ends[0]);
    life_ = ends[1];
}

Scratch::~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
    if (life_ < 0) return;
    send(life_, &well_done, 1, MSG_NOSIGNAL);  // the watcher may have been killed
    close(life_);
    while (watcher_ > 0 && waitpid(watcher_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

}  // namespace fwts::grader
