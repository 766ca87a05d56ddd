// SPDX-License-Identifier: GPL-2.0
/// @file
/// A program for the guest that waits for UDP datagrams and prints what they carry.
///
/// It blocks in recvfrom(), so a trace can watch it being woken. Plain system calls: the point
/// is to see them, so nothing stands between this program and the kernel.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "reader.h"

namespace {

constexpr const char* kUsage =
    "usage: udp_reader PORT [COUNT]\n"
    "Waits for COUNT datagrams (1 when left out) on a UDP port of any address and prints,\n"
    "for each, the sender and the payload.\n"
    "Prints `listening on PORT` once a sender may start.\n"
    "\n"
    "example: udp_reader 4000\n";

/// Report a failed system call and hand back the exit status.
int fail(const char* what, unsigned port) {
    return fwts::sockets::fail("udp_reader", what, port);
}

/// Wait for one datagram and print it. Returns false when recvfrom fails.
bool read_one(int fd) {
    std::array<char, 2048> buffer{};
    sockaddr_in sender{};
    socklen_t length = sizeof sender;
    const ssize_t got = recvfrom(fd, buffer.data(), buffer.size(), 0,
                                 reinterpret_cast<sockaddr*>(&sender), &length);
    if (got < 0) return false;
    std::array<char, INET_ADDRSTRLEN> text{};
    inet_ntop(AF_INET, &sender.sin_addr, text.data(), text.size());
    std::printf("%s:%u %zd bytes: %.*s\n", text.data(), ntohs(sender.sin_port), got,
                static_cast<int>(got), buffer.data());
    std::fflush(stdout);
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    const auto [port, count] = fwts::sockets::wanted(argc, argv, kUsage);
    const int fd = fwts::sockets::open_socket(SOCK_DGRAM, port);
    if (fd < 0) return fail("cannot listen", port);
    fwts::sockets::say_listening(port);
    for (unsigned done = 0; done < count; ++done)
        if (!read_one(fd)) return fail("recvfrom", port);
    close(fd);
    return 0;
}
