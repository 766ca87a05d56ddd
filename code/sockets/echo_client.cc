// SPDX-License-Identifier: GPL-2.0
/// @file
/// Sends messages to an echo server and looks whether the same comes back.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <string>
#include <vector>

#include "descriptor.h"

namespace {

using fwts::sockets::complain;
using fwts::sockets::Descriptor;
using fwts::sockets::read_number;

constexpr const char* kName = "echo_client";
constexpr const char* kUsage =
    "usage: echo_client tcp|udp ADDRESS PORT [COUNT [SIZE]]\n"
    "Sends COUNT messages (1) of SIZE random bytes (64) to an IPv4 address and waits after each\n"
    "for the same to come back, five seconds at most.\n"
    "Ends with 0 when all came back, 1 when one did not.\n"
    "\n"
    "example: echo_client udp 10.0.0.1 7 100 1400\n";
constexpr time_t kPatience = 5;

struct Wish {
    int type = 0;
    sockaddr_in server{};
    unsigned count = 1, size = 64;
};

bool read_words(int argc, char** argv, Wish& wish) {
    if (argc < 4 || argc > 6) return false;
    const std::string_view protocol = argv[1];
    wish.type = protocol == "tcp" ? SOCK_STREAM : protocol == "udp" ? SOCK_DGRAM : 0;
    unsigned port = 0;
    if (wish.type == 0 || inet_pton(AF_INET, argv[2], &wish.server.sin_addr) != 1 ||
        !read_number(argv[3], 1, 65535, port))
        return false;
    wish.server.sin_family = AF_INET;
    wish.server.sin_port = htons(static_cast<in_port_t>(port));
    return (argc < 5 || read_number(argv[4], 1, 1U << 30U, wish.count)) &&
           (argc < 6 || read_number(argv[5], 1, 65507, wish.size));
}

/// A stream may bring it in pieces, a datagram comes whole.
bool ask(int fd, const std::vector<char>& message, std::vector<char>& answer) {
    if (send(fd, message.data(), message.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(message.size()))
        return false;
    for (std::size_t have = 0; have < answer.size();) {
        const auto got = recv(fd, answer.data() + have, answer.size() - have, 0);
        if (got == 0) errno = ECONNRESET;
        if (got < 0 && errno == EAGAIN) errno = ETIMEDOUT;
        if (got <= 0) return false;
        have += static_cast<std::size_t>(got);
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view word = argc > 1 ? argv[1] : "";
    if (word == "--help" || word == "-h") {
        std::fputs(kUsage, stdout);
        return 0;
    }
    Wish wish;
    if (!read_words(argc, argv, wish)) {
        std::fputs(kUsage, stderr);
        return 2;
    }
    const Descriptor socket(::socket(AF_INET, wish.type, 0));
    const timeval patience{kPatience, 0};
    setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&wish.server),
                sizeof wish.server) != 0)
        return complain(kName, "connect");
    std::vector<char> message(wish.size), answer(wish.size);
    for (unsigned i = 0; i < wish.count; ++i) {
        if (getrandom(message.data(), message.size(), 0) < 0) return complain(kName, "getrandom");
        if (!ask(socket.get(), message, answer)) {
            const auto which = "message " + std::to_string(i + 1);
            return complain(kName, which.c_str());
        }
        if (answer != message) {
            std::fprintf(stderr, "%s: message %u came back changed\n", kName, i + 1);
            return 1;
        }
    }
    std::printf("%u messages of %u bytes came back\n", wish.count, wish.size);
    return 0;
}
