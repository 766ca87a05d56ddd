// SPDX-License-Identifier: GPL-2.0
// Reading the kernel's log: what it complains about, and what became of the machine.
//
// Works on text alone, from a console or from dmesg, so recorded logs are its tests.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fwts::sandbox {

/// One place in a kernel call trace, as the kernel prints it: "igb_probe+0x1a/0x2f0 [igb]".
struct TraceFrame {
    std::string function;
    unsigned long offset = 0;
    unsigned long size = 0;
    std::string module;    ///< empty for the kernel itself
    bool reliable = true;  ///< false for lines with '?'

    friend bool operator==(const TraceFrame&, const TraceFrame&) = default;
};

/// @return the line without "[    1.234567] " or a level prefix before it.
std::string_view strip_stamp(std::string_view line);

/// @return the frames of the first trace in @p log, innermost first: the RIP line, then the lines
/// below "Call Trace:". Lines the kernel marks as guesses ('?') are left out.
std::vector<TraceFrame> find_trace(std::string_view log);

/// @return the sentence with which the kernel died ("Kernel panic - not syncing: …"), together with
/// the "BUG:"/"Oops:" line before it; or nothing if it lives.
std::optional<std::string> find_panic(std::string_view log);

/// @return whether the kernel complains in this line, which may have its stamp.
bool is_complaint(std::string_view line);

/// @return every line in which the kernel complains: WARNING, BUG, KASAN, lockdep, DMA-API,
/// kmemleak, hung tasks, leaked references and the like. Empty for a healthy run.
std::vector<std::string> find_complaints(std::string_view log);

}  // namespace fwts::sandbox
