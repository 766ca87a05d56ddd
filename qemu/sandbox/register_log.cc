// SPDX-License-Identifier: GPL-2.0
#include "register_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "failure.h"

namespace fwts::sandbox {

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
        throw SetupError(fmt::format("no register \"{}\" in the table of registers.h", name));
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
