// SPDX-License-Identifier: GPL-2.0
/// @file
/// A client for the protocol family of code/companions/edp: datagrams directly on Ethernet.
///
/// The calls are those of UDP; only the address is another. Plain system calls, as in udp_reader.

#include "../companions/edp/edp.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>
#include <string_view>

#include "reader.h"

namespace {

using fwts::sockets::parse;

constexpr int kUsageError = 2;
constexpr unsigned kMany = 1U << 30U;
constexpr const char* kUsage =
    "usage: edp receive INTERFACE PORT [COUNT]\n"
    "       edp echo INTERFACE PORT [COUNT]\n"
    "       edp send INTERFACE MAC PORT TEXT...\n"
    "       edp ask INTERFACE MAC PORT TEXT...\n"
    "       edp list\n"
    "receive  waits for COUNT datagrams (1 when left out) and prints sender and payload\n"
    "echo     the same, and sends each back\n"
    "send     sends each TEXT as a datagram\n"
    "ask      the same, and waits for an answer to each\n"
    "list     shows this network namespace's sockets, asked by NETLINK_SOCK_DIAG\n"
    "INTERFACE may be `any` where datagrams are received. Needs the module edp.\n"
    "receive and echo print `listening on PORT` once a sender may start.\n"
    "\n"
    "example: edp send eth0 02:00:00:00:00:01 7 hello\n";

/// What was typed cannot be understood.
int usage() {
    std::fputs(kUsage, stderr);
    return kUsageError;
}

/// Report a failed system call and hand back the exit status.
int fail(const char* what) {
    std::fprintf(stderr, "edp: %s: %s\n", what, std::strerror(errno));
    return 1;
}

/// The module is not there.
int no_family() {
    std::fputs("edp: this kernel has no such family: insmod edp.ko\n", stderr);
    return 1;
}

/// A new socket, or -1 with a word on what is missing.
int open_socket() {
    const int fd = socket(AF_EDP, SOCK_DGRAM, 0);
    if (fd < 0 && errno == EAFNOSUPPORT)
        no_family();
    else if (fd < 0)
        fail("socket");
    return fd;
}

/// An address on @p interface; its station is left open. Index -1 when there is no such interface.
sockaddr_edp address_on(const char* interface, unsigned port) {
    sockaddr_edp address{};
    address.sedp_family = AF_EDP;
    address.sedp_port = htons(static_cast<std::uint16_t>(port));
    if (std::string_view(interface) == "any") return address;
    address.sedp_ifindex = static_cast<int>(if_nametoindex(interface));
    if (address.sedp_ifindex == 0) {
        address.sedp_ifindex = -1;
        fail(interface);
    }
    return address;
}

/// Six bytes in hexadecimal, with colons between.
bool read_station(const char* text, sockaddr_edp& address) {
    auto& mac = address.sedp_mac;
    char rest = 0;
    return std::sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx%c", &mac[0], &mac[1], &mac[2], &mac[3],
                       &mac[4], &mac[5], &rest) == 6;
}

void print_address(const sockaddr_edp& address) {
    const auto& mac = address.sedp_mac;
    std::array<char, IF_NAMESIZE> name{};
    if (if_indextoname(static_cast<unsigned>(address.sedp_ifindex), name.data()) == nullptr)
        std::snprintf(name.data(), name.size(), "any");
    std::printf("%s %02x:%02x:%02x:%02x:%02x:%02x port %u", name.data(), mac[0], mac[1], mac[2],
                mac[3], mac[4], mac[5], ntohs(address.sedp_port));
}

/// Wait for one datagram and print it; send it back if it is to be echoed.
bool read_one(int fd, bool echo) {
    std::array<char, 65536> buffer{};
    sockaddr_edp sender{};
    socklen_t length = sizeof sender;
    auto* const name = reinterpret_cast<sockaddr*>(&sender);
    const ssize_t got = recvfrom(fd, buffer.data(), buffer.size(), 0, name, &length);
    if (got < 0) return false;
    print_address(sender);
    std::printf(", %zd bytes: %.*s\n", got, static_cast<int>(got), buffer.data());
    std::fflush(stdout);
    return !echo ||
           sendto(fd, buffer.data(), static_cast<std::size_t>(got), 0, name, length) == got;
}

int receive(const char* interface, const char* port, const char* count_text, bool echo) {
    const unsigned number = parse(port, 65535);
    const unsigned count = count_text != nullptr ? parse(count_text, kMany) : 1;
    if (number == 0 || count == 0) return usage();
    const sockaddr_edp address = address_on(interface, number);
    if (address.sedp_ifindex < 0) return 1;
    const int fd = open_socket();
    if (fd < 0) return 1;
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return fail("bind");
    std::printf("listening on %u\n", number);
    std::fflush(stdout);
    for (unsigned done = 0; done < count; ++done)
        if (!read_one(fd, echo)) return fail("recvfrom");
    close(fd);
    return 0;
}

int send_all(const char* interface, const char* station, const char* port, std::span<char*> texts,
             bool wait) {
    const unsigned number = parse(port, 65535);
    sockaddr_edp address{};
    if (number == 0 || !read_station(station, address)) return usage();
    address = address_on(interface, number);
    if (address.sedp_ifindex < 0) return 1;
    read_station(station, address);
    const int fd = open_socket();
    if (fd < 0) return 1;
    const int yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes);
    const auto* const name = reinterpret_cast<const sockaddr*>(&address);
    for (const char* text : texts) {
        if (sendto(fd, text, std::strlen(text), 0, name, sizeof address) < 0) return fail("sendto");
        if (wait && !read_one(fd, false)) return fail("recvfrom");
    }
    close(fd);
    return 0;
}

void print_socket(const edp_diag_msg& socket) {
    print_address(socket.local);
    std::printf(", uid %u, inode %u", socket.uid, socket.inode);
    if (socket.connected != 0) {
        std::printf(", to ");
        print_address(socket.peer);
    }
    std::printf("\n");
}

/// Print the sockets of one piece of the kernel's answer. Returns false at its end.
bool print_piece(std::span<char> piece) {
    const auto* header = reinterpret_cast<const nlmsghdr*>(piece.data());
    std::size_t left = piece.size();
    for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
        if (header->nlmsg_type == NLMSG_ERROR || header->nlmsg_type == NLMSG_DONE) {
            const int error = *static_cast<const int*>(NLMSG_DATA(header));
            errno = -error;
            return false;
        }
        print_socket(*static_cast<const edp_diag_msg*>(NLMSG_DATA(header)));
    }
    return true;
}

int list() {
    struct {
        nlmsghdr header{};
        sock_diag_req request{};
    } question;
    question.header.nlmsg_len = sizeof question;
    question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    question.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    question.request.sdiag_family = AF_EDP;
    const int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
    if (fd < 0 || send(fd, &question, sizeof question, 0) < 0) return fail("sock_diag");
    alignas(nlmsghdr) std::array<char, 32768> buffer{};
    for (;;) {
        const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
        if (got < 0) return fail("sock_diag");
        errno = 0;
        if (!print_piece({buffer.data(), static_cast<std::size_t>(got)}))
            return errno == 0 ? 0 : errno == ENOENT ? no_family() : fail("sock_diag");
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::span<char*> words(argv, static_cast<std::size_t>(argc));
    const std::string_view verb = argc > 1 ? words[1] : "";
    if (verb == "--help" || verb == "-h") {
        std::fputs(kUsage, stdout);
        return 0;
    }
    if (verb == "list" && argc == 2) return list();
    if ((verb == "receive" || verb == "echo") && (argc == 4 || argc == 5))
        return receive(words[2], words[3], argc == 5 ? words[4] : nullptr, verb == "echo");
    if ((verb == "send" || verb == "ask") && argc >= 6)
        return send_all(words[2], words[3], words[4], words.subspan(5), verb == "ask");
    return usage();
}
