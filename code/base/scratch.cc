// SPDX-License-Identifier: GPL-2.0
#include "scratch.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "process.h"

namespace fwts {
namespace fs = std::filesystem;
namespace {

constexpr char well_done = '.';

/// Waits until the other end of `life` closes, and removes the directory unless a byte came before
/// that. Async-signal-safe calls only.
[[noreturn]] void stand_by(const std::vector<int>& life, const Launch& remove) {
    stand_aside(life);
    char byte = 0;
    ssize_t got = 0;
    while ((got = read(life.front(), &byte, 1)) < 0 && errno == EINTR) {
    }
    if (got == 1) _exit(0);
    remove.become(0);
}

}  // namespace

Scratch::Scratch(const std::string& purpose, Care care) {
    std::string name = (fs::temp_directory_path() / ("fwts-" + purpose + "-XXXXXX")).string();
    if (mkdtemp(name.data()) == nullptr)
        throw std::runtime_error(name + ": cannot make a directory: " + std::strerror(errno));
    path_ = name;
    if (care == Care::watched) watch();
}

/// Without a watcher (no more processes) the destructor is left.
void Scratch::watch() {
    Program remove;
    remove.argv = {"/bin/rm", "-rf", "--", fs::absolute(path_).string()};
    const Launch launch(remove);
    auto [ours, theirs] = make_socket_pair(SOCK_STREAM);
    const std::vector<int> life{theirs.get()};
    watcher_ = fork();
    if (watcher_ == 0) stand_by(life, launch);
    life_ = std::move(ours);
}

Scratch::~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
    if (!life_.open()) return;
    send(life_.get(), &well_done, 1, MSG_NOSIGNAL);  // the watcher may have been killed
    life_.close();
    if (watcher_ > 0) wait_for(watcher_);
}

}  // namespace fwts
