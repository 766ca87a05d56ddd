// SPDX-License-Identifier: GPL-2.0
#include "instruction_log.h"

#include <fmt/format.h>

#include <charconv>

#include "failure.h"

namespace fwts::measure {

using sandbox::SetupError;

namespace {

std::uint64_t hexadecimal(std::string_view text, std::string_view line) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (error != std::errc() || end != text.data() + text.size())
        throw SetupError(fmt::format("QEMU's log has a line without an address: {}", line));
    return value;
}

}  // namespace

void InstructionLog::add(std::string_view bytes) {
    std::size_t end = 0;
    while ((end = bytes.find('\n')) != std::string_view::npos) {
        if (rest_.empty()) {
            line(bytes.substr(0, end));
        } else {
            rest_ += bytes.substr(0, end);
            line(rest_);
            rest_.clear();
        }
        bytes.remove_prefix(end + 1);
    }
    rest_ += bytes;
}

// "Trace 0: 0x7f12c8012340 [0000000000000000/ffffffff81234567/0000c0b1/ff020201] function", and
// "Stopped execution of TB chain before 0x7f12c8012340 [ffffffff81234567] function" when the one
// named last was not executed after all.
void InstructionLog::line(std::string_view text) {
    if (text.empty()) return;
    const std::size_t open = text.find('['), close = text.find(']');
    const bool executed = text.starts_with("Trace ");
    if ((!executed && !text.starts_with("Stopped execution")) || open == std::string_view::npos ||
        close == std::string_view::npos || close < open)
        throw SetupError(fmt::format("QEMU's log has a line of an unknown kind: {}", text));
    std::string_view place = text.substr(open + 1, close - open - 1);
    if (!executed) {
        if (inside_) --counts_[hexadecimal(place, text)];
        return;
    }
    place.remove_prefix(std::min(place.find('/') + 1, place.size()));
    const std::uint64_t address = hexadecimal(place.substr(0, place.find('/')), text);
    if (address == mark_) {
        if (inside_) windows_.push_back(std::move(counts_));
        counts_.clear();
        inside_ = !inside_;
    }
    if (inside_) ++counts_[address];
}

}  // namespace fwts::measure
