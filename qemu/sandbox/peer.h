// SPDX-License-Identifier: GPL-2.0
// What a quiet neighbour on the cable would answer: 192.0.2.1 and 2001:db8::1 at 02:00:00:00:00:01.
//
// Answers ARP and IPv6 neighbour solicitations, ICMP and ICMPv6 echo, and UDP echo on port 7. It
// has no state and no sockets: a frame goes in, the answer comes out.
#pragma once

#include <optional>

#include "frame.h"

namespace fwts::sandbox {

/// @return the neighbour's answer to @p frame, or nothing if it would keep silent.
std::optional<Frame> peer_answer(const Frame& frame);

}  // namespace fwts::sandbox
