// SPDX-License-Identifier: GPL-2.0
// What every lab does with its driver: loads it, finds its interface, waits for its carrier.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "testbed.h"

namespace fwts::grader {

/// Name of the card's network interface. The check fails when there is none.
std::string interface(Testbed& testbed);

/// Loads the submission's module. @param parameters  of the module: "provider=1".
void load(Testbed& testbed, const std::vector<std::string>& parameters = {});

/// The interface is up, by `ip` if it was not, and has its carrier.
void bring_up(Testbed& testbed);

/// Waits until the interface has its carrier, or has lost it with the cable pulled.
void expect_carrier(Testbed& testbed, const std::string& eth, bool on);

/// Takes the interface down, or up; then it waits for its carrier.
void set_link(Testbed& testbed, const std::string& eth, bool up);
/// Sets its MTU, and demands that it is what /sys then says.
void set_mtu(Testbed& testbed, const std::string& eth, unsigned mtu);

/// A line of what `ethtool -S` prints. The check fails when there is none of that name.
std::uint64_t counter(const std::string& statistics, const std::string& name);
/// That line now. @param eth  the interface
std::uint64_t counter(Testbed& testbed, const std::string& eth, const std::string& name);

/// Writes a file of the guest. @return why it could not be written, as strerror() says it; empty
/// when it could.
std::string refusal(Testbed& testbed, const std::string& file, const std::string& content);

/// Binds the driver to the card again. @return as refusal().
std::string bind(Testbed& testbed);
/// Takes the driver from the card. The check fails when that does not work.
void unbind(Testbed& testbed);
/// Whether a driver has the card.
bool bound(Testbed& testbed);

/// What of the card is still taken though no driver should have it: address ranges in /proc/iomem,
/// mappings of BAR 0 in /proc/vmallocinfo, its enable count. One line each; empty when nothing is.
std::string still_taken(Testbed& testbed);

/// After rmmod: the card has been given back to its firmware (DRV_LOAD in CTRL_EXT is clear).
void expect_released(Testbed& testbed, const std::string& when);

/// Lets more time pass than the driver's watchdog sleeps: a window to watch, not a wait for
/// something.
void outwait_watchdog(Testbed& testbed);

/// The card's registers were not written since writes().size() was `mark`.
/// @param when  for the report: "after rmmod"
void expect_no_write(Testbed& testbed, std::size_t mark, const std::string& when);

/// With the module unloaded: kmemleak finds nothing that was lost. What its scan says on the
/// console, which no program in the guest can hold back, is a complaint that fails the check, too.
/// @param after  what happened before: "all that failed"
void expect_nothing_lost(Testbed& testbed, const std::string& after);

}  // namespace fwts::grader
