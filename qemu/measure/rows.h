// SPDX-License-Identifier: GPL-2.0
// The rows of the table: what is done to each driver.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "account.h"
#include "measured_guest.h"

namespace fwts::measure {

struct Row {
    const char* name;
    const char* title;
    const char* set;    ///< rows that are asked for together
    const char* since;  ///< the first stage that can do it
    Work work;
    double goal = 0;          ///< own cost at most, as a part of in-tree igb's; 0: none is set
    const char* before = "";  ///< lines of shell for the driver's guest; $dev is the device
    const char* after = "";
    Unit unit = Unit::kFrame;

    /// @return whether `igb`, `floor` or the stage of this number can do it.
    [[nodiscard]] bool possible(const std::string& driver) const;

    /// @return whether there is something to set for this driver: without one there are no rings
    /// and no pauses.
    [[nodiscard]] bool has_settings(const std::string& driver) const;
};

/// @param wanted  names of rows, names of sets, or `all`
/// @param quick   a tenth of the work, in fewer windows
std::vector<Row> choose_rows(const std::vector<std::string>& wanted, bool quick);

/// @return every word that choose_rows() knows.
std::vector<std::string> row_words();

/// @return how many windows are measured.
unsigned windows(bool quick);

}  // namespace fwts::measure
