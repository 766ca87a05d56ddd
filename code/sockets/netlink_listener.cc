// SPDX-License-Identifier: GPL-2.0
/// @file
/// Prints what the kernel announces of links, addresses, routes and neighbours (rtnetlink).

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <string>

#include "descriptor.h"

namespace {

using fwts::sockets::complain;
using fwts::sockets::Descriptor;

constexpr const char* kName = "netlink_listener";
constexpr const char* kUsage =
    "usage: netlink_listener [COUNT]\n"
    "Prints a line for each of COUNT announcements (all, when left out) of links, addresses,\n"
    "IPv4 routes and neighbours in this network namespace.\n"
    "Prints `listening` once announcements are heard.\n"
    "\n"
    "example: netlink_listener 4\n";
constexpr std::array kGroups = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                                RTNLGRP_IPV4_ROUTE, RTNLGRP_NEIGH};

/// @return the attribute @p type of a message whose attributes begin at @p first, or nullptr
const rtattr* find(const rtattr* first, std::size_t length, unsigned short type) {
    auto left = static_cast<int>(length);
    for (const auto* one = first; RTA_OK(one, left); one = RTA_NEXT(one, left))
        if (one->rta_type == type) return one;
    return nullptr;
}

std::string interface(int index) {
    std::array<char, IF_NAMESIZE> name{};
    if (if_indextoname(static_cast<unsigned>(index), name.data()) != nullptr) return name.data();
    return "interface " + std::to_string(index);
}

std::string address(const rtattr* attribute, int family) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (attribute == nullptr || (family != AF_INET && family != AF_INET6)) return "-";
    inet_ntop(family, RTA_DATA(attribute), text.data(), text.size());
    return text.data();
}

void print_link(const nlmsghdr* message) {
    const auto* const info = static_cast<const ifinfomsg*>(NLMSG_DATA(message));
    const auto* const name = find(IFLA_RTA(info), IFLA_PAYLOAD(message), IFLA_IFNAME);
    const auto called = name != nullptr ? std::string(static_cast<const char*>(RTA_DATA(name)))
                                        : interface(info->ifi_index);
    std::printf("link %s: %s, %s%s\n", called.c_str(),
                (info->ifi_flags & IFF_UP) != 0 ? "up" : "down",
                (info->ifi_flags & IFF_RUNNING) != 0 ? "running" : "no carrier",
                message->nlmsg_type == RTM_DELLINK ? ", gone" : "");
}

void print_address(const nlmsghdr* message) {
    const auto* const info = static_cast<const ifaddrmsg*>(NLMSG_DATA(message));
    const auto* const value = find(IFA_RTA(info), IFA_PAYLOAD(message), IFA_ADDRESS);
    std::printf("address %s/%u on %s%s\n", address(value, info->ifa_family).c_str(),
                info->ifa_prefixlen, interface(static_cast<int>(info->ifa_index)).c_str(),
                message->nlmsg_type == RTM_DELADDR ? ": gone" : "");
}

void print_route(const nlmsghdr* message) {
    const auto* const info = static_cast<const rtmsg*>(NLMSG_DATA(message));
    const auto* const to = find(RTM_RTA(info), RTM_PAYLOAD(message), RTA_DST);
    const auto* const out = find(RTM_RTA(info), RTM_PAYLOAD(message), RTA_OIF);
    std::printf("route to %s/%u by %s, table %u%s\n",
                to == nullptr ? "anywhere" : address(to, info->rtm_family).c_str(),
                info->rtm_dst_len,
                out == nullptr ? "-" : interface(*static_cast<const int*>(RTA_DATA(out))).c_str(),
                info->rtm_table, message->nlmsg_type == RTM_DELROUTE ? ": gone" : "");
}

void print_neighbour(const nlmsghdr* message) {
    const auto* const info = static_cast<const ndmsg*>(NLMSG_DATA(message));
    const auto length = NLMSG_PAYLOAD(message, sizeof *info);
    const auto* const first = reinterpret_cast<const rtattr*>(reinterpret_cast<const char*>(info) +
                                                              NLMSG_ALIGN(sizeof *info));
    std::printf("neighbour %s on %s: state 0x%02x%s\n",
                address(find(first, length, NDA_DST), info->ndm_family).c_str(),
                interface(info->ndm_ifindex).c_str(), info->ndm_state,
                message->nlmsg_type == RTM_DELNEIGH ? ": gone" : "");
}

/// @return whether it was one that is printed
bool print(const nlmsghdr* message) {
    switch (message->nlmsg_type) {
        case RTM_NEWLINK:
        case RTM_DELLINK:
            print_link(message);
            return true;
        case RTM_NEWADDR:
        case RTM_DELADDR:
            print_address(message);
            return true;
        case RTM_NEWROUTE:
        case RTM_DELROUTE:
            print_route(message);
            return true;
        case RTM_NEWNEIGH:
        case RTM_DELNEIGH:
            print_neighbour(message);
            return true;
        default:
            return false;
    }
}

int listen_to_kernel(unsigned count) {
    const Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!socket) return complain(kName, "socket");
    // Without an address of its own, which the kernel chooses here, it is passed over as if it were
    // the sender: the kernel's own address is 0.
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return complain(kName, "bind");
    for (const int group : kGroups)
        if (setsockopt(socket.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) !=
            0)
            return complain(kName, "join");
    std::puts("listening");
    std::fflush(stdout);
    alignas(nlmsghdr) std::array<char, 32768> buffer{};
    for (unsigned done = 0; count == 0 || done < count;) {
        const auto got = recv(socket.get(), buffer.data(), buffer.size(), 0);
        // Announcements that did not fit into the receive buffer are lost, and this says so.
        if (got < 0 && errno == ENOBUFS) {
            std::puts("some were lost");
            continue;
        }
        if (got < 0) return complain(kName, "recv");
        auto left = static_cast<unsigned>(got);
        for (const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
             NLMSG_OK(message, left) && (count == 0 || done < count);
             message = NLMSG_NEXT(message, left))
            if (print(message)) ++done;
        std::fflush(stdout);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view word = argc > 1 ? argv[1] : "";
    if (word == "--help" || word == "-h") {
        std::fputs(kUsage, stdout);
        return 0;
    }
    unsigned count = 0;
    if (argc > 2 || (argc == 2 && !fwts::sockets::read_number(word, 1, 1U << 30U, count))) {
        std::fputs(kUsage, stderr);
        return 2;
    }
    return listen_to_kernel(count);
}
