// SPDX-License-Identifier: GPL-2.0
// File descriptors with one owner, and those that have no name on disk: nothing is left of them
// however a process ends.
#pragma once

#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>

namespace fwts {

class Descriptor {
  public:
    explicit Descriptor(int fd = -1) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        if (this != &other) {
            close();
            fd_ = other.release();
        }
        return *this;
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { close(); }

    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool open() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }
    void close() {
        if (fd_ >= 0) ::close(release());
    }

  private:
    int fd_;
};

/// Two connected Unix sockets.
struct SocketPair {
    Descriptor ours;
    Descriptor theirs;
};
/// @param type  SOCK_STREAM or SOCK_DGRAM. @throws std::system_error
SocketPair make_socket_pair(int type);

/// The two ends of a pipe.
struct Pipe {
    Descriptor read_end;
    Descriptor write_end;
};
/// @throws std::system_error
Pipe make_pipe();

/// A file in memory only. @param name  shown in /proc, for people
Descriptor make_memory_file(const char* name);

/// @return a path by which another process that inherited @p descriptor can open it.
std::string inherited_path(const Descriptor& descriptor);

/// Writes all of @p bytes to a blocking descriptor. @throws std::system_error that names @p what
void write_all(int fd, std::string_view bytes, const std::string& what = "write");

/// @return the bytes of a file from @p offset to its end, without moving its position.
std::string read_from(const Descriptor& file, std::size_t offset = 0);

/// Makes reads and writes return instead of wait.
void set_nonblocking(const Descriptor& descriptor);

}  // namespace fwts
