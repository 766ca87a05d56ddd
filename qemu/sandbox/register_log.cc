// SPDX-License-Identifier: GPL-2.0
#include "register_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "failure.h"

namespace fwts::sandbox {

namespace {

// A register, or `count` of them, `stride` bytes apart. Names and places from the register tables
// of the Intel 82576 datasheet.
struct Entry {
    std::string_view name;
    std::uint32_t offset;
    std::uint32_t count = 1;
    std::uint32_t stride = 0;
};

constexpr Entry kRegisters[] = {
    {"CTRL", 0x0000},
    {"STATUS", 0x0008},
    {"EECD", 0x0010},
    {"EERD", 0x0014},
    {"CTRL_EXT", 0x0018},
    {"MDIC", 0x0020},
    {"FCAL", 0x0028},
    {"FCAH", 0x002c},
    {"FCT", 0x0030},
    {"VET", 0x0038},
    {"RCTL", 0x0100},
    {"FCTTV", 0x0170},
    {"TCTL", 0x0400},
    {"TCTL_EXT", 0x0404},
    {"LEDCTL", 0x0e00},
    {"EEMNGCTL", 0x1010},
    {"GPIE", 0x1514},
    {"EICR", 0x1580},
    {"EICS", 0x1520},
    {"EIMS", 0x1524},
    {"EIMC", 0x1528},
    {"EIAC", 0x152c},
    {"EIAM", 0x1530},
    {"ICR", 0x1500},
    {"ICS", 0x1504},
    {"IMS", 0x1508},
    {"IMC", 0x150c},
    {"IAM", 0x1510},
    {"EITR", 0x1680, 25, 4},
    {"IVAR", 0x1700, 8, 4},
    {"IVAR_MISC", 0x1740},
    {"RXPBS", 0x2404},
    {"PSRTYPE", 0x5480, 8, 4},
    {"RXCSUM", 0x5000},
    {"RLPML", 0x5004},
    {"RFCTL", 0x5008},
    {"MTA", 0x5200, 128, 4},
    {"RAL", 0x5400, 16, 8},
    {"RAH", 0x5404, 16, 8},
    {"VFTA", 0x5600, 128, 4},
    {"MRQC", 0x5818},
    {"WUC", 0x5800},
    {"WUFC", 0x5808},
    {"MANC", 0x5820},
    {"RETA", 0x5c00, 32, 4},
    {"RSSRK", 0x5c80, 10, 4},
    {"RDBAL", 0xc000, 16, 0x40},
    {"RDBAH", 0xc004, 16, 0x40},
    {"RDLEN", 0xc008, 16, 0x40},
    {"SRRCTL", 0xc00c, 16, 0x40},
    {"RDH", 0xc010, 16, 0x40},
    {"DCA_RXCTRL", 0xc014, 16, 0x40},
    {"RDT", 0xc018, 16, 0x40},
    {"RXDCTL", 0xc028, 16, 0x40},
    {"RQDPC", 0xc030, 16, 0x40},
    {"TDBAL", 0xe000, 16, 0x40},
    {"TDBAH", 0xe004, 16, 0x40},
    {"TDLEN", 0xe008, 16, 0x40},
    {"TDH", 0xe010, 16, 0x40},
    {"DCA_TXCTRL", 0xe014, 16, 0x40},
    {"TDT", 0xe018, 16, 0x40},
    {"TXDCTL", 0xe028, 16, 0x40},
    {"TDWBAL", 0xe038, 16, 0x40},
    {"TDWBAH", 0xe03c, 16, 0x40},
    {"TIPG", 0x0410},
    {"DTXCTL", 0x3590},
    {"DCA_ID", 0x5b70},
    {"DCA_CTRL", 0x5b74},
    {"FACTPS", 0x5b30},
    {"SWSM", 0x5b50},
    {"FWSM", 0x5b54},
    {"SW_FW_SYNC", 0x5b5c},
    {"MPC", 0x4010},
    {"GPRC", 0x4074},
    {"GPTC", 0x4080},
    {"TSYNCTXCTL", 0xb614},
    {"TSYNCRXCTL", 0xb620},
    {"SYSTIML", 0xb600},
    {"SYSTIMH", 0xb604},
    {"TIMINCA", 0xb608},
    {"TSAUXC", 0xb640},
    {"ETQF", 0x5cb0, 8, 4},
    {"VMOLR", 0x5ad0, 8, 4},
    {"VT_CTL", 0x581c},
    {"QDE", 0x2408},
    {"PBACL", 0x5b68},
    {"RTTDQSEL", 0x3604},
    {"PCIEMISC", 0x5bb8},
};

}  // namespace

std::string register_name(std::uint32_t offset) {
    for (const Entry& entry : kRegisters) {
        if (offset < entry.offset) continue;
        const std::uint32_t distance = offset - entry.offset;
        if (entry.count == 1 && distance == 0) return std::string(entry.name);
        if (entry.count > 1 && distance % entry.stride == 0 &&
            distance / entry.stride < entry.count) {
            return fmt::format("{}({})", entry.name, distance / entry.stride);
        }
    }
    return fmt::format("{:#x}", offset);
}

std::optional<std::uint32_t> register_offset(std::string_view name) {
    std::uint32_t index = 0;
    const std::size_t bracket = name.find('(');
    if (bracket != std::string_view::npos) {
        const auto digits = std::string(name.substr(bracket + 1));
        if (std::sscanf(digits.c_str(), "%u)", &index) != 1) return std::nullopt;
        name = name.substr(0, bracket);
    }
    const auto* entry = std::find_if(std::begin(kRegisters), std::end(kRegisters),
                                     [name](const Entry& each) { return each.name == name; });
    if (entry == std::end(kRegisters) || index >= entry->count) return std::nullopt;
    return entry->offset + index * entry->stride;
}

RegisterLog::RegisterLog(std::string_view trace) {
    // "e1000e_core_write Write to register 0x38, 4 byte(s), value: 0x8100", perhaps behind a time.
    constexpr std::array<std::string_view, 2> kBeginnings = {"e1000e_core_write ",
                                                             "e1000e_wrn_regs_write_"};
    while (!trace.empty()) {
        const std::size_t end = std::min(trace.find('\n'), trace.size());
        const std::string line(trace.substr(0, end));
        trace.remove_prefix(std::min(end + 1, trace.size()));
        const bool done = line.find(kBeginnings[0]) != std::string::npos;
        if (!done && line.find(kBeginnings[1]) == std::string::npos) continue;
        const std::size_t at = line.find("0x");
        RegisterWrite write;
        unsigned long long offset = 0;
        unsigned long long value = 0;
        if (at == std::string::npos ||
            std::sscanf(line.c_str() + at, "%llx, %u byte(s), value: %llx", &offset, &write.size,
                        &value) != 3) {
            continue;
        }
        write.order = writes_.size();
        write.offset = static_cast<std::uint32_t>(offset);
        write.value = value;
        write.implemented = done;
        writes_.push_back(write);
    }
}

std::vector<RegisterWrite> RegisterLog::writes(std::uint32_t offset) const {
    std::vector<RegisterWrite> found;
    std::copy_if(writes_.begin(), writes_.end(), std::back_inserter(found),
                 [offset](const RegisterWrite& write) { return write.offset == offset; });
    return found;
}

std::vector<RegisterWrite> RegisterLog::writes(std::string_view name) const {
    const auto offset = register_offset(name);
    if (!offset)
        throw SetupError(fmt::format("no register \"{}\" in the table of register_log.cc", name));
    return writes(*offset);
}

std::optional<std::uint64_t> RegisterLog::last(std::string_view name) const {
    const auto found = writes(name);
    return found.empty() ? std::nullopt : std::optional(found.back().value);
}

RegisterLog RegisterLog::since(std::size_t order) const {
    RegisterLog later;
    std::copy_if(writes_.begin(), writes_.end(), std::back_inserter(later.writes_),
                 [order](const RegisterWrite& write) { return write.order >= order; });
    return later;
}

std::string RegisterLog::to_jsonl() const {
    std::string text;
    for (const RegisterWrite& write : writes_) {
        const nlohmann::ordered_json line = {
            {"order", write.order}, {"offset", write.offset}, {"name", register_name(write.offset)},
            {"size", write.size},   {"value", write.value},   {"implemented", write.implemented}};
        text += line.dump() + "\n";
    }
    return text;
}

}  // namespace fwts::sandbox
