// SPDX-License-Identifier: GPL-2.0
/// @file
/// The stages in which a line exists: from one stage, until another (which no longer has it).
#pragma once

#include <limits>

namespace fwts::loom {

/// A half-open range of stages, counted from 0 in the order of stages.toml.
struct Lifetime {
    static constexpr int kForever = std::numeric_limits<int>::max();

    int from = 0;
    int until = kForever;

    bool contains(int stage) const { return from <= stage && stage < until; }
    bool within(const Lifetime& outer) const { return outer.from <= from && until <= outer.until; }
    bool operator==(const Lifetime&) const = default;
};

}  // namespace fwts::loom
