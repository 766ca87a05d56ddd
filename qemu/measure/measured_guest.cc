// SPDX-License-Identifier: GPL-2.0
#include "measured_guest.h"

#include <fmt/format.h>

#include "failure.h"

namespace fwts::measure {

namespace fs = std::filesystem;
using sandbox::SetupError;
using std::chrono_literals::operator""s;

namespace {

// Nothing may send by itself; the link must be up before anything is measured.
constexpr const char* kSetUp = R"sh(
set -e
for each in all default; do echo 1 >/proc/sys/net/ipv6/conf/$each/disable_ipv6; done
{}
ip addr add 192.0.2.2/24 dev eth0
ethtool -G eth0 tx 4096 || true
ip link set eth0 up
until [ "$(cat /sys/class/net/eth0/carrier)" = 1 ]; do sleep 0.05; done
modprobe pktgen
insmod /modules/metronome.ko
)sh";

fs::path built(const fs::path& path, const char* how) {
    if (!fs::exists(path))
        throw SetupError(fmt::format("{} is missing; build it with: {}", path.string(), how));
    return path;
}

sandbox::Options options_for(const Places& places, const std::string& driver) {
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
    if (driver != "igb")
        options.files.push_back({stage_module(places, driver), "/modules/igbook.ko"});
    options.qemu = {"-device", "pcie-root-port,id=nic-port,chassis=1,slot=1",
                    "-netdev", "hubport,id=cable,hubid=0",
                    "-device", "igb,id=nic,bus=nic-port,netdev=cable,romfile=,mac=" + options.mac,
                    "-netdev", "hubport,id=far-end,hubid=0",
                    "-device", "e1000,netdev=far-end,romfile="};
    return options;
}

std::string words_for(const Work& work) {
    if (work.kind == Work::Kind::kFlood)
        return fmt::format("meter flood eth0 {} {} {}", work.windows, work.burst, work.window);
    const std::string how =
        fmt::format("eth0 {} {} {} {}", work.windows, work.period, work.burst, work.moments);
    switch (work.kind) {
        case Work::Kind::kTransmit:
            return "meter transmit " + how;
        case Work::Kind::kReceive:
            return "meter receive " + how + " raw";
        default:
            return "meter receive " + how + " udp";
    }
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
                             const std::string& options)
    : guest_(sandbox::Guest::boot(options_for(places, driver))) {
    const std::string load = driver == "igb" ? "modprobe igb " + options
                                             : "modprobe dca; insmod /modules/igbook.ko " + options;
    guest_.must(fmt::format(kSetUp, load), {.limit = 120s});
}

void MeasuredGuest::prepare(const std::string& line) {
    guest_.must(line);
}

Reading MeasuredGuest::measure(const Work& work) {
    return parse_reading(guest_.must(words_for(work), {.limit = 600s}));
}

std::string MeasuredGuest::release() {
    std::string release = guest_.must("uname -r");
    release.erase(release.find_last_not_of('\n') + 1);
    return release;
}

}  // namespace fwts::measure
