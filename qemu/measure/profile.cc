// SPDX-License-Identifier: GPL-2.0
#include "profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "failure.h"
#include "process.h"
#include "text.h"

namespace fwts::measure {

using sandbox::SetupError;

namespace {

constexpr const char* kCore = "core";
constexpr const char* kSkb = "skb and buffers";
constexpr const char* kDma = "DMA mapping";
constexpr const char* kDriver = "driver";
constexpr const char* kInterrupt = "interrupt and softirq";
constexpr const char* kAccounting = "accounting, moderation";

constexpr double kAgree = 0.01;

/// The first rule that fits decides. Of modules the file is the module's name in brackets.
struct Rule {
    std::string_view file;      ///< begins so
    std::string_view function;  ///< begins so
    const char* group;
};

constexpr Rule kRules[] = {
    {"[igb]", "igb_update_itr", kAccounting},
    {"[igb]", "igb_set_itr", kAccounting},
    {"[igb]", "igb_update_ring_itr", kAccounting},
    {"[igb]", "igb_get_stats", kAccounting},
    {"[igb]", "igb_update_stats", kAccounting},
    {"[igbook]", "igbook_moderat", kAccounting},
    {"[igbook]", "igbook_pause", kAccounting},
    {"[igbook]", "igbook_count", kAccounting},
    {"[igb]", "", kDriver},
    {"[igbook]", "", kDriver},
    {"[", "", kCore},
    // The core's part of an interrupt.
    {"net/core/dev.c", "net_rx_action", kInterrupt},
    {"net/core/dev.c", "__napi_", kInterrupt},
    {"net/core/dev.c", "____napi_schedule", kInterrupt},
    {"net/core/dev.c", "napi_schedule_prep", kInterrupt},
    {"net/core/dev.c", "napi_complete_done", kInterrupt},
    {"net/core/dev.c", "net_tx_action", kInterrupt},
    {"net/core/dev.c", "dev_kfree_skb", kSkb},
    {"net/core/dev.c", "napi_consume_skb", kSkb},
    {"net/core/dev.c", "__dev_kfree_skb", kSkb},
    {"net/core/skbuff.c", "", kSkb},
    {"net/core/page_pool", "", kSkb},
    {"mm/", "", kSkb},
    {"arch/x86/lib/mem", "", kSkb},
    {"kernel/dma/", "", kDma},
    {"drivers/iommu/", "", kDma},
    {"arch/x86/entry/", "", kInterrupt},
    {"arch/x86/kernel/irq", "", kInterrupt},
    {"arch/x86/kernel/traps.c", "", kInterrupt},
    {"arch/x86/kernel/apic/", "", kInterrupt},
    {"arch/x86/include/asm/idtentry", "", kInterrupt},
    {"drivers/char/random.c", "", kInterrupt},
    {"drivers/pci/", "", kInterrupt},
    {"kernel/irq/", "", kInterrupt},
    {"kernel/softirq.c", "", kInterrupt},
    {"kernel/entry/", "", kInterrupt},
    {"kernel/context_tracking.c", "", kInterrupt},
    {"kernel/rcu/", "", kInterrupt},
    {"kernel/sched/", "", kInterrupt},
    {"kernel/time/", "", kAccounting},
    {"arch/x86/kernel/tsc.c", "", kAccounting},
    {"lib/dynamic_queue_limits.c", "", kAccounting},
    {"lib/dim/", "", kAccounting},
    {"", "", kCore},
};

// The parts and copies that a compiler makes of a function carry its name and more after a point.
std::string_view without_suffix(std::string_view name) {
    return name.substr(0, name.find('.', 1));
}

// The path of a source file in the kernel's tree, of "/somewhere/linux-6.12.1/net/core/dev.c:12".
std::string in_the_tree(std::string_view place) {
    if (const auto tree = place.rfind("/linux-"); tree != std::string_view::npos) {
        place.remove_prefix(tree + 1);
        place.remove_prefix(place.find('/') + 1);
    }
    const std::filesystem::path path(place.substr(0, place.find(':')));
    return path.lexically_normal().string();
}

}  // namespace

Functions::Functions(std::string_view kallsyms) {
    for (const std::string& line : split_lines(kallsyms)) {
        // "ffffffff81000000 T startup_64", "ffffffffc0000000 t igb_poll\t[igb]"
        if (line.size() < 20 || std::string_view("tTwW").find(line[17]) == std::string_view::npos)
            continue;
        std::uint64_t address = 0;
        std::from_chars(line.data(), line.data() + 16, address, 16);
        std::string_view name = std::string_view(line).substr(19), module;
        if (const auto tab = name.find('\t'); tab != std::string_view::npos) {
            module = name.substr(tab + 2, name.size() - tab - 3);
            name = name.substr(0, tab);
        }
        // What lies before a function for patching is never executed.
        if (address == 0 || name.starts_with("__pfx_")) continue;
        addresses_.try_emplace(std::string(without_suffix(name)), address);
        // A place with several names goes by the first.
        functions_.try_emplace(
            address, Function{address, std::string(without_suffix(name)), std::string(module)});
    }
    if (functions_.empty())
        throw SetupError("/proc/kallsyms has no addresses: is kernel.kptr_restrict set?");
}

const Function* Functions::at(std::uint64_t address) const {
    const auto after = functions_.upper_bound(address);
    return after == functions_.begin() ? nullptr : &std::prev(after)->second;
}

std::uint64_t Functions::address(std::string_view name) const {
    if (const auto found = addresses_.find(std::string(name)); found != addresses_.end())
        return found->second;
    throw SetupError(fmt::format("the guest's kernel has no function {}", name));
}

const std::vector<std::string>& group_names() {
    static const std::vector<std::string> names = {kCore,   kSkb,       kDma,
                                                   kDriver, kInterrupt, kAccounting};
    return names;
}

std::string group_of(const Function& function, std::string_view file) {
    const std::string module = "[" + function.module + "]";
    const std::string_view where = function.module.empty() ? file : module;
    return std::ranges::find_if(kRules,
                                [&](const Rule& rule) {
                                    return where.starts_with(rule.file) &&
                                           function.name.starts_with(rule.function);
                                })
        ->group;
}

std::map<std::uint64_t, std::string> source_files(const std::filesystem::path& vmlinux,
                                                  const std::vector<std::uint64_t>& addresses) {
    std::map<std::uint64_t, std::string> files;
    if (addresses.empty()) return files;
    std::vector<std::string> command{"addr2line", "-e", vmlinux.string()};
    for (const std::uint64_t address : addresses) command.push_back(fmt::format("{:#x}", address));
    Limits limits;
    limits.wall = std::chrono::minutes(10);
    const auto result = run_process(command, limits, {{"PATH", "/usr/bin:/bin"}}, Errors::dropped);
    const auto lines = split_lines(result.output);
    if (!result.ok() || lines.size() != addresses.size()) {
        throw SetupError(
            fmt::format("addr2line -e {} ended with {} and {} of {} lines; is the "
                        "kernel built with its symbols?",
                        vmlinux.string(), result.status, lines.size(), addresses.size()));
    }
    for (std::size_t i = 0; i < addresses.size(); ++i) files[addresses[i]] = in_the_tree(lines[i]);
    return files;
}

std::vector<Share> shares(
    const Counts& less, const Counts& more, double frames, const Functions& functions,
    const std::function<std::map<std::uint64_t, std::string>(const std::vector<std::uint64_t>&)>&
        files) {
    if (frames <= 0) throw SetupError("a profile of no frames");
    std::map<const Function*, double> executed;
    const auto add = [&](const Counts& counts, double sign) {
        for (const auto& [address, count] : counts)
            executed[functions.at(address)] += sign * double(count);
    };
    add(more, 1);
    add(less, -1);
    std::vector<std::uint64_t> addresses;
    for (const auto& [function, count] : executed)
        if (count != 0 && function != nullptr && function->module.empty())
            addresses.push_back(function->address);
    const auto where = files(addresses);

    std::vector<Share> shares;
    for (const auto& [function, count] : executed) {
        if (count == 0) continue;
        static const Function kNowhere{0, "(no function)", ""};
        const Function& known = function != nullptr ? *function : kNowhere;
        const auto file = where.find(known.address);
        shares.push_back(
            {group_of(known, file == where.end() ? "" : file->second), known.name, count / frames});
    }
    std::ranges::sort(shares, [](const Share& a, const Share& b) {
        return a.instructions != b.instructions ? a.instructions > b.instructions
                                                : a.function < b.function;
    });
    return shares;
}

double agreed_sum(const std::vector<Share>& shares, double measured) {
    const double sum = std::accumulate(
        shares.begin(), shares.end(), 0.0,
        [](double so_far, const Share& share) { return so_far + share.instructions; });
    if (std::abs(sum - measured) > kAgree * std::abs(measured)) {
        throw SetupError(
            fmt::format("the functions add up to {:.1f} instructions, and {:.1f} were measured: "
                        "more than {:.0f} % apart. Did a program take part?",
                        sum, measured, 100 * kAgree));
    }
    return sum;
}

}  // namespace fwts::measure
