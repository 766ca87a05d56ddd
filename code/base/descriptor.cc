// SPDX-License-Identifier: GPL-2.0
#include "descriptor.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace fwts {

namespace {

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

SocketPair make_socket_pair(int type) {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) != 0) fail("socketpair");
    return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe");
    return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Descriptor make_memory_file(const char* name) {
    Descriptor file(memfd_create(name, MFD_CLOEXEC));
    if (!file.open()) fail("memfd_create");
    return file;
}

std::string inherited_path(const Descriptor& descriptor) {
    return "/proc/self/fd/" + std::to_string(descriptor.get());
}

void write_all(int fd, std::string_view bytes, const std::string& what) {
    while (!bytes.empty()) {
        const ssize_t n = write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno != EINTR) fail(what);
        if (n == 0)  // a driver's file may say so for ever
            throw std::system_error(EIO, std::generic_category(), what);
        bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    }
}

std::string read_from(const Descriptor& file, std::size_t offset) {
    struct stat info = {};
    if (fstat(file.get(), &info) != 0) fail("fstat");
    const auto size = static_cast<std::size_t>(info.st_size);
    std::string bytes(size - std::min(size, offset), '\0');
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t n = pread(file.get(), bytes.data() + done, bytes.size() - done,
                                static_cast<off_t>(offset + done));
        if (n <= 0) break;
        done += static_cast<std::size_t>(n);
    }
    bytes.resize(done);
    return bytes;
}

void set_nonblocking(const Descriptor& descriptor) {
    fcntl(descriptor.get(), F_SETFL, fcntl(descriptor.get(), F_GETFL) | O_NONBLOCK);
}

}  // namespace fwts
