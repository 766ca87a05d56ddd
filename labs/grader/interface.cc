// SPDX-License-Identifier: GPL-2.0
#include "interface.h"

#include <fmt/format.h>

#include <sstream>

#include "expect.h"

namespace fwts::grader {
namespace {

using namespace sandbox::registers;

// Autonegotiation takes half a second, the watchdog looks twice a second.
constexpr Bench::Seconds link_patience{4};

const std::string driver_files = "/sys/bus/pci/drivers/igbook/";

std::string device_files(const Bench& bench) {
    return "/sys/bus/pci/devices/" + bench.pci_address() + "/";
}

/// The lines of a text that contain a word.
std::string lines_with(const std::string& word, const std::string& text) {
    std::istringstream in(text);
    std::string found;
    for (std::string line; std::getline(in, line);)
        if (line.find(word) != std::string::npos) found += line + "\n";
    return found;
}

/// The lines of /proc/iomem that stand further in than the card's own before them.
std::string ranges_inside(const std::string& iomem, const std::string& card) {
    std::istringstream in(iomem);
    std::string found;
    auto own = std::string::npos;
    for (std::string line; std::getline(in, line);) {
        const auto indent = line.find_first_not_of(' ');
        if (line.ends_with(" : " + card))
            own = indent;
        else if (own != std::string::npos && indent > own)
            found += line.substr(indent) + "\n";
        else
            own = std::string::npos;
    }
    return found;
}

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

std::string refusal(Bench& bench, const std::string& file, const std::string& content) {
    try {
        bench.put(file, content);
        return {};
    } catch (const Failure& failure) {
        const auto& said = failure.verdict().seen;
        return said.substr(said.rfind(": ") == std::string::npos ? 0 : said.rfind(": ") + 2);
    }
}

std::string bind(Bench& bench) {
    return refusal(bench, driver_files + "bind", bench.pci_address());
}

void unbind(Bench& bench) {
    bench.put(driver_files + "unbind", bench.pci_address());
}

bool bound(Bench& bench) {
    return bench.text(device_files(bench) + "uevent").find("DRIVER=igbook") != std::string::npos;
}

std::string still_taken(Bench& bench) {
    std::string taken = ranges_inside(bench.text("/proc/iomem"), bench.pci_address());
    // "0x00000000fe800000 0x00000000fe81ffff 0x0000000000040200", BAR 0 first
    const auto resources = bench.text(device_files(bench) + "resource");
    std::istringstream mapped(lines_with("phys=" + resources.substr(0, resources.find(' ')),
                                         bench.text("/proc/vmallocinfo")));
    for (std::string line; std::getline(mapped, line);)
        if (line.find("watch_map") == std::string::npos) taken += line + "\n";
    const auto enabled = bench.text(device_files(bench) + "enable");
    if (enabled != "0") taken += fmt::format("enable count {}\n", enabled);
    return taken;
}

void expect_released(Bench& bench, const std::string& when) {
    // The record, since a card that sleeps cannot be asked.
    const auto writes = bench.writes();
    bool set = true;
    for (const auto& write : writes) {
        if (write.offset == CTRL_EXT) set = (write.value & CTRL_EXT_DRV_LOAD) != 0;
        if (write.offset == CTRL && (write.value & CTRL_RST) != 0) set = false;
    }
    expect_that(!set, "CTRL_EXT " + when + ", as QEMU recorded the writes", "DRV_LOAD clear",
                "DRV_LOAD set");
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
