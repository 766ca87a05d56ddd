// SPDX-License-Identifier: GPL-2.0
#include "watchmen.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>

#include "content.h"
#include "guest.h"

namespace fwts::grader {
namespace {

/// A variable that says whether and how the kernel watches.
struct Variable {
    const char* name;
    /// It changes with a complaint, or after one, that has this word; empty: with any.
    std::optional<std::string_view> stopped_by = {};
};

constexpr std::array variables{
    Variable{"debug_locks", ""},  // lockdep: after its own complaints, and with some others
    Variable{"debug_locks_silent"},
    Variable{"kasan_flags", "KASAN"},  // one report, then no more
    Variable{"kasan_arg_fault"},
    Variable{"kmemleak_enabled", "kmemleak"},
    Variable{"kmemleak_free_enabled", "kmemleak"},
    Variable{"kmemleak_error", "kmemleak"},
    Variable{"global_disable", "DMA-API"},
    Variable{"dma_debug_initialized"},
    Variable{"show_num_errors", "DMA-API"},  // so many more does it print
    Variable{"current_driver_name"},         // whom it looks at
    Variable{"debug_objects_enabled", "ODEBUG"},
    Variable{"system_state"},      // sleeping is an error while it is "running" ...
    Variable{"oops_in_progress"},  // ... and this is not set
    Variable{"rcu_cpu_stall_suppress"},
    Variable{"panic_on_oops"},
    Variable{"suppress_printk"},
    Variable{"ignore_loglevel"},
};

constexpr const char* taint = "tainted_mask";
// "O" and "E" of a module that is not the kernel's own; a complaint adds others.
constexpr std::uint64_t taints_of_a_module = 1U << 12U | 1U << 13U;

constexpr std::array code_marks{"_stext", "_etext", "__start___jump_table", "__stop___jump_table"};

std::uint64_t number(const std::string& bytes) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
    return value;
}

std::string shown(const std::string& bytes) {
    if (bytes.size() <= sizeof(std::uint64_t)) return fmt::format("{:#x}", number(bytes));
    return fmt::format("\"{}\"", bytes.c_str());
}

std::int32_t offset_at(std::string_view bytes, std::size_t at) {
    std::int32_t value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

/// Length of what stands at a jump label; 0 when it is neither a jump to `target` nor nothing.
std::size_t label_length(std::string_view code, std::size_t at, std::uint64_t place,
                         std::uint64_t target) {
    constexpr std::string_view short_nothing("\x66\x90", 2);
    constexpr std::string_view long_nothing("\x0f\x1f\x44\x00\x00", 5);
    const auto here = code.substr(at);
    if (here.starts_with(short_nothing)) return 2;
    if (here.starts_with(long_nothing)) return 5;
    if (here.starts_with('\xeb') && place + 2 + static_cast<signed char>(here[1]) == target)
        return 2;
    if (here.starts_with('\xe9') && place + 5 + offset_at(here, 1) == target) return 5;
    return 0;
}

}  // namespace

std::uint64_t code_number(std::string code, std::uint64_t base, const std::string& table,
                          std::uint64_t table_base) {
    constexpr std::size_t entry = 16;  // two offsets from where they stand, and the key
    for (std::size_t at = 0; at + entry <= table.size(); at += entry) {
        const auto place = table_base + at + offset_at(table, at);
        const auto target = table_base + at + 4 + offset_at(table, at + 4);
        if (place < base || place - base + 5 > code.size()) continue;  // of the boot, long gone
        const auto length = label_length(code, place - base, place, target);
        code.replace(place - base, length, length, '\0');
    }
    return content_hash(code);
}

std::set<std::string> stopped_by(const std::vector<std::string>& log) {
    std::set<std::string> found{taint};
    for (const auto& variable : variables)
        if (variable.stopped_by && std::any_of(log.begin(), log.end(), [&](const auto& line) {
                return line.find(*variable.stopped_by) != std::string::npos;
            }))
            found.insert(variable.name);
    return found;
}

Watchmen::Watchmen(const std::filesystem::path& vmlinux) {
    std::set<std::string> names(code_marks.begin(), code_marks.end());
    for (const auto& variable : variables) names.insert(variable.name);
    names.insert(taint);
    symbols_ = sandbox::kernel_symbols(vmlinux, names);
    for (const auto& name : names)
        if (!symbols_.contains(name))
            throw std::runtime_error(fmt::format(
                "{}: the kernel has no {}, which the grader watches; grade with the strict kernel",
                vmlinux.string(), name));
}

std::string Watchmen::value(sandbox::Guest& guest, const std::string& name) const {
    const auto& symbol = symbols_.at(name);
    return guest.memory(symbol.address, symbol.size);
}

std::uint64_t Watchmen::code(sandbox::Guest& guest) const {
    const auto between = [&](const char* from, const char* to) {
        return guest.memory(symbols_.at(from).address,
                            symbols_.at(to).address - symbols_.at(from).address);
    };
    return code_number(between("_stext", "_etext"), symbols_.at("_stext").address,
                       between("__start___jump_table", "__stop___jump_table"),
                       symbols_.at("__start___jump_table").address);
}

void Watchmen::note(sandbox::Guest& guest) {
    for (const auto& variable : variables) before_[variable.name] = value(guest, variable.name);
    before_[taint] = value(guest, taint);
    code_before_ = code(guest);
}

std::vector<std::string> Watchmen::changes(sandbox::Guest& guest) const {
    std::vector<std::string> found;
    const auto changed = [&](const std::string& name, const std::string& now) {
        found.push_back(fmt::format("{} was {}, is {}", name, shown(before_.at(name)), shown(now)));
    };
    for (const auto& variable : variables) {
        const auto now = value(guest, variable.name);
        if (now == before_.at(variable.name) || excused_.contains(variable.name)) continue;
        changed(variable.name, now);
    }
    const auto now = value(guest, taint);
    const auto new_taints = (number(now) ^ number(before_.at(taint))) & ~taints_of_a_module;
    if (new_taints != 0 && !excused_.contains(taint)) changed(taint, now);
    return found;
}

bool Watchmen::code_unchanged(sandbox::Guest& guest) const {
    return code(guest) == code_before_;
}

}  // namespace fwts::grader
