// SPDX-License-Identifier: GPL-2.0
// Bytes as text: base64 of RFC 4648, with padding, without line ends.
#pragma once

#include <string>
#include <string_view>

namespace fwts {

std::string base64_encode(std::string_view bytes);

/// @throws std::invalid_argument if it is not base64
std::string base64_decode(std::string_view text);

}  // namespace fwts
