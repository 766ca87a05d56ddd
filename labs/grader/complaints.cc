// SPDX-License-Identifier: GPL-2.0
#include "complaints.h"

#include <string_view>

#include "kernel_log.h"

namespace fwts::grader {
namespace {

constexpr std::size_t report_lines = 40;

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
        if (sandbox::is_complaint(message)) found.push_back(Complaint{message, {}});
        if (!found.empty() && found.back().lines.size() < report_lines)
            found.back().lines.push_back(std::move(message));
    }
    return found;
}

}  // namespace fwts::grader
