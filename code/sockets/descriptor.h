// SPDX-License-Identifier: GPL-2.0
// What the programs that keep several descriptors share.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

namespace fwts::sockets {

/// A file descriptor that is closed by its owner's end.
class Descriptor {
  public:
    explicit Descriptor(int fd = -1) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_;
};

/// Says which call failed and why. @return the exit status for it
inline int complain(const char* program, const char* call) {
    std::fprintf(stderr, "%s: %s: %s\n", program, call, std::strerror(errno));
    return 1;
}

/// A number from @p least to @p most. @return whether @p text is one
inline bool read_number(std::string_view text, unsigned least, unsigned most, unsigned& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && value >= least &&
           value <= most;
}

}  // namespace fwts::sockets
