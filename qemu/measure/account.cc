// SPDX-License-Identifier: GPL-2.0
#include "account.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "failure.h"

namespace fwts::measure {

using sandbox::SetupError;

namespace {

constexpr double kSecond = 1e9;
constexpr double kMebibyte = 1 << 20;

/// Two rows have equal interrupts when what lies between them is no more than this for a frame, or
/// a twentieth. An interrupt costs a thousand instructions.
constexpr double kInterruptsApart = 0.05;

}  // namespace

Reading parse_reading(const std::string& text) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    const auto field = [&](const char* name) {
        if (!json.is_object() || !json.contains(name) || !json[name].is_number_unsigned())
            throw SetupError(fmt::format("the meter's answer has no `{}`: {}", name, text));
        return json[name].get<std::uint64_t>();
    };
    return {field("elapsed"), field("busy"),      field("frames"), field("interrupts"),
            field("offered"), field("delivered"), field("bytes"),  field("window")};
}

Price price(const Reading& less, const Reading& more, Unit unit) {
    const auto count = [unit](const Reading& reading) {
        return unit == Unit::kFrame ? double(reading.frames) : double(reading.bytes) / kMebibyte;
    };
    const double units = count(more) - count(less);
    if (units <= 0) {
        throw SetupError(
            fmt::format("nothing to compare: {} {} against {}; did the device "
                        "send or receive at all?",
                        count(more), unit == Unit::kFrame ? "frames" : "MiB", count(less)));
    }
    return {(double(more.busy) - double(less.busy)) / units,
            (double(more.interrupts) - double(less.interrupts)) / units};
}

double own_cost(const Price& row, const Price& floor) {
    return row.instructions - floor.instructions;
}

std::optional<double> beside(const Price& row, const Price& igb, const Price& floor) {
    const double most = std::max({row.interrupts, igb.interrupts, 1.0});
    const bool equal = std::abs(row.interrupts - igb.interrupts) <= kInterruptsApart * most;
    const double whole = own_cost(igb, floor);
    if (!equal || whole <= 0) return std::nullopt;
    return own_cost(row, floor) / whole;
}

double flatness(const std::vector<double>& costs) {
    if (costs.empty()) throw SetupError("flatness of no rows");
    const auto [low, high] = std::minmax_element(costs.begin(), costs.end());
    return (*high - *low) / (*high + *low);
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
