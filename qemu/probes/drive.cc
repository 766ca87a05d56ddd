// SPDX-License-Identifier: GPL-2.0
// Does in one process what a test would otherwise start a dozen for, each of them slow under the
// strict kernel: loads and unloads a module, binds a device and opens an interface with one
// allocation after another made to fail. Runs in the guest.
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

namespace {

constexpr int kTooMany = 3000;  // no probe makes so many allocations
constexpr const char* kUsage =
    "usage: drive cycle MODULE TIMES DEVICE    load, use, unload (its comment says how)\n"
    "       drive cycle-with-frames MODULE TIMES DEVICE\n"
    "                                          the same with a ring of its own size, and waiting\n"
    "                                          for a frame now and then\n"
    "       drive cycle-pair MODULE TIMES      load, open soft0 and soft1, unload\n"
    "       drive resize INTERFACE RX TX [RX TX]...\n"
    "                                          sets the rings' sizes, 0: as it is, none: no "
    "descriptor;\n"
    "                                          a line for each\n"
    "       drive resize-after FRAMES INTERFACE RX TX\n"
    "                                          keeps the processor until the card has counted so\n"
    "                                          many frames received, and then does it\n"
    "       drive watch INTERFACE FRAMES FILE  reads the totals until so many more frames have "
    "passed\n"
    "                                          both ways; FILE holds \"ready\", and then \"done\" "
    "or\n"
    "                                          which total fell\n"
    "       drive mtu-after FRAMES INTERFACE MTU\n"
    "                                          the same with the MTU\n"
    "       drive send-resize FRAMES INTERFACE RX TX\n"
    "                                          sends so many frames, numbered from 0 on in their\n"
    "                                          first two bytes, and sets the sizes before anybody\n"
    "                                          else gets the processor\n"
    "       drive reopen INTERFACE TIMES       set it down and up\n"
    "       drive join INTERFACE GROUP         joins a group of IPv6, says \"joined\" and stays\n"
    "       drive fail-bind DEVICE [STRIDE]    bind igbook to it, the 1st, 2nd … allocation "
    "failing;\n"
    "                                          with STRIDE 8 and then one of so many\n"
    "       drive fail-open INTERFACE          set it up, the same way\n"
    "       drive fail-resize INTERFACE RX TX  set the rings' sizes, the same way; prints how "
    "often\n"
    "                                          that failed, and how often it worked all the same\n"
    "       drive fail-mtu INTERFACE MTU       the same with the MTU\n"
    "       drive fail-calls FAILCALL bind|open DEVICE|INTERFACE PARAMETERS...\n"
    "                                          the same once for each PARAMETERS of failcall.ko;\n"
    "                                          prints how often it struck, and \"worked\" if it "
    "did\n"
    "       drive only all|pages               which allocations fail: all, or those of pages\n"
    "       drive leaks                        what kmemleak finds\n"
    "example: drive cycle /modules/igbook.ko 100 0000:01:00.0\n";

[[noreturn]] void give_up(const std::string& what) {
    std::fprintf(stderr, "drive: %s: %s\n", what.c_str(), std::strerror(errno));
    std::exit(1);
}

class File {
  public:
    File(const std::string& path, int flags) : path_(path), fd_(open(path.c_str(), flags)) {
        if (fd_ < 0) give_up(path);
    }
    ~File() { close(fd_); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    [[nodiscard]] int fd() const { return fd_; }
    /// @return whether the kernel took it.
    [[nodiscard]] bool try_write(const std::string& text) const {
        return ::write(fd_, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    }
    void write(const std::string& text) const {
        if (!try_write(text)) give_up(path_);
    }
    [[nodiscard]] long number() const {
        char text[32] = {};
        if (pread(fd_, text, sizeof text - 1, 0) <= 0) give_up(path_);
        return std::strtol(text, nullptr, 10);
    }

  private:
    std::string path_;
    int fd_;
};

/// Descriptors of each direction.
struct Rings {
    unsigned rx = 0;
    unsigned tx = 0;
};

class Interface {
  public:
    explicit Interface(std::string name)
        : name_(std::move(name)), socket_(socket(AF_INET, SOCK_DGRAM, 0)) {}
    ~Interface() { close(socket_); }
    Interface(const Interface&) = delete;
    Interface& operator=(const Interface&) = delete;

    [[nodiscard]] bool up() const { return (flags() & IFF_UP) != 0; }
    [[nodiscard]] bool try_set(bool up) const {
        ifreq request = named();
        request.ifr_flags = static_cast<short>(up ? flags() | IFF_UP : flags() & ~IFF_UP);
        return ioctl(socket_, SIOCSIFFLAGS, &request) == 0;
    }
    void set(bool up) const {
        if (!try_set(up)) give_up(name_ + (up ? " up" : " down"));
    }
    /// Gives the rings so many descriptors.
    [[nodiscard]] bool try_set_rings(Rings wanted) const {
        ethtool_ringparam sizes{};
        sizes.cmd = ETHTOOL_SRINGPARAM;
        sizes.rx_pending = wanted.rx;
        sizes.tx_pending = wanted.tx;
        return ethtool(&sizes);
    }
    void set_rings(Rings wanted) const {
        if (!try_set_rings(wanted)) give_up(name_ + ": rings");
    }
    [[nodiscard]] bool try_set_mtu(int mtu) const {
        ifreq request = named();
        request.ifr_mtu = mtu;
        return ioctl(socket_, SIOCSIFMTU, &request) == 0;
    }
    [[nodiscard]] int mtu() const {
        ifreq request = named();
        if (ioctl(socket_, SIOCGIFMTU, &request) != 0) give_up(name_ + ": MTU");
        return request.ifr_mtu;
    }
    [[nodiscard]] Rings rings() const {
        ethtool_ringparam sizes{};
        sizes.cmd = ETHTOOL_GRINGPARAM;
        if (!ethtool(&sizes)) give_up(name_ + ": rings");
        return {sizes.rx_pending, sizes.tx_pending};
    }
    /// @return a counter of "ethtool -S".
    [[nodiscard]] std::uint64_t counter(const std::string& counter) const {
        ethtool_drvinfo info{};
        info.cmd = ETHTOOL_GDRVINFO;
        bool read = ethtool(&info);
        std::vector<std::uint64_t> names(2 + info.n_stats * ETH_GSTRING_LEN / 8);
        auto* strings = reinterpret_cast<ethtool_gstrings*>(names.data());
        strings->cmd = ETHTOOL_GSTRINGS;
        strings->string_set = ETH_SS_STATS;
        strings->len = info.n_stats;
        read = read && ethtool(strings);
        std::vector<std::uint64_t> values(1 + info.n_stats);
        auto* stats = reinterpret_cast<ethtool_stats*>(values.data());
        stats->cmd = ETHTOOL_GSTATS;
        stats->n_stats = info.n_stats;
        read = read && ethtool(stats);
        for (unsigned i = 0; read && i < info.n_stats; i++)
            if (counter ==
                reinterpret_cast<const char*>(strings->data + std::size_t{i} * ETH_GSTRING_LEN))
                return stats->data[i];
        give_up(name_ + ": " + counter);
    }

  private:
    [[nodiscard]] bool ethtool(void* command) const {
        ifreq request = named();
        request.ifr_data = static_cast<char*>(command);
        return ioctl(socket_, SIOCETHTOOL, &request) == 0;
    }
    [[nodiscard]] ifreq named() const {
        ifreq request{};
        std::strncpy(request.ifr_name, name_.c_str(), IFNAMSIZ - 1);
        return request;
    }
    [[nodiscard]] int flags() const {
        ifreq request = named();
        if (ioctl(socket_, SIOCGIFFLAGS, &request) != 0) give_up(name_);
        return request.ifr_flags;
    }

    std::string name_;
    int socket_;
};

void load(const std::string& module, const std::string& parameters = {}) {
    const File file(module, O_RDONLY | O_CLOEXEC);
    if (syscall(SYS_finit_module, file.fd(), parameters.c_str(), 0) != 0) give_up("load " + module);
}

void unload(const std::string& name) {
    if (syscall(SYS_delete_module, name.c_str(), O_NONBLOCK) != 0) give_up("unload " + name);
}

/// While it is held, the device is enabled whatever a driver does: enabling only counts. With ACPI
/// that spares its interpreter, which under the strict kernel takes longer than the rest of probe.
void hold(const std::string& device, bool held) {
    const std::string file = "/sys/bus/pci/devices/" + device + "/enable";
    if (File(file, O_RDONLY).number() != (held ? 0 : 1)) {
        errno = EBUSY;
        give_up(file + ": enabled as often as disabled?");
    }
    File(file, O_WRONLY).write(held ? "1" : "0");
}

void await_frame(int round) {
    const File received("/sys/class/net/eth0/statistics/rx_packets", O_RDONLY);
    for (int i = 0; i < 3000; i++) {
        if (received.number() > 0) return;
        usleep(20'000);
    }
    errno = ETIMEDOUT;
    give_up("no frame received in round " + std::to_string(round));
}

/// Unloaded in three states in turn: never opened, up, and up for the second time. Every 25th time
/// the device is enabled and disabled in earnest. With @p frames, two of ten rounds wait for the
/// link and a frame, and all but every eighth use smaller rings: posting buffers is the same 255
/// times over.
void cycle(const std::string& module, int times, const std::string& device, bool frames) {
    bool held = false;
    for (int i = 0; i < times; i++) {
        if (held != (i % 25 != 0)) {
            held = !held;
            hold(device, held);
        }
        load(module);
        const Interface eth0("eth0");
        if (frames && i % 8 != 1) eth0.set_rings({32, 32});
        if (i % 3 > 0) eth0.set(true);
        if (i % 3 == 2) {
            eth0.set(false);
            eth0.set(true);
        }
        if (frames && i % 3 > 0 && i % 10 < 3) await_frame(i);
        unload("igbook");
    }
    if (held) hold(device, false);
    std::printf("%d\n", times);
}

/// Unloaded while neighbour discovery still sends.
void cycle_pair(const std::string& module, int times) {
    for (int i = 0; i < times; i++) {
        load(module, "napi=" + std::to_string(i % 2));
        Interface("soft0").set(true);
        Interface("soft1").set(true);
        unload("softnic");
    }
    std::printf("%d\n", times);
}

void reopen(const std::string& name, int times) {
    const Interface interface(name);
    for (int i = 0; i < times; i++) {
        interface.set(false);
        interface.set(true);
    }
}

unsigned read_size(const std::string& word, unsigned now) {
    if (word == "none") return 0;
    const auto wanted = static_cast<unsigned>(std::strtoul(word.c_str(), nullptr, 10));
    return wanted == 0 ? now : wanted;
}

/// @return the two numbers; where one is 0, what the interface has.
Rings read_rings(const Interface& interface, char** words) {
    const Rings now = interface.rings();
    return {read_size(words[0], now.rx), read_size(words[1], now.tx)};
}

void resize(const std::string& name, char** sizes) {
    const Interface interface(name);
    for (; sizes[0] != nullptr && sizes[1] != nullptr; sizes += 2) {
        const bool worked = interface.try_set_rings(read_rings(interface, sizes));
        std::puts(worked ? "ok" : std::strerror(errno));
    }
}

/// No work queue runs on this processor any more, as long as we do not wait; but after most of a
/// second the kernel gives the others a share all the same.
void keep_the_processor() {
    sched_param priority{};
    priority.sched_priority = 10;
    if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0) give_up("real-time priority");
}

/// Whoever serves the rings otherwise does not get at these frames before they change. It must be
/// heard outside when to send them: the kernel log is all there is.
void change_after(long frames, const std::string& name, const std::function<bool()>& change) {
    constexpr time_t patience = 30;  // seconds
    const Interface interface(name);
    const auto until = static_cast<std::uint64_t>(frames);
    const File log("/dev/kmsg", O_WRONLY);
    const time_t end = std::time(nullptr) + patience;
    keep_the_processor();
    log.write("drive: send frame " + std::to_string(frames) + " now\n");
    while (interface.counter("card_rx_packets") < until) {
        if (std::time(nullptr) > end) {
            errno = ETIMEDOUT;
            give_up("the frames");
        }
    }
    if (!change()) give_up(name + ": rings");
}

void resize_after(long frames, const std::string& name, char** sizes) {
    const Interface interface(name);
    const Rings wanted = read_rings(interface, sizes);
    change_after(frames, name, [&] { return interface.try_set_rings(wanted); });
}

void mtu_after(long frames, const std::string& name, int mtu) {
    const Interface interface(name);
    change_after(frames, name, [&] { return interface.try_set_mtu(mtu); });
}

/// Whoever takes sent frames back does not get at them before the rings change.
void send_resize(int frames, const std::string& name, char** sizes) {
    constexpr int protocol = 0x88b5;  // IEEE 802: for local experiments
    const Interface interface(name);
    const Rings wanted = read_rings(interface, sizes);
    const int fd = socket(AF_PACKET, SOCK_RAW, 0);
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = static_cast<int>(if_nametoindex(name.c_str()));
    keep_the_processor();
    for (int i = 0; i < frames; i++) {
        unsigned char frame[100] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 2};
        frame[12] = protocol >> 8;
        frame[13] = protocol & 0xff;
        frame[14] = static_cast<unsigned char>(i >> 8);
        frame[15] = static_cast<unsigned char>(i & 0xff);
        if (sendto(fd, frame, sizeof frame, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) !=
            sizeof frame) {
            give_up("send");
        }
    }
    interface.set_rings(wanted);
    close(fd);
}

/// Of an interface, as /proc/net/dev has them.
struct Totals {
    std::uint64_t rx_bytes = 0, rx_packets = 0, tx_bytes = 0, tx_packets = 0;
};

Totals read_totals(const File& file, const std::string& name) {
    char text[4096] = {};
    if (pread(file.fd(), text, sizeof text - 1, 0) <= 0) give_up("/proc/net/dev");
    const char* line = std::strstr(text, (name + ":").c_str());
    Totals totals;
    if (line == nullptr ||
        std::sscanf(line + name.size() + 1,
                    "%" SCNu64 "%" SCNu64 "%*u%*u%*u%*u%*u%*u%" SCNu64 "%" SCNu64, &totals.rx_bytes,
                    &totals.rx_packets, &totals.tx_bytes, &totals.tx_packets) != 4) {
        give_up("/proc/net/dev: " + name);
    }
    return totals;
}

/// @return the name of a total that is less than it was, or nothing.
const char* fallen(const Totals& before, const Totals& now) {
    return now.rx_packets < before.rx_packets   ? "rx_packets"
           : now.rx_bytes < before.rx_bytes     ? "rx_bytes"
           : now.tx_packets < before.tx_packets ? "tx_packets"
           : now.tx_bytes < before.tx_bytes     ? "tx_bytes"
                                                : nullptr;
}

/// Nothing is waited for between two looks: they are to meet the frames that come.
void watch(const std::string& name, std::uint64_t frames, const char* told) {
    const File file("/proc/net/dev", O_RDONLY);
    std::FILE* out = std::fopen(told, "w");
    if (out == nullptr) give_up(told);
    Totals now = read_totals(file, name);
    const Totals end{0, now.rx_packets + frames, 0, now.tx_packets + frames};
    std::fputs("ready\n", out);
    std::fflush(out);
    while (now.rx_packets < end.rx_packets || now.tx_packets < end.tx_packets) {
        const Totals before = now;
        now = read_totals(file, name);
        if (const char* total = fallen(before, now)) {
            std::fprintf(out, "%s fell\n", total);
            std::fclose(out);
            std::exit(1);
        }
    }
    std::fputs("done\n", out);
    std::fclose(out);
}

/// @param attempt  does it, and says whether it worked
/// @param undo  is called after an attempt that worked
/// @param stride  1: every allocation; more: the first eight, and then one of so many
void fail_each(const std::function<bool()>& attempt, const std::function<void()>& undo,
               int stride = 1) {
    const File nth("/proc/thread-self/fail-nth", O_RDWR);
    for (int n = 1; n < kTooMany; n += n < 8 ? 1 : stride) {
        nth.write(std::to_string(n));
        const bool worked = attempt();
        const long left = nth.number();
        nth.write("0");
        if (worked) undo();
        if (left > 0) {
            if (!worked) {
                errno = 0;
                give_up("it fails although no allocation does");
            }
            std::printf("%d\n", n - 1);
            return;
        }
    }
    give_up("the allocations do not end");
}

/// Binds igbook to a device and unbinds it.
class Binding {
  public:
    explicit Binding(const std::string& device)
        : device_(device),
          bind_(kDriver + "bind", O_WRONLY),
          unbind_(kDriver + "unbind", O_WRONLY) {}
    [[nodiscard]] bool attempt() const {
        // What write() says is not the question: the driver may bind without all it wanted.
        static_cast<void>(bind_.try_write(device_));
        return access(("/sys/bus/pci/devices/" + device_ + "/driver").c_str(), F_OK) == 0;
    }
    void undo() const { unbind_.write(device_); }

  private:
    inline static const std::string kDriver = "/sys/bus/pci/drivers/igbook/";
    std::string device_;
    File bind_, unbind_;
};

/// Sets an interface up and down.
class Opening {
  public:
    explicit Opening(const std::string& interface) : eth_(interface) {}
    [[nodiscard]] bool attempt() const {
        const bool worked = eth_.try_set(true);
        if (worked != eth_.up()) {
            errno = EPROTO;
            give_up("setting the interface up says one thing and its flags another");
        }
        return worked;
    }
    void undo() const { eth_.set(false); }

  private:
    Interface eth_;
};

/// Changes the rings' sizes. What failed and what did not is told at the end.
class Resizing {
  public:
    Resizing(const std::string& interface, char** sizes)
        : eth_(interface), before_(eth_.rings()), wanted_(read_rings(eth_, sizes)) {}
    [[nodiscard]] bool attempt() {
        const bool worked = eth_.try_set_rings(wanted_);
        (worked ? worked_ : failed_)++;
        return worked;
    }
    void undo() const { eth_.set_rings(before_); }
    void tell() const { std::printf("%d failed, %d worked\n", failed_, worked_); }

  private:
    Interface eth_;
    Rings before_, wanted_;
    int failed_ = 0, worked_ = 0;
};

/// Changes the MTU, likewise.
class Mtu {
  public:
    Mtu(const std::string& interface, int wanted)
        : eth_(interface), before_(eth_.mtu()), wanted_(wanted) {}
    [[nodiscard]] bool attempt() {
        const bool worked = eth_.try_set_mtu(wanted_);
        if (eth_.mtu() != (worked ? wanted_ : before_)) {
            errno = EPROTO;
            give_up("setting the MTU says one thing and the interface another");
        }
        (worked ? worked_ : failed_)++;
        return worked;
    }
    void undo() const {
        if (!eth_.try_set_mtu(before_)) give_up("the MTU as it was");
    }
    void tell() const { std::printf("%d failed, %d worked\n", failed_, worked_); }

  private:
    Interface eth_;
    int before_, wanted_;
    int failed_ = 0, worked_ = 0;
};

template <typename Step>
void fail_each(const Step& step, int stride = 1) {
    fail_each([&] { return step.attempt(); }, [&] { step.undo(); }, stride);
}

/// Each buffer is allocated in the same place: some of them say as much as all.
template <typename Step>
void fail_change(Step step) {
    constexpr int stride = 5;
    fail_each([&] { return step.attempt(); }, [&] { step.undo(); }, stride);
    step.tell();
}

/// One line for each call that is to fail: how often it struck, and whether the step worked.
template <typename Step>
void fail_calls(const Step& step, const std::string& failcall, char** parameters) {
    for (; *parameters != nullptr; parameters++) {
        load(failcall, *parameters);
        const bool worked = step.attempt();
        const long hits = File("/sys/module/failcall/parameters/hits", O_RDONLY).number();
        unload("failcall");
        if (worked) step.undo();
        std::printf("%ld%s\n", hits, worked ? " worked" : "");
    }
}

/// The checkers' own allocations are left alone: their failing says nothing of the driver, and
/// kmemleak and the DMA checker (a radix tree) would be blind afterwards.
void mark_caches(const char* mark) {
    const std::string place = "/sys/kernel/slab/";
    DIR* directory = opendir(place.c_str());
    if (directory == nullptr) give_up(place);
    while (const dirent* entry = readdir(directory)) {
        const std::string name = entry->d_name;
        if (name[0] != '.' && name.rfind("kmemleak_", 0) != 0 &&
            name.rfind("debug_objects", 0) != 0 && name != "radix_tree_node") {
            File(place + name + "/failslab", O_WRONLY).write(mark);
        }
    }
    closedir(directory);
}

void choose(bool slabs) {
    const std::string debug = "/sys/kernel/debug/";
    mark_caches(slabs ? "1" : "0");
    File(debug + "failslab/cache-filter", O_WRONLY).write("Y");
    File(debug + "failslab/ignore-gfp-wait", O_WRONLY).write("N");
    File(debug + "failslab/verbose", O_WRONLY).write("0");
    File(debug + "fail_page_alloc/ignore-gfp-wait", O_WRONLY).write("N");
    File(debug + "fail_page_alloc/min-order", O_WRONLY).write("0");
    File(debug + "fail_page_alloc/verbose", O_WRONLY).write("0");
}

/// For this, unlike most of what is asked of an interface, nobody waits for RTNL.
void join(const std::string& name, const char* group) {
    ipv6_mreq wanted{};
    const int made = socket(AF_INET6, SOCK_DGRAM, 0);
    wanted.ipv6mr_interface = if_nametoindex(name.c_str());
    if (made < 0 || inet_pton(AF_INET6, group, &wanted.ipv6mr_multiaddr) != 1 ||
        setsockopt(made, IPPROTO_IPV6, IPV6_JOIN_GROUP, &wanted, sizeof wanted) != 0)
        give_up(group);
    std::puts("joined");
    std::fflush(stdout);
    pause();
}

/// kmemleak reports only what a second scan finds unchanged, and in the strict kernel a second old.
void leaks() {
    const File kmemleak("/sys/kernel/debug/kmemleak", O_RDWR);
    kmemleak.write("scan");
    usleep(1'100'000);
    kmemleak.write("scan");
    char text[4096];
    ssize_t got = 0;
    while ((got = read(kmemleak.fd(), text, sizeof text)) > 0)
        std::fwrite(text, 1, static_cast<std::size_t>(got), stdout);
    if (got < 0) give_up("kmemleak");
}

bool run(const std::string& what, int argc, char** argv) {
    const bool frames = what == "cycle-with-frames";
    if ((what == "cycle" || frames) && argc == 5)
        cycle(argv[2], std::atoi(argv[3]), argv[4], frames);
    else if (what == "cycle-pair" && argc == 4)
        cycle_pair(argv[2], std::atoi(argv[3]));
    else if (what == "reopen" && argc == 4)
        reopen(argv[2], std::atoi(argv[3]));
    else if (what == "join" && argc == 4)
        join(argv[2], argv[3]);
    else if (what == "resize" && argc >= 5 && argc % 2 == 1)
        resize(argv[2], argv + 3);
    else if (what == "resize-after" && argc == 6)
        resize_after(std::atol(argv[2]), argv[3], argv + 4);
    else if (what == "watch" && argc == 5)
        watch(argv[2], std::strtoull(argv[3], nullptr, 10), argv[4]);
    else if (what == "mtu-after" && argc == 5)
        mtu_after(std::atol(argv[2]), argv[3], std::atoi(argv[4]));
    else if (what == "send-resize" && argc == 6)
        send_resize(std::atoi(argv[2]), argv[3], argv + 4);
    else if (what == "fail-resize" && argc == 5)
        fail_change(Resizing(argv[2], argv + 3));
    else if (what == "fail-mtu" && argc == 4)
        fail_change(Mtu(argv[2], std::atoi(argv[3])));
    else if (what == "fail-bind" && (argc == 3 || argc == 4))
        fail_each(Binding(argv[2]), argc == 4 ? std::atoi(argv[3]) : 1);
    else if (what == "fail-open" && argc == 3)
        fail_each(Opening(argv[2]));
    else if (what == "fail-calls" && argc > 5 && std::string(argv[3]) == "bind")
        fail_calls(Binding(argv[4]), argv[2], argv + 5);
    else if (what == "fail-calls" && argc > 5 && std::string(argv[3]) == "open")
        fail_calls(Opening(argv[4]), argv[2], argv + 5);
    else if (what == "only" && argc == 3)
        choose(std::string(argv[2]) == "all");
    else if (what == "leaks" && argc == 2)
        leaks();
    else
        return false;
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    if (!run(what, argc, argv)) {
        std::fputs(kUsage, what == "--help" ? stdout : stderr);
        return what == "--help" ? 0 : 2;
    }
    return 0;
}
