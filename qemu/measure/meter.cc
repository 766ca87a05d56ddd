// SPDX-License-Identifier: GPL-2.0
/// @file
/// A program for the guest that counts the instructions network work takes.
///
/// Under `-icount shift=0` the processor's time stamp counter advances by one for each instruction,
/// and also while the processor sleeps. So that it never sleeps, a task of the lowest priority runs
/// whenever nobody else does and counts its own instructions; what it did not execute is what the
/// kernel did: interrupts, softirqs, kernel threads, programs. Nothing is sampled or estimated.

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr const char* kUsage =
    "usage: meter transmit DEVICE WINDOWS PERIOD BURST BEATS [LENGTH]\n"
    "       meter write DEVICE WINDOWS PERIOD BURST BEATS\n"
    "       meter flood DEVICE WINDOWS BURST LENGTH\n"
    "       meter receive DEVICE WINDOWS PERIOD BURST BEATS raw|refused|udp|tcp [LENGTH]\n"
    "Counts the instructions of a guest under -icount shift=0 and prints them as JSON: those\n"
    "of the middle one of WINDOWS windows. DEVICE is a card, or floor0 for none.\n"
    "\n"
    "transmit  BURST frames of LENGTH (60) bytes are sent every PERIOD ns, BEATS times\n"
    "write     a program writes to a TCP connection, of which BURST segments are\n"
    "          acknowledged every PERIOD ns, BEATS times\n"
    "flood     pktgen sends frames of 60 bytes, BURST at a time, LENGTH ns long\n"
    "receive   the metronome sends BURST frames every PERIOD ns, BEATS times; raw: of an\n"
    "          EtherType nobody wants, of LENGTH (60) bytes, refused: datagrams to a\n"
    "          socket that wants none, udp: datagrams to a program that reads them,\n"
    "          tcp: segments of 1460 bytes to a program that reads them\n"
    "\n"
    "example: meter receive eth0 9 100000 1 2000 raw\n";

constexpr std::uint64_t kSoakerLoop = 64;  // instructions, see soak()
constexpr std::uint16_t kPort = 4000;
constexpr std::uint32_t kAddress = 0xc0000202, kPeer = 0xc0000201;  // 192.0.2.2 and .1
constexpr std::uint16_t kPeerPort = 40000;
constexpr std::uint32_t kSegment = 1460;
constexpr std::uint32_t kSequence = 1'000'000, kPeerSequence = 2'000'000;
constexpr unsigned kFrame = 60;
constexpr long kSettle = 50'000'000;  // ns: longer than anything a driver puts off
constexpr const char* kMetronome = "/sys/module/metronome/parameters/";

/// What the soaker and the reader share with the meter.
struct Shared {
    std::uint64_t soaked = 0;              ///< rounds of the soaker's loop
    std::atomic<std::uint64_t> delivered;  ///< datagrams the reader read
    std::atomic<std::uint64_t> bytes;      ///< of TCP that the reader read
    std::atomic<bool> listening;
};

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what);
}

[[noreturn]] void fail_errno(const std::string& what) {
    fail(what + ": " + std::strerror(errno));
}

void write_file(const std::string& path, const std::string& text) {
    const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    // pktgen takes off the last character, whatever it is.
    const std::string line = text + "\n";
    const bool ok = fd >= 0 && write(fd, line.data(), line.size()) == ssize_t(line.size());
    if (!ok) fail_errno(path + ": `" + text.substr(0, 60) + "`");
    close(fd);
}

std::uint64_t read_number(const std::string& path) {
    std::ifstream file(path);
    std::uint64_t value = 0;
    if (!(file >> value)) fail(path + ": cannot be read as a number");
    return value;
}

/// Interrupts of a device on the first processor so far, by their names in /proc/interrupts.
std::uint64_t interrupts(const std::string& device) {
    std::ifstream file("/proc/interrupts");
    std::uint64_t sum = 0;
    for (std::string line; std::getline(file, line);) {
        const auto name = line.find_last_of(' ');
        if (name == std::string::npos || line.compare(name + 1, device.size(), device) != 0)
            continue;
        std::istringstream words(line.substr(line.find(':') + 1));
        std::uint64_t count = 0;
        words >> count;
        sum += count;
    }
    return sum;
}

void nap(long nanoseconds) {
    timespec rest{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR) {
    }
}

/// Uses up what nobody wants, for ever: an increment, 62 instructions that do nothing, a jump.
[[noreturn]] void soak(Shared& shared) {
    const sched_param none{};
    sched_setscheduler(0, SCHED_IDLE, &none);
    asm volatile(
        "1: incq %0\n"
        ".rept 62\n nop\n .endr\n"
        "jmp 1b\n"
        : "+m"(shared.soaked));
    __builtin_unreachable();
}

sockaddr_in address_of(std::uint32_t host, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(host);
    return address;
}

void bind_to(int fd, const sockaddr_in& address) {
    if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        fail_errno("bind");
}

template <typename Value>
void set_option(int fd, int level, int option, const Value& value) {
    if (setsockopt(fd, level, option, &value, sizeof value) != 0)
        fail_errno("socket option " + std::to_string(option));
}

/// Reads datagrams and counts them, for ever.
[[noreturn]] void read_datagrams(Shared& shared) {
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    bind_to(fd, address_of(INADDR_ANY, kPort));
    shared.listening = true;
    std::array<char, 2048> buffer{};
    for (;;)
        if (recv(fd, buffer.data(), buffer.size(), 0) > 0)
            shared.delivered.fetch_add(1, std::memory_order_relaxed);
}

/// Holds a socket whose filter lets nothing through, for ever.
[[noreturn]] void refuse_datagrams(Shared& shared) {
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    sock_filter none{BPF_RET | BPF_K, 0, 0, 0};
    set_option(fd, SOL_SOCKET, SO_ATTACH_FILTER, sock_fprog{1, &none});
    bind_to(fd, address_of(INADDR_ANY, kPort));
    shared.listening = true;
    for (;;) pause();
}

/// A TCP connection to a peer that knows nothing of it: the kernel is told where it stands, as for
/// a connection that is taken up again (TCP_REPAIR).
int connection() {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    set_option(fd, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_ON);
    set_option(fd, SOL_SOCKET, SO_LINGER, linger{1, 0});
    set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22);
    set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, 1 << 20);
    set_option(fd, IPPROTO_TCP, TCP_MAXSEG, int{kSegment});
    set_option(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, int{TCP_SEND_QUEUE});
    set_option(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, kSequence);
    set_option(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, int{TCP_RECV_QUEUE});
    set_option(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, kPeerSequence);
    bind_to(fd, address_of(kAddress, kPort));
    const sockaddr_in peer = address_of(kPeer, kPeerPort);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0)
        fail_errno("connect");
    set_option(fd, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP);
    return fd;
}

/// Reads from a TCP connection and counts the bytes, for ever.
[[noreturn]] void read_stream(Shared& shared) {
    const int fd = connection();
    shared.listening = true;
    std::array<char, 65536> buffer{};
    for (;;)
        if (const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0); got > 0)
            shared.bytes.fetch_add(std::uint64_t(got), std::memory_order_relaxed);
}

/// Writes to a TCP connection, for ever.
[[noreturn]] void write_stream(Shared& shared) {
    const int fd = connection();
    shared.listening = true;
    const std::array<char, 65536> buffer{};
    for (;;)
        if (send(fd, buffer.data(), buffer.size(), 0) < 0) fail_errno("send");
}

/// A child that ends with us.
class Child {
  public:
    template <typename Work>
    explicit Child(Work work) : pid_(fork()) {
        if (pid_ < 0) fail_errno("fork");
        if (pid_ == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            try {
                work();
            } catch (const std::exception& error) {
                std::fprintf(stderr, "meter: %s\n", error.what());
            }
            _exit(1);
        }
    }
    /// Waits until it says that it is ready.
    void wait_for(const std::atomic<bool>& ready) const {
        while (!ready) {
            if (waitpid(pid_, nullptr, WNOHANG) == pid_)
                fail("the program at the socket has ended");
            nap(1'000'000);
        }
    }
    ~Child() {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

  private:
    pid_t pid_;
};

/// The clock and the soaker's count, at one moment: while we run the soaker does not.
struct Reading {
    std::uint64_t clock, soaked;
};

Reading now(const Shared& shared) {
    return {__rdtsc(), *const_cast<const volatile std::uint64_t*>(&shared.soaked)};
}

std::uint64_t busy_between(const Reading& from, const Reading& to) {
    return to.clock - from.clock - (to.soaked - from.soaked) * kSoakerLoop;
}

/// Who counts the kernel's instructions sees this call, which nobody else makes: a window begins,
/// or it has ended.
void mark() {
    sched_get_priority_min(SCHED_IDLE);
}

/// The measure is only one if the clock counts instructions: a loop of known length tells.
void check_clock() {
    constexpr std::uint64_t kRounds = 100'000;
    std::uint64_t rounds = kRounds;
    const std::uint64_t from = __rdtsc();
    asm volatile("1: decq %0\n jnz 1b\n" : "+r"(rounds));
    const std::uint64_t took = __rdtsc() - from;
    // A tick of the kernel may fall into it, nothing more.
    if (took < 2 * kRounds || took > 2 * kRounds + 100'000) {
        fail("the time stamp counter does not count instructions (" + std::to_string(took) +
             " for " + std::to_string(2 * kRounds) +
             "); start QEMU with -icount shift=0,sleep=off");
    }
}

/// When frames come: `burst` at a time every `period` ns, `beats` times.
struct Pace {
    unsigned long period;
    unsigned burst, beats;
    unsigned length = kFrame;  ///< of a frame
};

struct Result {
    std::uint64_t elapsed = 0, busy = 0, frames = 0, interrupts = 0, offered = 0, delivered = 0;
    std::uint64_t bytes = 0;   ///< of TCP
    std::uint64_t window = 0;  ///< which one this is
};

/// Frames pktgen has sent in the run that is going on.
std::uint64_t sent_so_far(const std::string& device) {
    std::ifstream file("/proc/net/pktgen/" + device);
    constexpr std::string_view kLabel = "pkts-sofar: ";
    for (std::string line; std::getline(file, line);)
        if (const auto at = line.find(kLabel); at != std::string::npos)
            return std::stoull(line.substr(at + kLabel.size()));
    fail("pktgen does not say how much it sent");
}

/// Of several windows the one in the middle: what comes once in seconds, as a driver's look at its
/// link, hits one of them and must not decide the price.
template <typename Window>
Result median(unsigned count, Window window) {
    std::vector<Result> windows;
    for (unsigned i = 0; i < count; ++i) {
        windows.push_back(window());
        windows.back().window = i;
    }
    const auto middle = windows.begin() + std::ptrdiff_t(windows.size() / 2);
    std::nth_element(windows.begin(), middle, windows.end(), [](const Result& a, const Result& b) {
        return double(a.busy) * double(b.frames + 1) < double(b.busy) * double(a.frames + 1);
    });
    return *middle;
}

Result flood_window(const std::string& device, unsigned long length, const Shared& shared) {
    Result result;
    const std::uint64_t interrupted = interrupts(device);
    const std::uint64_t frames = sent_so_far(device);
    mark();
    const Reading from = now(shared);
    nap(long(length));
    result.frames = sent_so_far(device) - frames;
    const Reading to = now(shared);
    mark();
    result.interrupts = interrupts(device) - interrupted;
    result.elapsed = to.clock - from.clock;
    result.busy = busy_between(from, to);
    return result;
}

/// pktgen sends without end, and we look in the midst of that: nobody waits for the last frame to
/// come back, which pktgen does by spinning.
Result flood(const std::string& device, unsigned windows, unsigned burst, unsigned long length,
             const Shared& shared) {
    const std::string pktgen = "/proc/net/pktgen/";
    write_file(pktgen + "kpktgend_0", "rem_device_all");
    write_file(pktgen + "kpktgend_0", "add_device " + device);
    for (const std::string& setting :
         {std::string("pkt_size 60"), std::string("dst_mac 02:00:00:00:00:01"),
          std::string("dst 192.0.2.1"), std::string("delay 0"), std::string("count 0"),
          "burst " + std::to_string(burst)}) {
        write_file(pktgen + device, setting);
    }
    const Child sender([&pktgen] {
        write_file(pktgen + "pgctrl", "start");
        _exit(0);
    });
    // pktgen's thread looks for orders ten times a second.
    for (int waited = 0; sent_so_far(device) == 0; ++waited) {
        if (waited == 1000) fail("pktgen does not begin to send");
        nap(1'000'000);
    }
    nap(kSettle);
    const Result result = median(windows, [&] { return flood_window(device, length, shared); });
    write_file(pktgen + "pgctrl", "stop");
    return result;
}

std::string hex(const std::vector<std::uint8_t>& bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

using Bytes = std::vector<std::uint8_t>;

/// Puts a number into a frame, the most significant byte first.
void put(Bytes& frame, std::uint64_t value, unsigned size) {
    while (size-- > 0) frame.push_back(std::uint8_t(value >> (8 * size)));
}

/// The Internet checksum of the bytes from @p from on, added to @p sum.
std::uint16_t checksum(const Bytes& frame, std::size_t from, std::uint32_t sum) {
    for (std::size_t i = from; i + 1 < frame.size(); i += 2)
        sum += std::uint32_t(frame[i] << 8) | frame[i + 1];
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return std::uint16_t(~sum);
}

void put_at(Bytes& frame, std::size_t at, std::uint16_t value) {
    frame[at] = std::uint8_t(value >> 8);
    frame[at + 1] = std::uint8_t(value);
}

Bytes ethernet(const std::string& device, std::uint16_t type) {
    Bytes frame;
    std::ifstream file("/sys/class/net/" + device + "/address");
    for (std::string octet; frame.size() < 6 && std::getline(file, octet, ':');)
        frame.push_back(static_cast<std::uint8_t>(std::stoul(octet, nullptr, 16)));
    put(frame, 0x02'00'00'00'00'01, 6);
    put(frame, type, 2);
    return frame;
}

/// Headers up to IP's, of a packet with so many bytes after them.
Bytes internet(const std::string& device, std::uint8_t protocol, std::size_t length) {
    Bytes frame = ethernet(device, 0x0800);
    put(frame, 0x4500, 2);
    put(frame, 20 + length, 2);
    put(frame, 0x0000'4000, 4);
    put(frame, std::uint64_t{64} << 24 | std::uint64_t{protocol} << 16, 4);
    put(frame, kPeer, 4);
    put(frame, kAddress, 4);
    put_at(frame, 24, checksum(frame, 14, 0));
    return frame;
}

/// A frame of 60 bytes: a UDP datagram to kPort, without a checksum.
Bytes datagram(const std::string& device) {
    Bytes frame = internet(device, IPPROTO_UDP, 26);
    put(frame, kPeerPort, 2);
    put(frame, kPort, 2);
    put(frame, std::uint64_t{26} << 16, 4);
    frame.resize(kFrame);
    return frame;
}

/// The headers of a TCP segment from the peer, whose payload are zeros.
Bytes segment(const std::string& device, std::size_t payload, std::uint16_t window) {
    Bytes frame = internet(device, IPPROTO_TCP, 20 + payload);
    put(frame, kPeerPort, 2);
    put(frame, kPort, 2);
    put(frame, kPeerSequence, 4);
    put(frame, kSequence, 4);
    put(frame, 0x5010, 2);
    put(frame, std::uint64_t{window} << 32, 6);
    // The pseudo header: addresses, protocol, length.
    const auto pseudo = std::uint32_t((kPeer >> 16) + (kPeer & 0xffff) + (kAddress >> 16) +
                                      (kAddress & 0xffff) + IPPROTO_TCP + 20 + payload);
    put_at(frame, 50, checksum(frame, 34, pseudo));
    return frame;
}

/// A frame of the EtherType that is set aside for local experiments.
Bytes unwanted(const std::string& device) {
    Bytes frame = ethernet(device, 0x88b5);
    frame.resize(kFrame);
    return frame;
}

void set_frame(const Bytes& frame, std::size_t length) {
    write_file(std::string(kMetronome) + "frame", hex(frame) + " " + std::to_string(length));
}

void set_steps(std::uint32_t sequence, std::uint32_t acknowledged) {
    write_file(std::string(kMetronome) + "steps",
               std::to_string(sequence) + " " + std::to_string(acknowledged));
}

std::string words(const Pace& pace) {
    return std::to_string(pace.period) + " " + std::to_string(pace.burst) + " " +
           std::to_string(pace.beats);
}

/// The metronome sends out of the device.
void push(const std::string& device, const Pace& pace) {
    write_file(std::string(kMetronome) + "push",
               device + " " + words(pace) + " " + std::to_string(pace.length));
    nap(long(pace.period * pace.beats));
}

/// The metronome sends to the device.
void play(const std::string& device, const Pace& pace) {
    write_file(std::string(kMetronome) + "play",
               words(pace) + (device == "floor0" ? " floor" : ""));
    nap(long(pace.period * pace.beats));
}

/// One window of paced work, with what is still under way at its end. @p work may note in the
/// result what it has done by then; @p direction is "tx" or "rx".
template <typename Work>
Result paced_window(const std::string& device, const std::string& direction, const Shared& shared,
                    const Work& work) {
    const std::string statistic =
        "/sys/class/net/" + device + "/statistics/" + direction + "_packets";
    Result result;
    const std::uint64_t frames = read_number(statistic);
    const std::uint64_t interrupted = interrupts(device);
    mark();
    const Reading from = now(shared);
    work(result);
    const Reading end = now(shared);
    // What is still under way is part of the price, but not of a second's throughput.
    nap(kSettle);
    const Reading to = now(shared);
    mark();
    result.elapsed = end.clock - from.clock;
    result.busy = busy_between(from, to);
    result.interrupts = interrupts(device) - interrupted;
    result.frames = read_number(statistic) - frames;
    return result;
}

Result transmit_window(const std::string& device, const Pace& pace, const Shared& shared) {
    Result result = paced_window(device, "tx", shared, [&](Result&) { push(device, pace); });
    result.offered = std::uint64_t{pace.burst} * pace.beats;
    return result;
}

Result receive_window(const std::string& device, const Pace& pace, const Shared& shared) {
    const std::string offered = std::string(kMetronome) + "sent";
    const std::uint64_t sent = read_number(offered);
    const std::uint64_t bytes = shared.bytes;
    const std::uint64_t delivered = shared.delivered;
    Result result = paced_window(device, "rx", shared, [&](Result& window) {
        play(device, pace);
        window.delivered = shared.delivered - delivered;
    });
    result.offered = read_number(offered) - sent;
    result.bytes = shared.bytes - bytes;
    return result;
}

/// What is acknowledged makes room in the peer's window, into which as much is sent.
Result write_window(const std::string& device, const Pace& pace, const Shared& shared) {
    const std::string sent_bytes = "/sys/class/net/" + device + "/statistics/tx_bytes";
    const std::uint64_t bytes = read_number(sent_bytes);
    Result result = paced_window(device, "tx", shared, [&](Result&) {
        play(device, {pace.period, pace.burst > 0 ? 1U : 0U, pace.beats});
    });
    result.bytes = std::uint64_t{pace.burst} * pace.beats * kSegment;
    if (const std::uint64_t sent = read_number(sent_bytes) - bytes; sent < result.bytes) {
        fail("of " + std::to_string(result.bytes) + " bytes that were acknowledged only " +
             std::to_string(sent) + " have been sent");
    }
    return result;
}

// A prelude comes first, for drivers that adapt themselves to the load.

Result transmit(const std::string& device, unsigned windows, const Pace& pace,
                const Shared& shared) {
    push(device, {pace.period, pace.burst, pace.beats / 2, pace.length});
    nap(kSettle);
    return median(windows, [&] { return transmit_window(device, pace, shared); });
}

Result receive(const std::string& device, unsigned windows, const Pace& pace,
               const Shared& shared) {
    play(device, {pace.period, pace.burst, pace.beats / 2});
    nap(kSettle);
    return median(windows, [&] { return receive_window(device, pace, shared); });
}

Result write(const std::string& device, unsigned windows, const Pace& pace, Shared& shared) {
    const std::uint32_t room = pace.burst * kSegment;
    if (room > 0xffff) fail("more segments at a time than fit into a window of 65535 bytes");
    set_frame(segment(device, 0, std::uint16_t(room)), kFrame);
    set_steps(0, room);
    const Child writer([&shared] { write_stream(shared); });
    writer.wait_for(shared.listening);
    play(device, {pace.period, pace.burst > 0 ? 1U : 0U, pace.beats / 2});
    nap(kSettle);
    return median(windows, [&] { return write_window(device, pace, shared); });
}

unsigned long number(const char* word, unsigned long limit) {
    unsigned long value = 0;
    const std::string_view text = word;
    const auto [end, error] = std::from_chars(text.begin(), text.end(), value);
    if (error != std::errc() || end != text.end() || value > limit)
        fail("`" + std::string(text) + "` is not a number up to " + std::to_string(limit));
    return value;
}

Shared& share() {
    void* memory =
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail_errno("mmap");
    return *new (memory) Shared;
}

Pace pace_of(const std::vector<char*>& words) {
    Pace pace{number(words[4], 1'000'000'000), unsigned(number(words[5], 1024)),
              unsigned(number(words[6], 1'000'000))};
    const std::size_t last = std::string_view(words[1]) == "transmit" ? 7 : 8;
    if (words.size() > last) pace.length = unsigned(number(words[last], 9216));
    return pace;
}

Result receive_kind(const std::vector<char*>& words, unsigned windows, Shared& shared) {
    const std::string device = words[2];
    const std::string_view kind = words[7];
    const Pace pace = pace_of(words);
    if (kind == "raw") {
        set_frame(unwanted(device), pace.length);
        return receive(device, windows, pace, shared);
    }
    if (kind == "tcp") {
        set_frame(segment(device, kSegment, 0xffff), 54 + kSegment);
        set_steps(kSegment, 0);
    } else if (kind == "udp" || kind == "refused") {
        set_frame(datagram(device), kFrame);
    } else {
        fail("`" + std::string(kind) + "` is nothing that could be received");
    }
    const Child program([&shared, kind] {
        if (kind == "tcp") read_stream(shared);
        if (kind == "udp") read_datagrams(shared);
        refuse_datagrams(shared);
    });
    program.wait_for(shared.listening);
    return receive(device, windows, pace, shared);
}

int run(const std::vector<char*>& words) {
    const std::string_view verb = words.size() > 1 ? words[1] : "";
    const bool floods = verb == "flood" && words.size() == 6;
    const bool sends = verb == "transmit" && (words.size() == 7 || words.size() == 8);
    const bool writes = verb == "write" && words.size() == 7;
    const bool receives = verb == "receive" && (words.size() == 8 || words.size() == 9);
    if (!floods && !sends && !writes && !receives) {
        std::fputs(kUsage, verb == "--help" ? stdout : stderr);
        return verb == "--help" ? 0 : 2;
    }
    Shared& shared = share();
    const Child soaker([&shared] { soak(shared); });
    check_clock();
    const std::string device = words[2];
    const auto windows = unsigned(number(words[3], 99));
    Result result;
    if (windows == 0) {
        fail("no windows to measure in");
    } else if (floods) {
        result = flood(device, windows, unsigned(number(words[4], 1024)),
                       number(words[5], 1'000'000'000), shared);
    } else if (sends) {
        result = transmit(device, windows, pace_of(words), shared);
    } else if (writes) {
        result = write(device, windows, pace_of(words), shared);
    } else {
        result = receive_kind(words, windows, shared);
    }
    std::printf(
        "{\"elapsed\": %llu, \"busy\": %llu, \"frames\": %llu, \"interrupts\": %llu, "
        "\"offered\": %llu, \"delivered\": %llu, \"bytes\": %llu, \"window\": %llu}\n",
        static_cast<unsigned long long>(result.elapsed),
        static_cast<unsigned long long>(result.busy),
        static_cast<unsigned long long>(result.frames),
        static_cast<unsigned long long>(result.interrupts),
        static_cast<unsigned long long>(result.offered),
        static_cast<unsigned long long>(result.delivered),
        static_cast<unsigned long long>(result.bytes),
        static_cast<unsigned long long>(result.window));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(std::vector<char*>(argv, argv + argc));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "meter: %s\n", error.what());
        return 1;
    }
}
