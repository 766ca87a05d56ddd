// SPDX-License-Identifier: GPL-2.0
/// @file
/// A program for the guest that counts the instructions network work takes.
///
/// Under `-icount shift=0` the processor's time stamp counter advances by one for each instruction,
/// and also while the processor sleeps. So that it never sleeps, a task of the lowest priority runs
/// whenever nobody else does and counts its own instructions; what it did not execute is what the
/// kernel did: interrupts, softirqs, kernel threads, programs. Nothing is sampled or estimated.

#include <fcntl.h>
#include <netinet/in.h>
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
    "usage: meter transmit DEVICE WINDOWS PERIOD BURST BEATS\n"
    "       meter flood DEVICE WINDOWS BURST LENGTH\n"
    "       meter receive DEVICE WINDOWS PERIOD BURST BEATS raw|udp\n"
    "Counts the instructions of a guest under -icount shift=0 and prints them as JSON: those\n"
    "of the middle one of WINDOWS windows.\n"
    "\n"
    "transmit  BURST frames of 60 bytes are sent every PERIOD ns, BEATS times\n"
    "flood     pktgen sends frames of 60 bytes, BURST at a time, LENGTH ns long\n"
    "receive   the metronome sends BURST frames every PERIOD ns, BEATS times; raw: of an\n"
    "          EtherType nobody wants, udp: datagrams to a program that reads them\n"
    "\n"
    "example: meter receive eth0 9 100000 1 2000 raw\n";

constexpr std::uint64_t kSoakerLoop = 64;  // instructions, see soak()
constexpr std::uint16_t kPort = 4000;
constexpr long kSettle = 50'000'000;  // ns: longer than anything a driver puts off
constexpr const char* kMetronome = "/sys/module/metronome/parameters/";

/// What the soaker and the reader share with the meter.
struct Shared {
    std::uint64_t soaked = 0;              ///< rounds of the soaker's loop
    std::atomic<std::uint64_t> delivered;  ///< datagrams the reader read
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

/// Reads datagrams and counts them, for ever.
[[noreturn]] void read_datagrams(Shared& shared) {
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(kPort);
    if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        _exit(1);
    shared.listening = true;
    std::array<char, 2048> buffer{};
    for (;;)
        if (recv(fd, buffer.data(), buffer.size(), 0) > 0)
            shared.delivered.fetch_add(1, std::memory_order_relaxed);
}

/// A child that ends with us.
class Child {
  public:
    template <typename Work>
    explicit Child(Work work) : pid_(fork()) {
        if (pid_ < 0) fail_errno("fork");
        if (pid_ == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            work();
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
};

struct Result {
    std::uint64_t elapsed = 0, busy = 0, frames = 0, interrupts = 0, offered = 0, delivered = 0;
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
    std::generate_n(std::back_inserter(windows), count, window);
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
    const Reading from = now(shared);
    nap(long(length));
    result.frames = sent_so_far(device) - frames;
    const Reading to = now(shared);
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

/// A frame of 60 bytes to the device: a UDP datagram to kPort, or of the EtherType that is set
/// aside for local experiments.
std::vector<std::uint8_t> frame_for(const std::string& device, bool udp) {
    std::vector<std::uint8_t> frame;
    std::ifstream file("/sys/class/net/" + device + "/address");
    for (std::string octet; frame.size() < 6 && std::getline(file, octet, ':');)
        frame.push_back(static_cast<std::uint8_t>(std::stoul(octet, nullptr, 16)));
    frame.insert(frame.end(), {2, 0, 0, 0, 0, 1});
    if (udp) {
        // 18 bytes from 192.0.2.1:40000 to 192.0.2.2, header checksum worked out, none for UDP.
        frame.insert(frame.end(),
                     {0x08,       0x00,         0x45, 0,  0, 46, 0,   0, 0x40, 0, 64,   17,
                      0xb6,       0xbb,         192,  0,  2, 1,  192, 0, 2,    2, 0x9c, 0x40,
                      kPort >> 8, kPort & 0xff, 0,    26, 0, 0});
    } else {
        frame.insert(frame.end(), {0x88, 0xb5});
    }
    frame.resize(60);
    return frame;
}

std::string words(const Pace& pace) {
    return std::to_string(pace.period) + " " + std::to_string(pace.burst) + " " +
           std::to_string(pace.beats);
}

/// The metronome sends out of the device.
void push(const std::string& device, const Pace& pace) {
    write_file(std::string(kMetronome) + "push", device + " " + words(pace));
    nap(long(pace.period * pace.beats));
}

/// The metronome sends to the device.
void play(const Pace& pace) {
    write_file(std::string(kMetronome) + "play", words(pace));
    nap(long(pace.period * pace.beats));
}

Result transmit_window(const std::string& device, const Pace& pace, const Shared& shared) {
    const std::string statistic = "/sys/class/net/" + device + "/statistics/tx_packets";
    Result result;
    const std::uint64_t frames = read_number(statistic);
    const std::uint64_t interrupted = interrupts(device);
    const Reading from = now(shared);
    push(device, pace);
    const Reading end = now(shared);
    nap(kSettle);
    const Reading to = now(shared);
    result.elapsed = end.clock - from.clock;
    result.busy = busy_between(from, to);
    result.interrupts = interrupts(device) - interrupted;
    result.frames = read_number(statistic) - frames;
    result.offered = std::uint64_t{pace.burst} * pace.beats;
    return result;
}

Result receive_window(const std::string& device, const Pace& pace, const Shared& shared) {
    const std::string offered = std::string(kMetronome) + "sent";
    const std::string statistic = "/sys/class/net/" + device + "/statistics/rx_packets";
    Result result;
    const std::uint64_t sent = read_number(offered);
    const std::uint64_t frames = read_number(statistic);
    const std::uint64_t interrupted = interrupts(device);
    const std::uint64_t delivered = shared.delivered;
    const Reading from = now(shared);
    play(pace);
    result.delivered = shared.delivered - delivered;
    const Reading end = now(shared);
    // What is still under way is part of the price, but not of a second's throughput.
    nap(kSettle);
    const Reading to = now(shared);
    result.elapsed = end.clock - from.clock;
    result.busy = busy_between(from, to);
    result.interrupts = interrupts(device) - interrupted;
    result.frames = read_number(statistic) - frames;
    result.offered = read_number(offered) - sent;
    return result;
}

// A prelude comes first, for drivers that adapt themselves to the load.

Result transmit(const std::string& device, unsigned windows, const Pace& pace,
                const Shared& shared) {
    push(device, {pace.period, pace.burst, pace.beats / 2});
    nap(kSettle);
    return median(windows, [&] { return transmit_window(device, pace, shared); });
}

Result receive(const std::string& device, unsigned windows, const Pace& pace,
               const Shared& shared) {
    play({pace.period, pace.burst, pace.beats / 2});
    nap(kSettle);
    return median(windows, [&] { return receive_window(device, pace, shared); });
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
    return {number(words[4], 1'000'000'000), unsigned(number(words[5], 1024)),
            unsigned(number(words[6], 1'000'000))};
}

Result receive_raw_or_udp(const std::vector<char*>& words, unsigned windows, Shared& shared) {
    const bool udp = std::string_view(words[7]) == "udp";
    write_file(std::string(kMetronome) + "frame", hex(frame_for(words[2], udp)));
    const Child reader([&shared, udp] {
        if (udp) read_datagrams(shared);
        _exit(0);
    });
    while (udp && !shared.listening) nap(1'000'000);
    return receive(words[2], windows, pace_of(words), shared);
}

int run(const std::vector<char*>& words) {
    const std::string_view verb = words.size() > 1 ? words[1] : "";
    const bool floods = verb == "flood" && words.size() == 6;
    const bool sends = verb == "transmit" && words.size() == 7;
    if (!floods && !sends && !(verb == "receive" && words.size() == 8)) {
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
    } else {
        result = receive_raw_or_udp(words, windows, shared);
    }
    std::printf(
        "{\"elapsed\": %llu, \"busy\": %llu, \"frames\": %llu, \"interrupts\": %llu, "
        "\"offered\": %llu, \"delivered\": %llu}\n",
        static_cast<unsigned long long>(result.elapsed),
        static_cast<unsigned long long>(result.busy),
        static_cast<unsigned long long>(result.frames),
        static_cast<unsigned long long>(result.interrupts),
        static_cast<unsigned long long>(result.offered),
        static_cast<unsigned long long>(result.delivered));
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
