// SPDX-License-Identifier: GPL-2.0
// What the programs that read from a socket share.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace fwts::sockets {

/// A number from 1 to `limit`, or 0 when `text` is none.
inline unsigned parse(std::string_view text, unsigned limit) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return whole && value <= limit ? value : 0;
}

/// What a reader was asked for.
struct Wanted {
    unsigned port;
    unsigned count;
};

/// Take PORT [COUNT] from the command line. Ends the program with 0 after --help, and with 2 when
/// it holds anything else.
inline Wanted wanted(int argc, char** argv, const char* usage) {
    constexpr int usage_error = 2;
    const std::string_view first = argc > 1 ? argv[1] : "";
    if (first == "--help" || first == "-h") {
        std::fputs(usage, stdout);
        std::exit(0);
    }
    const Wanted what{parse(first, 65535), argc > 2 ? parse(argv[2], 1U << 30U) : 1};
    if (argc <= 3 && what.port != 0 && what.count != 0) return what;
    std::fputs(usage, stderr);
    std::exit(usage_error);
}

/// Say that a sender may start.
inline void say_listening(unsigned port) {
    std::printf("listening on %u\n", port);
    std::fflush(stdout);
}

/// Report a failed system call and hand back the exit status.
inline int fail(const char* program, const char* what, unsigned port) {
    std::fprintf(stderr, "%s: port %u: %s: %s\n", program, port, what, std::strerror(errno));
    return 1;
}

/// A socket of `type` bound to `port` on every address, or -1 with errno set.
inline int open_socket(int type, unsigned port) {
    const int fd = socket(AF_INET, type, 0);
    if (fd < 0) return -1;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<in_port_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

}  // namespace fwts::sockets
