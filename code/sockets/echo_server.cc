// SPDX-License-Identifier: GPL-2.0
/// @file
/// Sends back what comes, on a TCP and a UDP port of the same number: one thread, one epoll.
///
/// All sockets are non-blocking: the only call in which the program sleeps is epoll_wait(). Level
/// triggered: what was not read this time is reported again.

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <map>
#include <string>

#include "descriptor.h"

namespace {

using fwts::sockets::complain;
using fwts::sockets::Descriptor;

constexpr const char* kName = "echo_server";
constexpr const char* kUsage =
    "usage: echo_server PORT\n"
    "Sends back what comes to a TCP and a UDP port of that number, on any address, IPv4 and\n"
    "IPv6, until it gets SIGTERM or SIGINT. Then it says how much it was.\n"
    "Prints `listening on PORT` once a client may start.\n"
    "\n"
    "example: echo_server 7\n";
constexpr std::size_t kPiece = 65536;
constexpr int kAtOnce = 64;  // datagrams, until the others have their turn

/// A connection, and what of it could not be sent back yet.
struct Connection {
    Descriptor socket;
    std::string waiting;
};

class Server {
  public:
    /// @return whether everything is open and bound; if not, errno says why
    bool open(unsigned port);
    int run();
    void report() const;

  private:
    bool watch(int how, int fd, std::uint32_t events) const;
    void accept_all();
    void answer_datagrams();
    void serve(int fd, std::uint32_t events);
    bool pass_on(Connection& connection);

    Descriptor epoll_, signals_, listener_, datagrams_;
    std::map<int, Connection> connections_;
    std::array<char, kPiece> buffer_{};
    unsigned long connected_ = 0, bytes_ = 0, count_ = 0;
};

/// A socket for both versions of IP. An own address family would do for one.
Descriptor bound(int type, unsigned port) {
    Descriptor socket(::socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) return socket;
    const int on = 1, off = 0;
    setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(static_cast<in_port_t>(port));
    if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return Descriptor();
    return socket;
}

/// @param how  EPOLL_CTL_ADD or EPOLL_CTL_MOD
bool Server::watch(int how, int fd, std::uint32_t events) const {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    return epoll_ctl(epoll_.get(), how, fd, &event) == 0;
}

bool Server::open(unsigned port) {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, nullptr);
    signals_ = Descriptor(signalfd(-1, &ends, SFD_NONBLOCK | SFD_CLOEXEC));
    epoll_ = Descriptor(epoll_create1(EPOLL_CLOEXEC));
    listener_ = bound(SOCK_STREAM, port);
    if (!listener_ || listen(listener_.get(), SOMAXCONN) != 0) return false;
    datagrams_ = bound(SOCK_DGRAM, port);
    return datagrams_ && watch(EPOLL_CTL_ADD, signals_.get(), EPOLLIN) &&
           watch(EPOLL_CTL_ADD, listener_.get(), EPOLLIN) &&
           watch(EPOLL_CTL_ADD, datagrams_.get(), EPOLLIN);
}

/// Every connection that is ready: one event may stand for several. When no descriptor is left,
/// they wait in the queue until another has ended; the listener, still ready, is not watched
/// meanwhile.
void Server::accept_all() {
    for (;;) {
        Descriptor socket(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!socket && errno == EMFILE) watch(EPOLL_CTL_MOD, listener_.get(), 0);
        if (!socket) return;
        const int fd = socket.get();
        if (!watch(EPOLL_CTL_ADD, fd, EPOLLIN)) return;
        connections_[fd].socket = std::move(socket);
        ++connected_;
    }
}

/// An answer for which there is no room is dropped, as any datagram may be.
void Server::answer_datagrams() {
    sockaddr_storage sender{};
    socklen_t length = 0;
    auto* const name = reinterpret_cast<sockaddr*>(&sender);
    for (int i = 0; i < kAtOnce; ++i) {
        length = sizeof sender;
        const auto got =
            recvfrom(datagrams_.get(), buffer_.data(), buffer_.size(), 0, name, &length);
        if (got < 0) return;
        sendto(datagrams_.get(), buffer_.data(), static_cast<std::size_t>(got), 0, name, length);
        ++count_;
    }
}

/// Sends what waits. @return whether the connection is still good
bool Server::pass_on(Connection& connection) {
    while (!connection.waiting.empty()) {
        const auto sent = send(connection.socket.get(), connection.waiting.data(),
                               connection.waiting.size(), MSG_NOSIGNAL);
        if (sent < 0) return errno == EAGAIN;
        bytes_ += static_cast<unsigned long>(sent);
        connection.waiting.erase(0, static_cast<std::size_t>(sent));
    }
    return true;
}

/// A client that does not read its answers is not read from either: then its own sending stops.
void Server::serve(int fd, std::uint32_t events) {
    auto& connection = connections_.at(fd);
    bool good = true;
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && connection.waiting.empty()) {
        const auto got = recv(fd, buffer_.data(), buffer_.size(), 0);
        if (got > 0)
            connection.waiting.assign(buffer_.data(), static_cast<std::size_t>(got));
        else
            good = got < 0 && errno == EAGAIN;
    }
    good = good && pass_on(connection);
    if (!good) {
        connections_.erase(fd);  // closing takes it out of the epoll, too
        watch(EPOLL_CTL_MOD, listener_.get(), EPOLLIN);
        return;
    }
    watch(EPOLL_CTL_MOD, fd, connection.waiting.empty() ? EPOLLIN : EPOLLOUT);
}

int Server::run() {
    std::array<epoll_event, 64> ready{};
    for (;;) {
        const int count = epoll_wait(epoll_.get(), ready.data(), ready.size(), -1);
        if (count < 0 && errno != EINTR) return complain(kName, "epoll_wait");
        for (int i = 0; i < count; ++i) {
            const auto& event = ready[static_cast<std::size_t>(i)];
            if (event.data.fd == signals_.get()) return 0;
            if (event.data.fd == listener_.get())
                accept_all();
            else if (event.data.fd == datagrams_.get())
                answer_datagrams();
            else
                serve(event.data.fd, event.events);
        }
    }
}

void Server::report() const {
    std::printf("%lu connections, %lu bytes; %lu datagrams\n", connected_, bytes_, count_);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view word = argc > 1 ? argv[1] : "";
    if (word == "--help" || word == "-h") {
        std::fputs(kUsage, stdout);
        return 0;
    }
    unsigned port = 0;
    if (argc != 2 || !fwts::sockets::read_number(word, 1, 65535, port)) {
        std::fputs(kUsage, stderr);
        return 2;
    }
    Server server;
    if (!server.open(port)) return complain(kName, ("port " + std::string(word)).c_str());
    std::printf("listening on %u\n", port);
    std::fflush(stdout);
    const int status = server.run();
    server.report();
    return status;
}
