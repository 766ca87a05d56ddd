// SPDX-License-Identifier: GPL-2.0
#include "error.h"

#include <fmt/format.h>

#include <utility>

namespace fwts::loom {

namespace {

std::string join(const Errors& errors) {
    std::string text;
    for (const Error& error : errors) {
        if (!text.empty()) text += '\n';
        text += to_string(error);
    }
    return text;
}

}  // namespace

std::string to_string(const Error& error) {
    if (error.line == 0)
        return fmt::format("{}: error: {}; {}", error.file, error.what, error.what_to_do);
    return fmt::format("{}:{}: error: {}; {}", error.file, error.line, error.what,
                       error.what_to_do);
}

Failure::Failure(Errors errors) : std::runtime_error(join(errors)), errors_(std::move(errors)) {}

Failure::Failure(Error error) : Failure(Errors{std::move(error)}) {}

void throw_if_any(const Errors& errors) {
    if (!errors.empty()) throw Failure(errors);
}

}  // namespace fwts::loom
