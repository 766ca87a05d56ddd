// SPDX-License-Identifier: GPL-2.0
#include "interface.h"

#include <fmt/format.h>

#include <sstream>

#include "expect.h"

namespace fwts::grader {
namespace {

using namespace sandbox::registers;

// Autonegotiation takes half a second, the watchdog looks twice a second.
constexpr Testbed::Seconds link_patience{4};

const std::string driver_files = "/sys/bus/pci/drivers/igbook/";

std::string device_files(const Testbed& testbed) {
    return "/sys/bus/pci/devices/" + testbed.pci_address() + "/";
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

std::string interface(Testbed& testbed) {
    std::istringstream devices(testbed.text("/proc/net/dev"));
    for (std::string line; std::getline(devices, line);) {
        const auto colon = line.find(':');
        if (colon == std::string::npos) continue;
        const auto name = line.substr(line.find_first_not_of(' '));
        auto eth = name.substr(0, name.find(':'));
        const auto device = testbed.text("/sys/class/net/" + eth + "/device/uevent");
        if (device.find(testbed.pci_address()) != std::string::npos) return eth;
    }
    fail("network interface of the card " + testbed.pci_address(), "one", "none");
}

void load(Testbed& testbed, const std::vector<std::string>& parameters) {
    std::vector<std::string> argv = {"insmod", Testbed::guest_module};
    argv.insert(argv.end(), parameters.begin(), parameters.end());
    testbed.must_run(argv);
}

void expect_carrier(Testbed& testbed, const std::string& eth, bool on) {
    const std::string file = "/sys/class/net/" + eth + "/carrier";
    const std::string wanted = on ? "1" : "0";
    testbed.wait_until(
        fmt::format("carrier of {} with the cable {}", eth, on ? "in" : "out"), wanted,
        [&] { return testbed.text(file) == wanted; }, [&] { return testbed.text(file); },
        link_patience);
}

void set_link(Testbed& testbed, const std::string& eth, bool up) {
    testbed.must_run({"ip", "link", "set", "dev", eth, up ? "up" : "down"});
    if (up) expect_carrier(testbed, eth, true);
}

void set_mtu(Testbed& testbed, const std::string& eth, unsigned mtu) {
    const std::string file = "/sys/class/net/" + eth + "/mtu";
    testbed.put(file, std::to_string(mtu));
    expect_equal(file, std::to_string(mtu), testbed.text(file));
}

std::uint64_t counter(const std::string& statistics, const std::string& name) {
    const auto at = statistics.find(" " + name + ": ");
    if (at == std::string::npos) fail("ethtool -S", "a counter " + name, "none");
    return std::stoull(statistics.substr(at + name.size() + 3));
}

std::uint64_t counter(Testbed& testbed, const std::string& eth, const std::string& name) {
    return counter(testbed.must_run({"ethtool", "-S", eth}), name);
}

std::string refusal(Testbed& testbed, const std::string& file, const std::string& content) {
    try {
        testbed.put(file, content);
        return {};
    } catch (const Failure& failure) {
        const auto& said = failure.verdict().seen;
        return said.substr(said.rfind(": ") == std::string::npos ? 0 : said.rfind(": ") + 2);
    }
}

std::string bind(Testbed& testbed) {
    return refusal(testbed, driver_files + "bind", testbed.pci_address());
}

void unbind(Testbed& testbed) {
    testbed.put(driver_files + "unbind", testbed.pci_address());
}

bool bound(Testbed& testbed) {
    return testbed.text(device_files(testbed) + "uevent").find("DRIVER=igbook") !=
           std::string::npos;
}

std::string still_taken(Testbed& testbed) {
    std::string taken = ranges_inside(testbed.text("/proc/iomem"), testbed.pci_address());
    // "0x00000000fe800000 0x00000000fe81ffff 0x0000000000040200", BAR 0 first
    const auto resources = testbed.text(device_files(testbed) + "resource");
    std::istringstream mapped(lines_with("phys=" + resources.substr(0, resources.find(' ')),
                                         testbed.text("/proc/vmallocinfo")));
    for (std::string line; std::getline(mapped, line);)
        if (line.find("watch_map") == std::string::npos) taken += line + "\n";
    const auto enabled = testbed.text(device_files(testbed) + "enable");
    if (enabled != "0") taken += fmt::format("enable count {}\n", enabled);
    return taken;
}

void expect_released(Testbed& testbed, const std::string& when) {
    // The record, since a card that sleeps cannot be asked.
    const auto writes = testbed.writes();
    bool set = true;
    for (const auto& write : writes) {
        if (write.offset == CTRL_EXT) set = (write.value & CTRL_EXT_DRV_LOAD) != 0;
        if (write.offset == CTRL && (write.value & CTRL_RST) != 0) set = false;
    }
    expect_that(!set, "CTRL_EXT " + when + ", as QEMU recorded the writes", "DRV_LOAD clear",
                "DRV_LOAD set");
}

void outwait_watchdog(Testbed& testbed) {
    testbed.must_run({"sleep", "0.7"});
}

void expect_no_write(Testbed& testbed, std::size_t mark, const std::string& when) {
    expect_equal("registers written " + when + ", as QEMU recorded them", 0U,
                 testbed.writes().size() - mark);
}

void expect_nothing_lost(Testbed& testbed, const std::string& after) {
    const auto report = testbed.lost_memory();
    expect_that(report.empty(), "memory nobody refers to (kmemleak) after " + after, "none",
                report.substr(0, report.find("\nunreferenced", 1)));
}

void bring_up(Testbed& testbed) {
    const auto eth = interface(testbed);
    // Of an interface that is down it cannot be read.
    if (testbed.text("/sys/class/net/" + eth + "/carrier").empty())
        testbed.must_run({"ip", "link", "set", "dev", eth, "up"});
    expect_carrier(testbed, eth, true);
}

}  // namespace fwts::grader
