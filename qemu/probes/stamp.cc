// SPDX-License-Identifier: GPL-2.0
// stamp: asks a network card's clock and the time stamps it takes. Runs in the guest.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/ptp_clock.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr const char* kUsage =
    "usage: stamp INTERFACE CLOCK ACTION...\n"
    "Each ACTION gives one line; of one that failed, \"errno\" and the number.\n"
    "  get             the clock of the file CLOCK, in nanoseconds since 1970\n"
    "  set:NS          set it\n"
    "  shift:NS        move it\n"
    "  rate:PPB        let it run faster by so many parts in 10^9\n"
    "  pace:MS         how much faster it was than CLOCK_MONOTONIC_RAW in so long, in 10^-9\n"
    "  around          the clock, less the system's time before it, and after it less the clock\n"
    "  cross           the same moment by both clocks\n"
    "  filter:TX:RX    what is stamped, as numbers of linux/net_tstamp.h; gives what will be\n"
    "  filter          what is stamped\n"
    "  receive:MS      waits for a PTP frame; gives its number, software and hardware stamp\n"
    "  send:N:KIND     sends a PTP frame of number N; KIND is hw, sw, hw+sw, or both for SWHW\n"
    "  send:N:KIND:LEN the same, so many bytes long\n"
    "  sent:MS         waits for the stamp of a sent frame; number, software and hardware stamp\n"
    "example: stamp eth0 /dev/ptp0 filter:1:12 send:7:hw sent:1000\n";

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::uint16_t kPtp = 0x88f7;
constexpr std::size_t kNumber = 14 + 30;  // of a PTP frame: sequenceId

[[noreturn]] void give_up(const std::string& what) {
    std::fprintf(stderr, "stamp: %s: %s\n", what.c_str(), std::strerror(errno));
    std::exit(1);
}

void failed() {
    std::printf("errno %d\n", errno);
}

std::int64_t nanoseconds(const timespec& time) {
    return time.tv_sec * kSecond + time.tv_nsec;
}

timespec split(std::int64_t ns) {
    timespec time{};
    time.tv_sec = ns / kSecond;
    time.tv_nsec = ns % kSecond;
    return time;
}

class Probe {
  public:
    Probe(std::string interface, const char* clock) : interface_(std::move(interface)) {
        device_ = open(clock, O_RDWR | O_CLOEXEC);
        if (device_ < 0) give_up(clock);
        clock_ = (~static_cast<clockid_t>(device_) << 3) | 3;  // clock_getres(2), FD_TO_CLOCKID
        socket_ = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(kPtp));
        sockaddr_ll address{};
        address.sll_family = AF_PACKET;
        address.sll_protocol = htons(kPtp);
        address.sll_ifindex = static_cast<int>(if_nametoindex(interface_.c_str()));
        if (socket_ < 0 ||
            bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            give_up(interface_);
        ask_for(0);
    }

    void run(const std::string& action) {
        std::vector<std::string> words;
        for (std::size_t at = 0; at <= action.size();) {
            const std::size_t end = std::min(action.find(':', at), action.size());
            words.push_back(action.substr(at, end - at));
            at = end + 1;
        }
        words.resize(4);
        const std::string& verb = words[0];
        const std::int64_t number = std::atoll(words[1].c_str());
        if (verb == "get") {
            std::printf("%lld\n", static_cast<long long>(now(clock_)));
        } else if (verb == "set") {
            const timespec time = split(number);
            result(clock_settime(clock_, &time));
        } else if (verb == "shift") {
            shift(number);
        } else if (verb == "rate") {
            rate(number);
        } else if (verb == "pace") {
            pace(number);
        } else if (verb == "around") {
            around();
        } else if (verb == "cross") {
            ptp_sys_offset_precise both{};
            result(ioctl(device_, PTP_SYS_OFFSET_PRECISE, &both));
        } else if (verb == "filter") {
            filter(words[1], words[2]);
        } else if (verb == "receive") {
            take(0, number);
        } else if (verb == "send") {
            send(number, words[2], std::atoi(words[3].c_str()));
        } else if (verb == "sent") {
            take(MSG_ERRQUEUE, number);
        } else {
            std::fputs(kUsage, stderr);
            std::exit(2);
        }
        std::fflush(stdout);
    }

  private:
    static std::int64_t now(clockid_t clock) {
        timespec time{};
        if (clock_gettime(clock, &time) != 0) give_up("clock_gettime");
        return nanoseconds(time);
    }

    static void result(int value) {
        if (value < 0)
            failed();
        else
            std::puts("ok");
    }

    void shift(std::int64_t ns) {
        timex change{};
        change.modes = ADJ_SETOFFSET | ADJ_NANO;
        change.time.tv_sec = ns / kSecond;
        change.time.tv_usec = ns % kSecond;
        if (change.time.tv_usec < 0) {
            change.time.tv_sec--;
            change.time.tv_usec += kSecond;
        }
        result(clock_adjtime(clock_, &change));
    }

    void rate(std::int64_t ppb) {
        timex change{};
        change.modes = ADJ_FREQUENCY;
        change.freq = ppb * 65536 / 1000;
        result(clock_adjtime(clock_, &change));
    }

    struct Pair {
        std::int64_t clock, system;
    };

    /// Both clocks at one moment: of many tries the one that took least.
    [[nodiscard]] Pair pair() const {
        Pair best{};
        std::int64_t least = kSecond;
        for (int i = 0; i < 50; i++) {
            const std::int64_t before = now(CLOCK_MONOTONIC_RAW);
            const std::int64_t clock = now(clock_);
            const std::int64_t after = now(CLOCK_MONOTONIC_RAW);
            if (after - before >= least) continue;
            least = after - before;
            best = {clock, before + least / 2};
        }
        return best;
    }

    void pace(std::int64_t ms) const {
        const Pair first = pair();
        std::this_thread::sleep_for(std::chrono::milliseconds(ms));
        const Pair second = pair();
        const double system = static_cast<double>(second.system - first.system);
        const double clock = static_cast<double>(second.clock - first.clock);
        std::printf("%.0f\n", (clock / system - 1) * 1e9);
    }

    void around() const {
        ptp_sys_offset_extended times{};
        times.n_samples = 1;
        if (ioctl(device_, PTP_SYS_OFFSET_EXTENDED, &times) != 0) return failed();
        std::array<std::int64_t, 3> at{};
        for (std::size_t i = 0; i < at.size(); i++)
            at[i] = times.ts[0][i].sec * kSecond + times.ts[0][i].nsec;
        std::printf("%lld %lld\n", static_cast<long long>(at[1] - at[0]),
                    static_cast<long long>(at[2] - at[1]));
    }

    void filter(const std::string& tx, const std::string& rx) const {
        hwtstamp_config config{};
        ifreq request{};
        config.tx_type = std::atoi(tx.c_str());
        config.rx_filter = std::atoi(rx.c_str());
        interface_.copy(request.ifr_name, IFNAMSIZ - 1);
        request.ifr_data = reinterpret_cast<char*>(&config);
        if (ioctl(socket_, tx.empty() ? SIOCGHWTSTAMP : SIOCSHWTSTAMP, &request) != 0)
            return failed();
        std::printf("%d %d\n", config.tx_type, config.rx_filter);
    }

    void ask_for(int more) const {
        const int flags = SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RX_SOFTWARE |
                          SOF_TIMESTAMPING_RAW_HARDWARE | SOF_TIMESTAMPING_SOFTWARE | more;
        if (setsockopt(socket_, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags) != 0)
            give_up("SO_TIMESTAMPING");
    }

    void send(std::int64_t number, const std::string& kind, int length) const {
        int flags = 0;
        if (kind.starts_with("hw") || kind == "both") flags |= SOF_TIMESTAMPING_TX_HARDWARE;
        if (kind.ends_with("sw") || kind == "both") flags |= SOF_TIMESTAMPING_TX_SOFTWARE;
        if (kind == "both") flags |= SOF_TIMESTAMPING_OPT_TX_SWHW;
        ask_for(flags);
        std::vector<unsigned char> frame(std::max(length, 14 + 44));  // a Sync message
        const std::array<unsigned char, 6> group = {0x01, 0x1b, 0x19, 0, 0, 0};
        std::copy(group.begin(), group.end(), frame.begin());
        frame[6] = 2;
        frame[12] = kPtp >> 8;
        frame[13] = kPtp & 0xff;
        frame[15] = 2;  // version
        frame[17] = 44;
        frame[kNumber] = static_cast<unsigned char>(number >> 8);
        frame[kNumber + 1] = static_cast<unsigned char>(number);
        result(static_cast<int>(::send(socket_, frame.data(), frame.size(), 0)));
    }

    /// One frame with its stamps, out of the queue of frames or out of that of errors.
    void take(int flags, std::int64_t ms) const {
        pollfd wanted{socket_, static_cast<short>(flags != 0 ? 0 : POLLIN), 0};
        if (poll(&wanted, 1, static_cast<int>(ms)) == 0) {
            std::puts("none");
            return;
        }
        std::array<unsigned char, 2048> frame{};
        alignas(cmsghdr) std::array<char, 512> control{};
        iovec part{frame.data(), frame.size()};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        if (recvmsg(socket_, &message, flags) < 0) return failed();
        std::int64_t software = 0, hardware = 0;
        for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr;
             each = CMSG_NXTHDR(&message, each)) {
            if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SO_TIMESTAMPING) continue;
            std::array<timespec, 3> stamps{};
            std::memcpy(stamps.data(), CMSG_DATA(each), sizeof stamps);
            software = nanoseconds(stamps[0]);
            hardware = nanoseconds(stamps[2]);
        }
        std::printf("%u %lld %lld\n", frame[kNumber] << 8U | frame[kNumber + 1],
                    static_cast<long long>(software), static_cast<long long>(hardware));
    }

    std::string interface_;
    int device_;
    clockid_t clock_;
    int socket_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fputs(kUsage, stderr);
        return 2;
    }
    Probe probe(argv[1], argv[2]);
    for (int i = 3; i < argc; i++) probe.run(argv[i]);
    return 0;
}
