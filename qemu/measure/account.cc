// SPDX-License-Identifier: GPL-2.0
#include "account.h"

#include <fmt/format.h>

#include <algorithm>

#include "failure.h"

namespace fwts::measure {

using sandbox::SetupError;

namespace {

constexpr double kSecond = 1e9;

}  // namespace

Reading parse_reading(const std::string& text) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    const auto field = [&](const char* name) {
        if (!json.is_object() || !json.contains(name) || !json[name].is_number_unsigned())
            throw SetupError(fmt::format("the meter's answer has no `{}`: {}", name, text));
        return json[name].get<std::uint64_t>();
    };
    return {field("elapsed"),    field("busy"),    field("frames"),
            field("interrupts"), field("offered"), field("delivered")};
}

Price price(const Reading& less, const Reading& more) {
    if (more.frames <= less.frames) {
        throw SetupError(
            fmt::format("nothing to compare: {} frames against {}; did the device "
                        "send or receive at all?",
                        more.frames, less.frames));
    }
    const auto frames = double(more.frames - less.frames);
    return {(double(more.busy) - double(less.busy)) / frames,
            (double(more.interrupts) - double(less.interrupts)) / frames};
}

Price Series::mean() const {
    if (prices_.empty()) throw SetupError("a mean of no runs");
    Price sum;
    for (const Price& price : prices_) {
        sum.instructions += price.instructions;
        sum.interrupts += price.interrupts;
    }
    const auto count = double(prices_.size());
    return {sum.instructions / count, sum.interrupts / count};
}

double Series::spread() const {
    const auto [low, high] = std::minmax_element(
        prices_.begin(), prices_.end(),
        [](const Price& a, const Price& b) { return a.instructions < b.instructions; });
    return 100 * (high->instructions - low->instructions) / mean().instructions;
}

Load load(const Reading& reading) {
    if (reading.elapsed == 0) throw SetupError("a load over no time");
    const double seconds = double(reading.elapsed) / kSecond;
    return {double(reading.offered) / seconds, double(reading.frames) / seconds,
            double(reading.delivered) / seconds, double(reading.busy) / double(reading.elapsed)};
}

}  // namespace fwts::measure
