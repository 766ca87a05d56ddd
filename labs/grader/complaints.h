// SPDX-License-Identifier: GPL-2.0
// Reads the strict kernel's log for what it complains about.
#pragma once

#include <string>
#include <vector>

namespace fwts::grader {

/// One complaint: the line that raises it and what the kernel printed with it.
struct Complaint {
    std::string headline;            ///< "BUG: KASAN: slab-use-after-free in …"
    std::vector<std::string> lines;  ///< the headline and up to 40 lines after it
};

/// Finds what sandbox::is_complaint() takes for one: warnings, BUGs, reports by KASAN, lockdep,
/// RCU, DMA-API, kmemleak, debugobjects.
///
/// A report that another interrupts is cut there. A forged complaint only harms the forger, so the
/// patterns are generous.
/// @param log console lines, with or without time stamps.
std::vector<Complaint> complaints(const std::vector<std::string>& log);

/// A line without the time stamp and caller id that printk puts before it.
std::string without_stamp(const std::string& line);

}  // namespace fwts::grader
