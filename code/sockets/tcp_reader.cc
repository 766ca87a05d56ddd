// SPDX-License-Identifier: GPL-2.0
/// @file
/// A program for the guest that accepts one TCP connection and prints what it brings.
///
/// It blocks in recv(), so a trace can watch it being woken. One line for each call shows how the
/// stream was cut: not where the sender cut it.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <vector>

#include "reader.h"

namespace {

constexpr std::size_t kBuffer = std::size_t{64} << 10U;
constexpr const char* kUsage =
    "usage: tcp_reader PORT [COUNT]\n"
    "Waits on a TCP port of any address for one connection, reads from it COUNT times (1 when "
    "left\n"
    "out) or until the sender has closed it, and prints, for each, how much there was and what.\n"
    "Prints `listening on PORT` once a sender may connect, and `connected to ADDRESS:PORT`.\n"
    "\n"
    "example: tcp_reader 4000\n";

/// Report a failed system call and hand back the exit status.
int fail(const char* what, unsigned port) {
    return fwts::sockets::fail("tcp_reader", what, port);
}

/// Wait for a connection and say whose it is. Returns -1 when accept fails.
int accept_one(int listener) {
    sockaddr_in sender{};
    socklen_t length = sizeof sender;
    const int fd = accept(listener, reinterpret_cast<sockaddr*>(&sender), &length);
    if (fd < 0) return -1;
    std::array<char, INET_ADDRSTRLEN> text{};
    inet_ntop(AF_INET, &sender.sin_addr, text.data(), text.size());
    std::printf("connected to %s:%u\n", text.data(), ntohs(sender.sin_port));
    std::fflush(stdout);
    return fd;
}

/// Read what is there and print it. Returns what recv returned.
ssize_t read_some(int fd, std::vector<char>& buffer) {
    const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) return got;
    std::printf("%zd bytes: %.*s\n", got, static_cast<int>(got), buffer.data());
    std::fflush(stdout);
    return got;
}

}  // namespace

int main(int argc, char** argv) {
    const auto [port, count] = fwts::sockets::wanted(argc, argv, kUsage);
    const int listener = fwts::sockets::open_socket(SOCK_STREAM, port);
    if (listener < 0 || listen(listener, 1) != 0) return fail("cannot listen", port);
    fwts::sockets::say_listening(port);
    const int fd = accept_one(listener);
    if (fd < 0) return fail("accept", port);
    std::vector<char> buffer(kBuffer);
    ssize_t got = 1;
    for (unsigned done = 0; done < count && got > 0; ++done) got = read_some(fd, buffer);
    if (got < 0) return fail("recv", port);
    close(fd);
    close(listener);
    return 0;
}
