// SPDX-License-Identifier: GPL-2.0
#include "failure.h"

#include <utility>

namespace fwts::sandbox {

namespace {

std::string report(const std::string& message, const std::vector<std::string>& console,
                   const std::vector<std::string>& backtrace) {
    std::string text = message;
    if (!console.empty()) {
        text += "\nlast console lines:";
        for (const auto& line : console) text += "\n  | " + line;
    }
    if (!backtrace.empty()) {
        text += "\nbacktrace, innermost first:";
        for (const auto& frame : backtrace) text += "\n  " + frame;
    }
    return text;
}

}  // namespace

GuestFailure::GuestFailure(const std::string& message, std::vector<std::string> console,
                           std::vector<std::string> backtrace)
    : std::runtime_error(report(message, console, backtrace)),
      message_(message),
      console_(std::move(console)),
      backtrace_(std::move(backtrace)) {}

std::string advice_on(std::string_view output) {
    if (output.find("'igb' is not a valid device") == std::string_view::npos) return {};
    return "This QEMU has no igb card: 8.0 or later is needed. `make setup` installs one "
           "(bookworm-backports on Debian 12).\n";
}

}  // namespace fwts::sandbox
