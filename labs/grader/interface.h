// SPDX-License-Identifier: GPL-2.0
// What every lab does with its driver: loads it, finds its interface, waits for its carrier.
#pragma once

#include <string>
#include <vector>

#include "bench.h"

namespace fwts::grader {

/// Name of the card's network interface. The check fails when there is none.
std::string interface(Bench& bench);

/// Loads the submission's module. @param parameters  of the module: "provider=1".
void load(Bench& bench, const std::vector<std::string>& parameters = {});

/// The interface is up, by `ip` if it was not, and has its carrier.
void bring_up(Bench& bench);

/// Waits until the interface has its carrier, or has lost it with the cable pulled.
void expect_carrier(Bench& bench, const std::string& eth, bool on);

}  // namespace fwts::grader
