// SPDX-License-Identifier: GPL-2.0
#include "complaints.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace fwts::grader {
namespace {

constexpr std::size_t report_lines = 40;

/// Each stands at the beginning of a message.
constexpr std::array<std::string_view, 19> at_start{
    "WARNING: ",
    "BUG: ",
    "INFO: possible ",
    "INFO: trying to register non-static key",
    "INFO: task ",
    "INFO: rcu",
    "Oops",
    "general protection fault",
    "kernel BUG at ",
    "Kernel panic",
    "ODEBUG: ",
    "UBSAN: ",
    "refcount_t: ",
    "list_add corruption",
    "list_del corruption",
    "unregister_netdevice: waiting for ",
    "watchdog: BUG: ",
    "Trying to free nonexistent resource",
    "rcu: INFO: ",
};

/// Each may stand anywhere in a message.
constexpr std::array<std::string_view, 5> anywhere{
    "new suspected memory leaks", ": device driver ",
    "resource sanity check: ", "sysfs: cannot create duplicate filename", "still has locks held"};

bool complains(const std::string& message) {
    const auto starts = [&](std::string_view text) { return message.starts_with(text); };
    const auto holds = [&](std::string_view text) {
        return message.find(text) != std::string::npos;
    };
    return std::any_of(at_start.begin(), at_start.end(), starts) ||
           std::any_of(anywhere.begin(), anywhere.end(), holds);
}

}  // namespace

std::string without_stamp(const std::string& line) {
    std::string_view rest = line;
    while (rest.starts_with('[')) {
        const auto end = rest.find(']');
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
        while (rest.starts_with(' ')) rest.remove_prefix(1);
    }
    while (rest.ends_with('\r')) rest.remove_suffix(1);
    return std::string(rest);
}

std::vector<Complaint> complaints(const std::vector<std::string>& log) {
    std::vector<Complaint> found;
    for (const auto& line : log) {
        std::string message = without_stamp(line);
        if (complains(message)) found.push_back(Complaint{message, {}});
        if (!found.empty() && found.back().lines.size() < report_lines)
            found.back().lines.push_back(std::move(message));
    }
    return found;
}

}  // namespace fwts::grader
