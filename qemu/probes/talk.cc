// SPDX-License-Identifier: GPL-2.0
// talk sockets: makes a TCP socket and a UDP socket, and closes them.
// talk connect PORT: connects to a port of this machine, over loopback, and closes.
// talk full PORT: binds a UDP socket with the smallest receive buffer, sends itself datagrams until
// nothing more fits in, and never reads.
// talk reader PORT: accepts a TCP connection and waits with epoll. What comes first it reads, what
// comes then it leaves until SIGUSR1 comes, which lets it read once. Its name is "reader".
// talk sender PORT: connects to that and waits. At SIGUSR1 it sends a hundred bytes, and at the
// next one whatever is taken. Its name is "sender". Runs in the guest. All but the first two print
// "ready" and go on until they are killed.
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t kFirst = 100;
constexpr std::size_t kMuch = std::size_t{64} << 10U;
// Of linux/sock_diag.h, which names them for SO_MEMINFO.
constexpr std::size_t kAllocated = 0, kLimit = 1, kNumbers = 9;

sockaddr_in local(unsigned port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<in_port_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

[[noreturn]] void fail(const char* what) {
    std::perror(what);
    std::exit(1);
}

void ready() {
    std::puts("ready");
    std::fflush(stdout);
}

int make(int type) {
    const int fd = socket(AF_INET, type, 0);
    if (fd < 0) fail("socket");
    return fd;
}

int bound(int type, unsigned port) {
    const int fd = make(type);
    sockaddr_in address = local(port);
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) fail("bind");
    return fd;
}

int connected(unsigned port) {
    const int fd = make(SOCK_STREAM);
    const sockaddr_in address = local(port);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
        fail("connect");
    return fd;
}

void wait_for_signal() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    int number = 0;
    if (sigwait(&set, &number) != 0) std::exit(1);
}

/// What the socket is charged for, and its limit.
bool has_room(int fd) {
    std::array<std::uint32_t, kNumbers> numbers{};
    socklen_t length = sizeof(numbers);
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, numbers.data(), &length) != 0) fail("SO_MEMINFO");
    return numbers[kAllocated] <= numbers[kLimit];
}

int fill(unsigned port) {
    const int fd = bound(SOCK_DGRAM, port);
    const int smallest = 1;
    const sockaddr_in address = local(port);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &smallest, sizeof(smallest)) != 0) fail("SO_RCVBUF");
    while (has_room(fd))
        if (sendto(fd, "full", 4, 0, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) <
            0)
            fail("sendto");
    ready();
    pause();
    return 0;
}

int read_some(unsigned port) {
    const int listener = bound(SOCK_STREAM, port);
    if (listen(listener, 1) != 0) fail("listen");
    std::puts("listening");
    std::fflush(stdout);
    const int fd = accept(listener, nullptr, nullptr);
    const int epoll = epoll_create1(0);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (fd < 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll");
    ready();
    std::vector<char> buffer(16 * kMuch);
    for (bool first = true; epoll_wait(epoll, &event, 1, -1) == 1; first = false) {
        if (!first) wait_for_signal();
        const ssize_t got = recv(event.data.fd, buffer.data(), buffer.size(), 0);
        if (got <= 0) break;
        std::printf("%zd bytes\n", got);
        std::fflush(stdout);
    }
    return 0;
}

int send_some(unsigned port) {
    const int fd = connected(port);
    const std::vector<char> much(kMuch, 'x');
    ready();
    wait_for_signal();
    if (send(fd, much.data(), kFirst, 0) != static_cast<ssize_t>(kFirst)) fail("send");
    wait_for_signal();
    while (send(fd, much.data(), much.size(), MSG_DONTWAIT) > 0) {
    }
    std::puts("full");
    std::fflush(stdout);
    pause();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view verb = argc > 1 ? argv[1] : "";
    const unsigned port = argc == 3 ? static_cast<unsigned>(std::strtoul(argv[2], nullptr, 10)) : 0;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    if (verb == "sockets" && argc == 2) return close(make(SOCK_STREAM)) + close(make(SOCK_DGRAM));
    if (verb == "connect" && port != 0) return close(connected(port));
    if (verb == "full" && port != 0) return fill(port);
    if (verb == "reader" || verb == "sender") prctl(PR_SET_NAME, argv[1]);
    if (verb == "reader" && port != 0) return read_some(port);
    if (verb == "sender" && port != 0) return send_some(port);
    std::fputs("usage: talk sockets\n       talk connect|full|reader|sender PORT\n", stderr);
    return 2;
}
