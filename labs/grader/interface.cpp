// SPDX-License-Identifier: GPL-2.0
#include "interface.h"

#include <fmt/format.h>

#include <sstream>

#include "expect.h"

namespace fwts::grader {
namespace {

// Autonegotiation takes half a second, the watchdog looks twice a second.
constexpr Bench::Seconds link_patience{4};

constexpr std::uint32_t CTRL_EXT = 0x00018;
constexpr std::uint32_t CTRL_EXT_DRV_LOAD = 1U << 28U;

}  // namespace

std::string interface(Bench& bench) {
    std::istringstream devices(bench.text("/proc/net/dev"));
    for (std::string line; std::getline(devices, line);) {
        const auto colon = line.find(':');
        if (colon == std::string::npos) continue;
        const auto name = line.substr(line.find_first_not_of(' '));
        auto eth = name.substr(0, name.find(':'));
        const auto device = bench.text("/sys/class/net/" + eth + "/device/uevent");
        if (device.find(bench.pci_address()) != std::string::npos) return eth;
    }
    fail("network interface of the card " + bench.pci_address(), "one", "none");
}

void load(Bench& bench, const std::vector<std::string>& parameters) {
    std::vector<std::string> argv = {"insmod", Bench::guest_module};
    argv.insert(argv.end(), parameters.begin(), parameters.end());
    bench.must_run(argv);
}

void expect_carrier(Bench& bench, const std::string& eth, bool on) {
    const std::string file = "/sys/class/net/" + eth + "/carrier";
    const std::string wanted = on ? "1" : "0";
    bench.wait_until(
        fmt::format("carrier of {} with the cable {}", eth, on ? "in" : "out"), wanted,
        [&] { return bench.text(file) == wanted; }, [&] { return bench.text(file); },
        link_patience);
}

void expect_released(Bench& bench) {
    expect_equal("DRV_LOAD in CTRL_EXT after rmmod, read from outside the guest", 0U,
                 bench.reg(CTRL_EXT) & CTRL_EXT_DRV_LOAD);
}

void outwait_watchdog(Bench& bench) {
    bench.must_run({"sleep", "0.7"});
}

void expect_no_write(Bench& bench, std::size_t mark, const std::string& when) {
    expect_equal("registers written " + when + ", as QEMU recorded them", 0U,
                 bench.writes().size() - mark);
}

void expect_nothing_lost(Bench& bench, const std::string& after) {
    const auto report = bench.lost_memory();
    expect_that(report.empty(), "memory nobody refers to (kmemleak) after " + after, "none",
                report.substr(0, report.find("\nunreferenced", 1)));
}

void bring_up(Bench& bench) {
    const auto eth = interface(bench);
    // Of an interface that is down it cannot be read.
    if (bench.text("/sys/class/net/" + eth + "/carrier").empty())
        bench.must_run({"ip", "link", "set", "dev", eth, "up"});
    expect_carrier(bench, eth, true);
}

}  // namespace fwts::grader
