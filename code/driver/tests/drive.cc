// SPDX-License-Identifier: GPL-2.0
// Does in one process what a test would otherwise start a dozen for, each of them slow under the
// strict kernel: loads and unloads a module, binds a device and opens an interface with one
// allocation after another made to fail. Runs in the guest.
#include <dirent.h>
#include <fcntl.h>
#include <linux/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>

namespace {

constexpr int kTooMany = 3000;  // no probe makes so many allocations
constexpr const char* kUsage =
    "usage: drive cycle MODULE TIMES FRAMES   load, use, unload; FRAMES: every FRAMESth time wait\n"
    "                                         for a frame (0: never)\n"
    "       drive fail-bind DEVICE            bind igbook to it, the 1st, 2nd … allocation "
    "failing\n"
    "       drive fail-open INTERFACE         set it up, the same way\n"
    "       drive only all|pages              which allocations fail: all, or those of pages\n"
    "example: drive cycle /modules/igbook.ko 100 0\n";

[[noreturn]] void give_up(const std::string& what) {
    std::fprintf(stderr, "drive: %s: %s\n", what.c_str(), std::strerror(errno));
    std::exit(1);
}

class File {
  public:
    File(const std::string& path, int flags) : path_(path), fd_(open(path.c_str(), flags)) {
        if (fd_ < 0) {
            give_up(path);
        }
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
        if (!try_write(text)) {
            give_up(path_);
        }
    }
    [[nodiscard]] long number() const {
        char text[32] = {};
        if (pread(fd_, text, sizeof text - 1, 0) <= 0) {
            give_up(path_);
        }
        return std::strtol(text, nullptr, 10);
    }

  private:
    std::string path_;
    int fd_;
};

/// One of the interface's files in sysfs, as a number.
long attribute(const std::string& interface, const std::string& name) {
    return File("/sys/class/net/" + interface + "/" + name, O_RDONLY).number();
}

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
        if (!try_set(up)) {
            give_up(name_ + (up ? " up" : " down"));
        }
    }

  private:
    [[nodiscard]] ifreq named() const {
        ifreq request{};
        std::strncpy(request.ifr_name, name_.c_str(), IFNAMSIZ - 1);
        return request;
    }
    [[nodiscard]] int flags() const {
        ifreq request = named();
        if (ioctl(socket_, SIOCGIFFLAGS, &request) != 0) {
            give_up(name_);
        }
        return request.ifr_flags;
    }

    std::string name_;
    int socket_;
};

void await_frame(int round) {
    for (int i = 0; i < 6000; i++) {
        if (attribute("eth0", "statistics/rx_packets") > 0) {
            return;
        }
        usleep(10'000);
    }
    errno = ETIMEDOUT;
    give_up("no frame received in round " + std::to_string(round));
}

/// Unloaded in three states in turn: never opened, up, and up for the second time.
void cycle(const std::string& module, int times, int frames) {
    for (int i = 0; i < times; i++) {
        {
            const File file(module, O_RDONLY | O_CLOEXEC);
            if (syscall(SYS_finit_module, file.fd(), "", 0) != 0) {
                give_up("load, round " + std::to_string(i));
            }
        }
        const Interface eth0("eth0");
        if (i % 3 > 0) {
            eth0.set(true);
        }
        if (i % 3 == 2) {
            eth0.set(false);
            eth0.set(true);
        }
        if (frames > 0 && i % 3 > 0 && i % frames < 3) {
            await_frame(i);
        }
        if (syscall(SYS_delete_module, "igbook", O_NONBLOCK) != 0) {
            give_up("unload, round " + std::to_string(i));
        }
    }
    std::printf("%d\n", times);
}

/// @param attempt  does it, and says whether it worked
/// @param undo  is called after an attempt that worked
void fail_each(const std::function<bool()>& attempt, const std::function<void()>& undo) {
    const File nth("/proc/thread-self/fail-nth", O_RDWR);
    for (int n = 1; n < kTooMany; n++) {
        nth.write(std::to_string(n));
        const bool worked = attempt();
        const long left = nth.number();
        nth.write("0");
        if (worked) {
            undo();
        }
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

void fail_bind(const std::string& device) {
    const std::string driver = "/sys/bus/pci/drivers/igbook/";
    const std::string link = "/sys/bus/pci/devices/" + device + "/driver";
    const File bind(driver + "bind", O_WRONLY);
    const File unbind(driver + "unbind", O_WRONLY);
    fail_each(
        [&] {
            // What write() says is not the question: the driver may bind without all it wanted.
            static_cast<void>(bind.try_write(device));
            return access(link.c_str(), F_OK) == 0;
        },
        [&] { unbind.write(device); });
}

void fail_open(const std::string& interface) {
    const Interface eth(interface);
    fail_each(
        [&] {
            const bool worked = eth.try_set(true);
            if (worked != eth.up()) {
                errno = EPROTO;
                give_up("setting the interface up says one thing and its flags another");
            }
            return worked;
        },
        [&] { eth.set(false); });
}

/// The checkers' own allocations are left alone: their failing says nothing of the driver, and
/// kmemleak and the DMA checker (a radix tree) would be blind afterwards.
void mark_caches(const char* mark) {
    const std::string place = "/sys/kernel/slab/";
    DIR* directory = opendir(place.c_str());
    if (directory == nullptr) {
        give_up(place);
    }
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

}  // namespace

int main(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    if (what == "cycle" && argc == 5) {
        cycle(argv[2], std::atoi(argv[3]), std::atoi(argv[4]));
    } else if (what == "fail-bind" && argc == 3) {
        fail_bind(argv[2]);
    } else if (what == "fail-open" && argc == 3) {
        fail_open(argv[2]);
    } else if (what == "only" && argc == 3) {
        choose(std::string(argv[2]) == "all");
    } else {
        std::fputs(kUsage, argc == 2 && what == "--help" ? stdout : stderr);
        return argc == 2 && what == "--help" ? 0 : 2;
    }
    return 0;
}
