// SPDX-License-Identifier: GPL-2.0
// Program `guest-agent`: runs in the guest as /sbin/fwts-agent and serves the host.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/reboot.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "agent.h"

namespace {

using fwts::Descriptor;
using fwts::agent::Agent;
using fwts::agent::kPortName;

constexpr const char* kUsage =
    R"(usage: guest-agent [--port FILE]

Serves the host over the virtio-serial port "fwts.agent": runs commands, takes and gives files,
powers the guest off. Started by init in the guest; without --port the port is found in
/sys/class/virtio-ports.

example:
  guest-agent --port /dev/vport1p1
)";

// Without udev nobody makes /dev/virtio-ports/NAME; sysfs knows the names.
std::string find_port() {
    const std::string directory = "/sys/class/virtio-ports";
    const std::unique_ptr<DIR, int (*)(DIR*)> ports(opendir(directory.c_str()), closedir);
    while (const dirent* entry = ports ? readdir(ports.get()) : nullptr) {
        const std::string device = entry->d_name;
        std::string name;
        std::string path = directory;
        path.append("/").append(device).append("/name");
        std::ifstream file(path);
        if (std::getline(file, name) && name == kPortName) return "/dev/" + device;
    }
    return {};
}

Descriptor open_port(const std::string& path) {
    using std::chrono_literals::operator""ms;
    // The device may appear after us: its driver can be a module or still be probing.
    for (int attempt = 0; attempt < 1000; ++attempt) {
        const std::string found = path.empty() ? find_port() : path;
        if (!found.empty()) {
            Descriptor port(open(found.c_str(), O_RDWR | O_CLOEXEC));
            if (port.open()) return port;
            if (errno != ENOENT && errno != EBUSY) {
                std::fprintf(stderr, "guest-agent: %s: %s\n", found.c_str(), std::strerror(errno));
                return Descriptor();
            }
        }
        std::this_thread::sleep_for(10ms);
    }
    std::fprintf(stderr,
                 "guest-agent: no virtio-serial port named %s; is the kernel built with "
                 "CONFIG_VIRTIO_CONSOLE?\n",
                 kPortName);
    return Descriptor();
}

}  // namespace

int main(int argc, char** argv) {
    std::string path;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--help") {
            std::fputs(kUsage, stdout);
            return 0;
        }
        if (word != "--port" || ++i == argc) {
            std::fprintf(stderr, "%s", kUsage);
            return 2;
        }
        path = argv[i];
    }
    signal(SIGPIPE, SIG_IGN);
    Descriptor port = open_port(path);
    if (!port.open()) return 1;
    try {
        if (Agent(std::move(port), Agent::HangUp::kPasses).run() == Agent::End::kPowerOff) {
            sync();
            reboot(RB_POWER_OFF);
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "guest-agent: %s\n", error.what());
        return 1;
    }
    return 0;
}
