// SPDX-License-Identifier: GPL-2.0
#include "progress.h"

#include <unistd.h>

#include <iostream>

namespace fwts {

ProgressLine::ProgressLine() : terminal_(isatty(STDERR_FILENO) != 0) {}

void ProgressLine::show(const std::string& text) const {
    if (terminal_) std::cerr << "\r\033[K" << text.substr(0, 110) << std::flush;
}

void ProgressLine::say(const std::string& text) const {
    clear();
    std::cerr << text << '\n' << std::flush;
}

void ProgressLine::clear() const {
    if (terminal_) std::cerr << "\r\033[K" << std::flush;
}

}  // namespace fwts
