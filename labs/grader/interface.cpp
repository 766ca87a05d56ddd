// SPDX-License-Identifier: GPL-2.0
#include "interface.h"

#include <fmt/format.h>

#include <sstream>

#include "expect.h"

namespace fwts::grader {
namespace {

constexpr Bench::Seconds link_patience{30};  // autonegotiation takes half a second of an idle host

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

void bring_up(Bench& bench) {
    const auto eth = interface(bench);
    // Of an interface that is down it cannot be read.
    if (bench.text("/sys/class/net/" + eth + "/carrier").empty())
        bench.must_run({"ip", "link", "set", "dev", eth, "up"});
    expect_carrier(bench, eth, true);
}

}  // namespace fwts::grader
