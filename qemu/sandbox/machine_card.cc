// SPDX-License-Identifier: GPL-2.0
// A machine's card from outside: its configuration space and its registers.
#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <cstdio>

#include "machine.h"

namespace fwts::sandbox {

namespace {

// PCI's configuration ports: the register's address goes into the first, its value is in the other.
constexpr unsigned kConfigAddress = 0xcf8;
constexpr unsigned kConfigData = 0xcfc;
constexpr std::uint32_t kPort = 0x80000000 | kPortSlot << 11;
constexpr std::uint32_t kCard = 0x80010000;  // 01:00.0, behind the only root port
constexpr std::uint32_t kCommand = 0x04;
constexpr std::uint32_t kMemoryDecoding = 0x0002;

}  // namespace

// Leaves the card as the firmware leaves one that is there when the machine starts: a kernel that
// finds it later does neither. Before the guest looks.
void Guest::Machine::initialise_card() {
    constexpr std::uint32_t kInterruptLine = 0x3c;
    constexpr std::uint32_t kDecoding = 0x0103;  // I/O, memory; SERR# enable
    const std::uint32_t before = port_read("xw", kConfigAddress);
    // The card is its bus's device 0, whose INTA# is the port's own. The status beside the command
    // clears where ones are written.
    const std::uint32_t line = config(kPort, kInterruptLine) & 0xff;
    set_config(kCard, kInterruptLine, (config(kCard, kInterruptLine) & ~0xffU) | line);
    set_config(kCard, kCommand, kDecoding);
    // The guest may stand between its two accesses.
    qmp->human(fmt::format("o /w {:#x} {:#x}", kConfigAddress, before));
}

std::uint32_t Guest::Machine::read_register(std::uint32_t offset) {
    const auto registers = bar(0);
    return registers ? examine(*registers + offset) : read_awake(offset);
}

// A card that sleeps (D3hot), or that was told not to decode memory, shows its registers to nobody.
// It is woken for the moment of a look, during which the guest stands.
std::uint32_t Guest::Machine::read_awake(std::uint32_t offset) {
    constexpr std::uint32_t kState = 0x3;
    const bool stood = monitor.is_stopped();
    if (!stood) qmp->stop();
    const std::uint32_t address = port_read("xw", kConfigAddress);
    const auto power = power_control();
    const std::uint32_t state = power ? config(kCard, *power) & 0xffff : 0;
    const std::uint32_t command = config(kCard, kCommand) & 0xffff;
    if (power) set_config(kCard, *power, state & ~kState);
    set_config(kCard, kCommand, command | kMemoryDecoding);
    const auto registers = bar(0);
    const std::uint32_t value = registers ? examine(*registers + offset) : 0;
    set_config(kCard, kCommand, command);
    if (power) set_config(kCard, *power, state);
    qmp->human(fmt::format("o /w {:#x} {:#x}", kConfigAddress, address));
    if (!stood) qmp->resume();
    if (!registers) {
        throw GuestError(
            "the card's BAR 0 is not mapped, so its registers cannot be read: is there a card?");
    }
    return value;
}

// @return where the card's power is controlled (PMCSR), if it can be.
std::optional<std::uint32_t> Guest::Machine::power_control() {
    constexpr std::uint32_t kFirstCapability = 0x34;
    constexpr std::uint32_t kPowerManagement = 0x01;
    std::uint32_t at = config(kCard, kFirstCapability) & 0xfc;
    for (int seen = 0; at != 0 && seen < 48; ++seen) {
        const std::uint32_t capability = config(kCard, at);
        if ((capability & 0xff) == kPowerManagement) return at + 4;
        at = capability >> 8 & 0xfc;
    }
    return std::nullopt;
}

unsigned Guest::Machine::message_processor(unsigned vector) {
    constexpr unsigned kTable = 3;  // the BAR of the 82576's MSI-X table, which begins it
    constexpr unsigned kEntry = 16;
    constexpr std::uint32_t kLogical = 1U << 2U;  // the destination is a bit for each processor
    const auto table = bar(kTable);
    if (!table) throw GuestError("the card's MSI-X table is not mapped: is there a card?");
    const auto address = examine(*table + std::uint64_t{kEntry} * vector);
    const auto destination = address >> 12U & 0xffU;
    return (address & kLogical) != 0 ? static_cast<unsigned>(std::countr_zero(destination))
                                     : destination;
}

// Where the kernel has put it: looked up each time, a driver under test may not have enabled it.
std::optional<std::uint64_t> Guest::Machine::bar(unsigned number) {
    const auto find = [number](const auto& self, const nlohmann::json& devices) -> std::uint64_t {
        for (const auto& device : devices) {
            if (device.value("qdev_id", "") == "nic") {
                for (const auto& region : device["regions"])
                    if (region["bar"] == number)
                        return region["address"].template get<std::uint64_t>();
            }
            if (device.contains("pci_bridge") && device["pci_bridge"].contains("devices")) {
                if (const auto found = self(self, device["pci_bridge"]["devices"]); found != 0)
                    return found;
            }
        }
        return 0;
    };
    for (const auto& bus : qmp->command("query-pci")) {
        const auto found = find(find, bus["devices"]);
        if (found != 0 && found != ~std::uint64_t{0}) return found;
    }
    return std::nullopt;
}

std::uint32_t Guest::Machine::examine(std::uint64_t address) {
    const std::string text = qmp->human(fmt::format("xp /1wx {:#x}", address));
    unsigned value = 0;
    const std::size_t at = text.find(": 0x");
    if (at == std::string::npos || std::sscanf(text.c_str() + at, ": 0x%x", &value) != 1)
        throw QmpError("xp: " + text);
    return value;
}

std::uint32_t Guest::Machine::port_read(const char* format, unsigned port) {
    const std::string text = qmp->human(fmt::format("i /{} {:#x}", format, port));
    unsigned value = 0;
    const std::size_t at = text.find("= 0x");
    if (at == std::string::npos || std::sscanf(text.c_str() + at, "= 0x%x", &value) != 1)
        throw QmpError("i: " + text);
    return value;
}

std::uint32_t Guest::Machine::config(std::uint32_t card, std::uint32_t offset) {
    qmp->human(fmt::format("o /w {:#x} {:#x}", kConfigAddress, card + offset));
    return port_read("xw", kConfigData);
}

void Guest::Machine::set_config(std::uint32_t card, std::uint32_t offset, std::uint32_t value) {
    qmp->human(fmt::format("o /w {:#x} {:#x}", kConfigAddress, card + offset));
    qmp->human(fmt::format("o /w {:#x} {:#x}", kConfigData, value));
}

}  // namespace fwts::sandbox
