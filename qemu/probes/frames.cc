// SPDX-License-Identifier: GPL-2.0
// frames answer INTERFACE COUNT FILE: answers frames of EtherType 88b5, byte for byte.
// frames take INTERFACE COUNT FILE: receives them and does nothing.
// frames send INTERFACE COUNT: sends frames of 100 bytes to everybody.
// frames send INTERFACE COUNT FRAMES: sends what stands in the file FRAMES, each frame behind its
// length (two bytes, most significant first).
// frames offload INTERFACE COUNT FRAMES: the same, and in front of each frame, counted in its
// length, stands what the card is to do to it (struct virtio_net_hdr, ten bytes). frames pieces
// PIECES SIZE: sends one UDP datagram to 192.0.2.1, port 9, that lies in so many pages, so many
// bytes in each; those of the first are 1, those of the second 2.
// frames tap INTERFACE COUNT FILE: looks at frames that pass by, in either direction, as long after
// that as it takes to read them. Runs in the guest.
//
// The answer is the frame itself with its two addresses exchanged. If the frame is long enough to
// say so (bytes 14 and 15, most significant first, not zero), the answer is cut to that length.
// FILE holds "ready" when it listens, and "done" as well after COUNT frames, when it ends; between
// them a tap writes a line for each frame, its first bytes as hex digits.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

constexpr unsigned kEtherType = 0x88b5;  // IEEE 802: for local experiments
constexpr std::size_t kHeader = 14;

int open_socket(const char* interface, bool offload, bool tap) {
    // With offloads the kernel looks at the frame to learn its protocol, and nothing is received.
    const std::uint16_t protocol = htons(offload ? 0 : (tap ? ETH_P_ALL : kEtherType));
    const int fd = socket(AF_PACKET, SOCK_RAW, protocol);
    const int headers = offload ? 1 : 0;
    const int buffer = 8 << 20;
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = protocol;
    address.sll_ifindex = static_cast<int>(if_nametoindex(interface));
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) != 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &headers, sizeof(headers)) != 0 ||
        bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        std::perror(interface);
        std::exit(1);
    }
    return fd;
}

/// Makes the answer in place. @return its length.
std::size_t answer(unsigned char* frame, std::size_t length) {
    std::swap_ranges(frame, frame + 6, frame + 6);
    if (length < kHeader + 2) return length;
    const std::size_t wanted = frame[14] << 8 | frame[15];
    return wanted == 0 ? length : std::min(wanted, length);
}

bool send_frame(int fd, const unsigned char* frame, std::size_t length) {
    if (send(fd, frame, length, 0) == static_cast<ssize_t>(length)) return true;
    std::perror("send");
    return false;
}

bool take_one(int fd, bool reply) {
    static std::array<unsigned char, 65536> frame;
    const ssize_t got = recv(fd, frame.data(), frame.size(), 0);
    if (got < static_cast<ssize_t>(kHeader)) {
        std::perror("recv");
        return false;
    }
    return !reply ||
           send_frame(fd, frame.data(), answer(frame.data(), static_cast<std::size_t>(got)));
}

bool show_one(int fd, std::FILE* told) {
    constexpr std::size_t kShown = 128;
    std::array<unsigned char, kShown> frame{};
    const ssize_t got = recv(fd, frame.data(), frame.size(), 0);
    for (ssize_t i = 0; i < got; i++)
        std::fprintf(told, "%02x", frame[static_cast<std::size_t>(i)]);
    std::fputs("\n", told);
    return got > 0;
}

bool send_one(int fd) {
    std::array<unsigned char, 100> frame{
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 2, kEtherType >> 8, kEtherType & 0xff};
    return send_frame(fd, frame.data(), frame.size());
}

bool send_from(int fd, std::FILE* file) {
    std::array<unsigned char, 65536> frame;
    const int high = std::fgetc(file);
    const int low = std::fgetc(file);
    if (high == EOF || low == EOF) {
        std::fputs("frames: the file has no more of them\n", stderr);
        return false;
    }
    const std::size_t length = static_cast<std::size_t>(high) << 8 | static_cast<std::size_t>(low);
    return std::fread(frame.data(), 1, length, file) == length &&
           send_frame(fd, frame.data(), length);
}

/// Pages of a pipe, which the kernel does not copy: each becomes a piece of its own.
/// Not connected, and never cut into fragments: then IP's identification is 0, not random.
int send_pieces(std::size_t pieces, std::size_t size) {
    constexpr std::size_t kPage = 4096;
    std::array<int, 2> pipe_ends{};
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    const int cork = 1, uncork = 0, whole = IP_PMTUDISC_DO;
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(9);
    to.sin_addr.s_addr = htonl(0xc0000201);
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_port = htons(40000);
    auto* pages = static_cast<unsigned char*>(
        mmap(nullptr, pieces * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    bool good = pages != MAP_FAILED && pipe(pipe_ends.data()) == 0 &&
                bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof(from)) == 0 &&
                setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &whole, sizeof(whole)) == 0 &&
                setsockopt(fd, IPPROTO_UDP, UDP_CORK, &cork, sizeof(cork)) == 0 &&
                sendto(fd, "", 0, 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
    for (std::size_t i = 0; good && i < pieces; i++) {
        std::fill_n(pages + i * kPage, size, static_cast<unsigned char>(i + 1));
        const iovec piece{pages + i * kPage, size};
        good = vmsplice(pipe_ends[1], &piece, 1, 0) == static_cast<ssize_t>(size) &&
               splice(pipe_ends[0], nullptr, fd, nullptr, size, SPLICE_F_MORE) ==
                   static_cast<ssize_t>(size);
    }
    if (!good || setsockopt(fd, IPPROTO_UDP, UDP_CORK, &uncork, sizeof(uncork)) != 0) {
        std::perror("pieces");
        return 1;
    }
    return 0;
}

std::FILE* open_file(const char* name, const char* mode) {
    std::FILE* file = std::fopen(name, mode);
    if (file == nullptr) {
        std::perror(name);
        std::exit(1);
    }
    return file;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view verb = argc > 1 ? argv[1] : "";
    const bool offload = verb == "offload";
    const bool sends = verb == "send" || offload;
    const bool from_file = sends && argc == 5;
    const bool tap = verb == "tap";
    if (verb == "pieces" && argc == 4)
        return send_pieces(std::strtoul(argv[2], nullptr, 10), std::strtoul(argv[3], nullptr, 10));
    if ((argc != 5 && !(verb == "send" && argc == 4)) ||
        (!sends && !tap && verb != "answer" && verb != "take")) {
        std::fprintf(stderr,
                     "usage: frames answer|take|tap INTERFACE COUNT FILE\n"
                     "       frames send INTERFACE COUNT [FRAMES]\n"
                     "       frames offload INTERFACE COUNT FRAMES\n"
                     "       frames pieces PIECES SIZE\n");
        return 2;
    }
    const int fd = open_socket(argv[2], offload, tap);
    std::FILE* told = sends ? stdout : open_file(argv[4], "w");
    std::FILE* frames = from_file ? open_file(argv[4], "r") : nullptr;
    std::fputs("ready\n", told);
    std::fflush(told);
    for (long left = std::strtol(argv[3], nullptr, 0); left > 0; left--)
        if (!(from_file ? send_from(fd, frames)
              : tap     ? show_one(fd, told)
              : sends   ? send_one(fd)
                        : take_one(fd, verb == "answer")))
            return 1;
    close(fd);
    std::fputs("done\n", told);
    return std::fclose(told) == 0 ? 0 : 1;
}
