// SPDX-License-Identifier: GPL-2.0
#include "registers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace fwts::sandbox {

std::string register_name(std::uint32_t offset) {
    for (const Register& entry : kRegisters) {
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
                                     [name](const Register& each) { return each.name == name; });
    if (entry == std::end(kRegisters) || index >= entry->count) return std::nullopt;
    return entry->offset + index * entry->stride;
}

}  // namespace fwts::sandbox
