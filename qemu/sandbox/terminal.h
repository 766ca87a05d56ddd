// SPDX-License-Identifier: GPL-2.0
// The reader's terminal joined to the guest's serial console.
//
// Goes by the serial line and not by the agent, so it works as long as the kernel breathes.
#pragma once

#include "guest.h"

namespace fwts::sandbox {

/// The byte that leaves: Ctrl-].
inline constexpr char kLeave = 0x1d;

/// Joins standard input and output to the console until Ctrl-], the end of input or the guest's
/// end. A terminal becomes raw meanwhile and is restored whatever happens.
/// @return true if the reader left, false if the guest ended.
bool join_terminal(Guest& guest);

}  // namespace fwts::sandbox
