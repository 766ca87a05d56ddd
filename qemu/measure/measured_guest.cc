// SPDX-License-Identifier: GPL-2.0
#include "measured_guest.h"

#include <fmt/format.h>

#include "failure.h"

namespace fwts::measure {

namespace fs = std::filesystem;
using sandbox::SetupError;
using std::chrono_literals::operator""s;

namespace {

constexpr const char* kWords = R"sh(
dev={}
await_link() {{ until [ "$(cat /sys/class/net/$dev/carrier)" = 1 ]; do sleep 0.05; done; }}
)sh";

// Nothing may send by itself; the link must be up before anything is measured. The peer of TCP
// connections is nobody who could answer.
constexpr const char* kSetUp = R"sh(
set -e
insmod /modules/metronome.ko
for each in all default; do echo 1 >/proc/sys/net/ipv6/conf/$each/disable_ipv6; done
{}
ip addr add 192.0.2.2/24 dev $dev
ethtool -G $dev tx 4096 || true
ip link set $dev up
await_link
ip neigh replace 192.0.2.1 lladdr 02:00:00:00:00:01 dev $dev nud permanent
ip route replace 192.0.2.0/24 dev $dev src 192.0.2.2 initcwnd 64
modprobe pktgen
)sh";

fs::path built(const fs::path& path, const char* how) {
    if (!fs::exists(path))
        throw SetupError(fmt::format("{} is missing; build it with: {}", path.string(), how));
    return path;
}

sandbox::Options options_for(const Places& places, const std::string& driver,
                             const std::vector<std::string>& more) {
    const fs::path build = places.checkout / "build";
    sandbox::Options options;
    options.kernel = places.kernel;
    options.accelerator = "tcg";
    options.icount = true;
    // The kernel finds that it cannot use this timer, after half a second of reading the clock in a
    // loop, which with icount takes twenty seconds of ours. Told so, it asks the same other timer.
    options.append = "nolapic_timer";
    options.nic = false;
    options.boot_limit = 300s;
    options.files = {
        {built(build / "bin/meter", "make measure"), "/bin/meter"},
        {built(build / "modules" / places.kernel / "metronome/metronome.ko", "make measure"),
         "/modules/metronome.ko"}};
    if (driver != "igb" && driver != kFloor)
        options.files.push_back({stage_module(places, driver), "/modules/igbook.ko"});
    options.qemu = {"-device", "pcie-root-port,id=nic-port,chassis=1,slot=1",
                    "-netdev", "hubport,id=cable,hubid=0",
                    "-device", "igb,id=nic,bus=nic-port,netdev=cable,romfile=,mac=" + options.mac,
                    "-netdev", "hubport,id=far-end,hubid=0",
                    "-device", "e1000,netdev=far-end,romfile="};
    options.qemu.insert(options.qemu.end(), more.begin(), more.end());
    return options;
}

std::string words_for(const std::string& device, const Work& work) {
    if (work.kind == Work::Kind::kFlood) {
        return fmt::format("meter flood {} {} {} {}", device, work.windows, work.burst,
                           work.window);
    }
    const std::string how =
        fmt::format("{} {} {} {} {}", device, work.windows, work.period, work.burst, work.moments);
    switch (work.kind) {
        case Work::Kind::kTransmit:
            return fmt::format("meter transmit {} {}", how, work.length);
        case Work::Kind::kWrite:
            return "meter write " + how;
        case Work::Kind::kReceive:
            return fmt::format("meter receive {} raw {}", how, work.length);
        case Work::Kind::kReceiveRefused:
            return "meter receive " + how + " refused";
        case Work::Kind::kReceiveTcp:
            return "meter receive " + how + " tcp";
        default:
            return "meter receive " + how + " udp";
    }
}

std::string load_line(const std::string& driver, const std::string& options) {
    // A card's link takes so long to come up, in which the kernel does what booting left undone. It
    // is the guest's time, which passes at once.
    if (driver == kFloor) return "sleep 3";
    return driver == "igb" ? "modprobe igb " + options
                           : "modprobe dca; insmod /modules/igbook.ko " + options;
}

}  // namespace

fs::path stage_module(const Places& places, const std::string& stage) {
    const fs::path modules = places.checkout / "build/modules" / places.kernel;
    if (fs::is_directory(modules)) {
        for (const auto& entry : fs::directory_iterator(modules)) {
            fs::path module = entry.path() / "igbook.ko";
            if (entry.path().filename().string().starts_with(stage + "-") && fs::exists(module))
                return module;
        }
    }
    throw SetupError(
        fmt::format("no igbook.ko of stage {} in {}; build it with: "
                    "code/driver/build-stage --kernel {} {}",
                    stage, modules.string(), places.kernel, stage));
}

MeasuredGuest::MeasuredGuest(const Places& places, const std::string& driver,
                             const std::string& options, const std::vector<std::string>& qemu)
    : device_(driver == kFloor ? "floor0" : "eth0"),
      guest_(sandbox::Guest::boot(options_for(places, driver, qemu))) {
    guest_.must(fmt::format(kWords, device_) + fmt::format(kSetUp, load_line(driver, options)),
                {.limit = 120s});
}

void MeasuredGuest::prepare(const std::string& line) {
    if (!line.empty()) guest_.must(fmt::format(kWords, device_) + line);
}

Reading MeasuredGuest::measure(const Work& work) {
    return parse_reading(guest_.must(words_for(device_, work), {.limit = 600s}));
}

std::string MeasuredGuest::release() {
    std::string release = guest_.must("uname -r");
    release.erase(release.find_last_not_of('\n') + 1);
    return release;
}

}  // namespace fwts::measure
