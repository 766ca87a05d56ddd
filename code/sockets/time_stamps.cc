// SPDX-License-Identifier: GPL-2.0
/// @file
/// Asks for the time stamps of datagrams: of those that come, and of those that it sends, which the
/// error queue brings back (SO_TIMESTAMPING).

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <string>

#include "descriptor.h"

namespace {

using fwts::sockets::complain;
using fwts::sockets::Descriptor;
using fwts::sockets::read_number;

constexpr const char* kName = "time_stamps";
constexpr const char* kUsage =
    "usage: time_stamps receive PORT [COUNT]\n"
    "       time_stamps send ADDRESS PORT [COUNT]\n"
    "       time_stamps card INTERFACE on|off\n"
    "receive  prints for each of COUNT UDP datagrams (1) when the kernel got it\n"
    "send     sends COUNT (1) and prints for each when it was queued and when the driver got it\n"
    "card     lets the card stamp PTP events and sent frames, or nothing; says what it does\n"
    "Stamps of the card are printed beside those of the kernel when there are any.\n"
    "receive prints `listening on PORT` once a sender may start.\n"
    "\n"
    "example: time_stamps send 10.0.0.1 4000 3\n";
constexpr int kPatience = 1000;  // ms, for a stamp of a frame that was sent

/// The stamps of one message: the kernel's, and the card's.
struct Stamps {
    timespec software{}, hardware{};
    int type = -1;         ///< of a sent one: SCM_TSTAMP_SCHED or SCM_TSTAMP_SND
    std::uint32_t id = 0;  ///< which of those sent, from 0
};

void print(const char* what, const Stamps& stamps) {
    std::printf("%s", what);
    if (stamps.software.tv_sec != 0)
        std::printf(" software %lld.%09ld", static_cast<long long>(stamps.software.tv_sec),
                    stamps.software.tv_nsec);
    if (stamps.hardware.tv_sec != 0 || stamps.hardware.tv_nsec != 0)
        std::printf(" hardware %lld.%09ld", static_cast<long long>(stamps.hardware.tv_sec),
                    stamps.hardware.tv_nsec);
    std::printf("\n");
    std::fflush(stdout);
}

/// Stamps come beside the data, as control messages.
Stamps read_control(msghdr& message) {
    Stamps stamps;
    for (auto* one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one)) {
        if (one->cmsg_level == SOL_SOCKET && one->cmsg_type == SCM_TIMESTAMPING) {
            scm_timestamping times{};
            std::memcpy(&times, CMSG_DATA(one), sizeof times);
            stamps.software = times.ts[0];
            stamps.hardware = times.ts[2];  // the second has been out of use for long
        } else if (one->cmsg_level == SOL_IP && one->cmsg_type == IP_RECVERR) {
            sock_extended_err error{};
            std::memcpy(&error, CMSG_DATA(one), sizeof error);
            stamps.type = static_cast<int>(error.ee_info);
            stamps.id = error.ee_data;
        }
    }
    return stamps;
}

/// @param flags  MSG_ERRQUEUE for the stamps of what was sent. @return whether there was a message
bool read_message(int fd, int flags, Stamps& stamps) {
    std::array<char, 2048> data{};
    alignas(cmsghdr) std::array<char, 512> control{};
    iovec part{data.data(), data.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (recvmsg(fd, &message, flags) < 0) return false;
    stamps = read_control(message);
    return true;
}

bool ask_for_stamps(int fd, int which) {
    const int flags = which | SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RAW_HARDWARE;
    return setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags) == 0;
}

int receive(unsigned port, unsigned count) {
    const Descriptor socket(::socket(AF_INET, SOCK_DGRAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<in_port_t>(port));
    if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return complain(kName, "bind");
    if (!ask_for_stamps(socket.get(), SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_RX_HARDWARE))
        return complain(kName, "SO_TIMESTAMPING");
    std::printf("listening on %u\n", port);
    std::fflush(stdout);
    for (unsigned i = 0; i < count; ++i) {
        Stamps stamps;
        if (!read_message(socket.get(), 0, stamps)) return complain(kName, "recvmsg");
        print("received", stamps);
    }
    return 0;
}

/// Reads stamps of what was sent until that of the driver has come. @return whether it has
bool read_sent(int fd) {
    for (;;) {
        // The error queue is no data: POLLERR, for which nobody needs to ask.
        pollfd wait{fd, 0, 0};
        if (poll(&wait, 1, kPatience) <= 0) return false;
        Stamps stamps;
        if (!read_message(fd, MSG_ERRQUEUE, stamps)) return false;
        const bool queued = stamps.type == SCM_TSTAMP_SCHED;
        const auto what = std::to_string(stamps.id) + (queued ? " queued" : " sent");
        print(what.c_str(), stamps);
        if (!queued) return true;
    }
}

int send_stamped(const sockaddr_in& to, unsigned count) {
    const Descriptor socket(::socket(AF_INET, SOCK_DGRAM, 0));
    // OPT_TSONLY: the stamp alone comes back, not the datagram with it.
    if (!ask_for_stamps(socket.get(), SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_SOFTWARE |
                                          SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_OPT_ID |
                                          SOF_TIMESTAMPING_OPT_TSONLY))
        return complain(kName, "SO_TIMESTAMPING");
    for (unsigned i = 0; i < count; ++i) {
        const auto text = "stamp me " + std::to_string(i);
        if (sendto(socket.get(), text.data(), text.size(), 0,
                   reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0)
            return complain(kName, "sendto");
        if (!read_sent(socket.get())) {
            std::printf("%u: no stamp within a second\n", i);
            return 1;
        }
    }
    return 0;
}

int set_card(const char* interface, bool on) {
    const Descriptor socket(::socket(AF_INET, SOCK_DGRAM, 0));
    hwtstamp_config config{};
    config.tx_type = on ? HWTSTAMP_TX_ON : HWTSTAMP_TX_OFF;
    config.rx_filter = on ? HWTSTAMP_FILTER_PTP_V2_EVENT : HWTSTAMP_FILTER_NONE;
    ifreq request{};
    std::strncpy(request.ifr_name, interface, sizeof request.ifr_name - 1);
    request.ifr_data = reinterpret_cast<char*>(&config);
    if (ioctl(socket.get(), SIOCSHWTSTAMP, &request) != 0) return complain(kName, interface);
    // What the driver has written back may be more than was asked for.
    std::printf("%s: sent frames: %s; received: filter %d\n", interface,
                config.tx_type == HWTSTAMP_TX_ON ? "on request" : "none", config.rx_filter);
    return 0;
}

int usage() {
    std::fputs(kUsage, stderr);
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view word = argc > 1 ? argv[1] : "";
    if (word == "--help" || word == "-h") {
        std::fputs(kUsage, stdout);
        return 0;
    }
    unsigned port = 0, count = 1;
    if (word == "receive" && (argc == 3 || argc == 4)) {
        if (!read_number(argv[2], 1, 65535, port) ||
            (argc == 4 && !read_number(argv[3], 1, 1U << 30U, count)))
            return usage();
        return receive(port, count);
    }
    if (word == "send" && (argc == 4 || argc == 5)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        if (inet_pton(AF_INET, argv[2], &to.sin_addr) != 1 ||
            !read_number(argv[3], 1, 65535, port) ||
            (argc == 5 && !read_number(argv[4], 1, 1U << 30U, count)))
            return usage();
        to.sin_port = htons(static_cast<in_port_t>(port));
        return send_stamped(to, count);
    }
    const std::string_view state = argc == 4 ? argv[3] : "";
    if (word != "card" || (state != "on" && state != "off")) return usage();
    return set_card(argv[2], state == "on");
}
