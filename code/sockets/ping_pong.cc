// SPDX-License-Identifier: GPL-2.0
/// @file
/// Answers datagrams, by sleeping for each or by busy polling the queue they come from.

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <string>

#include "descriptor.h"

namespace {

using fwts::sockets::complain;
using fwts::sockets::Descriptor;
using fwts::sockets::read_number;

constexpr const char* kName = "ping_pong";
constexpr const char* kUsage =
    "usage: ping_pong PORT COUNT [MICROSECONDS]\n"
    "Sends each of COUNT UDP datagrams back. With MICROSECONDS it polls the receive queue itself\n"
    "for so long before it sleeps (SO_BUSY_POLL), and asks to be preferred to the interrupt\n"
    "(SO_PREFER_BUSY_POLL). Then prints the NAPI instance that the last one came from and how\n"
    "often this program slept. Needs CAP_NET_ADMIN for MICROSECONDS.\n"
    "Prints `listening on PORT` once a sender may start.\n"
    "\n"
    "example: ping_pong 7 100 200\n";

/// @return whether the kernel took it; if not, errno says why
bool poll_busily(int fd, unsigned microseconds) {
    const int time = static_cast<int>(microseconds);
    const int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL, &time, sizeof time) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &on, sizeof on) == 0;
}

bool answer_one(int fd) {
    std::array<char, 2048> buffer{};
    sockaddr_in sender{};
    socklen_t length = sizeof sender;
    auto* const name = reinterpret_cast<sockaddr*>(&sender);
    const auto got = recvfrom(fd, buffer.data(), buffer.size(), 0, name, &length);
    return got >= 0 &&
           sendto(fd, buffer.data(), static_cast<std::size_t>(got), 0, name, length) == got;
}

/// How often it gave its processor away by itself: each time it slept, and little else.
long slept() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nvcsw;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view word = argc > 1 ? argv[1] : "";
    if (word == "--help" || word == "-h") {
        std::fputs(kUsage, stdout);
        return 0;
    }
    unsigned port = 0, count = 0, busy = 0;
    if (argc < 3 || argc > 4 || !read_number(word, 1, 65535, port) ||
        !read_number(argv[2], 1, 1U << 30U, count) ||
        (argc == 4 && !read_number(argv[3], 1, 100000000, busy))) {
        std::fputs(kUsage, stderr);
        return 2;
    }
    const Descriptor socket(::socket(AF_INET, SOCK_DGRAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<in_port_t>(port));
    if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return complain(kName, "bind");
    if (busy != 0 && !poll_busily(socket.get(), busy)) return complain(kName, "busy polling");
    std::printf("listening on %u\n", port);
    std::fflush(stdout);
    const long before = slept();
    for (unsigned i = 0; i < count; ++i)
        if (!answer_one(socket.get())) return complain(kName, "answer");
    const long times = slept() - before;
    unsigned napi = 0;
    socklen_t length = sizeof napi;
    getsockopt(socket.get(), SOL_SOCKET, SO_INCOMING_NAPI_ID, &napi, &length);
    std::printf("%u answered, slept %ld times; NAPI %u\n", count, times, napi);
    return 0;
}
