// SPDX-License-Identifier: GPL-2.0
/// @file
/// Prints a line for each frame of an interface, out of a ring that the kernel writes and the
/// program maps (PACKET_MMAP, TPACKET_V3). Reading a frame is no system call.

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <atomic>
#include <csignal>
#include <string>

#include "descriptor.h"

namespace {

using fwts::sockets::complain;
using fwts::sockets::Descriptor;

constexpr const char* kName = "sniffer";
constexpr const char* kUsage =
    "usage: sniffer INTERFACE [COUNT]\n"
    "Prints a line for each of COUNT frames (all, when left out) that INTERFACE receives or\n"
    "sends, until SIGTERM or SIGINT; then how many there were and how many the ring had no\n"
    "room for. Needs CAP_NET_RAW, and an interface that is up.\n"
    "Prints `watching INTERFACE` once frames are seen.\n"
    "\n"
    "example: sniffer eth0 10\n";

constexpr unsigned kBlockSize = 1U << 16U;  // handed over as a whole; a multiple of the page
constexpr unsigned kBlocks = 16;
constexpr std::size_t kRingSize = std::size_t{kBlockSize} * kBlocks;
constexpr unsigned kFrameSize = 2048;  // what the kernel checks the sizes with; frames lie close
constexpr unsigned kTimeout = 50;      // ms after which a block that is not full is handed over
constexpr int kLook = 1000;            // ms

/// The mapped blocks, used one after the other and again from the first.
class Ring {
  public:
    /// @return whether the socket has a ring and it is mapped; if not, errno says why
    bool map(int fd) {
        const int version = TPACKET_V3;
        tpacket_req3 want{};
        want.tp_block_size = kBlockSize;
        want.tp_block_nr = kBlocks;
        want.tp_frame_size = kFrameSize;
        want.tp_frame_nr = kBlockSize / kFrameSize * kBlocks;
        want.tp_retire_blk_tov = kTimeout;
        if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0 ||
            setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &want, sizeof want) != 0)
            return false;
        const int access = PROT_READ | PROT_WRITE;
        memory_ = mmap(nullptr, kRingSize, access, MAP_SHARED, fd, 0);
        return memory_ != MAP_FAILED;
    }
    Ring() = default;
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    ~Ring() {
        if (memory_ != MAP_FAILED) munmap(memory_, kRingSize);
    }

    /// @return the next block if it is ours, or nullptr
    [[nodiscard]] tpacket_block_desc* next() const {
        auto* const start = static_cast<char*>(memory_) + std::size_t{at_} * kBlockSize;
        auto* const block = reinterpret_cast<tpacket_block_desc*>(start);
        // Read before anything else in the block: the kernel writes it last.
        auto& word = block->hdr.bh1.block_status;
        const auto status = std::atomic_ref(word).load(std::memory_order_acquire);
        return (status & TP_STATUS_USER) != 0 ? block : nullptr;
    }
    /// Gives the block back, all of it having been read.
    void release(tpacket_block_desc* block) {
        std::atomic_ref(block->hdr.bh1.block_status)
            .store(TP_STATUS_KERNEL, std::memory_order_release);
        at_ = (at_ + 1) % kBlocks;
    }

  private:
    void* memory_ = MAP_FAILED;
    unsigned at_ = 0;
};

const char* direction(unsigned char type) {
    return type == PACKET_OUTGOING ? "sent" : type == PACKET_HOST ? "to us" : "received";
}

void print_frame(const tpacket3_hdr* frame) {
    const auto* const bytes = reinterpret_cast<const unsigned char*>(frame) + frame->tp_mac;
    const auto* const link = reinterpret_cast<const sockaddr_ll*>(
        reinterpret_cast<const char*>(frame) + TPACKET_ALIGN(sizeof(tpacket3_hdr)));
    const auto* const to = bytes;
    const auto* const from = bytes + ETH_ALEN;
    std::printf(
        "%02x:%02x:%02x:%02x:%02x:%02x > %02x:%02x:%02x:%02x:%02x:%02x type %04x, %u bytes, %s\n",
        from[0], from[1], from[2], from[3], from[4], from[5], to[0], to[1], to[2], to[3], to[4],
        to[5], ntohs(link->sll_protocol), frame->tp_len, direction(link->sll_pkttype));
}

/// @param left  of the frames wanted; 0 means all. @return whether more are wanted
bool print_block(const tpacket_block_desc* block, unsigned& left, unsigned long& seen) {
    const auto* frame = reinterpret_cast<const tpacket3_hdr*>(reinterpret_cast<const char*>(block) +
                                                              block->hdr.bh1.offset_to_first_pkt);
    for (unsigned i = 0; i < block->hdr.bh1.num_pkts; ++i) {
        print_frame(frame);
        ++seen;
        if (left == 1) return false;
        if (left != 0) --left;
        frame = reinterpret_cast<const tpacket3_hdr*>(reinterpret_cast<const char*>(frame) +
                                                      frame->tp_next_offset);
    }
    std::fflush(stdout);
    return true;
}

/// @return what is wrong with the socket, 0 if nothing; asking clears it
int trouble(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    return error;
}

volatile std::sig_atomic_t ended = 0;

int watch(const char* interface, unsigned left) {
    for (const int number : {SIGTERM, SIGINT}) std::signal(number, [](int) { ended = 1; });

    // With protocol 0 nothing comes until the ring is there and bind() names one.
    const Descriptor socket(::socket(AF_PACKET, SOCK_RAW, 0));
    if (!socket) return complain(kName, "socket");
    Ring ring;
    if (!ring.map(socket.get())) return complain(kName, "ring");
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(if_nametoindex(interface));
    if (address.sll_ifindex == 0) return complain(kName, interface);
    if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return complain(kName, "bind");
    std::printf("watching %s\n", interface);
    std::fflush(stdout);

    unsigned long seen = 0;
    int error = 0;
    for (bool more = true; more && ended == 0 && error == 0;) {
        if (auto* const block = ring.next()) {
            more = print_block(block, left, seen);
            ring.release(block);
            continue;
        }
        pollfd wait{socket.get(), POLLIN, 0};
        // Not for ever: a signal may come just before.
        poll(&wait, 1, kLook);
        if ((wait.revents & POLLERR) != 0) error = trouble(socket.get());
    }
    tpacket_stats_v3 statistics{};
    socklen_t length = sizeof statistics;
    getsockopt(socket.get(), SOL_PACKET, PACKET_STATISTICS, &statistics, &length);
    std::printf("%lu frames printed, %u dropped\n", seen, statistics.tp_drops);
    if (error == 0) return 0;
    errno = error;
    return complain(kName, interface);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view word = argc > 1 ? argv[1] : "";
    if (word == "--help" || word == "-h") {
        std::fputs(kUsage, stdout);
        return 0;
    }
    unsigned count = 0;
    if (argc < 2 || argc > 3 ||
        (argc == 3 && !fwts::sockets::read_number(argv[2], 1, 1U << 30U, count))) {
        std::fputs(kUsage, stderr);
        return 2;
    }
    return watch(argv[1], count);
}
