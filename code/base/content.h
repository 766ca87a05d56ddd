// SPDX-License-Identifier: GPL-2.0
// Whether something is still what it was, by content.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace fwts {

/// A number for these bytes. It tells changes; it does not withstand somebody who makes two texts
/// with the same number.
std::uint64_t content_hash(std::string_view bytes);

/// @return size and content_hash() of a file as text for a key, "missing" when it cannot be read. A
/// gigabyte takes less than a second.
std::string content_of(const std::filesystem::path& file);

}  // namespace fwts
